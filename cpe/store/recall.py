"""What is remembered of a box before a diagnosis asks anything."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cpe.domain.memory import Identity, Recall
from cpe.domain.observation import Quality, Source
from cpe.domain.snapshot import History, PastReading
from cpe.store import tables
from cpe.store.diagnoses import named_or_known, of_identity
from cpe.store.engine import Database
from cpe.store.fleet import past_readings
from cpe.store.identities import find_identity

MAX_ROWS: Final = 500

_NAMES: Final = ("optical.rx_dbm", "optical.olt_rx_dbm", "device.uptime_s")
_COUNTERS: Final = ("optical.errors!_%", "wifi.%errors%", "wifi.%packets%")


async def recall(database: Database, serial: str, *, now: datetime, days: int) -> Recall:
    """Identity and the last `days` days of usable numbers, boots and firmwares.

    Each list is newest first and at most 500 long. Where two boxes carry the serial it is the
    history of the one seen last.
    """
    since = now - timedelta(days=days)
    async with database.read() as connection:
        identity = await find_identity(connection, serial)
        table = tables.diagnoses.c
        box = and_(await _same_box(connection, serial, identity), table.requested_at >= since)
        history = History(
            readings=_newest_first(
                await _readings(connection, box, since),
                await past_readings(connection, identity, since, MAX_ROWS),
            ),
            boots=await _boots(connection, serial, identity, since),
            firmwares=await _firmwares(connection, box),
        )
    return Recall(identity=identity, history=history)


def _newest_first(
    of_diagnoses: Iterable[PastReading], of_sweeps: Iterable[PastReading]
) -> tuple[PastReading, ...]:
    """Both kinds; what a sweep and a diagnosis read of one leaf counts once."""
    both = dict.fromkeys((*of_diagnoses, *of_sweeps))
    return tuple(
        sorted(both, key=lambda r: (-r.measured_at.timestamp(), r.name, r.subject, r.source))
    )[:MAX_ROWS]


async def _same_box(
    connection: AsyncConnection, serial: str, identity: Identity | None
) -> ColumnElement[bool]:
    table = tables.diagnoses.c
    named = await named_or_known(connection, serial, identity)
    if identity is None or identity.acs_id is None:
        return named
    return or_(of_identity(identity), and_(named, table.acs_id.is_(None)))


async def _readings(
    connection: AsyncConnection, box: ColumnElement[bool], since: datetime
) -> tuple[PastReading, ...]:
    """Two diagnoses within a minute read the same leaf: the same reading counts once."""
    table = tables.measurements.c
    wanted = or_(table.name.in_(_NAMES), *(table.name.like(p, escape="!") for p in _COUNTERS))
    query = (
        select(table.name, table.subject, table.value_num, table.measured_at, table.source)
        .distinct()
        .join(tables.diagnoses, tables.diagnoses.c.id == table.diagnosis_id)
        .where(box, wanted, table.quality == Quality.OK.value)
        .where(table.value_num.is_not(None), table.measured_at >= since)
        .order_by(table.measured_at.desc(), table.name, table.subject, table.source)
        .limit(MAX_ROWS)
    )
    return tuple(
        PastReading(
            name=row.name,
            subject=row.subject,
            value=row.value_num,
            measured_at=row.measured_at,
            source=Source(row.source),
        )
        for row in await connection.execute(query)
    )


async def _boots(
    connection: AsyncConnection, serial: str, identity: Identity | None, since: datetime
) -> tuple[datetime, ...]:
    table = tables.boots.c
    names = {serial}
    if identity is not None:
        names = {name for name in (identity.acs_id, identity.tr069_serial, serial) if name}
    query = (
        select(table.booted_at)
        .distinct()
        .where(table.box.in_(sorted(names)), table.booted_at >= since)
        .order_by(table.booted_at.desc())
        .limit(MAX_ROWS)
    )
    return tuple((await connection.execute(query)).scalars())


async def _firmwares(
    connection: AsyncConnection, box: ColumnElement[bool]
) -> tuple[tuple[datetime, str], ...]:
    table = tables.diagnoses.c
    query = (
        select(table.requested_at, table.firmware)
        .where(box, table.firmware.is_not(None))
        .order_by(table.requested_at.desc())
        .limit(MAX_ROWS)
    )
    return changes((row.requested_at, row.firmware) for row in await connection.execute(query))


def changes(newest_first: Iterable[tuple[datetime, str]]) -> tuple[tuple[datetime, str], ...]:
    """One entry for each run of the same firmware: when it was first seen in that run."""
    runs: list[tuple[datetime, str]] = []
    for seen_at, firmware in newest_first:
        if runs and runs[-1][1] == firmware:
            runs[-1] = (seen_at, firmware)
        else:
            runs.append((seen_at, firmware))
    return tuple(runs)
