"""The operator's plain database URL to the URL of the async driver.

No message here quotes the URL: a password with an unescaped `@` or `/` could be any part of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from cpe.domain.errors import StoreError

_BACKENDS: Final = {"sqlite": "sqlite", "postgresql": "postgresql", "postgres": "postgresql"}
_DRIVERS: Final = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
_MEMORY: Final = ("", ":memory:")

_PASSED_ON: Final = frozenset({"host", "port", "ssl"})
"""Query parameters that SQLAlchemy or asyncpg takes as they are (several hosts included)."""
_RENAMED: Final = {"sslmode": "ssl"}
_MOVED: Final = frozenset({"user", "password", "dbname"})
_OURS: Final = frozenset({"application_name", "connect_timeout"})
"""Set by the engine whatever the URL says."""


def async_url(plain: str, *, make_folder: bool = True) -> URL:
    """`sqlite:///FILE`, `sqlite://` (memory), `postgresql://…`, `postgres://…`, with or without a
    driver's name, as the URL of the driver we use.

    Makes the parent folder of a SQLite file unless told not to. Raises StoreError, without a
    part of the URL in it, when the URL can't be used.
    """
    url = _parse(plain.strip())
    backend = _BACKENDS.get(url.drivername.split("+", 1)[0].lower())
    if backend is None:
        raise StoreError("the database URL must begin with sqlite:// or postgresql://")
    url = url.set(drivername=_DRIVERS[backend])
    if backend == "postgresql":
        return _postgresql(url)
    url = _sqlite(url)
    if make_folder:
        make_parent_folder(url)
    return url


def is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def is_memory(url: URL) -> bool:
    """A SQLite database that lives and dies with one connection (for tests)."""
    return is_sqlite(url) and url.database is None


def file_folder(url: URL) -> Path | None:
    """Where a SQLite file is; None for a database in memory and for PostgreSQL."""
    return Path(url.database).parent if is_sqlite(url) and url.database is not None else None


def make_parent_folder(url: URL) -> None:
    """The folder of a SQLite file, closed to other users when it is new. Raises StoreError."""
    folder = file_folder(url)
    if folder is None:
        return
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise StoreError(f"{folder}: the database's folder cannot be made: {exc.strerror}") from exc


def label(url: URL) -> str:
    """What people are told: which database, and never its user or password."""
    if is_memory(url):
        return "SQLite in memory"
    if is_sqlite(url):
        return f"SQLite {url.database}"
    host = url.host or url.query.get("host") or "localhost"
    name = host if isinstance(host, str) else ", ".join(host)
    port = f":{url.port}" if url.port else ""
    return f"PostgreSQL {name}{port}/{url.database or ''}"


def _parse(plain: str) -> URL:
    if not plain:
        raise StoreError("the database URL is empty")
    try:
        return make_url(plain)
    except (ArgumentError, ValueError):
        raise StoreError("the database URL cannot be read (expected scheme://…)") from None


def _sqlite(url: URL) -> URL:
    if url.host or url.username or url.password:
        raise StoreError("a SQLite URL is sqlite:///relative/file or sqlite:////absolute/file")
    if url.query:
        raise StoreError("a SQLite URL takes no parameters")
    if url.database is None or url.database in _MEMORY:
        return URL.create(url.drivername)
    return url.set(database=str(Path(url.database).expanduser().absolute()))


def _postgresql(url: URL) -> URL:
    if "@" in (url.host or ""):
        raise StoreError("the database URL holds more than one @: write %40 in the password")
    query = {_RENAMED.get(name, name): value for name, value in url.query.items()}
    strangers = sorted(set(query) - _PASSED_ON - _MOVED - _OURS)
    if strangers:
        names = ", ".join(name for name in strangers if name.isidentifier()) or "one"
        raise StoreError(f"the database URL has parameters that are not supported: {names}")
    if isinstance(user := query.get("user"), str):
        url = url.set(username=user)
    if isinstance(password := query.get("password"), str):
        url = url.set(password=password)
    if isinstance(database := query.get("dbname"), str):
        url = url.set(database=database)
    return url.set(query={name: value for name, value in query.items() if name in _PASSED_ON})
