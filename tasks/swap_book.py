"""Swaps in our database, changed through the lifecycle table and by one at a time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from cpe.domain.errors import StoreError
from cpe.domain.swap import SwapEvent
from cpe.domain.swap_case import FollowUp, SwapCase, SwapFile
from cpe.domain.swap_errors import SwapNotFoundError
from cpe.domain.swap_timer import Pace
from cpe.profiles.swap_wording import both, swap_wording
from cpe.settings import HubSettings, SwapSettings
from cpe.store.swaps import Swaps
from tasks import clients
from tasks.swap_clock import now

Move = Callable[[SwapCase], tuple[SwapCase, SwapEvent]]
TRIES: Final = 20


async def book() -> Swaps:
    """The swaps of the configured database. Raises StoreError."""
    return (await clients.store()).swaps(call_back=HubSettings.current().calls_back)


def pace() -> Pace:
    """How long people have, as configured."""
    settings = SwapSettings()
    return Pace(
        test=timedelta(seconds=settings.test_s),
        remind_before=timedelta(seconds=settings.remind_before_s),
        repeat=timedelta(seconds=settings.repeat_s),
        override=timedelta(seconds=settings.override_s),
        follow_ups=tuple(timedelta(seconds=s) for s in settings.follow_ups_s),
    )


async def load(swap_id: str) -> SwapFile:
    """The swap with all that belongs to it. Raises SwapNotFoundError, StoreError."""
    found = await (await book()).load(swap_id)
    if found is None:
        raise SwapNotFoundError(both(swap_wording().texts["not_found"].fill(id=swap_id)))
    return found


async def moved(
    swap_id: str,
    move: Move,
    *,
    actor: str,
    detail: str = "",
    planned: Callable[[SwapCase], tuple[FollowUp, ...]] = lambda _: (),
) -> SwapFile:
    """Move it, whatever else was changed on it meanwhile.

    `move` is asked again on the case as it is whenever somebody was faster, and raises what it
    raises: TransitionRefusedError when the table does not allow it any more.
    """
    swaps = await book()
    for _ in range(TRIES):
        case = (await load(swap_id)).case
        new, event = move(case)
        kept = await swaps.change(
            new,
            now=now(),
            event=event.value,
            was=case.state.value,
            actor=actor,
            detail=detail,
            follow_ups=planned(new),
        )
        if kept is not None:
            return await load(swap_id)
    raise StoreError(f"swap {swap_id} is being changed without end")


async def edited(swap_id: str, edit: Callable[[SwapCase], SwapCase]) -> SwapCase:
    """Change what is no move: its run, its problem, its form. Raises StoreError."""
    swaps = await book()
    for _ in range(TRIES):
        case = (await load(swap_id)).case
        new = edit(case)
        if new == case:
            return case
        if (kept := await swaps.change(new, now=now())) is not None:
            return kept
    raise StoreError(f"swap {swap_id} is being changed without end")
