"""What the hub asks of our database: one run for one question, its steps, its answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, insert, select, update

from cpe.store import codec, diagnoses, tables
from cpe.store.engine import Database
from cpe.store.hub_tables import asks, flights, outbox, steps
from cpe.store.outbox import Outbox
from cpe.store.steps import StepSeen, saw_on
from cpe.store.upsert import insert_new

CREATING_S: Final = 15.0
"""Whoever took the question creates its run within this; then another does, by its ticket."""


@dataclass(frozen=True, slots=True)
class Flight:
    """A question that is being answered. `is_mine`: the caller is to create its run."""

    ticket: str
    run_id: str | None
    is_mine: bool


@dataclass(frozen=True, slots=True)
class Ask:
    """Somebody who asked. `token` is the name of the bearer token, never its secret."""

    id: str
    run_id: str
    serial: str
    requested_by: str
    token: str
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Latest:
    """A box's last diagnosis, without its document."""

    id: str
    requested_at: datetime
    finished_at: datetime


@dataclass(frozen=True, slots=True)
class Finished:
    """A diagnosis as it is counted. `sources`: the document's."""

    id: str
    verdict: str
    duration_ms: int
    finished_at: datetime
    sources: tuple[dict[str, Any], ...]


class Hub:
    """Every method raises StoreError, and nothing else, when it can't."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.outbox = Outbox(database)

    async def take(self, question: str, ticket: str, *, now: datetime) -> Flight:
        """Take a question, or learn who did; one that was answered since is taken anew."""
        return await self._database.finish(self._take(question, ticket, now))

    async def _take(self, question: str, ticket: str, now: datetime) -> Flight:
        column = flights.c
        async with self._database.write() as connection:
            row = {"question": question, "ticket": ticket, "run_id": None, "opened_at": now}
            if await insert_new(connection, flights, [row]):
                return Flight(ticket, None, is_mine=True)
            mine = select(flights).where(column.question == question).with_for_update()
            found = (await connection.execute(mine)).mappings().one()
            if found["run_id"] is None:
                late = now - found["opened_at"] > timedelta(seconds=CREATING_S)
                if late:
                    again = update(flights).where(column.question == question)
                    await connection.execute(again.values(opened_at=now))
                return Flight(found["ticket"], None, is_mine=late)
            kept = select(tables.diagnoses.c.id).where(tables.diagnoses.c.id == found["run_id"])
            if (await connection.execute(kept)).first() is None:
                return Flight(found["ticket"], found["run_id"], is_mine=False)
            await connection.execute(
                update(flights).where(column.question == question).values(**row)
            )
            return Flight(ticket, None, is_mine=True)

    async def launched(self, question: str, ticket: str, run_id: str) -> None:
        """The question's run has been created."""
        mine = (flights.c.question == question) & (flights.c.ticket == ticket)
        await self._execute(update(flights).where(mine).values(run_id=run_id))

    async def release(self, question: str, ticket: str) -> None:
        """The run could not be created, or it is not known: whoever asks next tries that ticket."""
        mine = (flights.c.question == question) & (flights.c.ticket == ticket)
        long_ago = datetime(2000, 1, 1, tzinfo=UTC)
        await self._execute(update(flights).where(mine).values(opened_at=long_ago))

    async def land(self, question: str, ticket: str) -> None:
        """The question's run came to nothing: whoever asks next takes it anew."""
        mine = (flights.c.question == question) & (flights.c.ticket == ticket)
        await self._execute(delete(flights).where(mine))

    async def ask(self, asked: Ask) -> None:
        """Keep who asked."""
        row = {name: getattr(asked, name) for name in Ask.__slots__}
        await self._execute(insert(asks).values(row))

    async def asked_by(self, run_id: str) -> list[Ask]:
        """Everybody who asked for a run, the first one first."""
        query = select(asks).where(asks.c.run_id == run_id).order_by(asks.c.asked_at)
        async with self._database.read() as connection:
            return [Ask(**row) for row in (await connection.execute(query)).mappings()]

    async def saw(self, seen: Sequence[StepSeen]) -> None:
        """Keep steps that began."""
        if seen:
            await self._database.finish(self._saw(seen))

    async def _saw(self, seen: Sequence[StepSeen]) -> None:
        async with self._database.write() as connection:
            await saw_on(connection, seen)

    async def progress(self, run_ids: Sequence[str]) -> tuple[list[StepSeen], set[str]]:
        """All steps of these runs so far, in order, and which of them have their answer kept."""
        return await self._database.finish(self._progress(run_ids))

    async def _progress(self, run_ids: Sequence[str]) -> tuple[list[StepSeen], set[str]]:
        query = select(steps).where(steps.c.run_id.in_(run_ids)).order_by(steps.c.at_us)
        table = tables.diagnoses.c
        async with self._database.read() as connection:
            # The answer first: a step before it is then never missed.
            kept = select(table.id).where(table.id.in_(run_ids))
            done = set((await connection.execute(kept)).scalars())
            seen = (await connection.execute(query)).mappings().all()
        return [StepSeen(row["run_id"], row["at_us"], row["step"]) for row in seen], done

    async def latest(self, serial: str) -> Latest | None:
        """A box's last diagnosis, by whatever name it is asked for."""
        return await self._database.finish(self._latest(serial))

    async def _latest(self, serial: str) -> Latest | None:
        table = tables.diagnoses.c
        async with self._database.read() as connection:
            query = (
                select(table.id, table.requested_at, table.finished_at)
                .where(await diagnoses.of_box(connection, serial))
                .order_by(table.requested_at.desc(), table.id.desc())
                .limit(1)
            )
            row = (await connection.execute(query)).mappings().first()
        return Latest(**row) if row is not None else None

    async def document(self, diagnosis_id: str) -> dict[str, Any] | None:
        """The kept answer `cpe.diagnosis/1` of exactly this id."""
        return await self._database.finish(self._document(diagnosis_id))

    async def _document(self, diagnosis_id: str) -> dict[str, Any] | None:
        table = tables.diagnoses.c
        async with self._database.read() as connection:
            query = select(table.document).where(table.id == diagnosis_id)
            packed = (await connection.execute(query)).scalar_one_or_none()
        return codec.decode_document(packed) if packed is not None else None

    async def finished_since(self, moment: datetime, *, limit: int) -> list[Finished]:
        """Diagnoses that ended at that time or after, the oldest first."""
        return await self._database.finish(self._finished_since(moment, limit))

    async def _finished_since(self, moment: datetime, limit: int) -> list[Finished]:
        table = tables.diagnoses.c
        columns = (table.id, table.verdict_code, table.duration_ms, table.finished_at)
        query = (
            select(*columns, table.document)
            .where(table.finished_at >= moment)
            .order_by(table.finished_at)
            .limit(limit)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [
            Finished(i, v, ms, at, tuple(codec.decode_document(doc).get("sources", ())))  # type: ignore[arg-type]
            for i, v, ms, at, doc in rows
        ]

    async def prune(self, *, now: datetime, keep_days: int) -> None:
        """Drop what nobody looks at any more."""
        limit = now - timedelta(days=keep_days)
        day = now - timedelta(days=1)
        await self._execute(delete(asks).where(asks.c.asked_at < limit))
        await self._execute(delete(flights).where(flights.c.opened_at < day))
        await self._execute(delete(steps).where(steps.c.at_us < int(day.timestamp() * 1_000_000)))
        old = (outbox.c.created_at < limit) & outbox.c.next_at.is_(None)
        await self._execute(delete(outbox).where(old))

    async def _execute(self, statement: Any) -> None:
        await self._database.finish(self._write(statement))

    async def _write(self, statement: Any) -> None:
        async with self._database.write() as connection:
            await connection.execute(statement)
