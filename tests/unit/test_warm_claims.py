"""What a worker makes of a Prefect that takes its time, or gives no answer."""

from __future__ import annotations

import asyncio
import logging
import uuid
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import anyio
import httpx
import pytest
from prefect.client.schemas.objects import FlowRun, State
from prefect.exceptions import Abort
from prefect.states import Pending

from deployments.warm import worker as module
from deployments.warm.engine import Stay
from deployments.warm.worker import WarmWorker

ASKED = httpx.Request("GET", "http://127.0.0.1:9/api/deployments")


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


class Away:
    """A Prefect whose every answer is lost."""

    async def look_at(self, _run_id: uuid.UUID) -> FlowRun:
        raise httpx.ReadError("the server is restarted")

    read_flow_run = look_at


@pytest.mark.parametrize("wish", ["suspend", "cancel"])
async def test_a_wish_whose_run_cannot_be_read_takes_no_other_run_along(wish, caplog):
    worker = WarmWorker("cpe", cast("Any", Away()))
    worker._client = cast("Any", Away())
    run = FlowRun(flow_id=uuid.uuid4(), state=Pending())
    other = asyncio.Event()
    async with anyio.create_task_group() as worker._runs_task_group:
        worker._runs_task_group.start_soon(other.wait)
        if wish == "suspend":
            worker.stays[run.id] = Stay(run)
            worker._on_suspended(run.id, datetime.now(UTC) + timedelta(seconds=1))
        else:
            worker._runs_task_group.start_soon(worker._cancel_run, run.id)
        while "ReadError" not in caplog.text:  # noqa: ASYNC110 - it comes by the log
            await asyncio.sleep(0.01)
        other.set()
    assert str(run.id) in caplog.text


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (httpx.ReadError("the server is restarted"), []),
        (httpx.HTTPStatusError("503", request=ASKED, response=httpx.Response(503)), []),
        (httpx.HTTPStatusError("422", request=ASKED, response=httpx.Response(422)), ["Crashed"]),
        (RuntimeError("a bug"), ["Crashed"]),
    ],
)
async def test_a_run_that_met_a_server_that_was_away_is_left_to_be_begun_again(
    error, told, monkeypatch
):
    # Told to be Crashed it would be lost; ours and held by nobody, it is adopted within seconds.
    async def fail(_deployment: object) -> None:
        raise error

    states: list[str | None] = []

    async def tell(_stay: Stay, state: State[Any]) -> None:
        states.append(state.name)

    worker = WarmWorker("cpe", cast("Any", Away()))
    monkeypatch.setattr(worker.catalogue, "flow", fail)
    monkeypatch.setattr(worker, "_tell", tell)
    await worker._execute(Stay(FlowRun(flow_id=uuid.uuid4(), state=Pending())))
    assert states == told
