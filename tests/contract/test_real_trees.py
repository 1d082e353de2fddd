"""The trees of a real XX230v and a real EG8145V5 normalise with nothing misread."""

from datetime import UTC, datetime, timedelta

import pytest

from cpe.access.genieacs.document import node_at
from cpe.access.genieacs.family import connection_request_url
from cpe.access.genieacs.lookup import sighting
from cpe.access.genieacs.plan import projection
from cpe.domain.observation import Quality
from cpe.domain.redaction import is_secret_name
from cpe.profiles.cpe_profile import profiles
from tests.support.trees import document

pytestmark = pytest.mark.recorded
NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
TPLINK = ("tplink_xx230v_1.0.csv", {"_Manufacturer": "TP-Link", "_SerialNumber": "22275A7009001"})
HUAWEI = (
    "huawei_eg8145v5.csv",
    {"_Manufacturer": "Huawei Technologies Co., Ltd", "_SerialNumber": "48575443A9419001"},
)


def look(tree, **changes):
    file, identity = tree
    doc = document(file, identity, NOW - timedelta(seconds=5))
    for path, value in changes.items():
        node = doc
        for step in path.split("."):
            node = node[step]
        node["_value"] = value
    return sighting(doc, now=NOW, limit_s=60)


def values(seen):
    return {(m.name, m.subject): m.value for m in seen.measurements}


def test_the_xx230v_is_known_for_what_it_is():
    device = look(TPLINK).device
    assert (device.family, device.model) == ("tplink", "XX230v")
    assert device.gpon_serial == "TPLGB4D00744"
    assert device.mac == "1C:61:B4:D0:07:45"
    assert device.firmware == "0.6.0 3.0.0 v6066.0 Build 220630 Rel.56119n"


@pytest.mark.parametrize(
    ("name", "subject", "value"),
    [
        ("optical.rx_dbm", "", -2.5),
        ("optical.tx_dbm", "", 1.73),
        ("optical.temperature_c", "", 47.9),
        ("optical.voltage_mv", "", 3298),
        ("optical.bias_ma", "", 16.6),
        ("optical.onu_state", "", "O5"),
        ("device.uptime_s", "", 15687),
        ("wifi.utilisation_pct", "radio:2.4", 51.0),
        ("wifi.utilisation_pct", "radio:5", 27.8),
        ("wifi.channel", "radio:2.4", 10),
        ("wifi.channel", "radio:5", 153),
        ("wifi.status", "radio:5", "up"),
        ("wifi.enabled", "radio:2.4", True),
        ("wifi.noise_dbm", "radio:2.4", None),
        ("wifi.noise_dbm", "radio:5", None),
        ("station.rssi_dbm", "station:3C:06:30:E5:1D:17", -60.0),
        ("station.rate_mbps", "station:3C:06:30:E5:1D:17", 960.0),
        ("station.band", "station:3C:06:30:E5:1D:17", "5"),
        ("station.active", "station:3C:06:30:E5:1D:17", False),
        ("node.is_controller", "node:1C:61:B4:D0:07:45", True),
        ("node.backhaul_type", "node:1C:61:B4:D0:07:45", "none"),
        ("node.backhaul_rssi_dbm", "node:1C:61:B4:D0:07:45", None),
        ("wan.status", "wan:Device.PPP.Interface.3", "connected"),
        ("wan.ip", "wan:Device.IP.Interface.6", "192.168.89.137"),
        ("lan.status", "lan:LAN1", "up"),
        ("lan.rate_mbps", "lan:LAN1", None),
    ],
)
def test_a_quantity_of_the_xx230v_is_what_the_device_meant(name, subject, value):
    assert values(look(TPLINK))[name, subject] == value


def test_no_placeholder_of_the_xx230v_became_a_reading():
    for m in look(TPLINK).measurements:
        if m.name in ("wifi.noise_dbm", "node.backhaul_rssi_dbm", "lan.rate_mbps"):
            assert m.quality is Quality.SENTINEL, m


def test_nothing_in_either_tree_is_a_stranger():
    odd = (Quality.UNKNOWN_VALUE, Quality.UNPARSABLE, Quality.IMPLAUSIBLE)
    for tree in (TPLINK, HUAWEI):
        assert [m for m in look(tree).measurements if m.quality in odd] == []


def test_the_evidence_records_path_raw_value_and_conversion():
    rx = next(m for m in look(TPLINK).measurements if m.name == "optical.rx_dbm")
    assert rx.path == "Device.Optical.Interface.1.X_TP_GPON_Config.RXPower"
    assert (rx.raw, rx.conversion, rx.unit) == (5624, "tenth_microwatt_to_dbm", "dBm")
    assert rx.age_s == 5.0


def test_the_operators_firmware_serves_its_light_as_text():
    file, identity = TPLINK
    doc = document(file, identity, NOW - timedelta(seconds=5))
    interface = doc["Device"]["Optical"]["Interface"]["1"]
    del interface["X_TP_GPON_Config"]
    stamp = (NOW - timedelta(seconds=3)).isoformat()
    leaf = {"_object": False, "_value": "-18.69", "_type": "xsd:string", "_timestamp": stamp}
    interface["Stats"]["SignalRxPower"] = leaf
    rx = next(
        m for m in sighting(doc, now=NOW, limit_s=60).measurements if m.name == "optical.rx_dbm"
    )
    assert (rx.value, rx.conversion, rx.age_s) == (-18.69, "identity", 3.0)


def test_zero_in_every_optical_leaf_is_no_reading_and_no_overload():
    seen = look(TPLINK, **{"Device.Optical.Interface.1.X_TP_GPON_Config.RXPower": 0})
    rx = next(m for m in seen.measurements if m.name == "optical.rx_dbm")
    assert (rx.value, rx.quality) == (None, Quality.SENTINEL)


def test_a_strange_band_is_announced():
    seen = look(TPLINK, **{"Device.WiFi.Radio.1.Status": "Banana"})
    odd = [m for m in seen.measurements if m.quality is Quality.UNKNOWN_VALUE]
    assert [(m.name, m.raw) for m in odd] == [("wifi.status", "Banana")]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("optical.rx_dbm", -3),
        ("optical.tx_dbm", 2),
        ("optical.temperature_c", 45),
        ("optical.voltage_mv", 3415),
        ("optical.errors_fec", 0),
        ("device.uptime_s", 89910),
    ],
)
def test_a_quantity_of_the_eg8145v5_is_what_the_device_meant(name, value):
    assert values(look(HUAWEI))[name, ""] == value


def test_the_eg8145v5_is_known_by_its_hex_gpon_serial():
    device = look(HUAWEI).device
    assert (device.family, device.gpon_serial) == ("huawei", "HWTCA9419001")
    assert device.ip == "192.168.88.59"


def test_whole_dbm_are_known_to_be_coarse():
    rx = next(m for m in look(HUAWEI).measurements if m.name == "optical.rx_dbm")
    assert rx.resolution == 1


def test_only_the_standard_itself_is_said_to_lack_utilisation():
    """This very tree has a ChannelUtilization, of a unit that nobody states."""
    assert look(HUAWEI).cannot_report == ()
    standard = next(p for p in profiles() if p.id == "tr098")
    assert "wifi.utilisation_pct" in standard.cannot_report


@pytest.mark.parametrize(
    ("raw", "value", "quality"),
    [
        (45, 17.6, Quality.OK),
        (75, 29.4, Quality.OK),
        (76, None, Quality.UNKNOWN_VALUE),
        (100, None, Quality.UNKNOWN_VALUE),
        (101, 39.6, Quality.OK),
        (230, 90.2, Quality.OK),
    ],
)
def test_a_backhaul_load_that_may_be_of_255_or_of_100_is_not_guessed(raw, value, quality):
    seen = look(TPLINK, **{"Device.WiFi.MultiAP.APDevice.1.BackhaulLinkUtilization": raw})
    load = next(m for m in seen.measurements if m.name == "node.backhaul_utilisation_pct")
    assert (load.value, load.quality) == (value, quality)


def test_readings_older_than_the_limit_are_stale_one_by_one():
    file, identity = TPLINK
    doc = document(file, identity, NOW - timedelta(seconds=5))
    old = (NOW - timedelta(seconds=60.2)).isoformat()
    doc["Device"]["WiFi"]["Radio"]["1"]["Status"]["_timestamp"] = old
    seen = sighting(doc, now=NOW, limit_s=60)
    stale = [(m.name, m.subject) for m in seen.measurements if m.quality is Quality.STALE]
    assert stale == [("wifi.status", "radio:2.4")]
    assert (seen.is_fresh, seen.oldest_age_s) == (False, 60.2)


def test_a_reading_exactly_as_old_as_the_limit_is_fresh():
    file, identity = TPLINK
    seen = sighting(document(file, identity, NOW - timedelta(seconds=60)), now=NOW, limit_s=60)
    assert (seen.is_fresh, seen.oldest_age_s) == (True, 60.0)


def test_the_refresh_asks_for_the_leaves_that_exist_and_for_tables_by_wildcard():
    seen = look(TPLINK)
    asked = set(seen.refresh_paths)
    assert "Device.Optical.Interface.1.X_TP_GPON_Config.RXPower" in asked
    assert "Device.Optical.Interface.1.OpticalSignalLevel" not in asked
    assert "Device.WiFi.MultiAP.APDevice.*.Radio.*.AP.*.AssociatedDevice.*.MACAddress" in asked
    assert len(asked) < 120
    assert set(seen.proof_paths) <= asked
    assert "Device.Optical.Interface.1.X_TP_GPON_Config.RXPower" in seen.leaf_times


def test_a_box_that_was_never_read_is_asked_for_all_it_may_have():
    file, identity = TPLINK
    doc = document(file, identity, NOW)
    bare = {k: v for k, v in doc.items() if k.startswith("_")}
    url = {"_object": False, "_value": "http://127.0.0.1:7600/x", "_timestamp": NOW.isoformat()}
    bare["Device"] = {"ManagementServer": {"ConnectionRequestURL": url}}
    seen = sighting(bare, now=NOW, limit_s=60)
    assert not seen.is_fresh
    assert seen.oldest_age_s is None
    assert "Device.Optical.Interface.*.X_TP_GPON_Config.RXPower" in seen.refresh_paths
    assert "Device.WiFi.Radio.*.Status" in seen.refresh_paths


@pytest.mark.parametrize("tree", [TPLINK, HUAWEI])
def test_nothing_that_is_read_of_a_real_box_is_a_secret(tree):
    doc = document(*tree, NOW)
    family = look(tree).device.family
    read = [p for path in projection(family) for p in below(node_at(doc, path), path)]
    assert len(read) > 100
    assert [p for p in read if is_secret_name(p)] == [connection_request_url(family_root(family))]


def below(node, path):
    if node is None or not isinstance(node, dict):
        return
    if "_value" in node:
        yield path
    for key, child in node.items():
        if not key.startswith("_"):
            yield from below(child, f"{path}.{key}")


def family_root(family):
    return next(p.match.root for p in profiles() if p.id == family)
