"""Calls back to be made: written with what they tell of, sent at least once, in no order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cpe.store.canonical import Json, pack, unpack
from cpe.store.engine import Database
from cpe.store.hub_tables import outbox
from cpe.store.upsert import insert_new


@dataclass(frozen=True, slots=True)
class Letter:
    """One call back. `id` is the same at every attempt: the receiver's idempotency key.

    `body` None: the diagnosis `subject`, whole. `attempts` counts those that failed.
    """

    id: str
    kind: str
    subject: str
    created_at: datetime
    body: dict[str, Any] | None = None
    attempts: int = 0


AT_ONCE: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""Whatever the clocks of worker and hub say."""


async def post_on(connection: AsyncConnection, letter: Letter) -> bool:
    """Write a letter in a transaction of the caller's. False: it is there already."""
    row = {
        "id": letter.id,
        "kind": letter.kind,
        "subject": letter.subject,
        "body": None if letter.body is None else pack(cast("Json", letter.body)),
        "created_at": letter.created_at,
        "next_at": AT_ONCE,
        "attempts": 0,
        "last_error": "",
        "delivered_at": None,
    }
    return bool(await insert_new(connection, outbox, [row]))


def _unpacked(body: Json) -> dict[str, Any] | None:
    return cast("dict[str, Any]", unpack(body)) if body is not None else None


class Outbox:
    """Every method raises StoreError, and nothing else, when it can't."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def post(self, letter: Letter) -> bool:
        """Write a letter; False when it is there already."""
        return await self._database.finish(self._post(letter))

    async def _post(self, letter: Letter) -> bool:
        async with self._database.write() as connection:
            return await post_on(connection, letter)

    async def due(self, *, now: datetime, lease_s: float, limit: int) -> list[Letter]:
        """Letters to send now. They are this caller's for `lease_s`; then they are due again."""
        return await self._database.finish(self._due(now, lease_s, limit))

    async def _due(self, now: datetime, lease_s: float, limit: int) -> list[Letter]:
        column = outbox.c
        ready = (
            select(column.id)
            .where(column.next_at <= now)
            .order_by(column.next_at, column.created_at)
            .limit(limit)
        )
        async with self._database.read() as connection:
            if not (await connection.execute(ready)).first():
                return []  # the write lock is not taken to find nothing
        async with self._database.write() as connection:
            taken = (
                update(outbox)
                .where(column.id.in_(ready.with_for_update(skip_locked=True)))
                .values(next_at=now + timedelta(seconds=lease_s))
                .returning(*(column[name] for name in Letter.__slots__))
            )
            found = (await connection.execute(taken)).mappings().all()
        return [replace(Letter(**row), body=_unpacked(row["body"])) for row in found]

    async def delivered(self, letter_id: str, *, now: datetime) -> None:
        """It was taken by its receiver."""
        await self._settle(letter_id, next_at=None, delivered_at=now, last_error="")

    async def failed(self, letter_id: str, *, error: str, again_at: datetime | None) -> None:
        """It was not; None: it is given up."""
        await self._settle(
            letter_id, next_at=again_at, last_error=error, attempts=outbox.c.attempts + 1
        )

    async def waiting(self) -> int:
        """How many letters are still to be sent."""
        async with self._database.read() as connection:
            query = select(func.count()).where(outbox.c.next_at.is_not(None))
            return int((await connection.execute(query)).scalar_one())

    async def _settle(self, letter_id: str, **values: ColumnElement[int] | object) -> None:
        await self._database.finish(self._update(letter_id, values))

    async def _update(self, letter_id: str, values: dict[str, Any]) -> None:
        async with self._database.write() as connection:
            await connection.execute(
                update(outbox).where(outbox.c.id == letter_id).values(**values)
            )
