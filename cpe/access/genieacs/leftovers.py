"""Removing tasks of ours that outlived the run that queued them, with their faults.

A box that drops its session, an ACS or a worker that is killed after a POST: the task stays
queued, and faulted (`session_terminated`), past its `expiry` until the box's next session. Every
run gives its tasks an `expiry` later than its own end: one that has passed belongs to no run.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from typing import Final

from cpe.access.genieacs import keys
from cpe.access.genieacs.nbi import Nbi, QueuedTask
from cpe.domain.errors import AccessError, BusyError

BOX_S: Final = 2.0
"""Of a diagnosis or a speed test: two requests take milliseconds, and nothing depends on them."""
FLEET_S: Final = 300.0
FLEET_TASKS: Final = 20_000
"""In one night; what is left is removed in the next."""
AT_ONCE: Final = 4
log = logging.getLogger("cpe.leftovers")


@dataclass(frozen=True, slots=True)
class Cleared:
    """How many leftovers an ACS had, and how many are removed; the others' boxes are in session,
    or there was no more time."""

    seen: int = 0
    removed: int = 0


async def clear_leftovers(nbi: Nbi, acs_id: str) -> int:
    """Remove a box's expired tasks of ours and their faults; how many. Never raises AccessError.

    To be called before a run's own first task, whose key would put it in the old one's place and
    leave the old one's fault behind.
    """
    removed = 0
    with contextlib.suppress(AccessError, TimeoutError):
        async with asyncio.timeout(BOX_S):
            for task in await nbi.queued_of(acs_id):
                if _is_leftover(nbi, task):
                    removed += await _remove(nbi, task.id)
    if removed:
        log.info("%s: %d tasks of an earlier run removed", acs_id, removed)
    return removed


async def clear_all_leftovers(nbi: Nbi) -> Cleared:
    """Remove the expired tasks of ours of every box, and their faults; within FLEET_S.

    Raises AccessError when the ACS cannot be read, or stops answering.
    """
    waiting: list[str] = []
    async for task in nbi.stream_queued(keys.PREFIX):
        if len(waiting) < FLEET_TASKS and _is_leftover(nbi, task):
            waiting.append(task.id)
    seen, removed = len(waiting), 0

    async def work() -> None:
        nonlocal removed
        while waiting:
            is_removed = await _remove(nbi, waiting.pop())
            removed += is_removed

    workers = [asyncio.create_task(work()) for _ in range(AT_ONCE)]
    try:
        done, _ = await asyncio.wait(workers, timeout=FLEET_S, return_when=asyncio.FIRST_EXCEPTION)
        for worker in done:
            worker.result()
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
    return Cleared(seen, removed)


def _is_leftover(nbi: Nbi, task: QueuedTask) -> bool:
    """By the clock of the host that set the expiry."""
    if not task.unique_key.startswith(keys.PREFIX) or task.expiry is None:
        return False
    return task.expiry < nbi.transport.now()


async def _remove(nbi: Nbi, task_id: str) -> bool:
    """False when it was gone already, or its box is in session."""
    try:
        return await nbi.delete_task(task_id)
    except BusyError:
        return False
