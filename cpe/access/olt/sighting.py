"""From the rows that were read to the domain's `OltSighting`. Pure: the time is given."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from cpe.access.olt import decode
from cpe.access.olt.decode import Decoded
from cpe.access.olt.reading import Row, technology
from cpe.access.olt.wire import Missing, Oid, Value, oid_text
from cpe.domain.observation import Measurement, Quality, Source
from cpe.domain.serials import gpon_serial
from cpe.domain.snapshot import Neighbour, OltSighting, OntState
from cpe.profiles.olt_columns import (
    QUANTITIES,
    ColumnName,
    NumberColumn,
    TimeColumn,
    WordColumn,
)
from cpe.profiles.olt_profile import OltProfile
from cpe.profiles.quantities import COARSE

_STEPPED = (ColumnName.ONT_RX, ColumnName.ONT_TX, ColumnName.OLT_RX, ColumnName.TEMPERATURE)
_WORDS = {ColumnName.STATE: "line.ont_state", ColumnName.CAUSE: "line.last_down_cause"}

Optics = Mapping[ColumnName, tuple[Oid, Value]]


def measurements(
    profile: OltProfile, row: Row, optics: Optics | None, optics_detail: str, now: datetime
) -> tuple[Measurement, ...]:
    """Everything the profile can tell of this row, the unreadable included, with the reason."""
    found: list[Measurement] = []
    for name in profile.basics():
        value = row.values.get(name, Missing.NOT_ANSWERED)
        oid = row.oids.get(name)
        made = _basic(profile, name, value, row)
        if made is not None:
            found.append(_measurement(profile, name, made, oid, now))
    for name in profile.optics():
        column = profile.columns[name]
        if not isinstance(column, NumberColumn):
            continue
        if optics is None or name not in optics:
            made = Decoded(None, Quality.NOT_READ, None, optics_detail or row.place_detail)
            found.append(_measurement(profile, name, made, None, now))
        else:
            oid, value = optics[name]
            made = decode.number(name, column, value)
            found.append(_measurement(profile, name, made, oid, now))
    return tuple(found)


def _basic(profile: OltProfile, name: ColumnName, value: Value, row: Row) -> Decoded | None:
    column = profile.columns[name]
    if name in QUANTITIES and isinstance(column, NumberColumn):
        return decode.number(name, column, value)
    if isinstance(column, TimeColumn):
        return decode.when(column, value)[1]
    if isinstance(column, WordColumn):
        made = decode.word(column, value)
        if name is ColumnName.STATE:
            return _state(made, row)
        return made
    return None


def _state(made: Decoded, row: Row) -> Decoded:
    """The folded state, on the raw value's evidence."""
    if made.quality is not Quality.OK:
        return made
    note = "; ".join(part for part in (made.note, row.folded.note) if part)
    if row.folded.state is OntState.UNKNOWN:
        return Decoded(None, Quality.SENTINEL, made.raw, note or "the OLT does not know")
    return Decoded(str(row.folded.state), Quality.OK, made.raw, note)


def _measurement(
    profile: OltProfile, name: ColumnName, made: Decoded, oid: Oid | None, now: datetime
) -> Measurement:
    column = profile.columns[name]
    quantity = QUANTITIES.get(name)
    is_number = isinstance(column, NumberColumn)
    step = column.step if name in _STEPPED else None
    parts = (made.note, column.note)
    return Measurement(
        name=quantity.measurement if quantity else _WORDS.get(name, "line.last_down_at"),
        value=made.value,
        unit=quantity.unit if quantity else None,
        raw=made.raw,
        path=oid_text(oid) if oid else column.oid,
        conversion=column.conversion() if is_number else None,
        source=Source.OLT,
        measured_at=now,
        age_s=0.0,
        quality=made.quality,
        note="; ".join(part for part in parts if part),
        resolution=step if step is not None and step >= COARSE else None,
    )


def sighting(
    profile: OltProfile,
    olt: str,
    row: Row,
    *,
    optics: Optics | None,
    optics_detail: str,
    neighbours: tuple[Neighbour, ...] | None,
    neighbours_detail: str,
    now: datetime,
) -> OltSighting:
    """The record of one ONT on one OLT."""
    place = row.place
    return OltSighting(
        olt=olt,
        profile=str(profile.id),
        verified=profile.verified,
        pon=place.pon if place and place.pon else _unknown_pon(row),
        ont=place.ont if place and place.ont else _unnumbered(profile, row),
        index=oid_text(row.index),
        gpon_serial=gpon_serial(row.key) if row.key else None,
        state=row.folded.state,
        cause=row.folded.cause,
        down_at=row.down_at,
        measurements=measurements(profile, row, optics, optics_detail, now),
        neighbours=neighbours,
        neighbours_detail=neighbours_detail,
        optics_detail=optics_detail,
        technology=technology(row.values),
    )


def _unnumbered(profile: OltProfile, row: Row) -> str:
    return row.key or "?" if profile.index.kind == "serial" else oid_text(row.index[-1:])


def _unknown_pon(row: Row) -> str:
    # The index prefix is not a place people know, but it finds the row again.
    return f"ifIndex {oid_text(row.index[:-1])}" if len(row.index) == 2 else "?"
