"""Keeping swaps: opened once, changed by one at a time, every effect recorded once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cpe.domain.errors import StoreError
from cpe.domain.swap import ENDED, OPEN, SwapState
from cpe.domain.swap_case import FollowUp, StepRecord, SwapCase, SwapFile
from cpe.store import swap_codec as codec
from cpe.store.canonical import pack
from cpe.store.diagnoses import MIN_PREFIX
from cpe.store.engine import Database
from cpe.store.outbox import Letter, post_on
from cpe.store.swap_files import files_of
from cpe.store.swap_tables import (
    swap_follow_ups,
    swap_steps,
    swap_transitions,
    swap_units,
    swaps,
)
from cpe.store.upsert import insert_new

OPEN_STATES: Final = tuple(state.value for state in OPEN)
AT_ONCE: Final = 500
EVERY: Final = 1_000_000
CHANGED: Final = "swap.changed"


class _JustTakenError(StoreError):
    """Somebody took one of the units between the look and the insert."""


class Swaps:
    """The swaps of one database. Every method raises StoreError, and nothing else, when it
    can't."""

    def __init__(self, database: Database, *, call_back: bool = False) -> None:
        self._database, self._call_back = database, call_back

    async def open(self, case: SwapCase, event: str, actor: str) -> tuple[SwapCase, str | None]:
        """Open it and take its two units, or nothing: (the case, None), or with the id of the open
        swap that holds one of them. The same id again is the case that was opened."""
        try:
            return await self._database.finish(self._open(case, event, actor))
        except _JustTakenError:  # PostgreSQL only: now the look finds who holds it
            return await self._database.finish(self._open(case, event, actor))

    async def load(self, swap_id: str) -> SwapFile | None:
        """By id, or by a prefix of at least 6 characters that only one id begins with."""
        return await self._database.finish(self._load(swap_id))

    async def change(
        self,
        case: SwapCase,
        *,
        now: datetime,
        event: str | None = None,
        was: str = "",
        actor: str = "",
        detail: str = "",
        follow_ups: Sequence[FollowUp] = (),
    ) -> SwapCase | None:
        """Keep the case, which was read at its `version`; None when somebody changed it since.

        With `event` the move is recorded beside; an ended swap lets its units go. All in one
        transaction.
        """
        return await self._database.finish(
            self._change(case, now, event, was, actor, detail, follow_ups)
        )

    async def intend(
        self, swap_id: str, step: str, *, actor: str, at: datetime, before: Mapping[str, object]
    ) -> StepRecord:
        """Write down what is about to be done; what was written down before stays."""
        return await self._database.finish(self._intend(swap_id, step, actor, at, before))

    async def finish(
        self,
        swap_id: str,
        step: str,
        *,
        at: datetime,
        after: Mapping[str, object],
        changed: bool,
    ) -> None:
        """It is done and was read back. The first word stays."""
        await self._database.finish(self._finish(swap_id, step, at, after, changed=changed))

    async def take(self, swap_id: str, driver: str, *, now: datetime, until: datetime) -> bool:
        """Become the swap's driver, or stay it; False while another one is at work."""
        return await self._database.finish(self._take(swap_id, driver, now, until))

    async def let_go(self, swap_id: str, driver: str) -> None:
        """Be its driver no longer."""
        await self._database.finish(self._let_go(swap_id, driver))

    async def driven_until(self, swap_id: str) -> datetime | None:
        """Until when somebody drives it at least; None when nobody does."""
        return await self._database.finish(self._driven_until(swap_id))

    async def found(
        self,
        *,
        states: Iterable[SwapState] | None = None,
        equipment: str | None = None,
        serial: str | None = None,
        since: datetime | None = None,
        limit: int = EVERY,
    ) -> list[SwapFile]:
        """Newest first, whole. `equipment` finds the open swap that holds a unit; `serial`, in any
        case, those of either unit."""
        return await self._database.finish(self._found(states, equipment, serial, since, limit))

    async def follow_ups_due(self, now: datetime) -> list[tuple[str, str]]:
        """(swap, name) of every diagnosis of a replacement whose time has come."""
        return await self._database.finish(self._follow_ups_due(now))

    async def followed_up(self, swap_id: str, done: FollowUp) -> bool:
        """Keep what a follow-up found; False when that one was done already."""
        return await self._database.finish(self._followed_up(swap_id, done))

    # -- one transaction each

    async def _open(self, case: SwapCase, event: str, actor: str) -> tuple[SwapCase, str | None]:
        async with self._database.write() as connection:
            query = select(swaps).where(swaps.c.id == case.id)
            row = (await connection.execute(query)).mappings().first()
            if row is not None:
                return codec.case_of(row), None
            units = [case.old.equipment, case.new.equipment]
            held = select(swap_units.c.swap_id).where(swap_units.c.equipment.in_(units)).limit(1)
            holder = (await connection.execute(held)).scalar_one_or_none()
            if holder is not None:
                return case, holder
            await connection.execute(insert(swaps).values(codec.case_row(case)))
            taken = [{"equipment": unit, "swap_id": case.id} for unit in units]
            if await insert_new(connection, swap_units, taken) != len(taken):
                raise _JustTakenError
            await self._note(connection, case, event, "", actor, "")
        return case, None

    async def _load(self, swap_id: str) -> SwapFile | None:
        wanted = swap_id.strip().lower()
        async with self._database.read() as connection:
            found = await files_of(connection, select(swaps).where(swaps.c.id == wanted))
            if not found and len(wanted) >= MIN_PREFIX:
                begins = func.substr(swaps.c.id, 1, len(wanted)) == wanted
                found = await files_of(connection, select(swaps).where(begins).limit(2))
                if len(found) > 1:
                    raise StoreError(f"more than one swap begins with {wanted!r}: give more of it")
        return found[0] if found else None

    async def _change(
        self,
        case: SwapCase,
        now: datetime,
        event: str | None,
        was: str,
        actor: str,
        detail: str,
        follow_ups: Sequence[FollowUp],
    ) -> SwapCase | None:
        new = case.but(version=case.version + 1, updated_at=now)
        row = codec.case_row(new)
        mine = and_(swaps.c.id == case.id, swaps.c.version == case.version)
        async with self._database.write() as connection:
            done = await connection.execute(
                update(swaps).where(mine).values(row).returning(swaps.c.id)
            )
            if done.first() is None:
                return None
            if event is not None:
                await self._note(connection, new, event, was, actor, detail)
            if new.state in ENDED:
                held = delete(swap_units).where(swap_units.c.swap_id == case.id)
                await connection.execute(held)
            if follow_ups:
                planned = [{"swap_id": case.id, **_follow_up_row(one)} for one in follow_ups]
                await insert_new(connection, swap_follow_ups, planned)
        return new

    async def _note(
        self,
        connection: AsyncConnection,
        case: SwapCase,
        event: str,
        was: str,
        actor: str,
        detail: str,
    ) -> None:
        last = select(func.max(swap_transitions.c.number)).where(
            swap_transitions.c.swap_id == case.id
        )
        number = ((await connection.execute(last)).scalar_one_or_none() or 0) + 1
        row = {
            "swap_id": case.id,
            "number": number,
            "event": event,
            "was": was,
            "became": case.state.value,
            "actor": actor,
            "at": case.updated_at,
            "detail": detail,
        }
        await connection.execute(insert(swap_transitions).values(row))
        if self._call_back:
            await post_on(connection, _letter(case, row))

    async def _intend(
        self, swap_id: str, step: str, actor: str, at: datetime, before: Mapping[str, object]
    ) -> StepRecord:
        row = {
            "swap_id": swap_id,
            "step": step,
            "actor": actor,
            "intended_at": at,
            "before": _packed(before),
        }
        mine = and_(swap_steps.c.swap_id == swap_id, swap_steps.c.step == step)
        async with self._database.write() as connection:
            await insert_new(connection, swap_steps, [row])
            found = (await connection.execute(select(swap_steps).where(mine))).mappings().one()
            return codec.step_of(found)

    async def _finish(
        self, swap_id: str, step: str, at: datetime, after: Mapping[str, object], *, changed: bool
    ) -> None:
        mine = and_(
            swap_steps.c.swap_id == swap_id, swap_steps.c.step == step, swap_steps.c.at.is_(None)
        )
        values = {"at": at, "after": _packed(after), "changed": changed}
        async with self._database.write() as connection:
            await connection.execute(update(swap_steps).where(mine).values(values))

    async def _take(self, swap_id: str, driver: str, now: datetime, until: datetime) -> bool:
        free = or_(swaps.c.driver.is_(None), swaps.c.driver == driver, swaps.c.driver_until <= now)
        values = {"driver": driver, "driver_until": until}
        statement = update(swaps).where(swaps.c.id == swap_id, free).values(values)
        async with self._database.write() as connection:
            done = await connection.execute(statement.returning(swaps.c.id))
            return done.first() is not None

    async def _let_go(self, swap_id: str, driver: str) -> None:
        mine = and_(swaps.c.id == swap_id, swaps.c.driver == driver)
        values = {"driver": None, "driver_until": None}
        async with self._database.write() as connection:
            await connection.execute(update(swaps).where(mine).values(values))

    async def _driven_until(self, swap_id: str) -> datetime | None:
        query = select(swaps.c.driver_until).where(swaps.c.id == swap_id)
        async with self._database.read() as connection:
            return (await connection.execute(query)).scalar_one_or_none()

    async def _found(
        self,
        states: Iterable[SwapState] | None,
        equipment: str | None,
        serial: str | None,
        since: datetime | None,
        limit: int,
    ) -> list[SwapFile]:
        where: list[ColumnElement[bool]] = []
        if states is not None:
            where.append(swaps.c.state.in_([state.value for state in states]))
        if equipment is not None:
            held = select(swap_units.c.swap_id).where(swap_units.c.equipment == equipment)
            where.append(swaps.c.id.in_(held))
        if serial is not None:
            either = (func.lower(swaps.c.old_serial), func.lower(swaps.c.new_serial))
            where.append(or_(*(one == serial.lower() for one in either)))
        if since is not None:
            where.append(swaps.c.opened_at >= since)
        query = select(swaps).where(*where).order_by(swaps.c.opened_at.desc(), swaps.c.id.desc())
        async with self._database.read() as connection:
            return await files_of(connection, query.limit(limit))

    async def _follow_ups_due(self, now: datetime) -> list[tuple[str, str]]:
        table = swap_follow_ups.c
        query = (
            select(table.swap_id, table.name)
            .where(table.done_at.is_(None), table.due_at <= now)
            .order_by(table.due_at)
            .limit(AT_ONCE)
        )
        async with self._database.read() as connection:
            return [(row.swap_id, row.name) for row in await connection.execute(query)]

    async def _followed_up(self, swap_id: str, done: FollowUp) -> bool:
        table = swap_follow_ups
        mine = and_(
            table.c.swap_id == swap_id, table.c.name == done.name, table.c.done_at.is_(None)
        )
        values = {k: v for k, v in _follow_up_row(done).items() if k not in ("name", "due_at")}
        statement = update(table).where(mine).values(values).returning(table.c.name)
        async with self._database.write() as connection:
            return (await connection.execute(statement)).first() is not None


def _letter(case: SwapCase, moved: Mapping[str, Any]) -> Letter:
    """What the hub is told of a move, in the transaction of the move: `cpe.swap-change/1`."""
    body: dict[str, Any] = {
        "schema": "cpe.swap-change/1",
        "swap": case.id,
        "kind": case.kind.value,
        "old": case.old.serial,
        "new": case.new.serial,
        "outcome": case.outcome.value if case.outcome is not None else None,
        **{name: moved[name] for name in ("number", "event", "was", "became", "actor")},
        "at": case.updated_at.isoformat(),
    }
    return Letter(f"{CHANGED}:{case.id}:{moved['number']}", CHANGED, case.id, case.updated_at, body)


def _follow_up_row(one: FollowUp) -> dict[str, object]:
    return {name: getattr(one, name) for name in FollowUp.__dataclass_fields__}


def _packed(fields: Mapping[str, object]) -> object:
    return pack(dict(fields))  # type: ignore[arg-type]
