"""Finding an ONT's row: the serial column of its old PON, then of the whole OLT, once for all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime

from cpe.access.olt.lane import SerialTable
from cpe.access.olt.reading import refuse_guarded, row_key
from cpe.access.olt.session import Patience, Session
from cpe.access.olt.walk import Scope, Walked, walk
from cpe.access.olt.wire import Missing, Oid, Value, oid_text, parse_oid
from cpe.domain.errors import NotSupportedError
from cpe.domain.ont_index import IndexEntry
from cpe.profiles.olt_profile import OltProfile

WHOLE_OLT = Scope()


async def read_serials(session: Session, profile: OltProfile, scope: Scope) -> SerialTable:
    """Every serial (or ONT-ID) in the scope, by walking the first key column that holds any.

    Raises NotSupportedError when the whole OLT gives no row: the table is absent, which is not the
    same as an ONT that is absent; UnexpectedAnswerError when rows hold no serial. A walk that ends
    early is not an error: see `SerialTable.complete`.
    """
    await check_guards(session, profile)
    limits = profile.limits
    walked, unreadable = Walked({}), ""
    for column in profile.key_columns:
        oid = parse_oid(column.oid)
        walked = await walk(
            session,
            (oid,),
            scope=scope,
            repetitions=limits.max_repetitions,
            max_rows=limits.max_rows,
            timeout_s=limits.state_timeout_s,
        )
        rows = walked.columns[oid]
        indexes = _by_key(profile, column.oid, rows)
        if indexes or walked.failure is not None:
            return _table(indexes, rows, walked)
        if rows:
            example = oid_text(next(iter(rows)))
            unreadable = f"{len(rows)} rows without a readable serial, e.g. {example}"
    if unreadable:
        raise session.stranger(unreadable)
    if scope == WHOLE_OLT:
        raise NotSupportedError(
            f"the ONT table of profile {profile.id} is absent or empty (0 rows)",
            system="olt",
            target=session.target.name,
        )
    return SerialTable({}, 0, walked.complete)


def _table(
    indexes: Mapping[str, tuple[str, ...]], rows: Mapping[Oid, Value], walked: Walked
) -> SerialTable:
    if walked.failure is not None and not rows:
        raise walked.failure
    detail = "" if walked.failure is None else walked.failure.message
    return SerialTable(indexes, len(rows), walked.complete, detail)


def _by_key(
    profile: OltProfile, column_oid: str, rows: Mapping[Oid, Value]
) -> dict[str, tuple[str, ...]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for index, value in rows.items():
        key = row_key(profile, {column_oid: value})
        if key is not None:
            found[key].append(oid_text(index))
    return {key: tuple(indexes) for key, indexes in found.items()}


async def check_guards(session: Session, profile: OltProfile) -> None:
    """Refuse another layout before a walk: one GETNEXT of serial and guard columns."""
    if not profile.guards:
        return
    columns = (*profile.key_columns, *profile.guards)
    oids = {column.oid: parse_oid(column.oid) for column in columns}
    patience = Patience(profile.limits.state_timeout_s, profile.limits.state_retries)
    answer = await session.get(tuple(oids.values()), patience, following=True)
    values = {column: answer[oid] for column, oid in oids.items()}
    if row_key(profile, values) is None:
        refuse_guarded(profile, values, session.target.name)


async def row_exists_somewhere(session: Session, profile: OltProfile) -> bool:
    """Whether the key column has any row at all: one GETNEXT."""
    oid = parse_oid(profile.key_columns[0].oid)
    patience = Patience(profile.limits.state_timeout_s, profile.limits.state_retries)
    answer = await session.get((oid,), patience, following=True)
    return not isinstance(answer[oid], Missing)


def entries_of(olt: str, table: SerialTable) -> list[IndexEntry]:
    """The walk's rows for the index cache."""
    now = datetime.now(UTC)
    return [
        IndexEntry(olt, key, index, now)
        for key, indexes in table.indexes.items()
        for index in indexes
    ]
