"""A child that cannot be started now is started later; one that can never be is said at once."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from deployments.cli import app
from deployments.commands import worker as worker_command
from deployments.server import batch, child
from deployments.server.batch import BatchWorker
from deployments.server.child import ChildProcess, UnwritableError
from deployments.server.leash import INSIST_AFTER_S
from deployments.server.worker import WARM_STOP_TIMEOUT_S
from deployments.warm.__main__ import DRAIN_S
from deployments.warm.worker import HAND_BACK_S

NOWHERE = Path("/proc/nowhere")
"""Nobody can make a folder there, root included."""


def test_a_child_whose_log_cannot_be_written_is_not_started(tmp_path: Path):
    process = ChildProcess(["timeit"], "clock", "http://127.0.0.1:9/api", NOWHERE / "clock.log")
    with pytest.raises(UnwritableError, match=r"/proc/nowhere/clock\.log cannot be written"):
        process.start()
    process.stop()


def test_a_machine_without_a_process_to_spare_is_asked_again(tmp_path: Path, monkeypatch):
    popen, refused, begun = subprocess.Popen, threading.Event(), threading.Event()

    def scarce(*arguments: Any, **options: Any) -> subprocess.Popen[str]:
        if not refused.is_set():
            refused.set()
            raise BlockingIOError(11, "Resource temporarily unavailable")
        begun.set()
        return popen([sys.executable, "-c", "input()"], **options)

    monkeypatch.setattr(child, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(child.subprocess, "Popen", scarce)
    with ChildProcess(["x"], "x", "http://127.0.0.1:9/api", tmp_path / "x.log") as process:
        process.start()
        assert begun.wait()


def test_a_server_that_is_away_when_a_worker_is_to_start_ends_no_watch(monkeypatch):
    tried = threading.Semaphore(0)

    def start(*_args: object, **_options: object) -> None:
        tried.release()
        raise httpx.ConnectError("away")

    monkeypatch.setattr(batch, "start_process_worker", start)
    monkeypatch.setattr(batch, "ensure_pool", lambda *_: True)
    monkeypatch.setattr(BatchWorker, "_has_work", lambda *_: True)
    with BatchWorker("http://127.0.0.1:9/api", look_s=0.01):
        assert all(tried.acquire() for _ in range(2))


def test_a_worker_has_time_to_hand_back_its_runs_also_when_its_parent_was_killed():
    needed = DRAIN_S + HAND_BACK_S
    assert min(INSIST_AFTER_S, WARM_STOP_TIMEOUT_S) > needed


@pytest.mark.parametrize("command", ["lab", "demo", "worker", "hub"])
def test_a_home_that_cannot_be_written_is_one_clear_line(command, monkeypatch):
    monkeypatch.setenv("CPE_HOME", str(NOWHERE))
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    monkeypatch.setattr(worker_command, "is_healthy", lambda _url: True)
    monkeypatch.setattr("deployments.server.worker.ensure_pool", lambda *_: True)
    done = CliRunner().invoke(app, [command])
    assert (done.exit_code, done.stdout) == (4, "")
    assert done.stderr.startswith("cpe: /proc/nowhere")
    assert len(done.stderr.splitlines()) == 1
