"""The targeted read: one GET for who and what state, one PDU for the optics."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cpe.access.olt import decode
from cpe.access.olt.fold import Folded, fold
from cpe.access.olt.index import Place, encode, from_name
from cpe.access.olt.index import decode as decode_index
from cpe.access.olt.session import Patience, Session
from cpe.access.olt.wire import Missing, Oid, Value, oid_text, parse_oid
from cpe.domain.errors import AccessError, NotSupportedError, UnreachableError
from cpe.domain.serials import gpon_serial, gpon_serial_from_octets
from cpe.domain.snapshot import DownCause
from cpe.profiles.olt_columns import (
    PLACE_NAMES,
    PON_INDEX,
    QUANTITIES,
    AnyColumn,
    ColumnName,
    RunState,
    TimeColumn,
    WordColumn,
)
from cpe.profiles.olt_index import PartsIndex
from cpe.profiles.olt_profile import OltProfile
from cpe.profiles.technology import technology_named

_PLACES = {ColumnName.AT_SLOT: "slot", ColumnName.AT_PON: "pon", ColumnName.AT_ONT: "ont"}


@dataclass(frozen=True, slots=True)
class Row:
    """One ONT's row as the first PDU gave it. `key`: its serial or ONT-ID; None: no such row."""

    index: Oid
    key: str | None
    exists: bool
    values: Mapping[ColumnName, Value]
    oids: Mapping[ColumnName, Oid]
    place: Place | None
    place_detail: str
    folded: Folded
    down_at: datetime | None


def column_oid(
    profile: OltProfile, column: AnyColumn, index: Oid, place: Place | None
) -> Oid | None:
    """The column's OID for this row; None when its own index cannot be computed."""
    own: Oid | None = index
    if column.index == PON_INDEX:
        own = index[:-1]
    elif column.index != "main":
        spec = profile.indexes[column.index]
        own = None
        if place is not None and isinstance(spec, PartsIndex):
            own = encode(spec, place.numbers)
    if own is None:
        return None
    suffix = () if column.suffix in ("", "next") else parse_oid(column.suffix)
    return parse_oid(column.oid) + own + suffix


def row_key(profile: OltProfile, values: Mapping[str, Value]) -> str | None:
    """Which ONT a row is, from the key columns' values by column OID."""
    for column in profile.serial:
        found = decode.serial(column, values.get(column.oid, Missing.NOT_ANSWERED))
        if found is not None:
            return found
    if profile.identity == "ont_id":
        name = profile.columns[ColumnName.NAME]
        text = decode.text_of(values.get(name.oid, Missing.NOT_ANSWERED))
        return None if not text else wanted_key(text)
    return None


def wanted_key(text: str) -> str:
    """How serials and ONT-IDs are compared: canonical where it parses, else upper case."""
    return gpon_serial(text) or text.strip().upper()


def refuse_guarded(profile: OltProfile, values: Mapping[str, Value], olt: str) -> None:
    """Raises NotSupportedError when a guard column holds a GPON serial: another layout."""
    for guard in profile.guards:
        value = values.get(guard.oid)
        if isinstance(value, bytes) and gpon_serial_from_octets(value) is not None:
            raise NotSupportedError(" ".join(guard.refuse.split()), system="olt", target=olt)


async def read_row(session: Session, profile: OltProfile, index: Oid) -> Row:
    """Who it is, its state and what the OLT itself measures.

    Raises AccessError, NotSupportedError for a refused layout.
    """
    spec = profile.index
    place = decode_index(spec, index) if isinstance(spec, PartsIndex) else None
    keys = {column.oid: parse_oid(column.oid) + index for column in profile.serial}
    keys |= {guard.oid: parse_oid(guard.oid) + index for guard in profile.guards}
    oids: dict[ColumnName, Oid] = {}
    for name in profile.basics():
        oid = column_oid(profile, profile.columns[name], index, place)
        if oid is not None:
            oids[name] = oid
    answer = await _read_basics(session, profile, tuple(keys.values()), oids)
    by_oid = {column: answer[oid] for column, oid in keys.items()}
    values = {name: answer.get(oid, Missing.NOT_ANSWERED) for name, oid in oids.items()}
    by_oid |= {profile.columns[name].oid: value for name, value in values.items()}
    return _row(session, profile, index, place, by_oid, values, oids)


async def _read_basics(
    session: Session, profile: OltProfile, keys: tuple[Oid, ...], oids: Mapping[ColumnName, Oid]
) -> dict[Oid, Value]:
    """All in one PDU; when that stays unanswered, first who and what state, then the numbers: an
    OLT that takes too long for a power still tells the state. Raises AccessError."""
    limits = profile.limits
    numbers = tuple(oid for name, oid in oids.items() if name in QUANTITIES)
    words = (*keys, *(oid for oid in oids.values() if oid not in numbers))
    try:
        return await session.get((*words, *numbers), Patience(limits.state_timeout_s, 0))
    except UnreachableError:
        if not limits.state_retries or session.deadline.left_s() <= 0:
            raise
    answer = await session.get(words, Patience(limits.state_timeout_s, limits.state_retries - 1))
    with contextlib.suppress(AccessError):
        answer |= await session.get(numbers, Patience(limits.state_timeout_s, 0))
    return answer


def _row(
    session: Session,
    profile: OltProfile,
    index: Oid,
    place: Place | None,
    by_oid: Mapping[str, Value],
    values: Mapping[ColumnName, Value],
    oids: Mapping[ColumnName, Oid],
) -> Row:
    key = row_key(profile, by_oid)
    exists = any(not isinstance(value, Missing) for value in by_oid.values())
    if exists and key is None:
        refuse_guarded(profile, by_oid, session.target.name)
    where, detail = checked_place(profile, index, place, values)
    return Row(
        index=index,
        key=key,
        exists=exists,
        values=values,
        oids=oids,
        place=where,
        place_detail=detail,
        folded=fold_values(profile, values),
        down_at=down_time(profile, values),
    )


def fold_values(profile: OltProfile, values: Mapping[ColumnName, Value]) -> Folded:
    """State and cause of a row, folded. A cause that is not listed is UNKNOWN, not absent."""
    state = _word(profile, values, ColumnName.STATE)
    cause = _word(profile, values, ColumnName.CAUSE)
    run = RunState(str(state.value)) if state is not None and state.value is not None else None
    if cause is None or cause.quality is decode.Quality.NOT_READ:
        return fold(run, None)
    return fold(run, DownCause(str(cause.value)) if cause.value is not None else DownCause.UNKNOWN)


def _word(
    profile: OltProfile, values: Mapping[ColumnName, Value], name: ColumnName
) -> decode.Decoded | None:
    column = profile.columns.get(name)
    if not isinstance(column, WordColumn):
        return None
    return decode.word(column, values.get(name, Missing.NOT_ANSWERED))


def down_time(profile: OltProfile, values: Mapping[ColumnName, Value]) -> datetime | None:
    """The last-down time of a row on the OLT's clock."""
    column = profile.columns.get(ColumnName.DOWN_AT)
    if not isinstance(column, TimeColumn):
        return None
    return decode.when(column, values.get(ColumnName.DOWN_AT, Missing.NOT_ANSWERED))[0]


def technology(values: Mapping[ColumnName, Value]) -> str | None:
    """The PON technology that the names of the port or the ONT tell; None when they tell none, or
    two."""
    names = (decode.text_of(values.get(name, Missing.NOT_ANSWERED)) for name in PLACE_NAMES)
    told = {named for text in names if text and (named := technology_named(text)) is not None}
    return told.pop() if len(told) == 1 else None


def checked_place(
    profile: OltProfile, index: Oid, place: Place | None, values: Mapping[ColumnName, Value]
) -> tuple[Place | None, str]:
    spec = profile.index
    if not isinstance(spec, PartsIndex):
        if spec.pon_pattern is None:
            return None, f"{profile.id}: no known column tells which PON an ONT is on"
        name = decode.text_of(values.get(ColumnName.NAME, Missing.NOT_ANSWERED))
        found = from_name(spec, name) if name else None
        return found, "" if found else f"the name {name!r} does not tell the PON"
    if place is None:
        return None, f"index {oid_text(index)} does not follow the documented layout"
    for column, field in _PLACES.items():
        told = values.get(column)
        if isinstance(told, int) and told != place.numbers[field]:
            return None, f"the OLT says {field} {told}, the index says {place.numbers[field]}"
    return place, ""


async def read_optics(
    session: Session, profile: OltProfile, row: Row
) -> dict[ColumnName, tuple[Oid, Value]]:
    """The second PDU: what the OLT fetches from the ONT. Slow; raises AccessError."""
    oids: dict[ColumnName, Oid] = {}
    for name in profile.optics():
        oid = column_oid(profile, profile.columns[name], row.index, row.place)
        if oid is not None:
            oids[name] = oid
    if not oids:
        return {}
    following = any(profile.columns[name].suffix == "next" for name in oids)
    patience = Patience(profile.limits.optics_timeout_s, profile.limits.optics_retries)
    answer = await session.get(tuple(oids.values()), patience, following=following)
    return {name: (oid, answer[oid]) for name, oid in oids.items()}
