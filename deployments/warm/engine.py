"""Prefect's flow engines as the warm worker runs them: many at once on one event loop.

Three things are ours. A run that is cancelled because somebody asked is Cancelled, and one that we
put down because we stop is handed back: Prefect's engine would call both Crashed. The wish to
suspend a running flow is watched for all runs together; Prefect starts a thread, an event loop and
a websocket for each run and keeps this loop waiting for them (0.1-0.4 s a run, on 2 cores). What is
told about the run when it starts is one request instead of three.

`tests/contract/test_warm_seams.py` fails when Prefect changes what this stands on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import anyio
from prefect import Flow
from prefect._flow_run_suspension import (
    FlowRunSuspensionRequest,
    register_flow_run_suspension_request,
)
from prefect.client.schemas.objects import FlowRun, State
from prefect.flow_engine import (
    AsyncFlowRunEngine,
    FlowRunEngine,
    _flow_parameters,  # pyright: ignore[reportPrivateUsage]
)


class Leaving(Enum):
    """Why a run is put down before its end."""

    CANCELLED = "cancelled"
    HANDED_BACK = "handed back"


@dataclass(eq=False, slots=True)
class Stay:
    """One run in this process, from its claim to its end."""

    run: FlowRun
    task: asyncio.Task[None] | None = None
    leaving: Leaving | None = None
    suspended: State[Any] | None = None
    """Somebody suspended the run; it leaves at its next task."""
    is_threaded: bool = field(default=False)

    def leave(self, why: Leaving) -> None:
        """Put the run down. The first reason counts, but for a wish to cancel."""
        if why is Leaving.CANCELLED and self.leaving is why:
            return  # told by push and found by a look: what it does to end is not disturbed
        if self.leaving is None or why is Leaving.CANCELLED:
            self.leaving = why
        if self.task is not None:
            self.task.cancel()


class _Watched:
    """The engines' own watch for a wish to suspend, replaced by the worker's one subscription."""

    flow_run: FlowRun | None
    stay: Stay | None

    @property
    def heartbeat_seconds(self) -> int | None:
        """None: a thread and an event a run. The worker beats for all (orphans.py)."""
        return None

    @contextmanager
    def setup_flow_run_suspension_request(self) -> Generator[FlowRunSuspensionRequest]:
        if self.flow_run is None:
            raise ValueError("Flow run not set")
        request: FlowRunSuspensionRequest = self._get_flow_run_suspension_request()  # pyright: ignore
        with register_flow_run_suspension_request(self.flow_run.id, request):
            # The wish may have come while the run began, when there was nobody to tell it to.
            if self.stay is not None and self.stay.suspended is not None:
                request.mark_requested(self.stay.suspended)
            request.raise_if_requested()
            yield request


@dataclass
class WarmEngine(_Watched, AsyncFlowRunEngine[Any, Any]):
    """For coroutine flows."""

    stay: Stay | None = None

    async def handle_crash(self, exc: BaseException) -> None:
        """The end of a run that was stopped: by a wish, by our leaving, or by an error."""
        if self.stay is None or self.stay.leaving is None:
            await super().handle_crash(exc)
        elif self.stay.leaving is Leaving.CANCELLED:
            await self.handle_cancellation(exc)
        else:
            self.logger.info("Handed back: its worker stops")  # which tells Prefect


@dataclass
class WarmThreadEngine(_Watched, FlowRunEngine[Any, Any]):
    """For ordinary functions, which run in a thread of their own."""

    stay: Stay | None = None


async def execute(flow: Flow[Any, Any], stay: Stay) -> None:
    """Run the flow to its end. Raises what Prefect's engine raises: Abort, Pause, cancellation.

    A failing flow does not raise: its run has failed, and Prefect knows.
    """
    parameters = _flow_parameters(flow, stay.run, None)
    if flow.isasync:
        engine = WarmEngine(flow=flow, parameters=parameters, flow_run=stay.run, stay=stay)
        async with engine.start():
            while engine.is_running():
                async with engine.run_context():
                    await engine.call_flow_fn()
        return
    stay.is_threaded = True
    # Abandoned when cancelled: no thread can be stopped, and nobody waits for it any more.
    await anyio.to_thread.run_sync(_run_in_thread, flow, parameters, stay, abandon_on_cancel=True)


def _run_in_thread(flow: Flow[Any, Any], parameters: dict[str, Any], stay: Stay) -> None:
    engine = WarmThreadEngine(flow=flow, parameters=parameters, flow_run=stay.run, stay=stay)
    with engine.start():
        while engine.is_running():
            with engine.run_context():
                engine.call_flow_fn()
