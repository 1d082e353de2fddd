"""A small strict NBI with one box that has a TR-143 test: GenieACS's semantics, our tasks only."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from cpe.access.genieacs.lookup import sighting
from cpe.access.genieacs.speed_trial import KEYS
from cpe.access.genieacs.speedtest import SpeedTester
from cpe.domain.snapshot import SpeedTest
from tests.support.transcripts import nbi, query_of, rows

OBJECT = "Device.IP.Diagnostics.DownloadDiagnostics"
ACS_ID = "1C61B4-Device2-X"
TEST_URL = "http://speedtest.example/file"
IDLE = {
    "DiagnosticsState": "None", "DownloadURL": "", "NumberOfConnections": 1,
    "DownloadDiagnosticMaxConnections": 3, "BOMTime": "0001-01-01T00:00:00.000Z",
    "EOMTime": "0001-01-01T00:00:00.000Z", "TestBytesReceived": 0, "TotalBytesReceived": 0,
}  # fmt: skip
OLD = {
    "BOMTime": "2026-11-20T10:00:00.000Z", "EOMTime": "2026-11-20T10:00:10.000Z",
    "TestBytesReceived": 5_000_000, "TotalBytesReceived": 5_100_000,
}  # fmt: skip
NEW = {
    "BOMTime": "2026-11-23T18:00:00.000Z", "EOMTime": "2026-11-23T18:00:01.000Z",
    "TestBytesReceived": 10_000_000, "TotalBytesReceived": 10_500_000,
}  # fmt: skip


@dataclass
class Acs:
    """`box` is what the box says, `cache` what the ACS believes: (value, time)."""

    box: dict[str, Any] = field(default_factory=lambda: dict(IDLE))
    cache: dict[str, tuple[Any, datetime]] = field(default_factory=dict)
    queue: dict[str, dict[str, Any]] = field(default_factory=dict)
    faults: dict[str, dict[str, Any]] = field(default_factory=dict)
    sent: list[dict[str, Any]] = field(default_factory=list)
    calls: int = 0
    url: str | None = "http://127.0.0.1:7600/x"
    on_test: Callable[[Acs], None] = lambda _acs: None
    answer: Callable[[Acs, dict[str, Any]], Any] = lambda _acs, _task: None
    refuses: Callable[[dict[str, Any]], str | None] = lambda _task: None
    skew: timedelta = timedelta()
    delete_status: int = 200

    def __post_init__(self):
        self.informed = self.now() - timedelta(minutes=3)

    def now(self) -> datetime:
        """The CWMP host's clock; the NBI's is ahead by `skew`."""
        return datetime.now(UTC)

    # -- the NBI

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if request.method == "POST":
            return await self._post(request)
        if request.method == "DELETE":
            task_id = path.rsplit("/", 1)[-1]
            if self.delete_status == 200 and self.queue.pop(task_id, None) is None:
                return httpx.Response(404, text="Task not found")
            return httpx.Response(self.delete_status)
        if path == "/devices/":
            assert query_of(request) == {"_id": ACS_ID}
            return rows(self.document())
        if path == "/tasks/":
            wanted = query_of(request)
            return rows(*({"_id": i} for i, task in self.queue.items() if _fits(i, task, wanted)))
        if path == "/faults/":
            return rows(*(f for i, f in self.faults.items() if query_of(request)["_id"] == i))
        raise AssertionError(f"unexpected {request.method} {request.url}")

    async def _post(self, request: httpx.Request) -> httpx.Response:
        task = json.loads(request.content)
        assert task["uniqueKey"] in KEYS
        assert 0 < task["expiry"] <= 130
        self.sent.append(task)
        task_id = f"{len(self.sent):024x}"
        task["timestamp"] = (self.now() + self.skew).isoformat()
        for known in [i for i, t in self.queue.items() if t["uniqueKey"] == task["uniqueKey"]]:
            del self.queue[known]
        self.queue[task_id] = task
        body = {**task, "_id": task_id, "device": ACS_ID}
        if "connection_request" not in str(request.url):
            return httpx.Response(202, json=body)
        self.calls += 1
        special = self.answer(self, task)
        if asyncio.iscoroutine(special):
            special = await special
        if isinstance(special, httpx.Response):
            special = said(special, body)
        if special is not None:
            return special
        self.session()
        faulted = f"{ACS_ID}:task_{task_id}" in self.faults
        reason = b"Task faulted" if faulted else b"OK"
        status = 202 if faulted else 200
        return httpx.Response(status, json=body, extensions={"reason_phrase": reason})

    def document(self) -> dict[str, Any]:
        leaves = {
            name: {"_object": False, "_value": value, "_timestamp": time.isoformat()}
            for name, (value, time) in self.cache.items()
        }
        return {
            "_id": ACS_ID,
            "_deviceId": {"_Manufacturer": "TP-Link", "_SerialNumber": "X"},
            "_lastInform": self.informed.isoformat(),
            "Device": {
                "ManagementServer": {
                    "ConnectionRequestURL": {"_value": self.url, "_timestamp": "2026-11-23"}
                },
                "IP": {"Diagnostics": {"DownloadDiagnostics": leaves}},
            },
        }

    # -- the CWMP side

    def session(self) -> None:
        """Run the queue as one session; the box tests after it."""
        self.inform()
        asked = False
        for step, (task_id, task) in enumerate(list(self.queue.items())):
            stamp = self.informed + timedelta(milliseconds=step + 1)
            if code := self.refuses(task):
                fault_id = f"{ACS_ID}:task_{task_id}"
                self.faults[fault_id] = {"_id": fault_id, "code": code, "message": "no"}
                continue
            del self.queue[task_id]
            if task["name"] == "getParameterValues":
                self._read([n.removeprefix(f"{OBJECT}.") for n in task["parameterNames"]], stamp)
            else:
                asked |= self._write(task["parameterValues"], stamp)
        if asked:
            self.on_test(self)

    def inform(self) -> None:
        self.informed = self.now()

    def _read(self, names: list[str], stamp: datetime) -> None:
        for name in names:
            if name in self.box:
                self.cache[name] = (self.box[name], stamp)

    def _write(self, values: list[list[Any]], stamp: datetime) -> bool:
        """What the ACS believes to be there already is not sent."""
        asked = False
        for path, value, _type in values:
            name = path.removeprefix(f"{OBJECT}.")
            if name not in self.box or self.cache.get(name, (None,))[0] == value:
                continue
            self.box[name] = value
            self.cache[name] = (value, stamp)
            asked |= (name, value) == ("DiagnosticsState", "Requested")
        return asked

    def test_ends(self, state: str, results: dict[str, Any], *, after_s: float = 0.1) -> None:
        """The box ends its test and informs (event 8); the ACS reads nothing by itself."""

        def end() -> None:
            self.box.update(results, DiagnosticsState=state)
            self.inform()

        asyncio.get_running_loop().call_later(after_s, end)

    # -- our side

    async def run(self, *, bound_s: float = 2.0, tester: SpeedTester | None = None) -> SpeedTest:
        tester = tester or self.tester(bound_s)
        return await tester.run(self.sighting(), url=TEST_URL)

    def tester(self, bound_s: float = 2.0) -> SpeedTester:
        return SpeedTester(nbi(self), bound_s=bound_s)

    def sighting(self):
        return sighting(self.document(), now=self.now(), limit_s=60)


def _fits(task_id: str, task: dict[str, Any], wanted: dict[str, Any]) -> bool:
    if "_id" in wanted:
        return task_id == wanted["_id"]
    assert wanted["device"] == ACS_ID
    return wanted.get("uniqueKey") in (None, task["uniqueKey"])


def said(recorded: httpx.Response, body: dict[str, Any]) -> httpx.Response:
    """A recorded answer about the task that was really sent."""
    return httpx.Response(recorded.status_code, json=body, extensions=recorded.extensions)


def completes(results=NEW, state="Completed", after_s=0.1):
    """A box whose test ends so."""
    return lambda acs: acs.test_ends(state, results, after_s=after_s)
