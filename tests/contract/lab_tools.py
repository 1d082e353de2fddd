"""What the lab's tests share: a quick lab, raw HTTP, and a way to befall a box with anything."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
from yarl import URL

from deployments.lab.acs_sessions import Timing
from deployments.lab.serve import Lab, running_lab

QUICK = Timing(
    poll_s=0.05,
    connection_request_s=0.1,
    online_threshold_s=0.4,
    lock_wait_s=0.3,
    session_limit_s=2.0,
    session_timeout_s=0.2,
    slot_s=0.05,
    reboot_s=0.3,
    speedtest_s=0.2,
)
CRASH_S = 0.15


@dataclass(frozen=True)
class Answer:
    """A response, whole; status None when the connection ended without one."""

    status: int | None
    reason: str
    headers: dict[str, str]
    body: str

    def json(self):
        return json.loads(self.body)


class Client:
    """Sends exactly the URL it is given."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self._session, self._base = session, base

    async def ask(self, method: str, path: str, body: str | None = None, headers=None) -> Answer:
        url = URL(self._base + path, encoded=True)
        try:
            async with self._session.request(
                method, url, data=body, headers=headers, skip_auto_headers=["Accept-Encoding"]
            ) as response:
                text = await response.text()
                return Answer(response.status, response.reason or "", dict(response.headers), text)
        except aiohttp.ServerDisconnectedError:
            return Answer(None, "", {}, "")


@asynccontextmanager
async def quick_lab(folder: Path, **options) -> AsyncIterator[tuple[Lab, Client]]:
    """A lab with short waits and its NBI's client."""
    settings = {"timing": QUICK, "nbi_crash_hang_s": CRASH_S, "tour": False, **options}
    async with (
        running_lab(folder=folder, **settings) as lab,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session,
    ):
        yield lab, Client(session, lab.acs.url)


def befall(lab: Lab, serial: str, **changes) -> None:
    """Let anything befall a box, also what no scenario has."""
    index = lab.plant.index_of(serial)
    state = lab.plant.state(index)
    state.conditions = replace(lab.plant.conditions(index), **changes)
    state.since = lab.plant.clock()
    lab.plant.changed(index)
