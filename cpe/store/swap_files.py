"""Swaps whole: each case with its steps, moves and follow-ups, whatever their number."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import RowMapping, Select, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cpe.domain.swap_case import SwapFile
from cpe.store import swap_codec as codec
from cpe.store.swap_tables import swap_follow_ups, swap_steps, swap_transitions

IDS_AT_ONCE: Final = 500
"""SQLite and PostgreSQL both take some 32,000 values in one statement."""
Rows = dict[str, list[RowMapping]]


async def files_of(connection: AsyncConnection, query: Select[Any]) -> list[SwapFile]:
    """The swaps that the query finds, in its order."""
    cases = [codec.case_of(row) for row in (await connection.execute(query)).mappings()]
    ids = [case.id for case in cases]
    steps = await _parts(connection, swap_steps, ids, "intended_at", "step")
    moves = await _parts(connection, swap_transitions, ids, "number")
    visits = await _parts(connection, swap_follow_ups, ids, "due_at", "name")
    return [
        SwapFile(
            case,
            tuple(codec.step_of(row) for row in steps.get(case.id, ())),
            tuple(codec.transition_of(row) for row in moves.get(case.id, ())),
            tuple(codec.follow_up_of(row) for row in visits.get(case.id, ())),
        )
        for case in cases
    ]


async def _parts(connection: AsyncConnection, table: Table, ids: list[str], *order: str) -> Rows:
    """Swap → its rows of that table."""
    found: Rows = {}
    for start in range(0, len(ids), IDS_AT_ONCE):
        some = table.c.swap_id.in_(ids[start : start + IDS_AT_ONCE])
        query = select(table).where(some).order_by(*(table.c[name] for name in order))
        for row in (await connection.execute(query)).mappings():
            found.setdefault(row["swap_id"], []).append(row)
    return found
