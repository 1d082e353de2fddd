"""An admin UI that lists a device, node or band twice tells of one device, one node, two radios."""

from datetime import UTC, datetime

import pytest

from cpe.access.bridge.interface import Harvest
from cpe.access.bridge.meaning import measured
from cpe.profiles.bridge_profile import bridge_profile
from cpe.rules.facts import to_judge

AT = datetime(2026, 12, 1, tzinfo=UTC)
DEVICES, NODES, RADIOS = "DEV2_WIFI_APDEV_ASSOCDEV", "DEV2_WIFI_APDEV", "DEV2_ADT_WIFI_COMMON"


def values(oid, *rows, name):
    told = measured(Harvest({oid: list(rows)}), bridge_profile().reads, at=AT).measurements
    subjects = dict.fromkeys(m.subject for m in told if m.name == name)
    best = {s: to_judge(m for m in told if (m.name, m.subject) == (name, s)) for s in subjects}
    return {s: m.value if m is not None else None for s, m in best.items()}


def device(mac, rcpi, stack="0,2,0", active="1", **more):
    return {"MACAddress": mac, "signalStrength": str(rcpi), "stack": stack, "active": active,
            **more}  # fmt: skip


@pytest.mark.parametrize("second", ["5CF900000001", "5c:f9:00:00:00:01", "5C-F9-0-0-0-1"])
def test_a_wifi_7_device_is_one_with_its_best_link(second):
    rows = device("5C:F9:00:00:00:01", 52, stack="0,1,0"), device(second, 116)
    subject = "station:5C:F9:00:00:00:01"
    assert values(DEVICES, *rows, name="station.rssi_dbm") == {subject: -52.0}
    assert values(DEVICES, *rows, name="station.band") == {subject: "5"}


def test_a_row_that_a_device_left_behind_does_not_count():
    rows = device("5C:F9:00:00:00:01", 116, active="0"), device("5c:f9:00:00:00:01", 44)
    assert list(values(DEVICES, *rows, name="station.rssi_dbm").values()) == [-88.0]


def test_a_satellite_that_left_a_row_behind_is_there():
    gone = {"MACAddress": "1C61C1000002", "X_TP_Active": "0", "backhaulSignalStrength": "0"}
    here = {"MACAddress": "1c-61-c1-00-00-02", "X_TP_Active": "1", "backhaulSignalStrength": "90"}
    for rows in ((gone, here), (here, gone)):
        assert list(values(NODES, *rows, name="node.active").values()) == [True]
        assert list(values(NODES, *rows, name="node.backhaul_rssi_dbm").values()) == [-65.0]


def test_two_radios_of_one_band_are_two():
    rows = ({"band": "2.4GHz", "channel": "6"}, {"band": "5GHz", "channel": "36"},
            {"band": "5G", "channel": "149"})  # fmt: skip
    told = values(RADIOS, *rows, name="wifi.channel")
    assert told == {"radio:2.4": 6, "radio:5": 36, "radio:5-2": 149}


@pytest.mark.parametrize(
    ("raw", "mbps"), [("867", 867), ("960000", 960.0), ("1200", None), ("0", None)]
)
def test_a_devices_rate_is_in_the_unit_that_it_can_only_be_in(raw, mbps):
    row = device("5C:F9:00:00:00:01", 110, lastDataDownlinkRate=raw)
    assert list(values(DEVICES, row, name="station.rate_mbps").values()) == [mbps]


def test_a_devices_signal_may_be_in_dbm():
    row = device("5C:F9:00:00:00:01", -61)
    assert list(values(DEVICES, row, name="station.rssi_dbm").values()) == [-61]
