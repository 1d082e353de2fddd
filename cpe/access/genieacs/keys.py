"""The `uniqueKey` of the tasks that this project queues at an ACS: every one begins with PREFIX.

A second task of the same device and key replaces the first: what goes out together needs keys of
its own.
"""

from __future__ import annotations

from typing import Final

PREFIX: Final = "gigafibre-cpe-"
"""By it the clean-up knows our tasks, also those of an earlier or a later version."""
SPEEDTEST_READ: Final = f"{PREFIX}speedtest-read"
SPEEDTEST_STOP: Final = f"{PREFIX}speedtest-stop"
SPEEDTEST_PREPARE: Final = f"{PREFIX}speedtest-prepare"
SPEEDTEST_REQUEST: Final = f"{PREFIX}speedtest-request"
SPEEDTEST: Final = (SPEEDTEST_READ, SPEEDTEST_STOP, SPEEDTEST_PREPARE, SPEEDTEST_REQUEST)
