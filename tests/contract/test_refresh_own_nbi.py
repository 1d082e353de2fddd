"""Refreshes against an NBI of our own: partial effect, faults, clocks, many at once, leaving."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from cpe.access.genieacs import lookup
from cpe.access.genieacs.refresh import Refresher, TaskOutcome
from cpe.domain.observation import Quality
from cpe.domain.snapshot import FreshnessOutcome
from tests.support.boxes import put, stamp
from tests.support.own_nbi import Cpe, OwnNbi
from tests.support.waiting import until

RX = "Device.Optical.Interface.1.X_TP_GPON_Config.RXPower"
TX = "Device.Optical.Interface.1.X_TP_GPON_Config.TXPower"
UPTIME = "Device.DeviceInfo.UpTime"
LEAVES = {
    RX: 5624,
    TX: 14880,
    UPTIME: 900,
    "Device.WiFi.Radio.1.OperatingFrequencyBand": "5GHz",
    "Device.WiFi.Radio.1.Enable": True,
    "Device.WiFi.Radio.1.Status": "Up",
    "Device.PPP.Interface.1.ConnectionStatus": "Connected",
}


def known(serial="S1", leaves=LEAVES, *, old=timedelta(minutes=15), acs_id=None):
    at = datetime.now(UTC) - old
    document = {
        "_id": acs_id or f"1C61B4-Device2-{serial}",
        "_deviceId": {"_Manufacturer": "TP-Link", "_SerialNumber": serial},
        "_lastInform": stamp(at),
    }
    put(document, "Device.ManagementServer.ConnectionRequestURL", "http://127.0.0.1:1/x", at)
    for path, value in leaves.items():
        put(document, path, value, at)
    return document


def one(acs=None, document=None, **cpe):
    acs = acs or OwnNbi()
    acs.add(document or known(), Cpe({**LEAVES, RX: 100}, **cpe))
    return acs


async def refreshed(acs, serial="S1", *, bound_s=10.0):
    nbi = acs.client()
    sighting = await lookup.find(nbi, serial, limit_s=60)
    return await Refresher(nbi, bound_s=bound_s, limit_s=60).refresh(sighting)


def rx(result):
    return next(m for m in result.sighting.measurements if m.name == "optical.rx_dbm")


async def test_a_box_read_again_gives_its_new_light():
    acs = one()
    result = await refreshed(acs)
    assert (result.freshness, rx(result).value) == (FreshnessOutcome.REFRESHED, -20.0)
    assert result.sighting.is_fresh
    assert acs.tasks == {}


@pytest.mark.parametrize(
    ("serial", "acs_id"),
    [
        ("T%P.link x", "1C61B4-Device2-T%25P%2Elink%20x"),
        ("22-39/1", "1C61B4-Device2-22%2D39%2F1"),
        ("2239000001", "1C61B4-Device2-2239000001"),
        ("20260101", "1C61B4-Device2-20260101"),
    ],
)
async def test_a_serial_of_any_spelling_is_found_and_its_box_refreshed(serial, acs_id):
    acs = one(document=known(serial, acs_id=acs_id))
    assert (await refreshed(acs, serial)).outcome is TaskOutcome.EXECUTED


async def test_a_serial_in_lower_case_in_the_acs_is_found():
    acs = one(document=known("abc123"))
    assert await lookup.find(acs.client(), "ABC123", limit_s=60) is not None


async def test_a_row_that_bears_none_of_the_names_asked_for_is_not_taken():
    class Careless(OwnNbi):
        def _rows(self, collection, request):
            bare = request.url.copy_remove_param("query")
            return super()._rows(collection, type(request)("GET", bare))

    acs = one(Careless())
    assert await lookup.find(acs.client(), "ANOTHER", limit_s=60) is None


async def test_a_box_with_an_inform_alone_is_discovered_whole():
    acs = one(document=known(leaves={"Device.DeviceInfo.SoftwareVersion": "1"}))
    result = await refreshed(acs)
    assert (result.outcome, rx(result).value) == (TaskOutcome.EXECUTED, -20.0)
    names = {m.name for m in result.sighting.measurements if m.usable}
    assert {"wifi.status", "wan.status"} <= names


async def test_optics_in_another_instance_are_discovered():
    acs = OwnNbi()
    second = RX.replace("Interface.1", "Interface.2")
    acs.add(known(leaves={"Device.DeviceInfo.SoftwareVersion": "1"}), Cpe({second: 100}))
    assert rx(await refreshed(acs)).value == -20.0


async def test_a_leaf_that_vanished_is_not_read_and_the_rest_is_refreshed():
    result = await refreshed(one(gone={TX}))
    assert result.outcome is TaskOutcome.EXECUTED
    tx = next(m for m in result.sighting.measurements if m.name == "optical.tx_dbm")
    assert tx.quality is Quality.NOT_READ


async def test_light_that_was_not_read_again_is_no_refresh():
    acs = OwnNbi()
    acs.add(known(), Cpe({k: v for k, v in LEAVES.items() if k != RX}))
    result = await refreshed(acs)
    assert result.freshness is FreshnessOutcome.REFUSED
    assert rx(result).quality is Quality.STALE


async def test_a_hundred_and_more_readings_are_one_task():
    rows = {
        f"Device.WiFi.AccessPoint.1.AssociatedDevice.{n}.{leaf}": value
        for n in range(1, 41)
        for leaf, value in (("MACAddress", f"AA:BB:CC:00:00:{n:02X}"), ("Active", True),
                            ("SignalStrength", -50))
    }  # fmt: skip
    acs = OwnNbi()
    acs.add(known(leaves={**LEAVES, **rows}), Cpe({**LEAVES, **rows}))
    result = await refreshed(acs)
    assert result.sighting.is_fresh
    assert len(acs.posts) == 1
    read = [m for m in result.sighting.measurements if m.name == "station.rssi_dbm" and m.usable]
    assert len(read) == 40


async def test_what_was_read_before_a_fault_is_known_and_the_task_gone():
    acs = one(fault="cwmp.9002", faults_after=1)
    result = await refreshed(acs)
    assert (result.outcome, result.freshness) == (TaskOutcome.FAULTED, FreshnessOutcome.REFUSED)
    assert rx(result).value == -20.0
    assert (acs.tasks, acs.faults) == ({}, {})


async def test_the_fault_of_an_older_task_is_not_ours():
    acs = one()
    acs_id, older = "1C61B4-Device2-S1", "f" * 24
    acs.tasks[older] = {"_id": older, "device": acs_id, "parameterNames": [TX]}
    fault_id = f"{acs_id}:task_{older}"
    acs.faults[fault_id] = {"_id": fault_id, "device": acs_id, "code": "cwmp.9002", "message": "x"}
    assert (await refreshed(acs)).outcome is TaskOutcome.EXECUTED
    assert list(acs.tasks) == [older]


async def test_a_session_that_outlasts_the_post_is_waited_for():
    acs = one(calls="long", session_s=0.4)
    assert (await refreshed(acs)).outcome is TaskOutcome.EXECUTED


async def test_a_session_that_outlasts_the_post_and_faults_is_a_fault():
    acs = one(calls="long", session_s=0.4, fault="cwmp.9002")
    assert (await refreshed(acs, bound_s=1.0)).outcome is TaskOutcome.FAULTED
    assert acs.tasks == {}


@pytest.mark.parametrize("calls", ["offline", "silent", "behind a proxy that gives up"])
async def test_a_task_that_did_not_run_is_removed(calls):
    acs = one(calls=calls)
    assert not (await refreshed(acs)).box_answered
    assert acs.tasks == {}


async def test_a_read_that_is_cut_off_once_is_tried_again():
    acs = one()
    nbi = acs.client()
    sighting = await lookup.find(nbi, "S1", limit_s=60)
    acs.cut_next_read = True
    result = await Refresher(nbi, bound_s=2, limit_s=60).refresh(sighting)
    assert result.outcome is TaskOutcome.EXECUTED


@pytest.mark.parametrize("ahead_s", [0.9, 30, 3600])
async def test_a_cwmp_host_ahead_of_the_nbi_gives_readings_that_can_be_judged(ahead_s):
    acs = one(OwnNbi(cwmp_ahead=timedelta(seconds=ahead_s)))
    result = await refreshed(acs)
    assert result.outcome is TaskOutcome.EXECUTED
    assert rx(result).usable


async def test_thirty_boxes_at_once_get_each_their_own():
    acs = OwnNbi()
    for n in range(30):
        acs.add(known(f"S{n}"), Cpe({**LEAVES, RX: 100 + n}, session_s=0.1))
    nbi = acs.client()
    refresher = Refresher(nbi, bound_s=600, limit_s=60)

    async def diagnose(n):
        return await refresher.refresh(await lookup.find(nbi, f"S{n}", limit_s=60))

    results = await asyncio.gather(*(diagnose(n) for n in range(30)))
    raws = [rx(result).raw for result in results]
    assert raws == [100 + n for n in range(30)]
    assert {r.outcome for r in results} == {TaskOutcome.EXECUTED}
    assert acs.tasks == {}


async def test_one_who_is_cancelled_leaves_no_task_in_the_acs_and_none_in_the_loop():
    acs = one(calls="hangs")
    nbi = acs.client()
    sighting = await lookup.find(nbi, "S1", limit_s=60)
    before = asyncio.all_tasks()
    waiting = asyncio.create_task(Refresher(nbi, bound_s=20, limit_s=60).refresh(sighting))
    await until(lambda: len(acs.tasks) == 1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert acs.tasks == {}
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


async def test_who_asks_while_another_leaves_is_not_told_the_others_end():
    acs = one(calls="hangs")
    nbi = acs.client()
    sighting = await lookup.find(nbi, "S1", limit_s=60)
    refresher = Refresher(nbi, bound_s=20, limit_s=60)
    leaving = asyncio.create_task(refresher.refresh(sighting))
    await until(lambda: acs.tasks)
    acs.boxes["1C61B4-Device2-S1"].calls = "answers"
    leaving.cancel()
    await asyncio.sleep(0)
    assert (await refresher.refresh(sighting)).outcome is TaskOutcome.EXECUTED


@pytest.mark.parametrize("calls", ["offline", "silent"])
async def test_a_task_that_another_worker_replaced_is_no_answer_of_the_box(calls):
    """Two workers, one silent box: the second POST removes the first one's task by its key."""
    acs = one(calls=calls)
    post = acs._post

    async def replaced(acs_id, request):
        answer = await post(acs_id, request)
        acs.tasks.clear()
        return answer

    acs._post = replaced
    result = await refreshed(acs)
    assert not result.box_answered
    assert result.freshness in (FreshnessOutcome.UNREACHABLE, FreshnessOutcome.QUEUED)


async def test_two_workers_that_ask_a_silent_box_at_once_both_call_it_silent():
    acs = one(calls="silent")
    first, second = await asyncio.gather(refreshed(acs), refreshed(acs))
    assert not first.box_answered
    assert not second.box_answered
    assert acs.tasks == {}
