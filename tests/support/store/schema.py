"""Whether a database holds exactly the tables that the code uses."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from cpe.store.migrate import VERSION_TABLE
from cpe.store.repository import Store
from cpe.store.tables import metadata


async def differences(store: Store) -> list[object]:
    def compare(connection) -> list[object]:
        options = {"version_table": VERSION_TABLE, "compare_type": True}
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, metadata))

    async with store._database.read() as connection:
        return await connection.run_sync(compare)
