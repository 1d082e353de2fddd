"""Warm workers that are several, deaf, killed or asked to stop lose nothing.

Each test has workers of its own, and no other is on the pool meanwhile.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.warm_bench import Bench, notes, pids, running_bench
from tests.support.waiting import wait_until

pytestmark = pytest.mark.prefect


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, migrated_prefect: Path) -> Iterator[Bench]:
    home = tmp_path_factory.mktemp("warm")
    with pytest.MonkeyPatch.context() as environment, running_bench(home, migrated_prefect) as made:
        environment.setenv("CPE_HOME", str(home))
        yield made


@pytest.fixture(autouse=True)
def same_home(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CPE_HOME", str(bench.home))


def test_a_wish_to_suspend_that_no_push_told_is_found_all_the_same(bench, tmp_path):
    with bench.worker(module="tests.support.warm_deaf") as deaf:
        deaf.start()
        run_id = bench.start("steady", folder=str(tmp_path))
        wait_until(lambda: bench.state(run_id) == "Running")
        details = {"pause_timeout": "2030-01-01T00:00:00Z", "pause_reschedule": True}
        bench.set_state(run_id, type="PAUSED", name="Suspended", state_details=details)
        wait_until(
            lambda: "leaves" in (bench.home / "logs" / "worker.log").read_text().split(run_id)[-1]
        )
    bench.api.delete(f"/flow_runs/{run_id}")


def test_a_wish_to_cancel_that_no_push_told_is_found_all_the_same(bench, tmp_path):
    # Prefect's own subscription ends for good when the server hangs up or is away for a minute.
    with bench.worker(module="tests.support.warm_deaf") as deaf:
        deaf.start()
        run_id = bench.start("endless", folder=str(tmp_path))
        wait_until(lambda: notes(tmp_path) == ["begun"])
        bench.set_state(run_id, type="CANCELLING", name="Cancelling")
        assert bench.ended(run_id) == {run_id: "Cancelled"}
    assert notes(tmp_path) == ["begun", "left"]
    assert "Crashed" not in bench.states(run_id)


def test_two_workers_share_the_work_and_no_run_is_run_twice(bench, tmp_path):
    with bench.worker("--limit", "3") as first, bench.worker("--limit", "3") as second:
        first.start()
        second.start()
        # More than one may have at once: all have begun only when both workers run some.
        held = [bench.start("stages", folder=str(tmp_path), stage="running") for _ in range(6)]
        wait_until(lambda: notes(tmp_path).count("begun") == 6)
        assert len(pids(tmp_path)) == 2
        many = [bench.start("stages", folder=str(tmp_path)) for _ in range(24)]
        (tmp_path / "open").touch()
        assert set(bench.ended(*held, *many).values()) == {"Completed"}
    for run_id in held + many:
        assert notes(tmp_path, run_id) == ["begun", "effect:once", "ended"]


STAGES = ("claimed", "running", "amid-effect", "after-effect", "ending", "ended")


def test_a_worker_killed_at_every_stage_leaves_each_run_done_once_in_effect(bench, tmp_path):
    with bench.worker(str(tmp_path), module="tests.support.warm_stages") as victim:
        victim.start()
        runs = {s: bench.start("stages", folder=str(tmp_path), stage=s) for s in STAGES}
        wait_until(lambda: _all_stand(bench, tmp_path, runs))
        pid = victim.pid
        assert pid is not None
        (tmp_path / "open").touch()  # for the next life; this one has none left to see it
        os.kill(pid, signal.SIGKILL)
        ends = bench.ended(*runs.values())
        wait_until(lambda: len(bench.workers()) == 1)  # the dead are taken off the list
    assert set(ends.values()) == {"Completed"}
    for stage, run_id in runs.items():
        noted = notes(tmp_path, run_id)
        if stage == "amid-effect":
            # Killed before its result was kept: done again, at least once and not exactly.
            assert noted.count("effect:amid") == 2
        else:
            assert noted.count("effect:once") == 1, stage
        lost = stage != "ended"
        assert bench.states(run_id).count("AwaitingRetry") == int(lost), stage


def _all_stand(bench: Bench, folder: Path, runs: dict[str, str]) -> bool:
    noted = {stage: notes(folder, run_id) for stage, run_id in runs.items()}
    return (
        bench.state(runs["claimed"]) == "Pending"
        and noted["running"] == ["begun"]
        and noted["amid-effect"] == ["begun", "effect:amid"]
        and noted["after-effect"] == ["begun", "effect:once", "kept"]
        and noted["ending"][-1:] == ["ended"]
        and bench.state(runs["ending"]) == "Running"
        and bench.state(runs["ended"]) == "Completed"
    )


def test_a_worker_asked_to_stop_ends_what_is_short_and_hands_back_what_is_not(bench, tmp_path):
    with bench.worker("--drain-s", "5") as worker:
        worker.start()
        long = bench.start("stages", folder=str(tmp_path), stage="running")
        wait_until(lambda: notes(tmp_path) == ["begun"])
        short = bench.start("threaded", folder=str(tmp_path))
        wait_until(lambda: bench.state(short) in ("Running", "Completed"))
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGTERM)
        assert bench.ended(short) == {short: "Completed"}
        wait_until(lambda: "AwaitingRetry" in bench.states(long))
        (tmp_path / "open").touch()
        assert bench.ended(long) == {long: "Completed"}
    assert "Crashed" not in bench.states(long)
    assert notes(tmp_path, long) == ["begun", "begun", "effect:once", "ended"]
