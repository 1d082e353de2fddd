"""A loop that stands still is told of, and in the end its process ends itself."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from types import SimpleNamespace

import pytest

from deployments.warm import watchdog
from deployments.warm.watchdog import EXIT_CODE, Watchdog
from tests.support.tools import ROOT
from tests.support.waiting import until, wait_until

HOPELESS = """
import asyncio, time
from deployments.warm.watchdog import Watchdog
async def main():
    Watchdog(asyncio.get_running_loop(), fence_s=0.6).start()
    await asyncio.sleep(0.3)
    time.sleep(3600)
asyncio.run(main())
"""


async def test_blocking_code_is_named_and_a_busy_loop_is_not(monkeypatch, caplog):
    clock = SimpleNamespace(now_s=0.0, monotonic=lambda: clock.now_s)
    monkeypatch.setattr(watchdog, "time", clock)
    monkeypatch.setattr(watchdog, "_LOOK_S", 0.01)
    dog = Watchdog(asyncio.get_running_loop())
    dog.start()
    with caplog.at_level(logging.WARNING):
        for _ in range(10):
            clock.now_s += 0.9 * watchdog.TELL_S
            await until(lambda: dog._beat == clock.now_s)
        assert not caplog.records
        clock.now_s += 1.1 * watchdog.TELL_S
        wait_until(lambda: caplog.records)  # blocking: what it is there to find
        await until(lambda: dog._beat == clock.now_s)
    dog.stop()
    (told,) = caplog.records
    assert "test_warm_watchdog.py" in told.getMessage()


@pytest.mark.slow
def test_a_process_whose_loop_never_comes_back_ends_itself():
    done = subprocess.run([sys.executable, "-c", HOPELESS], cwd=ROOT, check=False)
    assert done.returncode == EXIT_CODE
