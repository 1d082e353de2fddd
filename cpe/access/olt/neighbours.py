"""The other ONTs of the subject's PON: state, and cause and time where they are cheap."""

from __future__ import annotations

from collections.abc import Mapping

from cpe.access.olt import decode
from cpe.access.olt.index import Place, from_name, pon_scope
from cpe.access.olt.reading import Row, down_time, fold_values
from cpe.access.olt.session import Session
from cpe.access.olt.walk import Scope, walk
from cpe.access.olt.wire import Missing, Oid, Value, oid_text, parse_oid
from cpe.domain.snapshot import Neighbour, OntState
from cpe.profiles.olt_columns import ColumnName
from cpe.profiles.olt_index import OpaqueIndex, PartsIndex
from cpe.profiles.olt_profile import OltProfile


async def read_neighbours(
    session: Session, profile: OltProfile, row: Row
) -> tuple[tuple[Neighbour, ...] | None, str]:
    """The neighbours without the subject, or None and why. Never raises AccessError."""
    scope, why = _scope(profile, row)
    if scope is None:
        return None, why
    names = profile.neighbours
    by_name = isinstance(profile.index, OpaqueIndex)
    if by_name:
        names = (ColumnName.NAME, *names)
    columns = {name: parse_oid(profile.columns[name].oid) for name in names}
    walked = await walk(
        session,
        tuple(columns.values()),
        scope=scope,
        repetitions=profile.limits.max_repetitions,
        max_rows=profile.limits.max_rows,
        timeout_s=profile.limits.state_timeout_s,
    )
    if walked.failure is not None:
        return None, f"the PON could not be read: {walked.failure.message}"
    rows = _by_row({name: walked.columns[oid] for name, oid in columns.items()})
    if row.index not in rows:
        return None, "the PON's rows do not hold the ONT itself: its index is not understood"
    if by_name:
        rows = {index: values for index, values in rows.items() if _same_pon(profile, values, row)}
    return tuple(_neighbour(profile, i, v) for i, v in rows.items() if i != row.index), ""


def _scope(profile: OltProfile, row: Row) -> tuple[Scope | None, str]:
    if isinstance(profile.index, PartsIndex):
        # A place that does not check out would count strangers as neighbours.
        scope = None if row.place is None else pon_scope(profile.index, row.index)
        return scope, row.place_detail
    return (None, row.place_detail) if row.place is None else (Scope(), "")


def _by_row(
    columns: Mapping[ColumnName, Mapping[Oid, Value]],
) -> dict[Oid, dict[ColumnName, Value]]:
    rows: dict[Oid, dict[ColumnName, Value]] = {}
    for index in columns[ColumnName.STATE]:
        rows[index] = {
            name: values.get(index, Missing.NOT_ANSWERED) for name, values in columns.items()
        }
    return rows


def _same_pon(profile: OltProfile, values: Mapping[ColumnName, Value], row: Row) -> bool:
    name = decode.text_of(values[ColumnName.NAME])
    if name is None or row.place is None or not isinstance(profile.index, OpaqueIndex):
        return False
    place: Place | None = from_name(profile.index, name)
    return place is not None and place.pon == row.place.pon


def _neighbour(profile: OltProfile, index: Oid, values: Mapping[ColumnName, Value]) -> Neighbour:
    folded = fold_values(profile, values)
    if folded.state is OntState.ONLINE:
        # Its last-down time and cause are history and would count as "down with the subject".
        return Neighbour(oid_text(index), folded.state)
    down_at = down_time(profile, values)
    return Neighbour(oid_text(index), folded.state, down_at, folded.cause)
