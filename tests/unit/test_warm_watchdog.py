"""A loop that stands still is told of, and in the end its process ends itself."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import time

from deployments.warm import watchdog
from deployments.warm.watchdog import EXIT_CODE, Watchdog
from tests.support.tools import ROOT

HOPELESS = """
import asyncio, time
from deployments.warm.watchdog import Watchdog
async def main():
    Watchdog(asyncio.get_running_loop(), fence_s=0.6).start()
    await asyncio.sleep(0.3)
    time.sleep(30)
asyncio.run(main())
"""


async def test_blocking_code_is_named_and_a_busy_loop_is_not(monkeypatch, caplog):
    monkeypatch.setattr(watchdog, "TELL_S", 0.3)
    dog = Watchdog(asyncio.get_running_loop())
    dog.start()
    with caplog.at_level(logging.WARNING):
        for _ in range(10):
            await asyncio.sleep(0.05)
        assert not caplog.records
        time.sleep(0.9)  # noqa: ASYNC251 - what it is there to find
        await asyncio.sleep(0.3)
    dog.stop()
    (told,) = caplog.records
    assert "test_warm_watchdog.py" in told.getMessage()


def test_a_process_whose_loop_never_comes_back_ends_itself():
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", HOPELESS], cwd=ROOT, timeout=20, check=False)
    assert done.returncode == EXIT_CODE
    assert time.monotonic() - began < 10
