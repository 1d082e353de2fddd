"""Numbers that other parts of the house keep; None where that part is not there."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from cpe.store.repository import Store
from deployments.hub.problems import Kind, Problem
from deployments.hub.swap_desk import SwapDesk

MOST: Final = 500


async def swaps_waiting(desk: SwapDesk) -> int | None:
    """Open swaps in which a person has the next word, among `MOST` at most; None where no desk
    answers."""
    try:
        return sum(1 for swap in await desk.listed("open", None, MOST) if swap.get("waits_for"))
    except Problem as problem:
        if problem.kind is Kind.SWAPS_UNAVAILABLE:
            return None
        raise


async def last_sweep_age_s(store: Store, now: datetime) -> float | None:
    """Seconds since the last sweep ended, complete or not; None where none ever did."""
    last = await store.last_sweep()
    if last is None or last.finished_at is None:
        return None
    return (now - last.finished_at).total_seconds()
