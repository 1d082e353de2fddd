"""A warm worker does what a stock worker does, at once, and loses nothing when it is killed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.warm_bench import Bench, notes, pids, running_bench, wait
from tests.support.chromium import chromium
from tests.support.prefect_ui import cancel

pytestmark = [pytest.mark.prefect, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, migrated_prefect: Path) -> Iterator[Bench]:
    home = tmp_path_factory.mktemp("warm")
    os.environ["CPE_HOME"] = str(home)  # of the workers too
    with running_bench(home, migrated_prefect) as bench:
        yield bench


@pytest.fixture(autouse=True)
def same_home(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CPE_HOME", str(bench.home))


@pytest.fixture(scope="module")
def worker(bench: Bench) -> Iterator[object]:
    """One for all tests that do it no harm."""
    with bench.worker() as worker:
        worker.start()
        wait(bench.workers)
        yield worker


def test_a_run_created_by_the_api_is_taken_at_once_and_is_signed(bench, worker, tmp_path):
    bench.ended(bench.start("stages", folder=str(tmp_path)))  # its module is imported now
    began = time.monotonic()
    run_id = bench.start("stages", folder=str(tmp_path))
    assert bench.ended(run_id) == {run_id: "Completed"}
    assert time.monotonic() - began < 10
    assert bench.states(run_id) == ["Scheduled", "Pending", "Running", "Completed"]
    assert bench.run(run_id)["infrastructure_pid"] in bench.workers()
    wait(lambda: "Beginning" in _logs(bench, run_id))
    wait(lambda: "from our own logger" in _logs(bench, run_id))


def _logs(bench: Bench, run_id: str) -> str:
    body = {"logs": {"flow_run_id": {"any_": [run_id]}}}
    return " ".join(line["message"] for line in bench.api.post("/logs/filter", json=body).json())


def test_a_flow_that_fails_or_blocks_takes_nothing_else_down(bench, worker, tmp_path):
    bad = [bench.start("failing") for _ in range(3)]
    blocking = [bench.start("threaded", folder=str(tmp_path)) for _ in range(4)]
    good = [bench.start("stages", folder=str(tmp_path)) for _ in range(3)]
    ends = bench.ended(*bad, *blocking, *good)
    assert {ends[run] for run in bad} == {"Failed"}
    assert {ends[run] for run in blocking + good} == {"Completed"}


def test_a_flow_that_exits_takes_nothing_else_down(bench, worker, tmp_path):
    other = bench.start("stages", folder=str(tmp_path), stage="running")
    wait(lambda: notes(tmp_path) == ["begun"])
    exiting = bench.start("exiting")
    assert bench.ended(exiting) == {exiting: "Crashed"}
    (tmp_path / "open").touch()
    assert bench.ended(other) == {other: "Completed"}
    assert notes(tmp_path) == ["begun", "effect:once", "ended"]
    assert len(pids(tmp_path)) == 1


def test_a_deployment_that_cannot_be_loaded_is_reported_as_crashed(bench, worker):
    body = {"entrypoint": "tests.support.no_such_module:flow"}
    bench.api.patch(f"/deployments/{bench.deployments['killer']}", json=body)
    run_id = bench.start("killer")
    assert bench.ended(run_id) == {run_id: "Crashed"}
    assert "no_such_module" in bench.run(run_id)["state"]["message"]


@pytest.mark.browser
async def test_a_run_cancelled_in_the_ui_ends_cancelled_and_is_never_called_crashed(
    bench, worker, tmp_path
):
    run_id = bench.start("endless", folder=str(tmp_path))
    wait(lambda: notes(tmp_path) == ["begun"])
    async with chromium() as browser:
        await cancel(browser, f"{bench.ui_url}/runs/flow-run/{run_id}")
    assert bench.ended(run_id) == {run_id: "Cancelled"}
    assert notes(tmp_path) == ["begun", "left"]
    assert "Crashed" not in bench.states(run_id)


def test_a_run_that_waits_for_a_person_leaves_and_comes_back_with_the_answer(
    bench, worker, tmp_path
):
    run_id = bench.start("suspending", folder=str(tmp_path))
    wait(lambda: bench.state(run_id) == "Suspended")
    body = {"run_input": {"word": "second"}}  # rejected until Prefect has kept the form's schema

    def answered() -> bool:
        answer = bench.api.post(f"/flow_runs/{run_id}/resume", json=body)
        return answer.json()["status"] == "ACCEPT"

    wait(answered)
    assert bench.ended(run_id) == {run_id: "Completed"}
    assert notes(tmp_path) == ["effect:first", "effect:second"]


def test_a_running_flow_that_somebody_suspends_stops_at_its_next_task(bench, worker, tmp_path):
    run_id = bench.start("steady", folder=str(tmp_path))
    wait(lambda: bench.state(run_id) == "Running")
    details = {"pause_timeout": "2030-01-01T00:00:00Z", "pause_reschedule": True}
    bench.set_state(run_id, type="PAUSED", name="Suspended", state_details=details)
    wait(lambda: "leaves" in (bench.home / "logs" / "worker.log").read_text().split(run_id)[-1])
    assert bench.state(run_id) == "Suspended"
    bench.api.delete(f"/flow_runs/{run_id}")


def test_a_wish_to_suspend_that_no_push_told_is_found_all_the_same(bench, tmp_path):
    with bench.worker(module="tests.support.warm_deaf") as deaf:
        deaf.start()
        run_id = bench.start("steady", folder=str(tmp_path))
        wait(lambda: bench.state(run_id) == "Running")
        details = {"pause_timeout": "2030-01-01T00:00:00Z", "pause_reschedule": True}
        bench.set_state(run_id, type="PAUSED", name="Suspended", state_details=details)
        wait(lambda: "leaves" in (bench.home / "logs" / "worker.log").read_text().split(run_id)[-1])
    bench.api.delete(f"/flow_runs/{run_id}")


def test_a_wish_to_cancel_that_no_push_told_is_found_all_the_same(bench, tmp_path):
    # Prefect's own subscription ends for good when the server hangs up or is away for a minute.
    with bench.worker(module="tests.support.warm_deaf") as deaf:
        deaf.start()
        run_id = bench.start("endless", folder=str(tmp_path))
        wait(lambda: notes(tmp_path) == ["begun"])
        bench.set_state(run_id, type="CANCELLING", name="Cancelling")
        assert bench.ended(run_id) == {run_id: "Cancelled"}
    assert notes(tmp_path) == ["begun", "left"]
    assert "Crashed" not in bench.states(run_id)


def test_two_workers_share_the_work_and_no_run_is_run_twice(bench, worker, tmp_path):
    with bench.worker() as second:
        second.start()
        wait(lambda: len(bench.workers()) >= 2)
        runs: list[str] = []

        def both_have_run_some() -> bool:
            # One that is on the list may still be about to listen: the other takes all then.
            batch = [bench.start("stages", folder=str(tmp_path)) for _ in range(30)]
            assert set(bench.ended(*batch, within_s=120).values()) == {"Completed"}
            runs.extend(batch)
            return len(pids(tmp_path)) == 2

        wait(both_have_run_some, 100)
    for run_id in runs:
        assert notes(tmp_path, run_id) == ["begun", "effect:once", "ended"]


STAGES = ("claimed", "running", "after-effect", "ending", "ended")


def test_a_worker_killed_at_every_stage_leaves_each_run_done_once_in_effect(
    bench, worker, tmp_path
):
    worker.stop()
    with bench.worker(str(tmp_path), module="tests.support.warm_stages") as victim:
        victim.start()
        runs = {s: bench.start("stages", folder=str(tmp_path), stage=s) for s in STAGES}
        wait(lambda: _all_stand(bench, tmp_path, runs), 120)
        pid = victim.pid
        assert pid is not None
        (tmp_path / "open").touch()  # for the next life; this one has none left to see it
        os.kill(pid, signal.SIGKILL)
        ends = bench.ended(*runs.values(), within_s=120)
    assert set(ends.values()) == {"Completed"}
    for stage, run_id in runs.items():
        assert notes(tmp_path, run_id).count("effect:once") == 1, stage
        lost = stage != "ended"
        assert bench.states(run_id).count("AwaitingRetry") == int(lost), stage
    assert len(bench.workers()) <= 2, "the dead are taken off the list"


def _all_stand(bench: Bench, folder: Path, runs: dict[str, str]) -> bool:
    noted = {stage: notes(folder, run_id) for stage, run_id in runs.items()}
    return (
        bench.state(runs["claimed"]) == "Pending"
        and noted["running"] == ["begun"]
        and noted["after-effect"] == ["begun", "effect:once"]
        and noted["ending"][-1:] == ["ended"]
        and bench.state(runs["ending"]) == "Running"
        and bench.state(runs["ended"]) == "Completed"
    )


def test_a_worker_asked_to_stop_ends_what_is_short_and_hands_back_what_is_not(bench, tmp_path):
    with bench.worker("--drain-s", "1.5") as worker:
        worker.start()
        long = bench.start("stages", folder=str(tmp_path), stage="running")
        wait(lambda: notes(tmp_path) == ["begun"])
        short = bench.start("threaded", folder=str(tmp_path))
        wait(lambda: bench.state(short) == "Running")
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGTERM)
        assert bench.ended(short) == {short: "Completed"}
        wait(lambda: "AwaitingRetry" in bench.states(long))
        (tmp_path / "open").touch()
        assert bench.ended(long, within_s=60) == {long: "Completed"}
    assert "Crashed" not in bench.states(long)
    assert notes(tmp_path, long) == ["begun", "begun", "effect:once", "ended"]
