"""The sweep as a flow on a real Prefect API: what it leaves there, starts and costs."""

from __future__ import annotations

import asyncio
import json

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterKey,
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterId,
    LogFilter,
    LogFilterFlowRunId,
)

from flows import spreading
from flows.sweep_fleet import sweep_fleet
from flows.sweep_request import SweepRequest
from flows.sweep_shard import sweep_shard
from tests.support.waiting import until

pytestmark = pytest.mark.prefect


@pytest.fixture(autouse=True)
def no_quiet_hours(monkeypatch):
    monkeypatch.setenv("CPE_SWEEP_QUIET_HOURS", "")


async def run(**options):
    request = SweepRequest(**{"refresh": False, "worst": 0, **options})
    return await sweep_fleet(request, return_state=True)


async def artifacts(run_id, *keys):
    wanted = ArtifactFilter(key=ArtifactFilterKey(any_=list(keys)))
    run = FlowRunFilter(id=FlowRunFilterId(any_=[run_id]))
    async with get_client() as client:
        found = await client.read_artifacts(artifact_filter=wanted, flow_run_filter=run)
    return {a.key: a for a in found}


async def runs_of(client, deployment):
    its_own = FlowRunFilter(deployment_id=FlowRunFilterDeploymentId(any_=[deployment]))
    return await client.read_flow_runs(flow_run_filter=its_own)


async def test_a_sweep_is_named_after_how_it_ended_and_leaves_its_tables(lab):
    lab.set_scenario("LAB0041", "pon-outage", since_s=240)
    lab.set_scenario("LAB0002", "weak-fibre", since_s=86_400)
    state = await run()
    answer = await state.aresult()
    assert state.is_completed()
    assert (state.name, answer["state"], answer["schema"]) == ("complete",) * 2 + ("cpe.sweep/1",)
    assert answer["run"]["flow_run_id"] == answer["id"]
    left = await artifacts(
        answer["id"], "sweep", "sweep-worst", "sweep-pons", "sweep-coverage", "sweep-progress"
    )
    assert set(left) == {
        "sweep", "sweep-worst", "sweep-pons", "sweep-coverage", "sweep-progress",
    }  # fmt: skip
    assert "Câble ou coupleur coupé · Feeder or splitter cut" in left["sweep"].data
    assert "LAB0002" in left["sweep-worst"].data
    assert float(left["sweep-progress"].data) == 100.0
    assert "CANARY" not in "".join(str(a.data) for a in left.values())


async def test_a_sweep_that_saw_too_little_says_so_in_its_state(lab):
    await lab.set_fault("acs", "http500")
    state = await run()
    assert state.is_completed()
    assert state.name == "incomplete"
    assert "HTTP 500" in state.message


async def test_task_runs_are_shards_and_not_devices(lab):
    answer = await (await run()).aresult()
    wanted = FlowRunFilter(id=FlowRunFilterId(any_=[answer["run"]["flow_run_id"]]))
    async with get_client() as client:

        async def recorded():
            found = await client.read_task_runs(flow_run_filter=wanted)
            return found if len(found) >= 9 else None

        found = await until(recorded)
    names = sorted(r.name.rsplit("-", 1)[0] if "walk" not in r.name else r.name for r in found)
    assert 9 <= len(found) <= 12, names
    assert {"olt: walk olt-nord", "olt: walk olt-centre", "olt: walk olt-sud"} <= set(names)


async def test_no_secret_reaches_the_logs(lab):
    await lab.set_fault("olt:olt-nord", "wrong_community")
    answer = await (await run()).aresult()
    assert "CANARY" not in json.dumps(answer)
    async with get_client() as client:
        wanted = LogFilterFlowRunId(any_=[answer["run"]["flow_run_id"]])
        logs = await client.read_logs(log_filter=LogFilter(flow_run_id=wanted))
    assert "CANARY" not in "".join(log.message for log in logs)


async def deployed(client, flow, name, pool):
    async def exists():
        return any(p.name == pool for p in await client.read_work_pools())

    if not await exists():
        await client.create_work_pool(WorkPoolCreate(name=pool, type="process"))
    flow_id = await client.create_flow(flow)
    return await client.create_deployment(flow_id, name, work_pool_name=pool)


async def test_the_worst_are_diagnosed_through_the_interactive_pool_once_each(lab):
    from flows.diagnose_cpe import diagnose_cpe

    lab.set_scenario("LAB0002", "weak-fibre", since_s=86_400)
    async with get_client() as client:
        deployment = await deployed(client, diagnose_cpe, "on-demand", "cpe")
        answer = await (await run(worst=5)).aresult()
        started = answer["acted"]["diagnoses"]
        assert started["serials"] == ["LAB0002"]
        again = await spreading.diagnose_worst(answer["id"], ["LAB0002"])
        assert again["started"] == 1
        runs = await runs_of(client, deployment)
        await client.delete_deployment(deployment)
    [only] = runs
    assert only.parameters["request"]["serial"] == "LAB0002"
    assert only.work_pool_name == "cpe"
    assert "sweep" in only.tags


async def test_without_a_deployment_nothing_is_started_and_it_says_why(lab):
    lab.set_scenario("LAB0002", "weak-fibre", since_s=86_400)
    answer = await (await run(worst=5)).aresult()
    assert answer["acted"]["diagnoses"]["started"] == 0
    assert "not deployed" in answer["acted"]["diagnoses"]["skipped"]


async def test_a_sweep_spreads_its_walks_over_other_runs_and_takes_back_what_they_leave(
    lab, monkeypatch
):
    monkeypatch.setenv("CPE_SWEEP_SHARDS", "2")
    monkeypatch.setattr(spreading, "POLL_S", 0.1)
    walked = []

    async with get_client() as client:
        deployment = await deployed(client, sweep_shard, "batch", "cpe-batch")

        async def worker():
            """Runs the first shard and loses the second, as a worker that dies would."""
            while len(walked) < 2:
                for flow_run in await runs_of(client, deployment):
                    if flow_run.id not in walked:
                        walked.append(flow_run.id)
                        if len(walked) == 1:
                            await sweep_shard(**flow_run.parameters)
                        from prefect.states import Completed, Crashed

                        ended = Completed() if len(walked) == 1 else Crashed()
                        await client.set_flow_run_state(flow_run.id, ended, force=True)
                await asyncio.sleep(0.1)

        working = asyncio.create_task(worker())
        answer = await (await run()).aresult()
        await working
        await client.delete_deployment(deployment)
    assert answer["state"] == "complete"
    assert len(walked) == 2
    assert answer["coverage"]["on_olt"] == 60
