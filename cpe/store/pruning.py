"""Old diagnoses go, so that the disk stays bounded. Who the boxes are stays."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cpe.domain.errors import StoreError
from cpe.store import tables
from cpe.store.engine import Database
from cpe.store.url import is_memory

_AT_ONCE: Final = 200
"""Diagnoses a transaction: the write lock is given back every few tens of milliseconds."""
_PAGES_AT_ONCE: Final = 2000
_INCREMENTAL: Final = 2
"""`PRAGMA auto_vacuum` of the files that `migrate` made."""


async def prune(database: Database, *, keep_days: int, now: datetime) -> int:
    """Delete what was asked for more than `keep_days` days before `now`, with its measurements
    and findings, and boots that old. How many diagnoses went. Raises StoreError."""
    if keep_days < 1:
        raise StoreError("keep_days must be at least 1")
    limit = now - timedelta(days=keep_days)
    gone = 0
    while deleted := await database.finish(_prune_some(database, limit)):
        gone += deleted
    await database.finish(_prune_boots(database, limit))
    if database.is_sqlite and not is_memory(database.url):
        await database.finish(_give_back_pages(database))
    return gone


async def _prune_some(database: Database, limit: datetime) -> int:
    table = tables.diagnoses
    oldest = (
        select(table.c.id)
        .where(table.c.requested_at < limit)
        .order_by(table.c.requested_at)
        .limit(_AT_ONCE)
    )
    async with database.write() as connection:
        # Measurements and findings go with it: the foreign keys cascade.
        statement = delete(table).where(table.c.id.in_(oldest)).returning(table.c.id)
        return len((await connection.execute(statement)).all())


async def _prune_boots(database: Database, limit: datetime) -> None:
    async with database.write() as connection:
        await connection.execute(delete(tables.boots).where(tables.boots.c.booted_at < limit))


async def _give_back_pages(database: Database) -> None:
    async with database.outside_transaction() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        while await _free_pages(connection):
            # A script, for the pragma frees one page a step and execute() takes one step only.
            await driver.executescript(f"PRAGMA incremental_vacuum({_PAGES_AT_ONCE})")
        await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


async def _free_pages(connection: AsyncConnection) -> int:
    if (await _pragma(connection, "auto_vacuum")) != _INCREMENTAL:
        return 0  # a file that something else made: its pages are used again, not given back
    return await _pragma(connection, "freelist_count")


async def _pragma(connection: AsyncConnection, name: str) -> int:
    return int((await connection.exec_driver_sql(f"PRAGMA {name}")).scalar_one())
