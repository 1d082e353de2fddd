"""The steps of a run, told to whoever watches it from another process, through our database.

A step is told as it begins and kept by the loop in the background: a diagnosis waits for none, and
does not fail when none can be kept.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from dataclasses import dataclass, field
from typing import Final

from cpe.domain.errors import StoreError
from cpe.store.steps import StepSeen
from tasks import clients

COALESCE_S: Final = 0.15
"""What is told within this is written at once: each write is a transaction of 3 ms of CPU, and
nobody sees a sixth of a second. A diagnosis that ends keeps its last steps with its answer."""

log = logging.getLogger("cpe.steps")


@dataclass(frozen=True, slots=True)
class _Batch:
    """Steps that are written together. `due`: at once; `over`: written, or given up."""

    steps: list[StepSeen] = field(default_factory=list[StepSeen])
    due: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Teller:
    """Of one event loop."""

    def __init__(self) -> None:
        self._next = _Batch()
        self._leaving: _Batch | None = None
        self._task: asyncio.Task[None] | None = None

    def tell(self, run_id: str, step: str) -> None:
        """A step of a run begins now."""
        self._next.steps.append(StepSeen(run_id, time.time_ns() // 1000, step))
        self._begin()

    def _begin(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write())

    async def flush(self) -> None:
        """Let what was told be written, at once; what others tell meanwhile is not waited for."""
        for batch in (self._leaving, self._next):
            if batch is not None and batch.steps:
                batch.due.set()
                self._begin()  # a writer that was cancelled is no more
                await batch.over.wait()

    async def take(self, run_id: str) -> list[StepSeen]:
        """What a run told and nobody wrote yet, for whoever writes it with something else."""
        if self._leaving is not None:
            await self._leaving.over.wait()
        steps = self._next.steps
        taken = [seen for seen in steps if seen.run_id == run_id]
        steps[:] = [seen for seen in steps if seen.run_id != run_id]
        return taken

    async def _write(self) -> None:
        batch = self._next
        try:
            while self._next.steps:
                batch = self._next
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(batch.due.wait(), COALESCE_S)
                self._next, self._leaving = _Batch(), batch
                try:
                    if batch.steps:
                        await (await clients.store()).hub().saw(batch.steps)
                except StoreError as error:
                    log.warning("%d steps not told: %s", len(batch.steps), error)
                batch.over.set()
                self._leaving = None
        except BaseException:
            batch.over.set()
            raise


def tell_step(run_id: str, step: str) -> None:
    """Tell it, on the running loop; returns at once."""
    here = clients.shelf()
    teller = here.made.get(("teller",))
    if teller is None:
        teller = here.made[("teller",)] = Teller()
        here.flushers.append(teller.flush)
    teller.tell(run_id, step)


async def take_steps(run_id: str) -> list[StepSeen]:
    """The steps of a run that still wait to be written, to be written by the caller."""
    teller: Teller | None = clients.shelf().made.get(("teller",))
    return await teller.take(run_id) if teller is not None else []
