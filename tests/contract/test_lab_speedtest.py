"""TR-143 through the lab's NBI: what a real GenieACS and box do, unpleasant parts too."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.contract.lab_tools import QUICK, quick_lab

TESTS = "Device.IP.Diagnostics.DownloadDiagnostics"
BOX = "1C61B4-Device2-LAB0003"
CALL = f"/devices/{BOX}/tasks?connection_request"


@pytest.fixture
async def nbi(tmp_path):
    async with quick_lab(tmp_path, devices=24) as (lab, client):
        yield lab, client


def get(*names: str) -> str:
    return json.dumps({"name": "getParameterValues", "parameterNames": list(names)})


def put(**values: str) -> str:
    rows = [[f"{TESTS}.{name}", value, "xsd:string"] for name, value in values.items()]
    return json.dumps({"name": "setParameterValues", "parameterValues": rows})


async def document(client, projection: str = "") -> dict:
    extra = f"&projection={projection}" if projection else ""
    answer = await client.ask("GET", f'/devices/?query={{"_id":"{BOX}"}}{extra}')
    return answer.json()[0]


def leaf(doc: dict, path: str) -> dict | None:
    for part in path.split("."):
        doc = doc.get(part)
        if doc is None:
            return None
    return doc


async def next_slot() -> None:
    """Leave the slot within which nothing is read twice."""
    await asyncio.sleep(QUICK.slot_s)


async def _speedtest(client, url: str) -> dict:
    await client.ask("POST", f"/devices/{BOX}/tasks", get(f"{TESTS}.DiagnosticsState"))
    await client.ask("POST", CALL, put(DownloadURL=url, DiagnosticsState="Requested"))
    requested = await document(client, TESTS)
    assert leaf(requested, f"{TESTS}.DiagnosticsState")["_value"] == "Requested"
    await asyncio.sleep(0.35)
    stale = await document(client, TESTS)
    assert leaf(stale, f"{TESTS}.DiagnosticsState")["_value"] == "Requested"
    await next_slot()
    refresh = json.dumps({"name": "refreshObject", "objectName": TESTS})
    await client.ask("POST", CALL, refresh)
    return leaf(await document(client, TESTS), TESTS)


async def test_a_speed_test_shows_its_line_rate_only_when_refreshed(nbi):
    lab, client = nbi
    lab.set_scenario("LAB0003", "access-slow")
    found = await _speedtest(client, "http://speedtest.example/file")
    assert found["DiagnosticsState"]["_value"] == "Completed"
    lasted = _ms(found["EOMTime"]["_value"]) - _ms(found["BOMTime"]["_value"])
    mbps = found["TestBytesReceived"]["_value"] * 8 / lasted / 1000
    assert mbps == pytest.approx(4.1, rel=0.05)


def _ms(stamp: str) -> float:
    clock = stamp[11:-1].split(":")
    return (int(clock[0]) * 3600 + int(clock[1]) * 60 + float(clock[2])) * 1000


async def test_a_failed_speed_test_serves_the_old_results_again(nbi):
    _, client = nbi
    good = await _speedtest(client, "http://speedtest.example/1000000")
    await next_slot()
    bad = await _speedtest(client, "http://127.0.0.1:1/x")
    assert bad["DiagnosticsState"]["_value"] == "Error_InitConnectionFailed"
    assert bad["EOMTime"]["_value"] == good["EOMTime"]["_value"]
    assert bad["EOMTime"]["_timestamp"] > good["EOMTime"]["_timestamp"]


async def test_requested_again_without_a_refresh_sends_nothing(nbi):
    _, client = nbi
    await _speedtest(client, "http://speedtest.example/1000000")
    await client.ask("POST", CALL, put(DiagnosticsState="Requested"))
    first = leaf(await document(client, TESTS), f"{TESTS}.DiagnosticsState")
    await next_slot()
    again = await client.ask("POST", CALL, put(DiagnosticsState="Requested"))
    assert again.status == 200
    assert leaf(await document(client, TESTS), f"{TESTS}.DiagnosticsState") == first
