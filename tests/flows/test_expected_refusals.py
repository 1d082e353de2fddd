"""What is expected to refuse ends a task run by name; only a bug is a failure."""

from __future__ import annotations

import asyncio
import logging

import pytest
from prefect import flow, task
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterId,
    LogFilter,
    LogFilterFlowRunId,
)
from prefect.runtime import flow_run

from cpe.domain.errors import (
    BusyError,
    CutOffError,
    DeclinedError,
    LoginRefusedError,
    NotConfiguredError,
    NotSupportedError,
    OccupiedError,
    ProfileError,
    StoreError,
    TimedOutError,
    UnexpectedAnswerError,
    UnreachableError,
)
from flows.conduct import as_task_run
from flows.diagnose_cpe import diagnose_cpe
from flows.request import DiagnosisRequest
from flows.sweep_fleet import sweep_fleet
from flows.sweep_request import SweepRequest
from tasks.policy import ONCE, READ

pytestmark = [pytest.mark.prefect, pytest.mark.timeout(300)]

REFUSALS = {
    "Not configured": NotConfiguredError("CPE_ACS_URL is not set", system="acs"),
    "Not supported": NotSupportedError("another admin UI", system="bridge"),
    "Refused": LoginRefusedError("the community is refused", system="olt", target="olt-1"),
    "Busy": OccupiedError("somebody is logged in to its admin UI", system="bridge"),
    "Unreachable": TimedOutError("no answer", system="acs"),
    "Declined": DeclinedError("fault 9002", system="acs"),
    "Unexpected answer": UnexpectedAnswerError("not JSON", system="acs"),
    "Database unavailable": StoreError("database is locked"),
}
tries: list[int] = []


@task(name="converse", task_run_name="{what}", **ONCE)
async def converse(what: str) -> str:
    if what == "bug":
        raise KeyError("a bug")
    if what == "Wrong file":
        raise ProfileError("olts.toml: no such profile")
    raise REFUSALS[what]


@task(name="read", task_run_name="read", **READ)
async def read(failures: int, kind: type[UnreachableError]) -> str:
    tries.append(len(tries))
    if len(tries) <= failures:
        raise kind("cut off", system="acs")
    return "read"


@task(name="hang", task_run_name="hang", timeout_seconds=0.2, **ONCE)
async def hang() -> None:
    await asyncio.Event().wait()


async def seen(run_id, count):
    """Task run name → task run, and the run's log lines, once the server has them."""
    wanted = FlowRunFilter(id=FlowRunFilterId(any_=[run_id]))
    of_run = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run_id]))
    async with get_client() as client:
        while True:  # bounded by the test's own limit
            found = await client.read_task_runs(flow_run_filter=wanted)
            logs = await client.read_logs(log_filter=of_run)
            has_ended = any(log.task_run_id is None and "Finished" in log.message for log in logs)
            if (
                has_ended
                and len(found) >= count
                and all(r.state and r.state.is_final() for r in found)
            ):
                return {r.name: r for r in found}, logs
            await asyncio.sleep(0.1)


async def test_every_expected_refusal_ends_its_task_by_name_and_reaches_the_flow(
    prefect_server, caplog
):
    raised = {}

    @flow
    async def asking() -> str:
        for what in (*REFUSALS, "Wrong file", "bug"):
            try:
                await as_task_run(converse, what)
            except Exception as error:  # noqa: BLE001 - the flow sees what the task raised
                raised[what] = error
        return str(flow_run.id)

    with caplog.at_level(logging.INFO):
        run_id = await asking()
    assert {what: raised[what] for what in REFUSALS} == REFUSALS
    runs, logs = await seen(run_id, len(REFUSALS) + 2)
    assert {what: runs[what].state.name for what in REFUSALS} == {w: w for w in REFUSALS}
    assert all(runs[what].state.is_completed() for what in REFUSALS)
    assert runs["Wrong file"].state.name == "Not configured"
    assert runs["bug"].state.is_failed()
    assert "KeyError" in runs["bug"].state.message
    assert "la communauté est refusée · " in runs["Refused"].state.message
    red = [r for r in caplog.records if r.levelno >= logging.WARNING]
    assert {r.__dict__.get("task_run_name") for r in red} == {"bug"}
    assert {str(log.task_run_id) for log in logs if log.level > 20} == {str(runs["bug"].id)}


@pytest.mark.parametrize(
    ("failures", "kind", "attempts", "name"),
    [
        (1, CutOffError, 2, "Completed"),
        (9, CutOffError, 2, "Unreachable"),
        (9, BusyError, 2, "Unreachable"),
        (9, TimedOutError, 1, "Unreachable"),
    ],
)
async def test_a_read_that_may_be_tried_again_is_and_the_last_try_ends_by_name(
    prefect_server, failures, kind, attempts, name
):
    tries.clear()

    @flow
    async def asking() -> str:
        if name == "Completed":
            assert await as_task_run(read, failures, kind) == "read"
        else:
            with pytest.raises(kind):
                await as_task_run(read, failures, kind)
        return str(flow_run.id)

    runs, logs = await seen(await asking(), 1)
    assert len(tries) == attempts
    assert (runs["read"].state.name, runs["read"].run_count) == (name, attempts)
    assert not [log for log in logs if log.level > logging.WARNING]


async def test_a_task_that_takes_too_long_ends_by_name_and_the_flow_sees_a_timeout(prefect_server):
    @flow
    async def asking() -> str:
        with pytest.raises(TimeoutError, match="no answer in time"):
            await as_task_run(hang)
        return str(flow_run.id)

    runs, logs = await seen(await asking(), 1)
    assert runs["hang"].state.name == "Unreachable"
    assert not [log for log in logs if log.level > logging.WARNING]


async def test_a_task_that_nobody_waits_for_any_more_is_given_up_and_has_not_crashed(
    prefect_server,
):
    @flow
    async def asking() -> str:
        begun = asyncio.Event()

        @task(name="slow", task_run_name="slow", **ONCE)
        async def slow() -> None:
            begun.set()
            await asyncio.Event().wait()

        waiting = asyncio.create_task(as_task_run(slow))
        await begun.wait()
        waiting.cancel()
        await asyncio.wait({waiting})
        assert waiting.cancelled()
        return str(flow_run.id)

    runs, logs = await seen(await asking(), 1)
    assert (runs["slow"].state.name, runs["slow"].state.type.value) == ("Given up", "COMPLETED")
    assert not [log for log in logs if log.level > logging.WARNING]


@pytest.mark.parametrize(
    ("scenario", "fault", "missing", "expected"),
    [
        ("silent", None, None, {"acs: refresh": "Unreachable"}),
        ("silent-refused", None, None, {"acs: refresh": "Refused"}),
        ("healthy", "http500", None, {"acs: find": "Unreachable"}),
        ("healthy", None, "CPE_ACS_URL", {"acs: find": "Not configured"}),
        (
            "silent",
            None,
            "CPE_OLTS",
            {"acs: refresh": "Unreachable", "olt: read": "Not configured"},
        ),
        ("optics-at-bridge", None, "a browser", {"bridge: read": "Not configured"}),
    ],
)
async def test_a_diagnosis_of_what_does_not_answer_has_no_red_task_and_no_red_line(
    lab, monkeypatch, scenario, fault, missing, expected
):
    lab.set_scenario("LAB0001", scenario)
    if fault:
        await lab.set_fault("acs", fault)
    if missing == "a browser":
        monkeypatch.setenv("CPE_BRIDGE_BROWSER", "/nowhere/chromium")
    elif missing:
        monkeypatch.delenv(missing)
    answer = await diagnose_cpe(DiagnosisRequest(serial="LAB0001"))
    runs, logs = await seen(answer["run"]["flow_run_id"], 3)
    named = {name: run.state.name for name, run in runs.items()}
    for start, wanted in expected.items():
        assert [state for name, state in named.items() if name.startswith(start)] == [wanted], named
    assert all(run.state.is_completed() for run in runs.values()), named
    assert [log.message for log in logs if log.level > logging.WARNING] == []


async def test_a_sweep_of_what_does_not_answer_has_no_red_task_and_no_red_line(lab, monkeypatch):
    await lab.set_fault("acs", "http500")
    monkeypatch.setenv("CPE_ERP_URL", "http://127.0.0.1:1")
    request = SweepRequest(refresh=False, worst=0)
    answer = await sweep_fleet(request)
    runs, logs = await seen(answer["run"]["flow_run_id"], 8)
    named = {name.rsplit("-", 1)[0]: run.state.name for name, run in runs.items()}
    assert named["acs: read fleet"] == "Unreachable"
    assert named["erp: read equipment"] == "Unreachable"
    assert all(run.state.is_completed() for run in runs.values()), named
    assert [log.message for log in logs if log.level > logging.WARNING] == []
