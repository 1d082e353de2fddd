"""Which database the embedded server uses, and whether it has been migrated."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

import prefect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError


@dataclass(frozen=True)
class Database:
    """Where the embedded server keeps its data. `url` has the async driver and may hold a
    password."""

    url: str = field(repr=False)
    file: Path | None
    """The SQLite file; None for PostgreSQL."""

    def revision(self) -> str | None:
        """The migration a SQLite file is at; None when there is none yet, or for PostgreSQL."""
        if self.file is None or not self.file.exists():
            return None
        connection = sqlite3.connect(f"file:{self.file}?mode=ro", uri=True, timeout=60)
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.OperationalError:
            return None
        finally:
            connection.close()
        return None if row is None else str(row[0])


def choose_database(url: str | None, folder: Path) -> Database:
    """The database of a plain URL; None is the SQLite file in `folder`.

    Raises ValueError, without the URL in it, for anything but SQLite files and PostgreSQL.
    """
    if url is None:
        return _sqlite(folder / "prefect.db")
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ValueError("the Prefect database URL can't be read") from None
    match parsed.get_backend_name():
        case "sqlite" if parsed.database and ":memory:" not in parsed.database:
            return _sqlite(Path(parsed.database))
        case "postgresql" | "postgres":
            plain = parsed.set(drivername="postgresql+asyncpg")
            return Database(url=plain.render_as_string(hide_password=False), file=None)
        case _:
            raise ValueError("the Prefect database must be a SQLite file or PostgreSQL")


def _sqlite(file: Path) -> Database:
    absolute = file.expanduser().absolute()
    return Database(url=f"sqlite+aiosqlite:///{absolute}", file=absolute)


class SchemaStamp:
    """Remembers that this Prefect release has migrated this SQLite file to this revision.

    Loading 100+ migration scripts to find nothing to do costs a one-shot command its start time.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        file = database.file
        self._file = None if file is None else file.with_name(f"{file.name}.schema.json")

    def is_current(self) -> bool:
        """Whether migrating can be skipped; always False for PostgreSQL."""
        if self._file is None:
            return False
        try:
            stamped = json.loads(self._file.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return False
        current = self._describe()
        return current is not None and stamped == current

    def write(self) -> None:
        """Stamp the database as it is now."""
        if self._file is not None and (current := self._describe()) is not None:
            self._file.write_text(json.dumps(current) + "\n", encoding="utf-8")

    def _describe(self) -> dict[str, str] | None:
        revision = self._database.revision()
        if revision is None:
            return None
        return {"prefect": prefect.__version__, "revision": revision}
