"""How SQLite transactions begin in the embedded server.

Prefect begins an API transaction DEFERRED, reads, then writes. A writer in between makes SQLite
answer SQLITE_BUSY_SNAPSHOT at once (busy_timeout doesn't apply), which becomes a 503 and, in
Prefect's client, a pause of 2 s: 4 of 30 runs on a nearly idle server (reference/prefect.md § 1).
BEGIN IMMEDIATE takes the write lock first and waits for it.

SQLite does not queue those who wait: each looks again after up to 100 ms, and whoever comes by
luckily goes first. While Prefect marked 260 runs late, one request on a loaded machine waited for
60 s and failed. Here they take turns in the order they came.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final
from weakref import WeakKeyDictionary

from prefect.server.database.configurations import AioSqliteConfiguration
from prefect.server.database.dependencies import temporary_database_interface
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncSession, AsyncSessionTransaction
from sqlalchemy.pool import ConnectionPoolEntry

from deployments.server.database import Database

TURN_TIMEOUT_S: Final = 30.0
"""Longer than any transaction of Prefect's; then SQLite's own luck decides (60 s)."""
CACHE_KIB: Final = 16_384
"""Of pages, for each connection: Prefect's 80 MB, times up to fifteen connections, could be more
than all else in the process; the system caches the file too. It is not what grows with the runs:
the server's memory rose by 41 MB for each 1,000 of them before, and by 37 with it."""


@dataclass(slots=True)
class _Hold:
    """One transaction, from its wait for the lock to its end."""

    task: asyncio.Task[object] | None
    is_over: bool = False


_hold: ContextVar[_Hold | None] = ContextVar("sqlite_lock_hold", default=None)


class ImmediateSqliteConfiguration(AioSqliteConfiguration):
    """Prefect's SQLite configuration with every transaction BEGIN IMMEDIATE, first come first."""

    def __init__(self, connection_url: str) -> None:
        super().__init__(connection_url)
        self._turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = (
            WeakKeyDictionary()
        )

    def setup_sqlite(self, conn: DBAPIConnection, record: ConnectionPoolEntry) -> None:
        """Prefect's PRAGMAs, with a smaller cache."""
        super().setup_sqlite(conn, record)
        with contextlib.closing(conn.cursor()) as cursor:
            cursor.execute(f"PRAGMA cache_size = -{CACHE_KIB}")

    @asynccontextmanager
    async def begin_transaction(
        self, session: AsyncSession, with_for_update: bool = False
    ) -> AsyncGenerator[AsyncSessionTransaction, None]:
        task, outer = asyncio.current_task(), _hold.get()
        within = outer is not None and not outer.is_over
        # A second session inside a transaction of the same task must not ask for the lock that
        # its own task holds: it would wait for itself. It begins as Prefect meant it to. The
        # task is compared because child tasks inherit the context variable; they may ask for the
        # lock, but not queue for it: their parent may be waiting for them.
        nested = within and outer is not None and outer.task is task
        mine, turn = _Hold(task), None
        token = _hold.set(mine)
        try:
            turn = None if within else await self._turn()
            async with super().begin_transaction(
                session, with_for_update=with_for_update or not nested
            ) as transaction:
                yield transaction
        finally:
            mine.is_over = True
            if turn is not None:
                turn.release()
            _hold.reset(token)

    async def _turn(self) -> asyncio.Lock | None:
        """The lock of this loop, held; None when it could not be had in time."""
        turn = self._turns.setdefault(asyncio.get_running_loop(), asyncio.Lock())
        try:
            async with asyncio.timeout(TURN_TIMEOUT_S):
                await turn.acquire()
        except TimeoutError:
            return None
        return turn


def database_interface(database: Database) -> AbstractContextManager[object]:
    """Prefect's own injection point, with our SQLite configuration where it is SQLite.

    Prefect's configuration for PostgreSQL is made from the settings, as it is without us.
    """
    config = None if database.file is None else ImmediateSqliteConfiguration(database.url)
    return temporary_database_interface(tmp_database_config=config)
