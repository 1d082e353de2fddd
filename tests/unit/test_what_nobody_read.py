"""That our profile has no path for a thing is no proof that the box has none."""

import pytest

from cpe.access.genieacs.plan import projection
from cpe.domain.finding import Status
from cpe.domain.verdict import Code
from cpe.profiles.cpe_profile import profiles
from tests.support.documents import GOOD_098, GOOD_181, judged, look, values

LAN = "InternetGatewayDevice.LANDevice.1.WLANConfiguration"
HOME = ("client.signal_is_good", "client.snr_is_good", "client.retries_are_few",
        "mesh.nodes_are_active", "mesh.backhaul_signal_is_good", "mesh.backhaul_has_room",
        "mesh.backhaul_is_fast_enough", "wifi.errors_are_few",
        "hardware.radios_are_up")  # fmt: skip


def finding(said, rule):
    return next(f for f in said.findings if f.rule == rule)


def phones(leaf, bad, good=-50, **more):
    leaves = dict(GOOD_098)
    for number, rssi in ((1, good), (2, good), (3, bad)):
        row = f"{LAN}.5.AssociatedDevice.{number}"
        leaves |= {f"{row}.AssociatedDeviceMACAddress": f"5C:F9:00:00:00:0{number}",
                   f"{row}.{leaf}": rssi}  # fmt: skip
        leaves |= {f"{row}.{name}": value for name, value in more.items()}
    return leaves


@pytest.mark.parametrize(
    ("maker", "leaf"),
    [
        ("Huawei", "X_HW_RSSI"), ("ALCL", "SignalStrength"), ("Nokia", "SignalStrength"),
        ("ZTE", "AssociatedDeviceRssi"), ("ZTE", "X_ZTE-COM_WLAN_RSSI"),
        ("ZTE", "X_ZTE-COM_RSSI"), ("FiberHome", "AssociatedDeviceRSSI"),
        ("FiberHome", "X_FH_RSSI"), ("Realtek", "X_CT-COM_RSSI"), ("ACME", "SignalStrength"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("as_text", [False, True])
def test_a_weak_device_of_any_maker_is_seen(maker, leaf, as_text):
    bad, good = ("-88", "-50") if as_text else (-88, -50)
    said = judged(phones(leaf, bad, good), maker=maker)
    assert said.verdict.code is Code.CLIENT_DEVICE
    assert "5C:F9:00:00:00:03" in said.verdict.text.en


def test_a_huawei_dummy_does_not_hide_the_signal():
    leaves = phones("X_HW_RSSI", -88, SignalStrength=0)
    assert judged(leaves, maker="Huawei").verdict.code is Code.CLIENT_DEVICE


@pytest.mark.parametrize("maker", ["Huawei", "ZTE", "Nokia", "FiberHome"])
def test_a_signal_in_per_cent_is_no_signal_and_is_named(maker):
    said = judged(phones("SignalStrength", 68, 80), maker=maker)
    assert finding(said, "client.signal_is_good").status is Status.UNKNOWN
    assert "client.signal_is_good" in {n.rule for n in said.verdict.not_evaluable}


@pytest.mark.parametrize("maker", ["Huawei", "ZTE", "Nokia", "ACME"])
def test_a_signal_that_nobody_has_a_path_for_is_named(maker):
    said = judged(phones("X_NEW_Signal", -88), maker=maker)
    named = {n.rule for n in said.verdict.not_evaluable}
    assert {"client.signal_is_good", "client.snr_is_good", "client.retries_are_few"} <= named
    assert said.verdict.code is Code.HEALTHY


def satellite(online, number=1, **more):
    row = f"InternetGatewayDevice.X_HW_APDevice.{number}"
    leaves = {f"{row}.APMacAddr": f"0273-E251-DA0{number}", f"{row}.ApOnlineFlag": online,
              f"{row}.DeviceType": "K251e"}  # fmt: skip
    return leaves | {f"{row}.{name}": value for name, value in more.items()}


@pytest.mark.parametrize("online", [False, "false", "0", 0])
def test_a_huawei_satellite_that_is_gone_is_a_mesh_fault(online):
    said = judged(GOOD_098 | satellite(online), maker="Huawei")
    assert said.verdict.code is Code.MESH_BACKHAUL
    assert "02:73:E2:51:DA:01" in said.verdict.text.fr


def test_the_first_satellite_of_a_list_without_the_box_is_no_box():
    mac = {"InternetGatewayDevice.LANDevice.1.LANEthernetInterfaceConfig.1.MACAddress":
           "02:00:00:00:00:01"}  # fmt: skip
    both = satellite("0", 1) | satellite("1", 2)
    said = judged(GOOD_098 | mac | both, maker="Huawei")
    assert said.verdict.code is Code.MESH_BACKHAUL
    assert len(finding(said, "mesh.nodes_are_active").evidence) == 2


def test_of_a_satellite_only_what_is_judged_is_read():
    """Each has its own WLANConfiguration, passphrases and all."""
    paths = [p for p in projection("huawei") if "X_HW_APDevice" in p and "_timestamp" not in p]
    assert {p.rpartition(".")[2] for p in paths} == {
        "APMacAddr", "ApOnlineFlag", "DeviceType", "UplinkType",
    }  # fmt: skip


def test_a_satellite_on_fibre_has_no_radio_backhaul():
    said = judged(GOOD_098 | satellite("1", UplinkType="PON"), maker="Huawei")
    assert finding(said, "mesh.nodes_are_active").status is Status.OK
    assert finding(said, "mesh.backhaul_signal_is_good").status is Status.NOT_APPLICABLE


def test_an_uplink_of_unknown_name_is_announced_and_its_signal_named():
    leaves = GOOD_098 | satellite("1", UplinkType="Li-Fi")
    said = judged(leaves, maker="Huawei")
    assert values(look(leaves, maker="Huawei"), "node.backhaul_type") == {}
    assert finding(said, "mesh.backhaul_signal_is_good").status is Status.UNKNOWN


@pytest.mark.parametrize("good", [GOOD_181, GOOD_098])
def test_lists_that_nobody_read_are_named_and_do_not_stand_in_the_way(good):
    said = judged(good)
    assert said.verdict.code is Code.HEALTHY
    assert set(HOME) <= {n.rule for n in said.verdict.not_evaluable}
    for rule in HOME:
        assert finding(said, rule).status is Status.UNKNOWN


@pytest.mark.parametrize("good", [GOOD_181, GOOD_098])
def test_lists_that_were_read_and_are_empty_are_not_applicable(good):
    said = judged(good, tables_read=("station", "node", "radio"))
    named = {n.rule for n in said.verdict.not_evaluable}
    for rule in HOME:
        if rule != "wifi.errors_are_few":
            assert finding(said, rule).status is Status.NOT_APPLICABLE
            assert rule not in named


def test_a_box_that_is_its_whole_mesh_has_no_satellite():
    leaves = GOOD_181 | {"Device.WiFi.DataElements.Network.Device.1.ID": "02:00:00:00:00:01"}
    assert finding(judged(leaves), "mesh.nodes_are_active").status is Status.NOT_APPLICABLE


def test_what_a_family_cannot_report_is_stated_by_its_own_profile():
    """A maker's extension may report what the standard lacks: nothing is inherited."""
    stated = {p.id: p.cannot_report for p in profiles()}
    assert stated.pop("tr098") == ("wifi.utilisation_pct", "wifi.noise_dbm")
    assert set(stated.values()) == {()}
