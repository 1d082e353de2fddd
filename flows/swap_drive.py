"""Taking a swap as far as it goes: guard → effects → a person's word → effects → the end.

Everything is idempotent: whoever drives, however often it is killed, what is done stays done. One
driver at a time: a lease in our table, which a living driver renews and a dead one loses.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from datetime import date, timedelta
from typing import Final
from uuid import uuid4

from cpe.access.erpnext.equipment import OtherStatusError
from cpe.domain import swap_moves as moves
from cpe.domain.errors import AccessError, StoreError
from cpe.domain.swap import SwapState
from cpe.domain.swap_case import Override, SwapCase, SwapFile, TaskRef
from cpe.domain.swap_errors import SwapError
from cpe.domain.swap_plan import OPEN_TASK, effects
from cpe.domain.swap_timer import override_expires
from cpe.profiles.swap_wording import both, swap_wording
from cpe.settings import SwapSettings
from flows.conduct import Step
from flows.swap_guard import guard
from tasks import swap_book as book
from tasks.swap_clock import now
from tasks.swap_effects import do_effect

US: Final = "cpe"
"""Who acts when no person does."""


class SwapBusyError(SwapError):
    """Somebody else is driving this swap."""


class SwapStuckError(SwapError):
    """It could not go on; the swap says why, and is tried again later."""


async def advance(swap_id: str, step: Step) -> SwapFile:
    """Take the swap to where a person has the next word, or to its end.

    Raises SwapStuckError when a system does not play along (recorded with the swap), SwapBusyError
    when another driver is at work, SwapNotFoundError, StoreError.
    """
    async with driving(swap_id) as lease:
        while True:
            await lease.renew()
            file = await book.load(swap_id)
            try:
                if not await _one_stage(file, step):
                    return file
            except OtherStatusError as error:
                await _other_status(file, error)
            except (AccessError, TimeoutError) as error:
                raise await _stuck(file.case, str(error) or "ERPNext") from error


async def _one_stage(file: SwapFile, step: Step) -> bool:
    """One move of the swap; False when it is a person's turn or over."""
    case = file.case
    if case.state is SwapState.REQUESTED:
        said, found = await guard(case, step)
        await book.moved(
            case.id,
            lambda c: moves.guarded(c, said, found, book.pace()),
            actor=US,
            detail=found.verdict if found is not None else said.named,
        )
        return True
    if case.state is SwapState.AWAITING_OVERRIDE:
        return await _overdue_override(case)
    if case.state is SwapState.SWAPPING:
        await _all_effects(file, case.requested_by, step)
        await _installed(case.id, case.requested_by)
        return True
    if case.state is SwapState.CONCLUDING:
        actor = case.answer.by if case.answer is not None else US
        await _all_effects(file, actor, step)
        await book.moved(case.id, lambda c: moves.settled(c, now()), actor=actor)
        return True
    return False


async def _all_effects(file: SwapFile, actor: str, step: Step) -> None:
    for effect in effects(file.case):
        if not file.did(effect.step):
            await step(do_effect, effect.step, file.case, effect, actor)


async def _installed(swap_id: str, actor: str) -> None:
    file = await book.load(swap_id)
    made = file.step(OPEN_TASK)
    task = None
    if made is not None and made.after is not None:
        kept = made.after
        due = date.fromisoformat(str(kept["due"]))
        task = TaskRef(str(kept["task"]), due, str(kept["priority"]))
    await book.moved(
        swap_id,
        lambda c: moves.installed(c, now(), task),
        actor=actor,
        planned=lambda c: moves.follow_ups(c, book.pace()),
    )


async def _overdue_override(case: SwapCase) -> bool:
    """A decision that nobody took in time is a no."""
    expires = override_expires(case, book.pace())
    if expires is None or now() < expires:
        return False
    reason = both(swap_wording().texts["given_up_by_time"].fill())
    said = Override(by=US, reason=reason, at=now(), granted=False)
    await book.moved(
        case.id, lambda c: moves.overridden(c, said, book.pace()), actor=US, detail=reason
    )
    return True


async def _other_status(file: SwapFile, error: OtherStatusError) -> None:
    """The first effect found the new unit taken: refused, for nothing is written. Else stuck."""
    case = (await book.load(file.case.id)).case
    begun = {record.step for record in (await book.load(case.id)).steps}
    if case.state is SwapState.SWAPPING and not begun & {e.step for e in effects(case)}:
        why = both(swap_wording().texts["unit_taken"].fill(detail=error.message))
        await book.moved(case.id, lambda c: moves.unit_taken(c, now(), why), actor=US, detail=why)
        return
    raise await _stuck(case, str(error)) from error


async def _stuck(case: SwapCase, why: str) -> SwapStuckError:
    with contextlib.suppress(StoreError):
        await book.edited(case.id, lambda c: moves.stuck(c, now(), why))
    return SwapStuckError(why)


class Lease:
    """The right to drive one swap, renewed in the background."""

    def __init__(self, swap_id: str, span: timedelta) -> None:
        self._swap_id, self._span = swap_id, span
        self._driver = uuid4().hex

    async def take(self) -> bool:
        """Whether it is ours now."""
        swaps = await book.book()
        at = now()
        return await swaps.take(self._swap_id, self._driver, now=at, until=at + self._span)

    async def renew(self) -> None:
        """Raises SwapBusyError when it was lost: we were silent for too long."""
        if not await self.take():
            raise SwapBusyError(both(swap_wording().texts["busy"].fill(id=self._swap_id)))

    async def let_go(self) -> None:
        """Give it back; one that is not given back runs out."""
        with contextlib.suppress(StoreError):
            await (await book.book()).let_go(self._swap_id, self._driver)

    async def keep(self) -> None:
        """Renew until cancelled. What fails is seen at the next stage."""
        while True:
            await asyncio.sleep(self._span.total_seconds() / 3)
            with contextlib.suppress(StoreError):
                await self.take()


@contextlib.asynccontextmanager
async def driving(swap_id: str, *, patience: float = 1.0) -> AsyncGenerator[Lease]:
    """Drive the swap for the block. `patience`: how many leases long another driver is waited for.

    Raises SwapBusyError when it does not become free, SwapNotFoundError.
    """
    span = timedelta(seconds=SwapSettings().lease_s)
    await book.load(swap_id)
    lease = Lease(swap_id, span)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience * span.total_seconds() + 1.0
    while not await lease.take():
        if loop.time() >= deadline:
            raise SwapBusyError(both(swap_wording().texts["busy"].fill(id=swap_id)))
        await asyncio.sleep(0.25)
    keeper = asyncio.create_task(lease.keep())
    try:
        yield lease
    finally:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
        await lease.let_go()
