"""A warm worker whose Prefect server keeps its runs in PostgreSQL."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from tests.contract.warm_bench import notes, running_bench
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.prefect, pytest.mark.postgres]


async def test_a_run_is_taken_at_once_and_one_whose_worker_is_killed_is_done_once(
    postgres_url, tmp_path, monkeypatch
):
    monkeypatch.setenv("CPE_HOME", str(tmp_path / "home"))
    await asyncio.to_thread(_story, tmp_path, postgres_url)


def _story(folder: Path, postgres_url: str) -> None:
    with running_bench(folder / "home", None, postgres_url) as bench:
        with bench.worker("--limit", "10") as worker:
            worker.start()
            wait_until(bench.workers)
            quick = bench.start("stages", folder=str(folder))
            assert bench.ended(quick) == {quick: "Completed"}
            assert bench.states(quick) == ["Scheduled", "Pending", "Running", "Completed"]
            lost = bench.start("stages", folder=str(folder), stage="after-effect")
            wait_until(lambda: "kept" in notes(folder, lost))
            (folder / "open").touch()
            assert worker.pid is not None
            os.kill(worker.pid, signal.SIGKILL)
            assert bench.ended(lost) == {lost: "Completed"}
        assert notes(folder, lost).count("effect:once") == 1
        assert bench.states(lost).count("AwaitingRetry") == 1
