"""The worker for sweeps is there when one is due, and only then."""

from __future__ import annotations

import os
import subprocess
import sys

import httpx
import pytest

from deployments.server import batch
from deployments.server.batch import BatchWorker
from tests.support.waiting import wait_until

pytestmark = pytest.mark.prefect


class Worker:
    """A stock worker that does nothing."""

    def __init__(self) -> None:
        self.stopped = False

    def stop(self) -> None:
        self.stopped = True


def test_a_worker_is_started_for_a_due_run_and_stopped_when_nothing_is_left(
    prefect_server, monkeypatch
):
    started: list[Worker] = []

    def start(pool: str, api_url: str, *, niceness: int) -> Worker:
        assert (pool, api_url) == ("cpe-batch-test", prefect_server.api_url)
        assert niceness > 0, "diagnoses go first"
        started.append(Worker())
        return started[-1]

    looks: list[bool] = []
    has_work = BatchWorker._has_work

    def looked(self: BatchWorker, api: httpx.Client) -> bool:
        looks.append(has_work(self, api))
        return looks[-1]

    def looked_again() -> None:
        """Return after a look that began later, and what followed from it."""
        enough = len(looks) + 3
        wait_until(lambda: len(looks) >= enough)

    monkeypatch.setattr(BatchWorker, "_has_work", looked)
    monkeypatch.setattr(batch, "start_process_worker", start)
    with (
        httpx.Client(base_url=prefect_server.api_url, timeout=None) as api,
        BatchWorker(prefect_server.api_url, "cpe-batch-test", look_s=0.02, idle_s=0.0) as watching,
    ):
        flow = api.post("/flows/", json={"name": "batch"}).json()
        body = {"name": "d", "flow_id": flow["id"], "work_pool_name": "cpe-batch-test"}
        deployment = api.post("/deployments/", json=body).json()["id"]
        path = f"/deployments/{deployment}/create_flow_run"
        details = {"scheduled_time": "2099-01-01T00:00:00Z"}
        later = {"state": {"type": "SCHEDULED", "state_details": details}}
        api.post(path, json=later).raise_for_status()
        looked_again()
        assert started == [], "a run of tomorrow needs no worker today"
        run = api.post(path, json={"state": {"type": "SCHEDULED"}}).json()["id"]
        wait_until(lambda: started)
        api.post(f"/flow_runs/{run}/set_state", json={"state": {"type": "RUNNING"}, "force": True})
        looked_again()
        assert not started[0].stopped, "a run is being run"
        done = {"state": {"type": "COMPLETED"}, "force": True}
        api.post(f"/flow_runs/{run}/set_state", json=done)
        wait_until(lambda: started[0].stopped)
        assert watching.worker is None
    assert len(started) == 1


def test_what_is_run_nicely_is_nice_to_others():
    program = ["timeit", "-n1", "-r1", "import os; print(os.nice(0))"]
    command = [sys.executable, "-m", "deployments.server.leash", "--nice", "7", *program]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:  # its end of the leash stays open
        assert process.stdout is not None
        assert process.stdout.readline() == f"{os.nice(0) + 7}\n"
