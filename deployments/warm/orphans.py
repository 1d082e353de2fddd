"""The runs of a worker that died are run by another: none stays Pending or Running for ever.

Prefect has no such thing: a run whose worker was killed stays Running, or Crashed at best. On this
machine a dead owner is seen at once. On another it counts as dead when its heartbeat has not moved
for LEASE_S that we looked, and by then it has ended itself if it only stood still (watchdog.py).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Sequence
from typing import Final
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import FlowRun, State, StateType, Worker
from prefect.concurrency.asyncio import concurrency
from prefect.exceptions import ObjectNotFound
from prefect.states import AwaitingRetry, Cancelled, Crashed

from deployments.warm.owner import PREFIX, Owner, owner_of

LEASE_S: Final = 90.0
BLIND_S: Final = 20.0
"""No more than that of the time between two looks counts: while the server is away no heartbeat
can move, and afterwards a worker needs a moment to be heard again."""
MINE_S: Final = 10.0
"""A run that is signed by us and that we don't run: the answer to our claim was lost."""
MAX_ADOPTIONS: Final = 2
"""A run that was lost with three workers is what kills them."""
LOCK: Final = "cpe: adopt"
LOCK_S: Final = 60.0
AT_ONCE: Final = 200
TOLD: Final = "Its worker is gone"
_HELD: Final = [StateType.PENDING, StateType.RUNNING, StateType.CANCELLING]

_log = logging.getLogger(__name__)


class Orphans:
    """Looks for runs without a living owner in one pool, as worker `me`."""

    def __init__(
        self, client: PrefectClient, pool: str, me: Owner, held: Callable[[], Collection[UUID]]
    ) -> None:
        self._client, self._pool, self._me, self._held = client, pool, me, held
        self._beats: dict[str, tuple[object, float]] = {}
        self._mine: dict[UUID, float] = {}
        self._locked = False
        self._looked_at, self._watched_s = time.monotonic(), 0.0

    async def adopt(self) -> int:
        """Give back what is abandoned; how many runs that was."""
        workers = await self._client.read_workers_for_work_pool(self._pool, limit=AT_ONCE)
        now = self._watched()
        silent = self._silent(workers, now)
        found = await self._client.read_flow_runs(
            flow_run_filter=FlowRunFilter(
                state=FlowRunFilterState(type=FlowRunFilterStateType(any_=_HELD))
            ),
            work_pool_filter=WorkPoolFilter(name=WorkPoolFilterName(any_=[self._pool])),
            limit=AT_ONCE,
        )
        orphans = [run for run in found if self._is_orphan(run, silent, now)]
        self._mine = {run.id: self._mine[run.id] for run in found if run.id in self._mine}
        adopted = 0
        if orphans:
            await self._make_lock()
            async with concurrency(LOCK, strict=True, lease_duration=LOCK_S, timeout_seconds=30):
                for run in orphans:
                    adopted += await self._adopt(run)
        elif len(found) < AT_ONCE:
            await self._forget_dead_workers(silent)
        return adopted

    def _watched(self) -> float:
        """Seconds in which the server could be looked at; called when it has just answered."""
        before, self._looked_at = self._looked_at, time.monotonic()
        self._watched_s += min(self._looked_at - before, BLIND_S)
        return self._watched_s

    def _silent(self, workers: Sequence[Worker], now: float) -> dict[str, bool]:
        """Of each worker of our kind that the server knows, whether its heartbeat has stopped."""
        beats: dict[str, tuple[object, float]] = {}
        for worker in workers:
            if worker.name.startswith(PREFIX):
                beat, since = self._beats.get(worker.name, (None, now))
                same = beat == worker.last_heartbeat_time
                beats[worker.name] = (worker.last_heartbeat_time, since if same else now)
        self._beats = beats
        return {name: now - since > LEASE_S for name, (_, since) in beats.items()}

    def _is_orphan(self, run: FlowRun, silent: dict[str, bool], now: float) -> bool:
        owner = owner_of(run)
        if run.id in self._held() or (owner is None and not _was_never_signed(run)):
            self._mine.pop(run.id, None)
            return False
        if owner is None:
            return now - self._mine.setdefault(run.id, now) > LEASE_S
        if owner == self._me:
            return now - self._mine.setdefault(run.id, now) > MINE_S
        gone = owner.is_gone
        if gone is not None:
            return gone
        if owner.name in silent:
            return silent[owner.name]
        # Nobody knows that worker any more; it may have been forgotten this very moment.
        return now - self._mine.setdefault(run.id, now) > LEASE_S

    async def _adopt(self, seen: FlowRun) -> bool:
        try:
            run = await self._client.read_flow_run(seen.id)
            if run.state is None or seen.state is None or run.state.id != seen.state.id:
                return False  # somebody was quicker
            if run.empirical_policy.retry_type == "in_process":
                # Such a run is not offered to workers: its own process was to run it again.
                run.empirical_policy.retry_type = "reschedule"
                await self._client.update_flow_run(run.id, empirical_policy=run.empirical_policy)
            state = await self._next(run, run.state)
            await self._client.set_flow_run_state(run.id, state, force=True)
        except ObjectNotFound:
            return False  # deleted meanwhile
        _log.warning("run %s was abandoned by %s: %s", run.id, owner_of(seen), state.name)
        return True

    async def _next(self, run: FlowRun, state: State) -> State:
        if state.type is StateType.CANCELLING:
            return Cancelled(message=f"{TOLD}, and the run was to be cancelled")
        past = await self._client.read_flow_run_states(run.id)
        if sum((s.message or "").startswith(TOLD) for s in past) >= MAX_ADOPTIONS:
            return Crashed(message=f"Lost with {MAX_ADOPTIONS + 1} workers: it is not tried again")
        return AwaitingRetry(message=f"{TOLD}: another one begins the run again")

    async def _make_lock(self) -> None:
        if not self._locked:
            await self._client.upsert_global_concurrency_limit_by_name(LOCK, 1)
            self._locked = True

    async def _forget_dead_workers(self, silent: dict[str, bool]) -> None:
        """Take workers out of Prefect's list that have ended and hold nothing any more."""
        for name in list(self._beats):
            owner = Owner.find(name)
            if owner is None:
                continue
            gone = owner.is_gone
            if silent[name] if gone is None else gone:
                await self._client.request(
                    "DELETE",
                    "/work_pools/{work_pool_name}/workers/{name}",
                    path_params={"work_pool_name": self._pool, "name": name},
                )
                del self._beats[name]


def _was_never_signed(run: FlowRun) -> bool:
    """Cancelled between its claim, whose mark went with that state, and its start."""
    cancelling = run.state is not None and run.state.is_cancelling()
    return cancelling and run.infrastructure_pid is None
