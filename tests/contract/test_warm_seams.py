"""What the warm worker stands on in Prefect 3.8.8, private parts included. A failure here names
the part that Prefect has changed."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prefect import flow_engine
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import Pause
from prefect.states import AwaitingRetry, Pending, Running, Suspended
from prefect.workers.base import BaseWorker
from prefect.workers.process import ProcessWorker

from deployments.server.deploy import ensure_pool
from deployments.warm.client import SparingContext
from deployments.warm.engine import Stay, WarmEngine, execute
from deployments.warm.worker import WarmWorker
from tests.support.warm_flows import stages

pytestmark = pytest.mark.prefect


@pytest.fixture
def pool(prefect_server) -> str:
    ensure_pool(prefect_server.api_url)
    return prefect_server.api_url


@pytest.fixture
def asked(monkeypatch) -> Iterator[list[str]]:
    """Every request that the client makes, in order."""
    made: list[str] = []
    send = httpx.AsyncClient.send

    async def noted(self, request, **options):
        made.append(f"{request.method} {request.url.path.split('/', 2)[2].split('/')[0]}")
        return await send(self, request, **options)

    monkeypatch.setattr(httpx.AsyncClient, "send", noted)
    return made


async def one_run(client: PrefectClient, folder: Path) -> FlowRun:
    return await client.create_flow_run(
        stages, parameters={"folder": str(folder)}, state=Pending(message="Taken")
    )


async def test_a_run_starts_with_one_request_for_all_that_is_told_of_it(pool, tmp_path, asked):
    async with SparingContext() as context:
        run = await one_run(context.client, tmp_path)
        context.sparing.sign(run, "warm-here-1-1")
        asked.clear()
        await execute(stages.with_options(flow_run_name="named"), Stay(run))
        told = await context.client.read_flow_run(run.id)
    assert asked[:2] == ["PATCH flow_runs", "POST flow_runs"], asked
    assert asked.count("GET flow_runs") == 1, "only ours"
    assert told.name == "named"
    assert told.infrastructure_pid == "warm-here-1-1"
    assert told.flow_version == stages.version
    assert told.state_name == "Completed"


async def test_a_run_that_begins_is_known_without_being_read(pool, tmp_path):
    async with SparingContext() as context:
        run = await one_run(context.client, tmp_path)
        context.sparing.sign(run, "warm-here-1-1")
        await context.client.set_flow_run_state(run.id, Running())
        known = await context.client.read_flow_run(run.id)
        read = await context.client.read_flow_run(run.id)
    assert known is not read
    mine, theirs = known.model_dump(mode="json"), read.model_dump(mode="json")
    differs = {name for name in theirs if mine.get(name) != theirs[name]}
    # What the clock moves on, and what only tells where it ran.
    assert differs <= {"updated", "estimated_run_time", "estimated_start_time_delta"}, differs
    assert (known.run_count, known.state_name) == (1, "Running")


async def test_a_look_at_a_run_that_begins_takes_nothing_from_its_engine(pool, tmp_path):
    async with SparingContext() as context:
        run = await one_run(context.client, tmp_path)
        context.sparing.sign(run, "warm-here-1-1")
        await context.client.set_flow_run_state(run.id, Running())
        await PrefectClient.set_flow_run_state(context.client, run.id, Suspended(), force=True)
        assert (await context.sparing.look_at(run.id)).state_name == "Suspended"
        assert (await context.client.read_flow_run(run.id)).state_name == "Running"


async def test_a_run_suspended_while_it_begins_leaves_at_once(pool, tmp_path):
    async with SparingContext() as context:
        run = await one_run(context.client, tmp_path)
        context.sparing.sign(run, "warm-here-1-1")
        with pytest.raises(Pause):
            await execute(stages, Stay(run, suspended=Suspended()))
    assert not (tmp_path / "notes.txt").exists()


async def test_a_run_that_ran_before_is_read_when_it_begins_again(pool, tmp_path, asked):
    async with SparingContext() as context:
        run = await one_run(context.client, tmp_path)
        for state in (Running(), AwaitingRetry(), Pending()):
            await context.client.set_flow_run_state(run.id, state)
        run = await context.client.read_flow_run(run.id)
        context.sparing.sign(run, "warm-here-1-1")
        await context.client.set_flow_run_state(run.id, Running())
        asked.clear()
        assert (await context.client.read_flow_run(run.id)).run_count == 2
    assert asked == ["GET flow_runs"]


async def test_a_flow_without_a_name_of_its_own_is_signed_too(pool, tmp_path):
    async with SparingContext() as context:
        run = await one_run(context.client, tmp_path)
        context.sparing.sign(run, "warm-here-1-1")
        await execute(stages, Stay(run))
        told = await context.client.read_flow_run(run.id)
    assert told.infrastructure_pid == "warm-here-1-1"


async def test_no_run_starts_a_thread_to_watch_for_its_suspension(pool, tmp_path, monkeypatch):
    def started(*_args, **_options):
        raise AssertionError("Prefect watches each run by a thread again")

    # Prefect's own engine calls this; ours must not, and it must still be what ours replaces.
    assert "observe_flow_run_suspension" in inspect.getsource(
        flow_engine.BaseFlowRunEngine.setup_flow_run_suspension_request
    )
    monkeypatch.setattr(flow_engine, "observe_flow_run_suspension", started)
    before = set(threading.enumerate())
    async with SparingContext() as context:
        run = await one_run(context.client, tmp_path)
        run.deployment_id = run.id
        await execute(stages, Stay(run))
    new = {thread.name for thread in set(threading.enumerate()) - before}
    assert not [name for name in new if "observer" in name]


def test_the_engine_has_the_parts_that_ours_replaces():
    for name in ("handle_crash", "handle_cancellation", "setup_flow_run_suspension_request"):
        assert hasattr(flow_engine.AsyncFlowRunEngine, name), name
    source = inspect.getsource(flow_engine.AsyncFlowRunEngine.initialize_run)
    assert "await self.handle_crash(exc)" in source
    assert source.count("client.update_flow_run(") == 1
    assert "_engine_owns_cancellation_handling" in inspect.getsource(
        flow_engine.AsyncFlowRunEngine.handle_cancellation
    )
    assert inspect.signature(WarmEngine.handle_crash) == inspect.signature(
        flow_engine.AsyncFlowRunEngine.handle_crash
    )


def test_the_worker_replaces_what_prefects_worker_calls():
    submit = inspect.getsource(BaseWorker._submit_scheduled_flow_runs)
    assert "self._submit_run" in submit
    assert "acquire_on_behalf_of_nowait(flow_run.id)" in submit
    assert "add_in_flight_flow_run_id" in submit
    assert "self._cancel_run, flow_run_id" in inspect.getsource(
        BaseWorker._setup_cancellation_observer
    )
    for name in ("_submit_run", "_cancel_run"):
        ours, theirs = getattr(WarmWorker, name), getattr(BaseWorker, name)
        assert list(inspect.signature(ours).parameters) == list(
            inspect.signature(theirs).parameters
        )
    assert WarmWorker.type == ProcessWorker.type
    assert BaseWorker.get_worker_class_from_type("process") is ProcessWorker
