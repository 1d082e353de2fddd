"""The worker for sweeps is there when one is due, and only then."""

from __future__ import annotations

import subprocess
import sys
import time

import httpx
import pytest

from deployments.server import batch
from deployments.server.batch import BatchWorker
from tests.contract.warm_bench import wait

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

    monkeypatch.setattr(batch, "start_process_worker", start)
    with (
        httpx.Client(base_url=prefect_server.api_url, timeout=30) as api,
        BatchWorker(prefect_server.api_url, "cpe-batch-test", look_s=0.1, idle_s=0.3) as watching,
    ):
        flow = api.post("/flows/", json={"name": "batch"}).json()
        body = {"name": "d", "flow_id": flow["id"], "work_pool_name": "cpe-batch-test"}
        deployment = api.post("/deployments/", json=body).json()["id"]
        path = f"/deployments/{deployment}/create_flow_run"
        details = {"scheduled_time": "2099-01-01T00:00:00Z"}
        later = {"state": {"type": "SCHEDULED", "state_details": details}}
        api.post(path, json=later).raise_for_status()
        time.sleep(0.5)
        assert started == [], "a run of tomorrow needs no worker today"
        run = api.post(path, json={"state": {"type": "SCHEDULED"}}).json()["id"]
        wait(lambda: started)
        api.post(f"/flow_runs/{run}/set_state", json={"state": {"type": "RUNNING"}, "force": True})
        time.sleep(0.6)
        assert not started[0].stopped, "a run is being run"
        done = {"state": {"type": "COMPLETED"}, "force": True}
        api.post(f"/flow_runs/{run}/set_state", json=done)
        wait(lambda: started[0].stopped)
        assert watching.worker is None
    assert len(started) == 1


def test_what_is_run_nicely_is_nice_to_others():
    program = ["timeit", "-n1", "-r1", "import os; print(os.nice(0))"]
    command = [sys.executable, "-m", "deployments.server.leash", "--nice", "7", *program]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:  # its end of the leash stays open
        assert process.stdout is not None
        assert process.stdout.readline() == "7\n"
