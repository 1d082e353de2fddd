"""The steps of a run, told to whoever watches it from another process, through our database.

A step is told as it begins and kept by the loop in the background: a diagnosis waits for none, and
does not fail when none can be kept.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Final

from cpe.domain.errors import StoreError
from cpe.store.hub import StepSeen
from tasks import clients

COALESCE_S: Final = 0.01
"""What many runs tell within this is written at once."""

log = logging.getLogger("cpe.steps")


class Teller:
    """Of one event loop."""

    def __init__(self) -> None:
        self._waiting: list[StepSeen] = []
        self._task: asyncio.Task[None] | None = None

    def tell(self, run_id: str, step: str) -> None:
        """A step of a run begins now."""
        self._waiting.append(StepSeen(run_id, time.time_ns() // 1000, step))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write())

    async def close(self) -> None:
        """Let what was told be written."""
        if self._task is not None:
            await self._task

    async def _write(self) -> None:
        while self._waiting:
            await asyncio.sleep(COALESCE_S)
            told, self._waiting = self._waiting, []
            try:
                await (await clients.store()).hub().saw(told)
            except StoreError as error:
                log.warning("%d steps not told: %s", len(told), error)


def tell_step(run_id: str, step: str) -> None:
    """Tell it, on the running loop; returns at once."""
    here = clients.shelf()
    teller = here.made.get(("teller",))
    if teller is None:
        teller = here.made[("teller",)] = Teller()
        here.flushers.append(teller.close)
    teller.tell(run_id, step)
