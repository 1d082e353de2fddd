"""What a worker holds while it claims a run, on a Prefect that takes its time."""

from __future__ import annotations

import asyncio
import logging
import uuid
from types import SimpleNamespace
from typing import Any, cast

import anyio
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import Abort

from deployments.warm import worker as module
from deployments.warm.worker import WarmWorker


async def test_a_run_whose_claim_is_not_answered_yet_is_not_taken_for_lost(monkeypatch):
    # Twenty seconds after a cut network is back, TCP may still hold the answer to the claim, while
    # the look for orphans gets one: given back and then begun, the run would be run twice.
    asked, answer = asyncio.Event(), asyncio.Event()

    async def propose(*_args: object, **_options: object) -> None:
        asked.set()
        await answer.wait()
        raise Abort("another worker was quicker")

    monkeypatch.setattr(module, "propose_state", propose)
    worker = WarmWorker("cpe", cast("Any", SimpleNamespace()))
    # Prefect's own would send its lines to a server.
    monkeypatch.setattr(worker, "get_flow_run_logger", lambda _run: logging.getLogger(__name__))
    worker._limiter = anyio.CapacityLimiter(2)
    run = FlowRun(flow_id=uuid.uuid4())
    async with anyio.create_task_group() as worker._runs_task_group:
        await worker._submit_scheduled_flow_runs([cast("Any", SimpleNamespace(flow_run=run))])
        await asked.wait()
        assert set(worker._orphans._held()) == {run.id}
        answer.set()
    assert not worker._orphans._held()
