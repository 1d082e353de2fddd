"""Keeping diagnoses and finding them again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, RowMapping, Select, and_, false, func, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cpe.domain.errors import StoreError
from cpe.domain.finding import Status
from cpe.domain.memory import Identity, KeptDiagnosis, Summary
from cpe.domain.serials import gpon_serial
from cpe.domain.snapshot import FreshnessOutcome
from cpe.domain.verdict import Code
from cpe.store import rows, tables
from cpe.store.engine import Database
from cpe.store.identities import find_identity, learn_on
from cpe.store.outbox import Letter, post_on
from cpe.store.steps import StepSeen, saw_on
from cpe.store.upsert import insert_new

MIN_PREFIX: Final = 6
FINISHED: Final = "diagnosis.finished"
"""The kind of a call back."""
_SUMMARY_COLUMNS: Final = tuple(field.name for field in fields(Summary))


async def keep(
    database: Database,
    kept: KeptDiagnosis,
    *,
    steps: Sequence[StepSeen] = (),
    call_back: bool = False,
) -> bool:
    """Write it and all that is projected from it, or nothing. False: that id is kept already and
    stays as it was."""
    clean = rows.without_secrets(kept)
    async with database.write() as connection:
        if steps:
            await saw_on(connection, steps)
        if not await insert_new(connection, tables.diagnoses, [rows.diagnosis_row(clean)]):
            return False
        for table, found in (
            (tables.measurements, rows.measurement_rows(clean)),
            (tables.findings, rows.finding_rows(clean)),
        ):
            if found:
                await connection.execute(insert(table), found)
        if boot := rows.boot_row(clean.snapshot):
            await insert_new(connection, tables.boots, [boot])
        if identity := rows.learned_identity(clean.snapshot):
            await learn_on(connection, [identity])
        if call_back:
            letter = Letter(f"{FINISHED}:{kept.id}", FINISHED, kept.id, kept.finished_at)
            await post_on(connection, letter)
    return True


async def load(database: Database, diagnosis_id: str) -> KeptDiagnosis | None:
    """By id, or by a prefix of at least 6 characters that only one id begins with. Raises
    StoreError when several do."""
    wanted = diagnosis_id.strip().lower()
    async with database.read() as connection:
        row = await _row(connection, tables.diagnoses.c.id == wanted)
        if row is None and len(wanted) >= MIN_PREFIX:
            row = await _row_by_prefix(connection, wanted)
    return None if row is None else rows.kept_diagnosis(dict(row))


async def summaries(
    database: Database, serial: str, *, limit: int, before: datetime | None
) -> list[Summary]:
    """Newest first; `before` (exclusive) pages on."""
    if limit < 1:
        return []
    columns = [tables.diagnoses.c[name] for name in _SUMMARY_COLUMNS]
    async with database.read() as connection:
        query = _newest(select(*columns).where(await of_box(connection, serial))).limit(limit)
        if before is not None:
            query = query.where(tables.diagnoses.c.requested_at < before)
        found = (await connection.execute(query)).mappings().all()
    return [_summary(row) for row in found]


async def latest(database: Database, serial: str) -> KeptDiagnosis | None:
    async with database.read() as connection:
        row = await _row(connection, await of_box(connection, serial))
    return None if row is None else rows.kept_diagnosis(dict(row))


async def of_box(connection: AsyncConnection, serial: str) -> ColumnElement[bool]:
    """The condition that finds a box's diagnoses by whatever name a person has for it.

    What was asked by this very name always counts, and with it the diagnoses of the box that the
    identity map knows by it, by whatever name those were asked: of two boxes that claim one GPON
    serial the one seen last.
    """
    return await named_or_known(connection, serial, await find_identity(connection, serial))


async def named_or_known(
    connection: AsyncConnection, serial: str, identity: Identity | None
) -> ColumnElement[bool]:
    """As `of_box`, for whoever has looked the identity up."""
    table = tables.diagnoses.c
    named = or_(table.serial == serial, table.asked == serial, table.acs_id == serial)
    if identity is not None:
        return or_(named, of_identity(identity))
    if (await connection.execute(select(table.id).where(named).limit(1))).first() is not None:
        return named
    canonical = gpon_serial(serial)
    return table.gpon_serial == canonical if canonical else false()


def of_identity(identity: Identity) -> ColumnElement[bool]:
    """The condition that finds the diagnoses of exactly this box: those made while the ACS was
    down have no ACS id and count by its serials; those of another box have another ACS id."""
    table = tables.diagnoses.c
    by_serial: list[ColumnElement[bool]] = []
    if serial := identity.tr069_serial:
        by_serial += [table.serial == serial, table.asked == serial]
    if gpon := identity.gpon_serial:
        by_serial.append(table.gpon_serial == gpon)
    if identity.acs_id is None:
        return or_(false(), *by_serial)
    without_acs = and_(table.acs_id.is_(None), or_(false(), *by_serial))
    return or_(table.acs_id == identity.acs_id, without_acs)


def _newest(query: Select[Any]) -> Select[Any]:
    return query.order_by(tables.diagnoses.c.requested_at.desc(), tables.diagnoses.c.id.desc())


async def _row(connection: AsyncConnection, where: ColumnElement[bool]) -> RowMapping | None:
    query = _newest(select(tables.diagnoses).where(where)).limit(1)
    return (await connection.execute(query)).mappings().first()


async def _row_by_prefix(connection: AsyncConnection, prefix: str) -> RowMapping | None:
    column = tables.diagnoses.c.id
    # Not LIKE: its wildcards, and SQLite's disregard of case, are not wanted here.
    begins = func.substr(column, 1, len(prefix)) == prefix
    ids: Sequence[str] = (
        (await connection.execute(select(column).where(begins).order_by(column).limit(2)))
        .scalars()
        .all()
    )
    if len(ids) > 1:
        raise StoreError(f"more than one diagnosis begins with {prefix!r}: give more of the id")
    return await _row(connection, column == ids[0]) if ids else None


def _summary(row: RowMapping) -> Summary:
    values = dict(row)
    outcome = values["freshness_outcome"]
    try:
        values["verdict_code"] = Code(values["verdict_code"])
        values["verdict_status"] = Status(values["verdict_status"])
        values["freshness_outcome"] = FreshnessOutcome(outcome) if outcome is not None else None
    except ValueError as exc:
        raise StoreError(f"diagnosis {row['id']} was kept by other code: {exc}") from exc
    return Summary(**values)
