"""A stock worker takes the runs of our deployments, comes back when killed, ends with us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from deployments.server.deploy import DeployError, ensure_pool, register_deployments
from deployments.server.embedded import EmbeddedServer
from deployments.server.worker import start_process_worker
from tests.support.tools import ROOT
from tests.support.waiting import wait_until

pytestmark = pytest.mark.prefect

PREFECT_FILE = """
name: small
pull: []
deployments:
  - name: on-demand
    entrypoint: tests.support.small_flow:small
    description: Petit essai
    tags: [essai]
    work_pool: {name: cpe}
"""


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_deployment_is_run_by_a_worker_that_comes_back_when_it_is_killed(
    prefect_home, tmp_path, monkeypatch
):
    monkeypatch.setenv("CPE_ERP_API_KEY", "k3y-of-the-erp")
    file = tmp_path / "prefect.yaml"
    file.write_text(PREFECT_FILE)
    with EmbeddedServer() as server, httpx.Client(base_url=server.api_url, timeout=None) as api:
        assert ensure_pool(server.api_url) is True
        assert ensure_pool(server.api_url) is False
        register_deployments(server.api_url, prefect_file=file)
        first = api.get("/deployments/name/small/on-demand").json()
        register_deployments(server.api_url, prefect_file=file)
        again = api.get("/deployments/name/small/on-demand").json()
        assert first["id"] == again["id"]
        assert first["tags"] == ["essai"]
        with start_process_worker("cpe", server.api_url) as worker:
            first_pid = wait_until(lambda: worker.pid)
            os.kill(int(str(first_pid)), signal.SIGKILL)
            last_pid = wait_until(lambda: worker.starts == 2 and worker.pid)
            run = api.post(
                f"/deployments/{first['id']}/create_flow_run",
                json={"parameters": {"number": 5}, "state": {"type": "SCHEDULED"}},
            ).json()

            def ended() -> bool:
                found = api.get(f"/flow_runs/{run['id']}").json()["state"]
                assert found["type"] not in {"FAILED", "CRASHED"}, found
                return found["type"] == "COMPLETED"

            wait_until(ended)
    assert not _alive(int(str(last_pid)))
    log = (prefect_home / "logs" / "worker-cpe.log").read_text()
    assert "started" in log
    assert "k3y-of-the-erp" not in log


def test_a_deployment_that_cannot_be_loaded_says_why(prefect_home, tmp_path):
    file = tmp_path / "prefect.yaml"
    file.write_text(PREFECT_FILE.replace("small_flow:small", "no_such_flow:small"))
    with EmbeddedServer(light=True) as server, pytest.raises(DeployError, match="no_such_flow"):
        register_deployments(server.api_url, prefect_file=file)


_HOST = """
import sys, time
from deployments.server.embedded import EmbeddedServer
from deployments.server.worker import start_process_worker
server = EmbeddedServer()
server.start()
worker = start_process_worker("cpe", server.api_url)
while not worker.pid: time.sleep(0.05)
print(worker.pid, flush=True)
time.sleep(600)
"""


def test_the_worker_ends_even_when_its_host_is_killed(prefect_home):
    host = subprocess.Popen(
        [sys.executable, "-c", _HOST], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert host.stdout is not None
        worker_pid = int(host.stdout.readline())
        log = prefect_home / "logs" / "worker-cpe.log"
        wait_until(lambda: log.exists() and "started" in log.read_text())
        host.kill()
        host.communicate()
        wait_until(lambda: not _alive(worker_pid))
    finally:
        host.kill()
        host.wait()
