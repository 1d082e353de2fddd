"""Run by Alembic on the connection that `cpe.store.migrate` hands over, in its transaction."""

from __future__ import annotations

from alembic import context

from cpe.store.migrate import VERSION_TABLE
from cpe.store.swap_tables import metadata  # registers the swaps' tables too

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    # The lock and the whole upgrade are one transaction, on SQLite too (see engine._begin_sqlite).
    transactional_ddl=True,
    transaction_per_migration=False,
)
context.run_migrations()
