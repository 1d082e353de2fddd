"""A refresh sees who joined, who left, and what a box refuses; its proof is an NBI of our own."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from cpe.access.genieacs import lookup
from cpe.access.genieacs.refresh import IN_SESSION_DETAIL, Refresher, TaskOutcome
from cpe.domain.observation import Quality
from cpe.domain.snapshot import FreshnessOutcome
from tests.contract.test_refresh_own_nbi import LEAVES, RX, TX, known
from tests.support.boxes import stamp
from tests.support.own_nbi import Cpe, OwnNbi

NODE = "Device.WiFi.MultiAP.APDevice"
STATION = f"{NODE}.1.Radio.2.AP.1.AssociatedDevice"
BIAS = "Device.Optical.Interface.1.X_TP_GPON_Config.BiasCurrent"


def node(number, mac, *, backhaul=100, controller=False):
    row = f"{NODE}.{number}"
    return {
        f"{row}.MACAddress": mac,
        f"{row}.X_TP_IsController": controller,
        f"{row}.X_TP_Active": True,
        f"{row}.BackhaulLinkType": "" if controller else "Wi-Fi",
        f"{row}.BackhaulSignalStrength": backhaul,
    }


def station(number, mac, signal):
    row = f"{STATION}.{number}"
    return {f"{row}.MACAddress": mac, f"{row}.Active": True, f"{row}.SignalStrength": signal}


HOME = {
    **LEAVES,
    **node(1, "1C:61:B4:00:00:01", controller=True),
    f"{NODE}.1.Radio.2.OperatingFrequencyBand": "5GHz",
    **station(1, "3E:00:00:00:00:01", 120),
}


class Home:
    """One box at an ACS of our own, asked again and again by one refresher."""

    def __init__(self, parameters=HOME, *, document=None, bound_s=4.0, **cpe):
        self.acs = OwnNbi()
        self.cpe = Cpe(dict(parameters), **cpe)
        self.document = document or known(leaves=HOME)
        self.acs.add(self.document, self.cpe)
        self.nbi = self.acs.client()
        self.refresher = Refresher(self.nbi, bound_s=bound_s, limit_s=60)

    async def refresh(self):
        seen = await lookup.find(self.nbi, "S1", limit_s=60)
        result = await self.refresher.refresh(seen)
        assert self.acs.tasks == {}, "no task of ours stays behind"
        assert self.acs.faults == {}
        return result


def usable(result, name):
    return {m.subject: m.value for m in result.sighting.measurements if m.name == name and m.usable}


async def test_a_satellite_that_joined_since_is_seen_with_its_backhaul():
    home = Home()
    await home.refresh()
    home.cpe.parameters |= node(2, "1C:61:B4:00:00:02", backhaul=40)
    result = await home.refresh()
    assert usable(result, "node.backhaul_rssi_dbm")["node:1C:61:B4:00:00:02"] == -90
    assert len(home.acs.posts) == 2, "one task a refresh"


async def test_a_phone_that_joined_since_is_seen_with_its_signal():
    home = Home()
    home.cpe.parameters |= station(7, "3E:00:00:00:00:07", 40)
    result = await home.refresh()
    assert usable(result, "station.rssi_dbm")["station:3E:00:00:00:00:07"] == -90


async def test_a_satellite_that_left_is_no_node_any_more():
    both = HOME | node(2, "1C:61:B4:00:00:02")
    home = Home(HOME, document=known(leaves=both))
    result = await home.refresh()
    subjects = {m.subject for m in result.sighting.measurements}
    assert "node:1C:61:B4:00:00:02" not in subjects
    assert "node:1C:61:B4:00:00:01" in subjects


async def test_a_renumbered_phone_leaves_no_second_one_behind():
    home = Home()
    for name in [n for n in home.cpe.parameters if n.startswith(f"{STATION}.1.")]:
        del home.cpe.parameters[name]
    home.cpe.parameters |= station(9, "3E:00:00:00:00:01", 120)
    result = await home.refresh()
    rows = {m.subject for m in result.sighting.measurements if m.subject.startswith("station:")}
    assert rows == {"station:3E:00:00:00:00:01"}


async def test_what_a_refresh_did_not_read_again_is_stale_however_young():
    """A minute has not passed, but the box was asked since and did not say it again."""
    home = Home()
    await home.refresh()
    tree = home.document["Device"]
    optics = tree["Optical"]["Interface"]["1"]["X_TP_GPON_Config"]
    optics["RXPower"]["_timestamp"] = stamp(datetime.now(UTC) - timedelta(minutes=15))
    status = tree["WiFi"]["Radio"]["1"]["Status"]
    status["_timestamp"] = stamp(datetime.now(UTC) - timedelta(seconds=5))
    del home.cpe.parameters["Device.WiFi.Radio.1.Status"]
    result = await home.refresh()
    [reading] = [m for m in result.sighting.measurements if m.name == "wifi.status"]
    assert reading.age_s is not None
    assert reading.age_s < 60
    assert reading.quality is Quality.STALE


async def test_the_tables_that_were_listed_are_named():
    home = Home()
    before = await lookup.find(home.nbi, "S1", limit_s=60)
    assert before.tables_read == ()
    result = await home.refresh()
    assert {"radio", "station", "node"} <= set(result.sighting.tables_read)


async def test_a_home_that_was_never_listed_is_told_from_one_without_wifi():
    bare = known(leaves={RX: 5624})
    home = Home(LEAVES, document=bare)
    assert (await lookup.find(home.nbi, "S1", limit_s=60)).home_is_unknown
    assert not (await home.refresh()).sighting.home_is_unknown


async def test_leaves_that_a_preset_keeps_fresh_do_not_hide_a_table_listed_yesterday():
    home = Home()
    await home.refresh()
    table = home.document["Device"]["WiFi"]["MultiAP"]["APDevice"]
    assert (await lookup.find(home.nbi, "S1", limit_s=60)).is_fresh
    table["_timestamp"] = "2026-01-01T00:00:00.000Z"
    assert not (await lookup.find(home.nbi, "S1", limit_s=60)).is_fresh


async def test_a_box_is_found_by_its_other_names_once_it_was_refreshed():
    names = {
        "Device.Optical.Interface.1.GponAuth.GponSn": "54504C47B4D00744",
        "Device.Ethernet.Interface.1.MACAddress": "1c-61-b4-d0-07-45",
        "Device.DeviceInfo.ModelName": "XX230v",
        "Device.DeviceInfo.HardwareVersion": "XX230v v1.0",
    }
    home = Home({**HOME, **names})
    device = (await home.refresh()).sighting.device
    assert (device.gpon_serial, device.model) == ("TPLGB4D00744", "XX230v")
    assert device.hardware == "XX230v v1.0"
    for name in ("TPLGB4D00744", "54504C47B4D00744", "1C:61:B4:D0:07:45"):
        seen = await lookup.find(home.nbi, name, limit_s=60)
        assert seen is not None, name
    await home.refresh()
    assert "GponSn" not in " ".join(home.acs.posts[-1]["parameterNames"]), "asked for once"


@pytest.mark.parametrize("refused", [BIAS, TX, f"{STATION}.1.SignalStrength"])
async def test_a_parameter_that_the_box_refuses_costs_that_parameter_alone(refused):
    known_leaves = HOME | {BIAS: 8302} | station(2, "3E:00:00:00:00:02", 120)
    home = Home(known_leaves, document=known(leaves=known_leaves), refuses={refused})
    result = await home.refresh()
    assert result.outcome is TaskOutcome.EXECUTED
    assert usable(result, "optical.rx_dbm") == {"": -2.5}
    assert usable(result, "station.rssi_dbm")["station:3E:00:00:00:00:02"] == -50
    unread = {m.path for m in result.sighting.measurements if m.quality is Quality.STALE}
    assert unread == {refused} - {BIAS}, "context is not judged"
    assert refused in result.detail


async def test_what_a_model_refuses_is_remembered_and_asked_for_apart():
    home = Home(HOME | {BIAS: 8302}, document=known(leaves=HOME | {BIAS: 8302}), refuses={BIAS})
    await home.refresh()
    before = home.cpe.sessions
    result = await home.refresh()
    assert (result.outcome, home.cpe.sessions) == (TaskOutcome.EXECUTED, before + 1)
    assert BIAS in result.detail
    home.cpe.refuses.clear()
    await home.refresh()
    result = await home.refresh()
    assert result.detail == ""
    assert usable(result, "optical.bias_ma") == {"": 16.6}


async def test_several_refused_parameters_are_all_found():
    leaves = HOME | {BIAS: 8302} | node(2, "1C:61:B4:00:00:02")
    bad = {BIAS, TX, f"{NODE}.2.BackhaulSignalStrength", "Device.PPP.Interface.1.ConnectionStatus"}
    home = Home(leaves, document=known(leaves=leaves), refuses=bad, bound_s=12.0)
    result = await home.refresh()
    assert result.outcome is TaskOutcome.EXECUTED
    assert usable(result, "optical.rx_dbm") == {"": -2.5}
    assert all(path in result.detail for path in bad)


async def test_a_box_that_refuses_everything_is_asked_in_three_sessions_at_most():
    home = Home(fault="cwmp.9002")
    result = await home.refresh()
    assert (result.outcome, result.freshness) == (TaskOutcome.FAULTED, FreshnessOutcome.REFUSED)
    assert home.cpe.sessions <= 3


async def test_a_box_that_is_slow_in_its_session_is_waited_for():
    home = Home(session_s=1.2, bound_s=1.0)
    assert (await home.refresh()).outcome is TaskOutcome.EXECUTED


async def test_a_session_that_does_not_end_is_said_to_be_one_and_the_box_online():
    home = Home(session_s=6.0, bound_s=1.0)
    seen = await lookup.find(home.nbi, "S1", limit_s=60)
    result = await home.refresher.refresh(seen)
    assert (result.outcome, result.freshness) == (TaskOutcome.IN_SESSION, FreshnessOutcome.QUEUED)
    assert (result.box_answered, result.detail) == (True, IN_SESSION_DETAIL)


async def test_a_session_that_hangs_is_no_sign_of_life_once_the_olt_says_the_box_is_down():
    home = Home(session_s=30.0, bound_s=0.5)
    seen = await lookup.find(home.nbi, "S1", limit_s=60)
    refreshing = asyncio.create_task(home.refresher.refresh(seen))
    await home.cpe.in_session.wait()
    home.refresher.give_up(seen.device.acs_id)
    result = await refreshing
    assert (result.outcome, result.box_answered) == (TaskOutcome.UNKNOWN, False)


async def test_boxes_of_one_model_that_differ_leave_nothing_queued():
    """One refuses what the other gives, at the same time; what is remembered is the model's."""
    leaves = HOME | {BIAS: 8302}
    home = Home(leaves, document=known(leaves=leaves), refuses={BIAS})
    await home.refresh()
    twin = known("S2", leaves=leaves)
    home.acs.add(twin, Cpe(dict(leaves)))
    boxes = [await lookup.find(home.nbi, serial, limit_s=60) for serial in ("S1", "S2")]
    results = await asyncio.gather(*(home.refresher.refresh(box) for box in boxes))
    assert {result.outcome for result in results} == {TaskOutcome.EXECUTED}
    assert (home.acs.tasks, home.acs.faults) == ({}, {})
    assert BIAS in results[0].detail
    assert usable(results[1], "optical.bias_ma") == {"": 16.6}


async def test_what_an_earlier_run_left_queued_is_removed_before_the_box_is_asked():
    home = Home()
    fault_id, task_id = f"{home.document['_id']}:task_{'a' * 24}", "a" * 24
    home.acs.tasks[task_id] = {
        "_id": task_id, "device": home.document["_id"], "uniqueKey": "gigafibre-cpe-refresh",
        "name": "getParameterValues", "parameterNames": [RX],
        "expiry": "2026-01-01T00:00:00.000Z",
    }  # fmt: skip
    home.acs.faults[fault_id] = {"_id": fault_id, "code": "session_terminated", "message": "x"}
    assert (await home.refresh()).outcome is TaskOutcome.EXECUTED
