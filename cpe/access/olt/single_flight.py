"""One piece of work for all who want it at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from cpe.access.olt.wire import Deadline

T = TypeVar("T")


@dataclass(slots=True)
class _Flight(Generic[T]):
    task: asyncio.Task[T]
    deadline: Deadline
    started_at: float
    waiters: int = 0


class SingleFlight(Generic[T]):
    """At most one piece of work per key; who comes while it runs waits for the same result.

    A result also serves whoever began to ask before the work started (they may have queued for a
    slot meanwhile). When the last waiter leaves, the work is cancelled.
    """

    def __init__(self) -> None:
        self._flights: dict[object, _Flight[T]] = {}
        self._landed: dict[object, tuple[float, T]] = {}

    async def run(
        self,
        key: object,
        work: Callable[[Deadline], Awaitable[T]],
        *,
        deadline: Deadline,
        asked_at: float,
    ) -> T:
        """The work's result. `asked_at` is loop time. Joining extends the work's deadline."""
        landed = self._landed.get(key)
        if landed is not None and landed[0] >= asked_at:
            return landed[1]
        flight = self._flights.get(key)
        if flight is None:
            flight = self._start(key, work, deadline)
        else:
            flight.deadline.extend_to(deadline)
        flight.waiters += 1
        try:
            async with asyncio.timeout(max(deadline.left_s(), 0.0) + 0.5):
                return await asyncio.shield(flight.task)
        finally:
            flight.waiters -= 1
            if not flight.waiters and not flight.task.done():
                self._flights.pop(key, None)  # at once: nobody may join what is being cancelled
                flight.task.cancel()

    def _start(
        self, key: object, work: Callable[[Deadline], Awaitable[T]], deadline: Deadline
    ) -> _Flight[T]:
        own = Deadline(deadline.left_s())
        started_at = asyncio.get_running_loop().time()

        async def fly() -> T:
            result = await work(own)
            self._landed[key] = (started_at, result)
            return result

        flight = _Flight(asyncio.create_task(fly()), own, started_at)
        self._flights[key] = flight
        flight.task.add_done_callback(lambda task: self._land(key, task))
        return flight

    def _land(self, key: object, task: asyncio.Task[T]) -> None:
        flight = self._flights.get(key)
        if flight is not None and flight.task is task:
            del self._flights[key]
        if not task.cancelled():
            task.exception()  # retrieved here: its waiters may all have left
