"""The lab's NBI where one request is not enough: sessions, queues, faults, speed tests."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

import aiohttp
import pytest

from deployments.lab.acs_sessions import Timing
from deployments.lab.truth import Knowledge
from tests.contract.lab_tools import QUICK, befall, quick_lab
from tests.support.waiting import until

RX = "Device.Optical.Interface.1.X_TP_GPON_Config.RXPower"
BOX = "1C61B4-Device2-LAB0003"
CALL = f"/devices/{BOX}/tasks?connection_request"
PATIENT_CALL = f"/devices/{BOX}/tasks?timeout=600000&connection_request"


@pytest.fixture
async def nbi(tmp_path):
    async with quick_lab(tmp_path, devices=24) as (lab, client):
        yield lab, client


def get(*names: str) -> str:
    return json.dumps({"name": "getParameterValues", "parameterNames": list(names)})


async def everything(client, path: str) -> list:
    return (await client.ask("GET", path)).json()


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


async def test_a_refresh_takes_half_a_second_with_the_real_clocks(tmp_path):
    async with quick_lab(tmp_path, devices=6, timing=Timing()) as (_, client):
        began = time.monotonic()
        answer = await client.ask("POST", CALL, get(RX))
        assert answer.status == 200
        assert time.monotonic() - began >= 0.5


async def test_a_refreshed_leaf_carries_the_sessions_start_and_others_stay_old(nbi):
    _, client = nbi
    before = await document(client)
    task = (await client.ask("POST", CALL, get(RX))).json()
    after = await document(client)
    assert leaf(after, RX)["_timestamp"] > task["timestamp"] > leaf(before, RX)["_timestamp"]
    assert leaf(after, RX)["_timestamp"] > after["_lastInform"]
    other = "Device.Optical.Interface.1.X_TP_GPON_Config.TXPower"
    assert leaf(after, other)["_timestamp"] == leaf(before, other)["_timestamp"]
    firmware = "Device.DeviceInfo.SoftwareVersion"
    assert leaf(after, firmware)["_timestamp"] > leaf(before, firmware)["_timestamp"]


@asynccontextmanager
async def session_held(lab) -> AsyncIterator[asyncio.Event]:
    """A session that has asked its box for all that a task wants, which sets the event, ends only
    after the block."""
    go_on, reached, run = asyncio.Event(), asyncio.Event(), lab.sessions._run

    async def held(key, task, pending) -> None:
        await run(key, task, pending)
        reached.set()
        await go_on.wait()

    lab.sessions._run = held
    try:
        yield reached
    finally:
        lab.sessions._run = run
        go_on.set()


async def test_the_document_does_not_move_before_the_session_ends(nbi):
    lab, client = nbi
    before = await document(client)
    async with session_held(lab) as reached:
        waiting = asyncio.create_task(client.ask("POST", PATIENT_CALL, get(RX)))
        await reached.wait()
        assert leaf(await document(client), RX) == leaf(before, RX)
    assert (await waiting).status == 200
    assert leaf(await document(client), RX) != leaf(before, RX)


async def test_nothing_is_read_twice_within_a_second(tmp_path):
    # A day instead of the second, and the day is let pass.
    timing, later_s = replace(QUICK, slot_s=86_400), 0.0
    async with quick_lab(tmp_path, devices=6, timing=timing) as (lab, client):
        clock = lab.plant.clock
        lab.plant.clock = lambda: clock() + later_s
        stamps = []
        for _ in range(6):
            assert (await client.ask("POST", CALL, get(RX))).status == 200
            stamps.append(leaf(await document(client), RX)["_timestamp"])
        assert 1 <= len(set(stamps)) <= 2
        later_s = timing.slot_s
        await client.ask("POST", CALL, get(RX))
        assert leaf(await document(client), RX)["_timestamp"] > stamps[-1]


async def test_a_box_known_by_its_inform_shows_only_inform_parameters_until_read(nbi):
    lab, client = nbi
    befall(lab, "LAB0003", knowledge=Knowledge.INFORM_ONLY)
    fresh = await document(client)
    assert leaf(fresh, RX) is None
    assert leaf(fresh, "Device.DeviceInfo.SerialNumber") is None
    assert leaf(fresh, "Device.DeviceInfo.SoftwareVersion")["_value"]
    await client.ask("POST", CALL, get(RX))
    known = await document(client)
    assert leaf(known, RX)["_value"] > 0
    sibling = leaf(known, "Device.Optical.Interface.1.X_TP_GPON_Config.TXPower")
    assert sibling == {"_object": False, "_writable": False}


async def test_unsigned_longs_are_text_and_ints_are_numbers(nbi):
    doc = await document(nbi[1])
    assert isinstance(leaf(doc, "Device.Optical.Interface.1.Stats.BytesReceived")["_value"], str)
    assert isinstance(leaf(doc, RX)["_value"], int)


async def test_a_two_hundred_without_effect_leaves_every_leaf_as_it_was(nbi):
    lab, client = nbi
    lab.set_scenario("LAB0003", "no-effect")
    before = await document(client, RX)
    answer = await client.ask("POST", CALL, get(RX))
    assert answer.status == 200
    assert leaf(await document(client, RX), RX) == leaf(before, RX)


async def test_a_faulted_task_stays_with_its_fault_until_deleted(nbi):
    lab, client = nbi
    lab.set_scenario("LAB0003", "task-faulted")
    task = (await client.ask("POST", CALL, get(RX))).json()
    faults = (await client.ask("GET", "/faults")).json()
    assert faults[0]["_id"] == f"{BOX}:task_{task['_id']}"
    assert faults[0]["code"] == "cwmp.9002"
    assert faults[0]["detail"]["faultCode"] == "9002"
    assert (await client.ask("DELETE", f"/tasks/{task['_id']}")).status == 200
    assert (await client.ask("GET", "/faults")).json() == []
    assert (await client.ask("DELETE", f"/tasks/{task['_id']}")).status == 404


async def test_a_retried_task_runs_in_the_next_session(nbi):
    lab, client = nbi
    lab.set_scenario("LAB0003", "task-faulted")
    task = (await client.ask("POST", CALL, get(RX))).json()
    lab.set_scenario("LAB0003", "healthy-stale")
    await client.ask("POST", CALL, get("Device.DeviceInfo.UpTime"))
    assert len((await client.ask("GET", "/tasks")).json()) == 1
    assert (await client.ask("POST", f"/tasks/{task['_id']}/retry")).status == 200
    await client.ask("POST", CALL, get("Device.DeviceInfo.UpTime"))
    assert (await client.ask("GET", "/tasks")).json() == []


async def test_a_task_cannot_be_deleted_in_session(nbi):
    lab, client = nbi
    async with session_held(lab) as reached:
        waiting = asyncio.create_task(client.ask("POST", PATIENT_CALL, get(RX)))
        await reached.wait()
        task = (await client.ask("GET", "/tasks")).json()[0]
        refused = await client.ask("DELETE", f"/tasks/{task['_id']}")
        assert (refused.status, refused.body) == (503, "Device is in session")
        assert (await client.ask("DELETE", f"/devices/{BOX}")).status == 503
    await waiting


async def test_a_unique_key_replaces_the_earlier_task_and_expired_ones_never_run(nbi):
    _, client = nbi
    keyed = json.dumps({"name": "refreshObject", "objectName": "Device.WiFi", "uniqueKey": "k"})
    for _ in range(3):
        await client.ask("POST", f"/devices/{BOX}/tasks", keyed)
    assert (await client.ask("HEAD", "/tasks")).headers["total"] == "1"
    late = json.dumps({"name": "getParameterValues", "parameterNames": [RX], "expiry": 0})
    before = leaf(await document(client, RX), RX)
    await client.ask("POST", f"/devices/{BOX}/tasks", late)
    await client.ask("POST", CALL, get("Device.DeviceInfo.UpTime"))
    assert (await client.ask("GET", "/tasks")).json() == []
    assert leaf(await document(client, RX), RX) == before


async def test_the_256th_task_of_a_session_faults(nbi):
    _, client = nbi
    for _ in range(256):
        await client.ask("POST", f"/devices/{BOX}/tasks", get("Device.DeviceInfo.NoSuch"))
    await client.ask("POST", f"/devices/{BOX}/tasks?connection_request", None)
    faults = await until(lambda: everything(client, "/faults"))
    assert [fault["code"] for fault in faults] == ["too_many_cycles"]


async def test_a_task_without_a_call_runs_at_the_next_periodic_inform(nbi):
    lab, client = nbi
    befall(lab, "LAB0003", inform_interval_s=0.4)
    before = leaf(await document(client), RX)["_timestamp"]
    queued = await client.ask("POST", f"/devices/{BOX}/tasks", get(RX))
    assert (queued.status, queued.reason) == (202, "Accepted")

    async def has_run() -> bool:
        return await everything(client, "/tasks") == []

    await until(has_run)
    assert leaf(await document(client), RX)["_timestamp"] > before


async def test_informs_move_on_their_own_while_other_leaves_stay(nbi):
    lab, client = nbi
    befall(lab, "LAB0003", inform_interval_s=0.2)
    first = await document(client)

    async def informed() -> dict | None:
        found = await document(client)
        return found if found["_lastInform"] > first["_lastInform"] else None

    second = await until(informed)
    assert leaf(second, RX) == leaf(first, RX)


@pytest.mark.parametrize(
    ("scenario", "fresh"), [("healthy", True), ("healthy-stale", False), ("silent", False)]
)
async def test_only_a_healthy_box_has_readings_of_the_last_minute(nbi, scenario, fresh):
    lab, client = nbi
    lab.set_scenario("LAB0003", scenario)
    stamp = leaf(await document(client), RX)["_timestamp"]
    assert (lab.plant.clock() - datetime.fromisoformat(stamp).timestamp() < 60) is fresh


async def test_a_silent_box_stopped_informing_when_it_fell_silent(nbi):
    lab, client = nbi
    silent_since = lab.plant.clock() - 7200
    lab.set_scenario("LAB0003", "silent", since_s=7200)
    last = datetime.fromisoformat((await document(client))["_lastInform"]).timestamp()
    assert silent_since - 301 <= last <= lab.plant.clock() - 7200


@pytest.mark.parametrize("fault", ["hang", "slow", "http500", "html"])
async def test_the_acs_can_be_troubled_and_the_lab_still_ends_at_once(nbi, fault):
    lab, client = nbi
    await lab.set_fault("acs", fault, delay_s=0.3)
    asked, began = lab.acs.requests, time.monotonic()
    asking = asyncio.create_task(client.ask("GET", "/devices?limit=1"))
    if fault == "hang":
        await until(lambda: lab.acs.requests > asked)
        assert not asking.done()
        asking.cancel()
        return
    answer = await asking
    assert answer.status == {"slow": 200, "http500": 500, "html": 502}[fault]
    assert fault != "slow" or time.monotonic() - began >= 0.3


async def test_three_requests_at_once_for_one_box_all_succeed(nbi):
    _, client = nbi
    answers = await asyncio.gather(*(client.ask("POST", CALL, get(RX)) for _ in range(3)))
    assert [answer.status for answer in answers] == [200, 200, 200]


async def test_a_reboot_moves_last_boot_and_refuses_calls_meanwhile(tmp_path):
    later_s = 0.0
    async with quick_lab(tmp_path, devices=6, timing=replace(QUICK, reboot_s=3600)) as (
        lab,
        client,
    ):
        clock = lab.plant.clock
        lab.plant.clock = lambda: clock() + later_s
        before = await document(client, "_lastBoot")
        assert (await client.ask("POST", CALL, '{"name":"reboot"}')).status == 200
        down = await client.ask("POST", CALL, get(RX))
        assert (down.status, down.reason) == (202, "Device is offline")
        later_s = 3601.0
        assert (await document(client, "_lastBoot"))["_lastBoot"] > before["_lastBoot"]
        assert (await client.ask("POST", CALL, get(RX))).status == 200


async def test_tags_come_and_go(nbi):
    _, client = nbi
    assert "_tags" not in await document(client)
    assert (await client.ask("POST", f"/devices/{BOX}/tags/pilot")).status == 200
    assert (await client.ask("GET", '/devices/?query={"_tags":"pilot"}')).headers["total"] == "1"
    await client.ask("DELETE", f"/devices/{BOX}/tags/pilot")
    assert (await document(client))["_tags"] == []


async def test_a_url_beyond_sixteen_kilobytes_is_refused(nbi):
    answer = await nbi[1].ask("GET", "/devices/?query=" + "x" * 16_400)
    assert answer.status == 431


async def test_a_duplicate_serial_is_two_documents(nbi):
    lab, client = nbi
    lab.set_scenario("LAB0003", "duplicate-serial")
    rows = (await client.ask("GET", '/devices/?query={"_deviceId._SerialNumber":"LAB0003"}')).json()
    assert [row["_id"] for row in rows] == [BOX, "9CA2F4-XX230v-LAB0003"]
    assert rows[1]["_lastInform"] < rows[0]["_lastInform"]
    by_id = await client.ask("GET", '/devices/?query={"_id":"9CA2F4-XX230v-LAB0003"}')
    assert by_id.headers["total"] == "1"


async def test_a_truncated_answer_ends_amid_its_rows_without_the_last_chunk(nbi):
    lab, client = nbi
    await lab.set_fault("acs", "truncated", times=1)
    got: list[bytes] = []
    async with aiohttp.ClientSession() as session, session.get(lab.acs.url + "/devices") as cut:
        assert (cut.status, cut.headers["total"]) == (200, "24")
        with pytest.raises(aiohttp.ClientPayloadError):
            await _collect(cut, got)
    text = b"".join(got)
    assert text.startswith(b'[\n{"_id":"')
    assert text.count(b"\n") == 13
    assert (await client.ask("GET", "/devices")).body.endswith("}\n]")


async def _collect(response: aiohttp.ClientResponse, into: list[bytes]) -> None:
    async for chunk in response.content.iter_any():
        into.append(chunk)
