"""What a driver, SQLAlchemy or Alembic raises, as one line in a StoreError."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final, cast

import asyncpg  # pyright: ignore[reportMissingTypeStubs] -- it ships none
import sqlalchemy.exc
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from cpe.domain.errors import StoreError
from cpe.domain.redaction import HIDDEN, excerpt
from cpe.store.url import label

# What the async drivers' adapters raise below SQLAlchemy; version 2.0 has no name for it.
_EMULATED: Final = cast(
    "type[Exception]", getattr(sqlalchemy.exc, "EmulatedDBAPIException", SQLAlchemyError)
)

FAILURES: Final[tuple[type[Exception], ...]] = (
    SQLAlchemyError,
    _EMULATED,
    sqlite3.Error,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    OSError,  # refused, reset, no such host, TLS; TimeoutError is one of its kind
    UnicodeError,
    OverflowError,  # a number no column can hold
)
"""All that may come out of a database call. Cancellation is not a failure and passes."""

MIGRATE_FIRST: Final = "it has no schema yet (run the migration first)"

_SQLITE: Final = {
    "SQLITE_BUSY": "another process has been writing for too long",
    "SQLITE_LOCKED": "another process has been writing for too long",
    "SQLITE_CANTOPEN": "the file cannot be opened (does the folder exist, may we write there?)",
    "SQLITE_READONLY": "the file is read-only",
    "SQLITE_PERM": "the file may not be opened",
    "SQLITE_NOTADB": "the file is not a SQLite database",
    "SQLITE_CORRUPT": "the file is damaged",
    "SQLITE_FULL": "the disk is full",
    "SQLITE_IOERR": "the disk gave an error",
}
_POSTGRESQL: Final = {
    "28P01": "the user or password was refused",
    "28000": "the user or password was refused",
    "3D000": "there is no such database",
    "42P01": MIGRATE_FIRST,
    "42501": "the user may not do that",
    "53100": "the server's disk is full",
    "53300": "the server takes no more connections",
    "55P03": "another process has been holding a lock for too long",
    "57014": "the statement took too long",
    "57P01": "the server is shutting down",
    "57P02": "the server is shutting down",
    "57P03": "the server is starting up",
}


@contextmanager
def translated(url: URL) -> Generator[None]:
    """Turns every failure of the block into a StoreError."""
    try:
        yield
    except FAILURES as exc:
        raise store_error(exc, url) from exc


def store_error(exc: BaseException, url: URL) -> StoreError:
    """One redacted line: which database, and what is wrong with it."""
    return StoreError(f"{label(url)}: {_reason(exc, url)}")


def _reason(exc: BaseException, url: URL) -> str:
    if isinstance(exc, PoolTimeout):
        return "every connection has been in use for too long"
    cause = _driver_error(exc)
    if known := _known(cause):
        return known
    if isinstance(cause, TimeoutError):
        return "it did not answer in time"
    if isinstance(cause, OSError):
        return f"it cannot be reached: {_foreign(cause.strerror or str(cause), url)}"
    return f"{type(cause).__name__}: {_foreign(str(cause), url)}"


def _driver_error(exc: BaseException) -> BaseException:
    # Never str() a StatementError itself: it holds the statement and its parameters.
    if isinstance(exc, StatementError) and exc.orig is not None:
        return exc.orig
    return exc


def _known(cause: BaseException) -> str | None:
    if isinstance(cause, sqlite3.Error):
        if "no such table" in str(cause):
            return MIGRATE_FIRST
        # Extended codes (SQLITE_BUSY_SNAPSHOT, SQLITE_IOERR_WRITE) begin with the primary one.
        name = getattr(cause, "sqlite_errorname", "")
        primary = "_".join(name.split("_")[:2])
        return _SQLITE.get(primary)
    state = getattr(cause, "sqlstate", None)
    return _POSTGRESQL.get(state) if isinstance(state, str) else None


def _foreign(text: str, url: URL) -> str:
    password = url.password
    if password:
        text = text.replace(password, HIDDEN)
    return excerpt(text.splitlines()[0] if text else "no reason given")
