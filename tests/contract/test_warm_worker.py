"""A warm worker does what a stock worker does. How workers end: test_warm_worker_ends.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.warm_bench import Bench, notes, pids, running_bench
from tests.support.chromium import chromium
from tests.support.prefect_ui import cancel
from tests.support.waiting import wait_until

pytestmark = pytest.mark.prefect


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, migrated_prefect: Path) -> Iterator[Bench]:
    home = tmp_path_factory.mktemp("warm")
    with pytest.MonkeyPatch.context() as environment, running_bench(home, migrated_prefect) as made:
        environment.setenv("CPE_HOME", str(home))  # of the worker too
        with made.worker() as worker:
            worker.start()
            wait_until(made.workers)
            yield made


@pytest.fixture(autouse=True)
def same_home(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CPE_HOME", str(bench.home))


def test_a_run_created_by_the_api_is_taken_at_once_and_is_signed(bench, tmp_path):
    run_id = bench.start("stages", folder=str(tmp_path))
    assert bench.ended(run_id) == {run_id: "Completed"}
    assert bench.states(run_id) == ["Scheduled", "Pending", "Running", "Completed"]
    assert bench.run(run_id)["infrastructure_pid"] in bench.workers()
    wait_until(lambda: "Beginning" in _logs(bench, run_id))
    wait_until(lambda: "from our own logger" in _logs(bench, run_id))


def _logs(bench: Bench, run_id: str) -> str:
    body = {"logs": {"flow_run_id": {"any_": [run_id]}}}
    return " ".join(line["message"] for line in bench.api.post("/logs/filter", json=body).json())


def test_a_flow_that_fails_or_blocks_takes_nothing_else_down(bench, tmp_path):
    bad = [bench.start("failing") for _ in range(3)]
    blocking = [bench.start("threaded", folder=str(tmp_path)) for _ in range(4)]
    good = [bench.start("stages", folder=str(tmp_path)) for _ in range(3)]
    ends = bench.ended(*bad, *blocking, *good)
    assert {ends[run] for run in bad} == {"Failed"}
    assert {ends[run] for run in blocking + good} == {"Completed"}


def test_a_flow_that_exits_takes_nothing_else_down(bench, tmp_path):
    other = bench.start("stages", folder=str(tmp_path), stage="running")
    wait_until(lambda: notes(tmp_path) == ["begun"])
    exiting = bench.start("exiting")
    assert bench.ended(exiting) == {exiting: "Crashed"}
    (tmp_path / "open").touch()
    assert bench.ended(other) == {other: "Completed"}
    assert notes(tmp_path) == ["begun", "effect:once", "ended"]
    assert len(pids(tmp_path)) == 1


def test_a_deployment_that_cannot_be_loaded_is_reported_as_crashed(bench):
    body = {"entrypoint": "tests.support.no_such_module:flow"}
    bench.api.patch(f"/deployments/{bench.deployments['killer']}", json=body)
    run_id = bench.start("killer")
    assert bench.ended(run_id) == {run_id: "Crashed"}
    assert "no_such_module" in bench.run(run_id)["state"]["message"]


@pytest.mark.browser
async def test_a_run_cancelled_in_the_ui_ends_cancelled_and_is_never_called_crashed(
    bench, tmp_path
):
    run_id = bench.start("endless", folder=str(tmp_path))
    wait_until(lambda: notes(tmp_path) == ["begun"])
    async with chromium() as browser:
        await cancel(browser, f"{bench.ui_url}/runs/flow-run/{run_id}")
    assert bench.ended(run_id) == {run_id: "Cancelled"}
    assert notes(tmp_path) == ["begun", "left"]
    assert "Crashed" not in bench.states(run_id)


def test_a_run_that_waits_for_a_person_leaves_and_comes_back_with_the_answer(bench, tmp_path):
    run_id = bench.start("suspending", folder=str(tmp_path))
    wait_until(lambda: bench.state(run_id) == "Suspended")
    body = {"run_input": {"word": "second"}}  # rejected until Prefect has kept the form's schema

    def answered() -> bool:
        answer = bench.api.post(f"/flow_runs/{run_id}/resume", json=body)
        return answer.json()["status"] == "ACCEPT"

    wait_until(answered)
    assert bench.ended(run_id) == {run_id: "Completed"}
    assert notes(tmp_path) == ["effect:first", "effect:second"]


def test_a_running_flow_that_somebody_suspends_stops_at_its_next_task(bench, tmp_path):
    run_id = bench.start("steady", folder=str(tmp_path))
    wait_until(lambda: bench.state(run_id) == "Running")
    details = {"pause_timeout": "2030-01-01T00:00:00Z", "pause_reschedule": True}
    bench.set_state(run_id, type="PAUSED", name="Suspended", state_details=details)
    wait_until(
        lambda: "leaves" in (bench.home / "logs" / "worker.log").read_text().split(run_id)[-1]
    )
    assert bench.state(run_id) == "Suspended"
    bench.api.delete(f"/flow_runs/{run_id}")
