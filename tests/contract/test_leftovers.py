"""Tasks that outlived their run are removed with their faults; no others are ever touched."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import httpx
import pytest

from cpe.access.genieacs import errand, keys, lookup, refresh, speed_trial
from cpe.access.genieacs.errand import Errands
from cpe.access.genieacs.leftovers import Cleared, clear_all_leftovers, clear_leftovers
from cpe.access.genieacs.nbi import Nbi, get_parameter_values
from cpe.access.genieacs.speedtest import SpeedTester
from cpe.access.genieacs.transport import NbiTransport
from cpe.domain.errors import AccessError, BusyError, CutOffError, UnreachableError
from tasks import clients, tidying
from tests.contract.lab_tools import QUICK, befall, quick_lab
from tests.support.transcripts import nbi as nbi_of
from tests.support.transcripts import rows

ALL = (refresh.UNIQUE_KEY, f"{refresh.SUSPECT_KEY}-7", *speed_trial.KEYS)
PAST = "2026-01-01T00:00:00Z"
TIMING = replace(QUICK, lock_wait_s=0.1)
LEAF = "Device.DeviceInfo.UpTime"


@pytest.fixture
async def plant(tmp_path):
    async with quick_lab(tmp_path, devices=30, timing=TIMING) as (lab, client):
        transport = NbiTransport(lab.acs.url)
        yield lab, Nbi(transport), client
        assert lab.nbi.crashes == []
        await transport.close()


async def known(nbi, serial):
    return (await lookup.find(nbi, serial, limit_s=60)).device.acs_id


async def queue(nbi, serial, *, key=refresh.UNIQUE_KEY, expiry=PAST):
    task = {"name": "getParameterValues", "parameterNames": [LEAF], "uniqueKey": key}
    if expiry is not None:
        task["expiry"] = expiry
    return await nbi.post_task(await known(nbi, serial), task, wait_ms=None, timeout_s=3)


async def left(client):
    """The keys of all queued tasks, and how many faults there are."""
    tasks = (await client.ask("GET", "/tasks/")).json()
    faults = (await client.ask("GET", "/faults/")).json()
    return sorted(str(task.get("uniqueKey")) for task in tasks), len(faults)


def fall_silent(lab):
    """Nothing informs: an Inform would end the expired tasks by itself."""
    for number in range(3, 8):
        befall(lab, f"LAB000{number}", inform_interval_s=0.0)


def later(nbi, monkeypatch, hours=1):
    monkeypatch.setattr(nbi.transport, "now", lambda: datetime.now(UTC) + timedelta(hours=hours))


def test_every_key_is_known_to_the_clean_up():
    assert all(key.startswith(keys.PREFIX) for key in ALL)


async def test_a_box_that_dropped_its_session_is_cleared_once_the_task_has_expired(
    plant, monkeypatch
):
    lab, nbi, client = plant
    befall(lab, "LAB0003", fault_code="dropped")
    acs_id = await known(nbi, "LAB0003")
    task = get_parameter_values([LEAF], unique_key=refresh.UNIQUE_KEY, expiry_s=15)
    posted = await nbi.post_task(acs_id, task, wait_ms=1000, timeout_s=3)
    assert (await nbi.fault_of(acs_id, posted.id)).code == "session_terminated"
    assert await clear_leftovers(nbi, acs_id) == 0, "its run may still be looking"
    assert await left(client) == ([refresh.UNIQUE_KEY], 1)
    later(nbi, monkeypatch)
    assert await clear_leftovers(nbi, acs_id) == 1
    assert await left(client) == ([], 0)


async def test_every_kind_of_task_of_ours_is_cleared_from_its_box_and_no_other_box(plant):
    lab, nbi, client = plant
    fall_silent(lab)
    for key in ALL:
        await queue(nbi, "LAB0003", key=key)
    await queue(nbi, "LAB0004")
    assert await clear_leftovers(nbi, await known(nbi, "LAB0003")) == len(ALL)
    assert await left(client) == ([refresh.UNIQUE_KEY], 0)


async def test_the_whole_acs_is_cleared_of_ours_and_of_nobody_elses(plant):
    lab, nbi, client = plant
    fall_silent(lab)
    for serial in ("LAB0003", "LAB0004", "LAB0005"):
        await queue(nbi, serial)
        await queue(nbi, serial, key="gigafibre-cpe-of-another-version")
        await queue(nbi, serial, key="gigafibre-cpeX")
        await queue(nbi, serial, key="theirs-gigafibre-cpe-refresh")
        await queue(nbi, serial, key=None)
    await queue(nbi, "LAB0006", expiry=60)
    await queue(nbi, "LAB0007", expiry=None)
    assert await clear_all_leftovers(nbi) == Cleared(6, 6)
    others = ["None", "gigafibre-cpeX", "theirs-gigafibre-cpe-refresh"] * 3
    assert await left(client) == (sorted([*others, refresh.UNIQUE_KEY, refresh.UNIQUE_KEY]), 0)
    assert await clear_all_leftovers(nbi) == Cleared(0, 0)


async def test_a_box_in_session_keeps_its_task_until_the_next_time(plant):
    lab, nbi, client = plant
    befall(lab, "LAB0003", rpc_s=30.0)
    acs_id = await known(nbi, "LAB0003")
    calling = asyncio.create_task(
        nbi.post_task(acs_id, get_parameter_values([LEAF], unique_key="theirs", expiry_s=60),
                      wait_ms=1000, timeout_s=20)
    )  # fmt: skip
    key = lab.plant.index_of("LAB0003")
    while not lab.sessions.in_session(key):  # noqa: ASYNC110 - the lab has no event for it
        await asyncio.sleep(0.01)
    await queue(nbi, "LAB0003")
    assert await clear_all_leftovers(nbi) == Cleared(1, 0)
    assert await clear_leftovers(nbi, acs_id) == 0
    calling.cancel()
    assert (await left(client))[0] == [refresh.UNIQUE_KEY, "theirs"]


async def test_a_box_that_vanishes_in_a_speed_test_leaves_no_fault_that_nobody_can_remove(
    plant, monkeypatch
):
    lab, nbi, client = plant
    monkeypatch.setattr(lab.sessions, "timing", replace(TIMING, session_timeout_s=4.0))
    monkeypatch.setattr(errand, "POST_S", 0.5)
    befall(lab, "LAB0003", fault_code="dropped")
    found = await lookup.find(nbi, "LAB0003", limit_s=60)
    with pytest.raises(AccessError):
        await SpeedTester(nbi, bound_s=2.0).run(found, url="http://speedtest.example/file")
    await lab.sessions.wait_idle(lab.plant.index_of("LAB0003"), 10)
    assert await left(client) == ([keys.SPEEDTEST_READ], 1)
    later(nbi, monkeypatch)
    befall(lab, "LAB0003", fault_code="")
    test = await SpeedTester(nbi, bound_s=5.0).run(found, url="http://speedtest.example/file")
    assert test.state == "Completed"
    assert await left(client) == ([], 0)


async def test_a_task_held_by_a_session_is_not_replaced_by_the_next_of_its_key():
    held, posts = [True], []

    def answer(request):
        if request.method == "DELETE":
            return httpx.Response(503 if held[0] else 200, text="Device is in session")
        if request.method == "GET":
            return (
                rows({"_id": "0" * 24}) if held[0] and "uniqueKey" in str(request.url) else rows()
            )
        posts.append(json.loads(request.content))
        if len(posts) == 1:
            raise httpx.ReadTimeout("slow")
        body = {**posts[-1], "_id": "1" * 24, "timestamp": "2026-12-01T00:00:00Z"}
        return httpx.Response(200, json=body)

    until = asyncio.get_running_loop().time() + 20
    errands = Errands(nbi_of(answer), "box", ("gigafibre-cpe-x",), until)
    task = get_parameter_values([LEAF], unique_key="gigafibre-cpe-x", expiry_s=9)
    with pytest.raises(UnreachableError):
        await errands.send(task)
    with pytest.raises(BusyError):
        await errands.send(task)
    assert len(posts) == 1
    held[0] = False
    assert (await errands.send(task)).id == "1" * 24


async def test_an_id_that_another_client_chose_is_never_sent_back():
    """It is no ObjectId: the NBI dies of it (§ 6)."""
    asked = []

    def answer(request):
        asked.append(request.method)
        return rows(
            {"_id": "mine", "uniqueKey": refresh.UNIQUE_KEY, "expiry": PAST}, {"_id": "0" * 24}
        )

    assert await clear_all_leftovers(nbi_of(answer)) == Cleared(0, 0)
    assert await clear_leftovers(nbi_of(answer), "box") == 0
    assert set(asked) == {"GET"}


def cut_off(_):
    task = json.dumps({"_id": "0" * 24, "uniqueKey": refresh.UNIQUE_KEY, "expiry": PAST})
    return httpx.Response(200, headers={"total": "9"}, text=f"[\n{task}")


def refused(_):
    raise httpx.ConnectError("refused")


async def test_half_an_answer_is_no_answer():
    with pytest.raises(CutOffError):
        await clear_all_leftovers(nbi_of(cut_off))


@pytest.mark.parametrize("answer", [cut_off, refused, lambda _: httpx.Response(500)])
async def test_a_diagnosis_never_fails_by_the_clean_up(answer):
    assert await clear_leftovers(nbi_of(answer), "box") == 0


@pytest.mark.parametrize("answer", [refused, cut_off])
async def test_an_acs_that_is_down_at_night_fails_nothing_else(answer, monkeypatch):
    acs = clients.Acs(nbi_of(answer), None, None)
    monkeypatch.setattr(clients, "acs", lambda: acs)
    assert await tidying.clear_acs_leftovers.fn() is None


async def test_without_an_acs_there_is_nothing_to_clear(monkeypatch):
    monkeypatch.delenv("CPE_ACS_URL", raising=False)
    assert await tidying.clear_acs_leftovers.fn() is None


async def test_an_acs_that_dies_half_way_through_the_removing_is_said():
    def answer(request):
        if request.method == "DELETE":
            raise httpx.ConnectError("gone")
        made = partial(dict, uniqueKey=refresh.UNIQUE_KEY, expiry=PAST)
        return rows(*(made(_id=f"{n:024x}") for n in range(50)))

    with pytest.raises(UnreachableError):
        await clear_all_leftovers(nbi_of(answer))
