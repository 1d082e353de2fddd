"""Errands to one box: tasks sent with a connection request, their fate told by /tasks and /faults.

Unlike a refresh, an errand's effect is the caller's to prove; here it only ran, faulted, or did
not run and was removed.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Mapping, Sequence
from typing import Final

from cpe.access.genieacs.nbi import Fault, Nbi, PostedTask
from cpe.access.genieacs.outcome import TaskOutcome, queued_reason
from cpe.access.genieacs.transport import SYSTEM
from cpe.domain.errors import (
    AccessError,
    BusyError,
    LoginRefusedError,
    UnexpectedAnswerError,
    UnreachableError,
)

SESSION_S: Final = 10.0
"""How long a box may take from the connection request to its session."""
POST_S: Final = 15.0
POLL_S: Final = 0.25
LEAST_S: Final = 0.5
CLEAR_S: Final = 4.0
CLEAR_TRIES: Final = 3
"""DELETE answers 503 while the device is in session; a session takes about half a second."""


class Errands:
    """Tasks for one box until `deadline` (event loop time), under unique keys of ours."""

    def __init__(self, nbi: Nbi, acs_id: str, keys: Sequence[str], deadline: float) -> None:
        self._nbi, self._acs_id, self._keys = nbi, acs_id, keys
        self._deadline = deadline
        self._stuck: set[str] = set()

    def remaining_s(self) -> float:
        """Until the deadline, but never so little that nothing could be asked any more."""
        return max(LEAST_S, self._deadline - asyncio.get_running_loop().time())

    def expiry_s(self) -> int:
        """After so long the ACS drops a task of ours by itself, should we die before."""
        return math.ceil(self.remaining_s()) + 5

    async def queue(self, task: Mapping[str, object]) -> PostedTask:
        """Queue a task for the next session, without calling the box. Raises AccessError."""
        posted = await self._nbi.post_task(
            self._acs_id, task, wait_ms=None, timeout_s=min(POST_S, self.remaining_s())
        )
        return self._known(posted)

    async def send(self, task: Mapping[str, object]) -> PostedTask | Fault:
        """Run a task now: it ran, or it faulted and was removed.

        Raises UnreachableError when the box did not come, LoginRefusedError when it refuses the
        ACS's credentials, and any AccessError of the NBI; the task is removed then too.
        """
        await self._make_way()
        left_s = min(POST_S, self.remaining_s())
        wait_ms = int(min(SESSION_S, max(LEAST_S, left_s - 1.0)) * 1000)
        try:
            answer = await self._nbi.post_task(
                self._acs_id, task, wait_ms=wait_ms, timeout_s=left_s
            )
        except AccessError:
            # Whether it was queued is not known, only by what key.
            await self.clear()
            raise
        return await self._fate(self._known(answer))

    async def _make_way(self) -> None:
        """Raises BusyError while a task of ours is held by a session that does not end.

        The next of its key would take its place in the queue, and leave that one's fault behind.
        """
        for task_id in sorted(self._stuck):
            await self._nbi.delete_task(task_id)
            self._stuck.discard(task_id)

    async def _fate(self, posted: PostedTask) -> PostedTask | Fault:
        while True:
            fault = await self._nbi.fault_of(self._acs_id, posted.id)
            if fault is not None:
                await self.remove(posted.id)
                return fault
            if not await self._nbi.task_is_queued(posted.id):
                return posted
            if await self.remove(posted.id):
                raise self._not_run(posted.reason)
            if asyncio.get_running_loop().time() >= self._deadline:
                raise self._unreachable("the box's session does not end")
            await asyncio.sleep(POLL_S)

    async def clear(self) -> None:
        """Leave none of our tasks queued. Never raises: what remains expires by itself."""
        with contextlib.suppress(AccessError, TimeoutError):
            async with asyncio.timeout(CLEAR_S):
                for key in self._keys:
                    for task_id in await self._nbi.queued_by_key(self._acs_id, key):
                        await self._remove_patiently(task_id)

    async def _remove_patiently(self, task_id: str) -> None:
        for attempt in range(CLEAR_TRIES):
            await asyncio.sleep(POLL_S if attempt else 0)
            try:
                await self._nbi.delete_task(task_id)
            except BusyError:
                self._stuck.add(task_id)
                continue
            self._stuck.discard(task_id)
            return

    async def remove(self, task_id: str) -> bool:
        """False when it was not there any more or the box is in session."""
        try:
            return await self._nbi.delete_task(task_id)
        except BusyError:
            return False

    def _known(self, posted: PostedTask | None) -> PostedTask:
        if posted is None:
            raise UnexpectedAnswerError(
                "the ACS no longer knows the box", system=SYSTEM, target=self._acs_id
            )
        return posted

    def _not_run(self, reason: str) -> AccessError:
        outcome, detail = queued_reason(reason)
        if outcome is TaskOutcome.REFUSED:
            return LoginRefusedError(detail, system=SYSTEM, target=self._acs_id)
        return self._unreachable(detail)

    def _unreachable(self, detail: str) -> UnreachableError:
        return UnreachableError(detail, system=SYSTEM, target=self._acs_id)
