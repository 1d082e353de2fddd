"""The `uniqueKey` of every task that this project queues at an ACS.

A second task of the same device and key replaces the first: what goes out together needs keys of
its own. A new kind of task gets its key here, so that the clean-up knows it.
"""

from __future__ import annotations

from typing import Final

PREFIX: Final = "gigafibre-cpe-"
"""Of all our keys, also of those that an earlier or a later version uses."""
REFRESH: Final = f"{PREFIX}refresh"
SPEEDTEST_READ: Final = f"{PREFIX}speedtest-read"
SPEEDTEST_STOP: Final = f"{PREFIX}speedtest-stop"
SPEEDTEST_PREPARE: Final = f"{PREFIX}speedtest-prepare"
SPEEDTEST_REQUEST: Final = f"{PREFIX}speedtest-request"
SPEEDTEST: Final = (SPEEDTEST_READ, SPEEDTEST_STOP, SPEEDTEST_PREPARE, SPEEDTEST_REQUEST)
ALL: Final = (REFRESH, *SPEEDTEST)
