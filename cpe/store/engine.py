"""One database: its connections, how a transaction begins, and its limits on waiting."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar
from weakref import ref

from sqlalchemy import Connection, event
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from cpe.domain.errors import StoreError
from cpe.store.canonical import Json, dumps, loads
from cpe.store.failures import translated
from cpe.store.url import is_memory, is_sqlite, label, make_parent_folder

T = TypeVar("T")

BUSY_TIMEOUT_S: Final = 5.0
CONNECT_TIMEOUT_S: Final = 3.0
COMMAND_TIMEOUT_S: Final = 30.0
CLOSE_TIMEOUT_S: Final = BUSY_TIMEOUT_S + 1.0
TURN_TIMEOUT_S: Final = 15.0
"""For the writers of this process before us; what keeps a diagnosis gives up after 20 s."""
POOL_SIZE: Final = 5
_BEGIN: Final = "cpe_begin"
"""Execution option: how SQLite begins; None lets each statement stand alone."""
_FOR_WRITING: Final = {_BEGIN: "BEGIN IMMEDIATE"}


class Database:
    """Read and write transactions on one URL. Opens nothing until the first one.

    Connections belong to an event loop; called from another loop it starts anew there.
    """

    def __init__(self, url: URL) -> None:
        self.url = url
        self._engine: AsyncEngine | None = None
        self._loop: ref[asyncio.AbstractEventLoop] | None = None
        self._turn = asyncio.Lock()
        self._under_way: set[asyncio.Future[None]] = set()

    def __repr__(self) -> str:
        return f"Database({label(self.url)})"

    @property
    def is_sqlite(self) -> bool:
        return is_sqlite(self.url)

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncConnection]:
        """A connection with one consistent view. Raises StoreError."""
        with translated(self.url):
            engine = await self._here()
            async with engine.connect() as connection:
                yield connection

    @asynccontextmanager
    async def write(self) -> AsyncGenerator[AsyncConnection]:
        """One transaction: committed at the end of the block, undone when it raises.

        On SQLite it takes the write lock at once, so two writers wait for each other instead of
        failing half-way; those of one process in the order they came. Raises StoreError.
        """
        with translated(self.url):
            engine = await self._here()
            async with (
                self._turns(),
                engine.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"}).begin() as connection,
            ):
                yield connection

    @asynccontextmanager
    async def _turns(self) -> AsyncGenerator[None]:
        """SQLite lets whoever polls luckily go first: of 50 writers at once some waited for more
        than 5 s and failed. Who waits here holds no connection that a reader could use."""
        if not self.is_sqlite:
            yield
            return
        turn = self._turn
        async with asyncio.timeout(TURN_TIMEOUT_S):
            await turn.acquire()
        try:
            yield
        finally:
            turn.release()

    @asynccontextmanager
    async def outside_transaction(self) -> AsyncGenerator[AsyncConnection]:
        """SQLite: a connection on which each statement stands alone (PRAGMA). Raises StoreError."""
        with translated(self.url):
            engine = await self._here()
            async with engine.execution_options(**{_BEGIN: None}).connect() as connection:
                yield connection

    async def finish(self, call: Coroutine[Any, Any, T]) -> T:
        """Run a whole call; on SQLite to its end even when the caller is cancelled meanwhile.

        A SQLite connection that is closed while a cursor of a cancelled call is still alive keeps
        its lock until the garbage collector comes by (Python 3.11, sqlite3_close_v2). Cancelling
        therefore takes as long as the call, at most the busy timeout. PostgreSQL just hangs up.
        """
        ended = asyncio.get_running_loop().create_future()
        self._under_way.add(ended)
        try:
            return await (self._to_its_end(call) if self.is_sqlite else call)
        finally:
            self._under_way.discard(ended)
            ended.set_result(None)

    async def _to_its_end(self, call: Coroutine[Any, Any, T]) -> T:
        task = asyncio.create_task(call)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            while not task.done():
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait([task])
            if not task.cancelled():
                task.exception()  # seen; the caller is told of its own cancellation
            raise

    async def close(self) -> None:
        """Ends every connection, after the calls under way (they may outlive their cancelled
        callers). The database can be used again afterwards."""
        here = asyncio.get_running_loop()
        if calls := {call for call in self._under_way if call.get_loop() is here}:
            await asyncio.wait(calls, timeout=CLOSE_TIMEOUT_S)
        engine, self._engine = self._engine, None
        if engine is not None:
            await self._dispose(engine, self._loop() if self._loop else None)

    async def _here(self) -> AsyncEngine:
        loop = asyncio.get_running_loop()
        owner = self._loop() if self._loop else None
        if self._engine is not None and (owner is loop or is_memory(self.url)):
            return self._engine
        make_parent_folder(self.url)
        stale, self._engine, self._loop = self._engine, _new_engine(self.url), ref(loop)
        self._turn = asyncio.Lock()
        engine = self._engine
        if stale is not None:
            await self._dispose(stale, owner)
        return engine

    async def _dispose(self, engine: AsyncEngine, owner: asyncio.AbstractEventLoop | None) -> None:
        # asyncpg's sockets can't be closed from another loop than their own, which is gone.
        its_own = owner is asyncio.get_running_loop()
        await engine.dispose(close=self.is_sqlite or its_own)


def _kept_json(text: str | bytes) -> Json:
    try:
        return loads(text)
    except ValueError:
        raise StoreError("a kept row is damaged: its JSON cannot be read") from None


def _new_engine(url: URL) -> AsyncEngine:
    if is_sqlite(url):
        return _sqlite_engine(url)
    return create_async_engine(
        url,
        json_serializer=dumps,
        json_deserializer=_kept_json,
        hide_parameters=True,
        pool_pre_ping=True,
        pool_size=POOL_SIZE,
        pool_timeout=BUSY_TIMEOUT_S,
        connect_args={
            "timeout": CONNECT_TIMEOUT_S,
            "command_timeout": COMMAND_TIMEOUT_S,
            "server_settings": {
                "application_name": "gigafibre-cpe",
                "lock_timeout": f"{BUSY_TIMEOUT_S:.0f}s",
                "timezone": "UTC",
            },
        },
    )


def _sqlite_engine(url: URL) -> AsyncEngine:
    # A database in memory is its one connection: everybody takes turns on it.
    in_memory = is_memory(url)
    engine = create_async_engine(
        url,
        json_serializer=dumps,
        json_deserializer=_kept_json,
        hide_parameters=True,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=1 if in_memory else POOL_SIZE,
        max_overflow=0,
        pool_timeout=BUSY_TIMEOUT_S,
        connect_args={"timeout": BUSY_TIMEOUT_S},
    )
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(dbapi_connection: Any, _record: object) -> None:
    # None: the driver begins nothing by itself; `_begin_sqlite` does, DDL included.
    dbapi_connection.isolation_level = None
    with contextlib.closing(dbapi_connection.cursor()) as cursor:
        cursor.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT_S * 1000)}")
        cursor.execute("PRAGMA foreign_keys = ON")
        # In WAL mode a power cut can lose the last transactions, not damage the file.
        cursor.execute("PRAGMA synchronous = NORMAL")


def _begin_sqlite(connection: Connection) -> None:
    if begin := connection.get_execution_options().get(_BEGIN, "BEGIN"):
        connection.exec_driver_sql(begin)
