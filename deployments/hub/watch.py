"""Waiting for diagnoses that other processes run: one look at our database for all who wait.

The database is the one place that every worker writes to and every hub reads. What never gets
there (a crash, a cancellation) is asked of Prefect, for runs that have been still for a while.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Final

from cpe.domain.errors import StoreError
from cpe.store.repository import Store
from cpe.store.steps import StepSeen
from deployments.hub.prefect_api import PrefectApi, PrefectUnavailableError, Run

LOOK_S: Final = 0.03
STILL_S: Final = 2.0
"""A run that shows nothing new for this long: Prefect is asked how it is (26 ms for 50 runs)."""
ENDED_S: Final = 1.5
"""A run that ended keeps its answer before it ends: what is not there by then was not kept."""
AGAIN_S: Final = 0.5

_log = logging.getLogger("hub")


@dataclass(eq=False, slots=True)
class Watched:
    """A run somebody waits for. `ended` without `is_kept`: it came to nothing."""

    run_id: str
    steps: list[StepSeen] = field(default_factory=list[StepSeen])
    is_kept: bool = False
    ended: Run | None = None
    watchers: int = 0
    looked_at: float = field(default_factory=time.monotonic)
    ended_at: float | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_over(self) -> bool:
        return self.is_kept or self.ended is not None

    async def over(self, within_s: float) -> bool:
        """Whether it is over within that time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while not self.is_over:
                    await self.next_change()
        return self.is_over

    async def next_change(self) -> None:
        """Wait until there is something new; everybody who waits is woken."""
        await self.changed.wait()

    def end(self, run: Run) -> None:
        """It came to nothing."""
        self.ended = run
        self.tell()

    def tell(self) -> None:
        """Wake everybody who waits."""
        woken, self.changed = self.changed, asyncio.Event()
        woken.set()


class Watcher:
    """Of one hub process."""

    def __init__(self, store: Store, prefect: PrefectApi) -> None:
        self._hub, self._prefect = store.hub(), prefect
        self._watched: dict[str, Watched] = {}
        self._some = asyncio.Event()
        self._asking: asyncio.Task[None] | None = None

    @contextmanager
    def watching(self, run_id: str) -> Iterator[Watched]:
        """The run, kept up to date within the block."""
        watched = self._watched.setdefault(run_id, Watched(run_id))
        watched.watchers += 1
        self._some.set()
        try:
            yield watched
        finally:
            watched.watchers -= 1
            if not watched.watchers:
                self._watched.pop(run_id, None)

    async def look_at(self, watched: Watched) -> None:
        """Once, now: what has been told of the run so far. Raises StoreError."""
        await self._take_in([watched])

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Look while the block runs."""
        task = asyncio.create_task(self._look_on())
        try:
            yield
        finally:
            tasks = [task, self._asking] if self._asking is not None else [task]
            for one in tasks:
                one.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _look_on(self) -> None:
        while True:
            waiting = [watched for watched in self._watched.values() if not watched.is_over]
            if not waiting:
                self._some.clear()
                await self._some.wait()
                continue
            try:
                await self._look(waiting)
                await asyncio.sleep(LOOK_S)
            except StoreError as error:
                _log.warning("watching %d runs: %s", len(waiting), error)
                await asyncio.sleep(AGAIN_S)

    async def _look(self, waiting: list[Watched]) -> None:
        await self._take_in(waiting)
        if self._asking is not None and not self._asking.done():
            return
        now = time.monotonic()
        still = [w for w in waiting if not w.is_over and now - w.looked_at > STILL_S]
        if still:  # beside the look: what is kept is told even while Prefect hangs
            self._asking = asyncio.create_task(self._ask_prefect(still))

    async def _take_in(self, waiting: list[Watched]) -> None:
        steps, kept = await self._hub.progress([watched.run_id for watched in waiting])
        of_run: dict[str, list[StepSeen]] = {}
        for step in steps:
            of_run.setdefault(step.run_id, []).append(step)
        now = time.monotonic()
        for watched in waiting:
            seen = of_run.get(watched.run_id, [])
            if len(seen) != len(watched.steps) or watched.run_id in kept:
                watched.steps, watched.is_kept = seen, watched.run_id in kept
                watched.looked_at = now
                watched.tell()

    async def _ask_prefect(self, still: list[Watched]) -> None:
        found: dict[str, Run] | None = None
        try:
            found = await self._prefect.runs([watched.run_id for watched in still])
        except PrefectUnavailableError as error:
            _log.warning("asking of %d runs: %s", len(still), error)
        now = time.monotonic()
        for watched in still:
            watched.looked_at = now
            if found is not None and not watched.is_over:
                self._judge(watched, found.get(watched.run_id), now)

    @staticmethod
    def _judge(watched: Watched, run: Run | None, now: float) -> None:
        if run is not None and not run.is_final:
            watched.ended_at = None
            return
        if watched.ended_at is None:
            watched.ended_at = now
        if now - watched.ended_at > ENDED_S:
            watched.end(run or Run(watched.run_id, "DELETED", "Deleted", ""))
