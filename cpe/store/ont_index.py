"""Where an ONT is in an OLT's tables: the cache that spares a walk of thousands of rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cpe.domain.errors import StoreError
from cpe.domain.ont_index import IndexEntry
from cpe.store import tables
from cpe.store.canonical import column_text
from cpe.store.engine import Database
from cpe.store.upsert import upsertable


class OntIndex:
    """The stored form of what `cpe.access.olt` asks for; a hint, to be verified by a read."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, gpon_serial: str) -> Sequence[IndexEntry]:
        """Every row where any OLT ever showed that (canonical) serial, newest first."""
        return await self._database.finish(_find(self._database, gpon_serial))

    async def remember(self, olt: str, entries: Sequence[IndexEntry], *, complete: bool) -> None:
        """Keep what a walk or a read of `olt` showed. `complete`: it showed everything, so what
        was known of that OLT and not seen again goes, unless seen later than the walk."""
        if strangers := {entry.olt for entry in entries} - {olt}:
            raise StoreError(f"rows of {', '.join(sorted(strangers))} in a walk of {olt}")
        await self._database.finish(_remember(self._database, olt, entries, complete))


async def _find(database: Database, gpon_serial: str) -> list[IndexEntry]:
    table = tables.ont_index.c
    query = (
        select(table.olt, table.gpon_serial, table.ont_index, table.seen_at)
        .where(table.gpon_serial == gpon_serial)
        .order_by(table.seen_at.desc(), table.olt, table.ont_index)
    )
    async with database.read() as connection:
        return [IndexEntry(*row) for row in await connection.execute(query)]


async def _remember(
    database: Database, olt: str, entries: Sequence[IndexEntry], complete: bool
) -> None:
    rows = _rows(entries)
    async with database.write() as connection:
        if complete:
            await _forget_others(connection, olt, rows)
        if rows:
            await _upsert(connection, rows)


def _rows(entries: Sequence[IndexEntry]) -> list[dict[str, Any]]:
    # Sorted: two processes that lock rows in the same order can't block each other for good.
    found: dict[tuple[str, str], IndexEntry] = {}
    for entry in entries:
        key = (column_text(entry.gpon_serial), column_text(entry.index))
        if key not in found or found[key].seen_at < entry.seen_at:
            found[key] = entry
    return [
        {
            "olt": column_text(entry.olt),
            "gpon_serial": gpon_serial,
            "ont_index": index,
            "seen_at": entry.seen_at,
        }
        for (gpon_serial, index), entry in sorted(found.items(), key=lambda item: item[0])
    ]


async def _forget_others(
    connection: AsyncConnection, olt: str, rows: Sequence[dict[str, Any]]
) -> None:
    table = tables.ont_index
    seen = {(row["gpon_serial"], row["ont_index"]) for row in rows}
    walked_at = max((row["seen_at"] for row in rows), default=None)
    query = select(table.c.gpon_serial, table.c.ont_index).where(table.c.olt == olt)
    if walked_at is not None:
        query = query.where(table.c.seen_at <= walked_at)
    known = {(row.gpon_serial, row.ont_index) for row in await connection.execute(query)}
    gone = sorted(known - seen)
    if not gone:
        return
    await connection.execute(
        delete(table).where(
            table.c.olt == olt,
            table.c.gpon_serial == bindparam("gone_serial"),
            table.c.ont_index == bindparam("gone_index"),
        ),
        [{"gone_serial": serial, "gone_index": index} for serial, index in gone],
    )


async def _upsert(connection: AsyncConnection, rows: Sequence[dict[str, Any]]) -> None:
    table = tables.ont_index
    statement = upsertable(connection, table)
    statement = statement.on_conflict_do_update(
        index_elements=[table.c.olt, table.c.gpon_serial, table.c.ont_index],
        set_={"seen_at": statement.excluded.seen_at},
        where=table.c.seen_at < statement.excluded.seen_at,
    )
    await connection.execute(statement, list(rows))
