"""A Prefect worker that runs flow runs in its own process: up already, so a run starts at once.

It is a worker of an ordinary process pool: Prefect's BaseWorker brings the heartbeat, polling,
limits and the subscription to cancellations; Prefect's engine runs the flow and reports. What a
stock worker starts a process for (3-7 s) is here an asyncio task. Job variables of the pool, which
are for that process, do not apply.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, ClassVar, Final, TypeVar
from uuid import UUID

import anyio
import httpx
from anyio.abc import TaskStatus
from prefect._flow_run_suspension import (
    is_suspended_flow_run_state,
    mark_flow_run_suspension_requested,
)
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.exceptions import Abort, ObjectNotFound, Pause
from prefect.states import AwaitingRetry, Cancelled, Crashed, Pending
from prefect.utilities.engine import propose_state
from prefect.workers.base import BaseWorker, BaseWorkerResult
from prefect.workers.process import ProcessJobConfiguration, ProcessVariables, ProcessWorker

from cpe.domain.redaction import excerpt, redact
from deployments.warm.catalogue import CannotServeError, Catalogue
from deployments.warm.client import SparingClient
from deployments.warm.engine import Leaving, Stay, execute
from deployments.warm.orphans import Orphans
from deployments.warm.owner import Owner
from deployments.warm.push import Push

POLL_S: Final = 3.0
"""Beside push, for what was pushed in vain: idle polling at 0.5 s costs 8 % of a core."""
POLL_ALONE_S: Final = 0.5
HEARTBEAT_S: Final = 10
PREFETCH_S: Final = 2
"""Our clock may be that far behind the server's; a run taken early waits for its time."""
ADOPT_S: Final = 10.0
WISHES_S: Final = 5.0
"""Beside push: a wish that was told while the subscription was down is told by nobody again, and
Prefect's own for cancellations ends for good when the server hangs up or is away for a minute."""
COALESCE_S: Final = 0.01
HAND_BACK_S: Final = 5.0
LIMIT: Final = 50

T = TypeVar("T")

_log = logging.getLogger(__name__)


class WarmResult(BaseWorkerResult):
    """Of a run that this process ran."""


class WarmWorker(BaseWorker[ProcessJobConfiguration, ProcessVariables, WarmResult]):
    """One worker on one event loop. `serve` is its life."""

    # The pool stays one that `prefect worker start` serves too.
    type: str = ProcessWorker.type
    job_configuration: type[ProcessJobConfiguration] = ProcessJobConfiguration
    job_configuration_variables: type[ProcessVariables] | None = ProcessVariables
    _description: ClassVar[str] = "Runs flow runs in its own, warm process."

    @classmethod
    def __dispatch_key__(cls) -> str:
        return "cpe-warm"  # Prefect's own process worker keeps its place in the registry

    def __init__(self, pool: str, client: SparingClient, *, limit: int = LIMIT) -> None:
        self.me = Owner.here()
        super().__init__(
            work_pool_name=pool,
            name=self.me.name,
            prefetch_seconds=PREFETCH_S,
            limit=limit,
            heartbeat_interval_seconds=HEARTBEAT_S,
        )
        self._sparing = client
        self.catalogue = Catalogue(client)
        self.stays: dict[UUID, Stay] = {}
        self.taken = 0
        self._paused: set[UUID] = set()
        self._wake = asyncio.Event()
        # Claims too: TCP may hold back an answer for a minute after the network is there again.
        self._orphans = Orphans(client, pool, self.me, lambda: self._submitting_flow_run_ids)
        self._push: Push | None = None

    async def serve(self, stop: asyncio.Event, *, drain_s: float) -> None:
        """Take and run runs until `stop`; then end those in flight or hand them back."""
        async with self:
            loops = [
                asyncio.create_task(loop)
                for loop in (
                    self._again(self.sync_with_backend, self.heartbeat_interval_seconds),
                    self._again(self._orphans.adopt, ADOPT_S),
                    self._again(self._find_wishes, WISHES_S),
                    self._poll(),
                    self._listen(),
                )
            ]
            self._started_event = await self._emit_worker_started_event()
            _log.info("worker %s serves pool %s", self.name, self._work_pool_name)
            try:
                await stop.wait()
                await self._end([loops[3], loops[4]])  # nothing new
                await self._drain(drain_s)
            finally:
                await self._end(loops)
        _log.info("worker %s has ended after %d runs", self.name, self.taken)

    async def run(
        self,
        flow_run: FlowRun,
        configuration: ProcessJobConfiguration,
        task_status: TaskStatus[int] | None = None,
    ) -> WarmResult:
        """Prefect's way to start a run, which `_submit_run` goes around."""
        raise NotImplementedError("a warm worker starts runs by itself")

    async def _poll(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            self._wake.clear()
            began = clock()
            await self._guarded(self.get_and_submit_flow_runs)
            # A question costs the server 22 ms: one that is busy is asked half of the time at most.
            rested_at = clock() + min(clock() - began, POLL_ALONE_S)
            up = self._push is not None and self._push.is_up
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), POLL_S if up else POLL_ALONE_S)
                # A burst is one question.
                await asyncio.sleep(max(COALESCE_S, rested_at - clock()))

    async def _listen(self) -> None:
        while self._work_pool is None:  # noqa: ASYNC110 - told by the first heartbeat, once
            await asyncio.sleep(0.1)
        self._push = Push(self._work_pool.id, self._wake.set, self._on_suspended)
        await self._push.listen()

    async def _again(self, what: Callable[[], Awaitable[Any]], every_s: float) -> None:
        while True:
            await self._guarded(what)
            await asyncio.sleep(every_s)

    async def _guarded(self, what: Callable[[], Awaitable[Any]]) -> None:
        try:
            await what()
        except Exception as error:  # noqa: BLE001 - the API is away: the next round tries again
            _log.warning("%s: %s", what.__name__, excerpt(f"{type(error).__name__}: {error}"))
            await asyncio.sleep(POLL_ALONE_S)

    async def _submit_run(self, flow_run: FlowRun) -> None:
        """Claim the run and run it to its end. BaseWorker starts this as a task for each run."""
        try:
            if await self._claim(flow_run):
                self.taken += 1
                await self._host(flow_run)
        finally:
            was_full = self.limiter.available_tokens < 1
            self._release_limit_slot(flow_run.id)
            self._submitting_flow_run_ids.discard(flow_run.id)
            if was_full or flow_run.id in self._paused:
                # Runs wait for this slot, or this one was resumed while it was leaving.
                self._paused.discard(flow_run.id)
                self._wake.set()
            if self._cancelling_observer is not None:
                self._cancelling_observer.remove_in_flight_flow_run_id(flow_run.id)

    async def _claim(self, run: FlowRun) -> bool:
        """Pending, signed. The server lets only one worker do that."""
        try:
            wanted = Pending(message=f"Taken by {self.me.name}")
            state = await propose_state(self._sparing, wanted, flow_run_id=run.id)
        except (Abort, Pause, ObjectNotFound) as error:
            _log.info("run %s is not ours: %s", run.id, error)
            return False
        except Exception as error:  # noqa: BLE001 - whether it was claimed, orphans.py finds out
            _log.warning("run %s could not be claimed: %s", run.id, excerpt(repr(error)))
            return False
        run.state = state
        return state.is_pending()

    async def _host(self, run: FlowRun) -> None:
        """A task of its own, so that one run can be stopped without touching the others."""
        stay = self.stays[run.id] = Stay(run)
        self._sparing.sign(run, self.me.name)
        stay.task = asyncio.create_task(self._execute(stay), name=f"run {run.id}")
        try:
            await asyncio.wait({stay.task})
        except asyncio.CancelledError:
            stay.leave(Leaving.HANDED_BACK)
            with anyio.CancelScope(shield=True):
                await asyncio.wait({stay.task})
            raise
        finally:
            self.stays.pop(run.id, None)
            self._sparing.forget(run.id)
        if not stay.task.cancelled() and (error := stay.task.exception()) is not None:
            _log.error("run %s: %s", run.id, excerpt(repr(error)), exc_info=error)

    async def _execute(self, stay: Stay) -> None:
        try:
            flow = await self.catalogue.flow(stay.run.deployment_id)
            await execute(flow, stay)
        except CannotServeError as error:
            await self._tell(stay, Crashed(message=str(error)))
        except (Abort, Pause) as error:
            _log.info("run %s leaves: %s", stay.run.id, error)
            self._paused.add(stay.run.id)
        except asyncio.CancelledError:
            await self._settle(stay)
        # SystemExit: a flow that calls sys.exit() would take the process and all other runs along.
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the flow's own have been told
            if stay.run.state is not None and stay.run.state.is_final():
                return
            if _is_away(error):
                # Nothing of the flow's: orphans.py finds the run, ours and held by nobody.
                _log.warning("run %s: the API is away: %s", stay.run.id, excerpt(repr(error)))
                return
            said = redact(f"{type(error).__name__}: {error}")
            await self._tell(stay, Crashed(message=said))

    async def _settle(self, stay: Stay) -> None:
        """Tell Prefect how a run ends that was put down, unless it has ended by itself."""
        if stay.leaving is Leaving.CANCELLED:
            await self._tell(stay, Cancelled(message="Cancelled as asked"))
        else:
            await self._tell(
                stay, AwaitingRetry(message="Its worker stops: another one begins the run again")
            )

    async def _tell(self, stay: Stay, state: State) -> None:
        with anyio.CancelScope(shield=True):
            try:
                now = await self._sparing.look_at(stay.run.id)
                if now.state is not None and (now.state.is_final() or now.state.is_paused()):
                    return
                await self._sparing.set_flow_run_state(stay.run.id, state, force=True)
            except ObjectNotFound:
                _log.info("run %s was deleted", stay.run.id)
            except Exception as error:  # noqa: BLE001 - then orphans.py will, of this or another
                _log.warning(
                    "run %s: %s not told: %s", stay.run.id, state.name, excerpt(repr(error))
                )

    async def _cancel_run(self, flow_run_id: UUID) -> None:
        """Called for each run in flight that somebody wants cancelled."""
        if (stay := self.stays.get(flow_run_id)) is not None:
            stay.leave(Leaving.CANCELLED)
        else:
            await self._tried(flow_run_id, super()._cancel_run(flow_run_id))

    def _on_suspended(self, flow_run_id: UUID, at: datetime) -> None:
        stay = self.stays.get(flow_run_id)
        taken = stay.run.state.timestamp if stay is not None and stay.run.state else None
        # An event may be an old one, told again: the run was suspended, and was resumed to us.
        if stay is not None and taken is not None and at > taken and self._runs_task_group:
            self._runs_task_group.start_soon(self._suspend, stay)

    async def _suspend(self, stay: Stay) -> None:
        run = await self._tried(stay.run.id, self._sparing.look_at(stay.run.id))
        self._put_down(stay, run and run.state)

    async def _tried(self, flow_run_id: UUID, asked: Awaitable[T]) -> T | None:
        """What fails in the task group that all runs are in would end them all."""
        try:
            return await asked
        except Exception as error:  # noqa: BLE001 - the API is away: `_find_wishes` looks again
            _log.warning("run %s: %s", flow_run_id, excerpt(repr(error)))
            return None

    async def _find_wishes(self) -> None:
        if not self.stays:
            return
        wishes = FlowRunFilterStateType(any_=[StateType.PAUSED, StateType.CANCELLING])
        state = FlowRunFilterState(type=wishes)
        chosen = FlowRunFilter(id=FlowRunFilterId(any_=list(self.stays)), state=state)
        for run in await self._sparing.read_flow_runs(flow_run_filter=chosen):
            if (stay := self.stays.get(run.id)) is not None:
                self._put_down(stay, run.state)

    def _put_down(self, stay: Stay, state: State | None) -> None:
        if state is not None and state.is_cancelling():
            stay.leave(Leaving.CANCELLED)
        elif state is not None and is_suspended_flow_run_state(state):
            stay.suspended = state
            mark_flow_run_suspension_requested(stay.run.id, state)

    async def _drain(self, drain_s: float) -> None:
        await self._until_left(drain_s)
        for stay in list(self.stays.values()):
            stay.leave(Leaving.HANDED_BACK)
        await self._until_left(HAND_BACK_S)

    async def _until_left(self, within_s: float) -> None:
        running = [stay.task for stay in self.stays.values() if stay.task is not None]
        if running:
            await asyncio.wait(running, timeout=within_s)

    async def _end(self, tasks: list[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _is_away(error: BaseException) -> bool:
    """Whether Prefect's API gave no answer, or one that says that it is not well."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.is_server_error
    return isinstance(error, httpx.TransportError)
