"""Brings a database to this code's schema; safe when several processes do so at once.

Alembic is only loaded when there is something to do: a command pays one query, not an import.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from cpe.domain.errors import StoreError
from cpe.store.engine import BUSY_TIMEOUT_S, Database
from cpe.store.url import file_folder, label

HEAD: Final = "0005"
"""The newest revision in `migrations/versions`; a test holds it."""
VERSION_TABLE: Final = "cpe_revision"
"""Not Alembic's default name: Prefect's server uses that one, maybe in the same database."""
_FOLDER: Final = Path(__file__).parent / "migrations"

_ADVISORY_LOCK: Final = 0x6370655F6D696772
"""`cpe_migr`: PostgreSQL's advisory locks are named by a number, one space per database."""
_LOCK_TIMEOUT_S: Final = 30
_WAL_RETRY_S: Final = 0.05
_POLL_S: Final = 0.01

# Alembic keeps its running context in module globals, so one upgrade at a time in a process,
# whichever thread, event loop or database.
_in_this_process = threading.Lock()


async def migrate(database: Database) -> None:
    """Upgrade to HEAD; nothing when it is there already. Raises StoreError, also when the schema
    is newer than this code."""
    if await revision(database) == HEAD:
        return
    async with _turn(database):
        if database.is_sqlite:
            if await revision(database) == HEAD:
                return  # the process before us has done it
            await _prepare_file(database)
        async with database.write() as connection:
            await _lock(database, connection)
            await connection.run_sync(_upgrade)


async def revision(database: Database) -> str | None:
    """The schema's revision; None when there is none yet. Raises StoreError when this code does
    not know it."""
    async with database.read() as connection:
        found = await connection.run_sync(_revision)
    if found is not None and found not in known_revisions():
        raise StoreError(
            f"{label(database.url)}: its schema is {found!r}, newer than this code ({HEAD!r}): "
            "update the code"
        )
    return found


def known_revisions() -> frozenset[str]:
    """Every revision this code can start from, read from the file names (v0001_….py)."""
    files = (_FOLDER / "versions").glob("v*.py")
    return frozenset(path.name[1:].split("_", 1)[0] for path in files)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    query = text(f"SELECT version_num FROM {VERSION_TABLE}")  # noqa: S608 -- our constant
    return connection.execute(query).scalar_one_or_none()


async def _prepare_file(database: Database) -> None:
    # Both are kept in the file. auto_vacuum only takes before the first table; switching to WAL
    # needs the file alone for a moment and does not wait for it, so we do.
    deadline = asyncio.get_running_loop().time() + BUSY_TIMEOUT_S
    while True:
        try:
            async with database.outside_transaction() as connection:
                await connection.exec_driver_sql("PRAGMA auto_vacuum = INCREMENTAL")
                await connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        except StoreError as exc:
            locked = isinstance(exc.__cause__, OperationalError) and "locked" in str(exc.__cause__)
            if not locked or asyncio.get_running_loop().time() > deadline:
                raise
            await asyncio.sleep(_WAL_RETRY_S)
        else:
            return


async def _lock(database: Database, connection: AsyncConnection) -> None:
    if database.is_sqlite:
        return  # BEGIN IMMEDIATE holds the file's only write lock
    await connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT_S}s'"))
    await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})


def _upgrade(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 -- 0.1 s, and rarely needed
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as exc:
        raise StoreError(f"the schema cannot be migrated: {exc}") from exc


@asynccontextmanager
async def _turn(database: Database) -> AsyncGenerator[None]:
    """Nobody else migrates in this process, nor this SQLite file in any other. Raises StoreError.

    SQLite lets its waiters draw lots: of ten processes at one new file up to three drew nothing
    in 5 s. The lock is on the folder, which leaves no file behind and is free when its holder
    dies; on the database itself, closing it would drop SQLite's own locks.
    """
    # Not a thread that waits for it: cancelled, that would take the lock and never give it back.
    while not _in_this_process.acquire(blocking=False):  # noqa: ASYNC110 -- no event to await
        await asyncio.sleep(_POLL_S)
    try:
        folder = file_folder(database.url)
        if folder is None:
            yield
            return
        try:
            descriptor = os.open(folder, os.O_RDONLY)
        except OSError as exc:
            raise StoreError(f"{folder}: the folder cannot be read: {exc.strerror}") from exc
        try:
            await _lock_folder(descriptor, label(database.url))
            yield
        finally:
            os.close(descriptor)  # and with it the lock
    finally:
        _in_this_process.release()


async def _lock_folder(descriptor: int, name: str) -> None:
    deadline = asyncio.get_running_loop().time() + _LOCK_TIMEOUT_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if asyncio.get_running_loop().time() > deadline:
                raise StoreError(f"{name}: another process migrates for too long") from None
            await asyncio.sleep(_POLL_S)
        else:
            return
