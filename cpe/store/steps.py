"""The steps of runs, as they began."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from cpe.store import hub_tables
from cpe.store.upsert import upsertable


@dataclass(frozen=True, slots=True)
class StepSeen:
    """A step of a diagnosis that began. `at_us`: microseconds since 1970."""

    run_id: str
    at_us: int
    step: str

    @property
    def at(self) -> datetime:
        """The same as a time."""
        return datetime.fromtimestamp(self.at_us / 1_000_000, UTC)


async def saw_on(connection: AsyncConnection, seen: Sequence[StepSeen]) -> None:
    """Keep steps that began, in the connection's transaction. Idempotent."""
    rows = [{"run_id": s.run_id, "at_us": s.at_us, "step": s.step} for s in seen]
    statement = upsertable(connection, hub_tables.steps).values(rows)
    await connection.execute(statement.on_conflict_do_nothing())
