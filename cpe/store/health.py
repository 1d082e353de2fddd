"""One line for `cpe doctor`."""

from __future__ import annotations

from sqlalchemy import func, select, text

from cpe.store import tables
from cpe.store.engine import Database
from cpe.store.migrate import HEAD, revision


async def ping(database: Database) -> str:
    """Which server, which schema, how many diagnoses. Raises StoreError when it can't be used."""
    sqlite = database.is_sqlite
    async with database.read() as connection:
        asked = "SELECT sqlite_version()" if sqlite else "SHOW server_version"
        version = str((await connection.execute(text(asked))).scalar_one()).split(" ", 1)[0]
    server = f"{'SQLite' if sqlite else 'PostgreSQL'} {version}"
    found = await revision(database)
    if found is None:
        return f"{server}, no schema yet"
    if found != HEAD:
        return f"{server}, schema {found} to be migrated to {HEAD}"
    async with database.read() as connection:
        count = select(func.count()).select_from(tables.diagnoses)
        number = (await connection.execute(count)).scalar_one()
    return f"{server}, schema {found}, {number} diagnoses"
