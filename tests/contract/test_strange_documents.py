"""Documents of boxes nobody has met: nothing misread, nothing taken for healthy."""

from datetime import timedelta

import pytest

from cpe.access.genieacs.lookup import sighting
from cpe.access.genieacs.rows import further_paths
from cpe.answer.document import document
from cpe.domain.casebook import Casebook
from cpe.domain.observation import Quality
from cpe.domain.snapshot import Request
from cpe.profiles.cpe_profile import profiles
from cpe.profiles.thresholds import load_thresholds
from cpe.rules.judge import judge
from tests.support.boxes import GENERIC, NOW, TPLINK, UNREAD, box

OPTICS = "Device.Optical.Interface.1"
RX = f"{OPTICS}.X_TP_GPON_Config.RXPower"
LEVEL = f"{OPTICS}.OpticalSignalLevel"
SIGNAL = f"{OPTICS}.Stats.SignalRxPower"
CT_RX = "InternetGatewayDevice.WANDevice.1.X_CT-COM_GponInterfaceConfig.RXPower"
ZTE_RX = "InternetGatewayDevice.WANDevice.1.X_ZTE-COM_WANPONInterfaceConfig.RXPower"


def look(document, *, limit_s=60):
    return sighting(document, now=NOW, limit_s=limit_s)


def reading(seen, name, subject=""):
    return next(m for m in seen.measurements if (m.name, m.subject) == (name, subject))


def value(seen, name, subject=""):
    return reading(seen, name, subject).value


def answered(book):
    snapshot = book.close(NOW)
    judged = judge(snapshot, load_thresholds(None))
    return document(snapshot, judged.findings, judged.verdict, judged.ruleset, finished_at=NOW)


def vendor(manufacturer):
    return {"_Manufacturer": manufacturer, "_ProductClass": "x", "_SerialNumber": "S1"}


@pytest.mark.parametrize(
    ("manufacturer", "root", "family"),
    [
        ("TP-LINK", "Device", "tplink"),
        ("TP-Link Technologies Co., Ltd", "Device", "tplink"),
        ("TP LINK", "Device", "tplink"),
        ("ZTE Corporation", "InternetGatewayDevice", "zte"),
        ("Nokia", "InternetGatewayDevice", "nokia"),
        ("ALCL", "InternetGatewayDevice", "nokia"),
        ("HUAWEI TECHNOLOGIES CO.,LTD", "InternetGatewayDevice", "huawei"),
        ("FiberHome", "InternetGatewayDevice", "tr098"),
        ("Nokia", "Device", "tr181"),
        ("Zyxel", "Device", "tr181"),
    ],
)
def test_a_manufacturer_is_known_however_it_is_spelled(manufacturer, root, family):
    document = box({f"{root}.DeviceInfo.UpTime": 3}, identity=vendor(manufacturer), root=root)
    assert look(document).device.family == family


def test_another_makers_ex_model_is_no_tplink_and_gets_no_derived_gpon_serial():
    document = box(
        {
            "Device.DeviceInfo.ModelName": "EX3301-T0",
            "Device.Ethernet.Interface.1.MACAddress": "1C:61:B4:D0:07:45",
        },
        identity=vendor("Zyxel"),
    )
    device = look(document).device
    assert (device.family, device.gpon_serial) == ("tr181", None)


def test_a_box_without_a_manufacturer_is_known_by_its_model_or_its_own_parameters():
    by_model = box({"Device.DeviceInfo.ModelName": "XX230v"}, identity={"_SerialNumber": "S1"})
    by_path = box({RX: 5624}, identity=vendor("Unbranded"))
    assert look(by_model).device.family == "tplink"
    assert look(by_path).device.family == "tplink"


def test_of_two_data_models_the_one_informed_last_is_read():
    old = "InternetGatewayDevice"
    document = box(
        {
            f"{old}.DeviceInfo.SoftwareVersion": "1",
            ZTE_RX: 100,
            "Device.DeviceInfo.SoftwareVersion": "2",
            SIGNAL: "-18.69",
        },
        identity=vendor("ZTE"),
        ages_s={f"{old}.DeviceInfo.SoftwareVersion": 9e6, ZTE_RX: 9e6},
    )
    seen = look(document)
    assert (seen.device.family, value(seen, "optical.rx_dbm")) == ("tr181", -18.69)


def test_an_empty_root_left_by_a_projection_is_no_data_model():
    document = box({CT_RX: 100}, identity=vendor("FiberHome"), root="InternetGatewayDevice")
    document["Device"] = {}
    assert look(document).device.family == "tr098"


@pytest.mark.parametrize(
    ("path", "raw", "quality"),
    [
        (RX, 0, Quality.SENTINEL),
        (RX, 1, Quality.SENTINEL),
        (RX, -1, Quality.SENTINEL),
        (RX, 65535, Quality.SENTINEL),
        (RX, "", Quality.UNPARSABLE),
        (RX, "--", Quality.UNPARSABLE),
        (RX, "N/A", Quality.UNPARSABLE),
        (RX, True, Quality.UNPARSABLE),
        (RX, "5_624", Quality.UNPARSABLE),
        (RX, "nan", Quality.IMPLAUSIBLE),
        (RX, UNREAD, Quality.NOT_READ),
        (SIGNAL, -18690, Quality.IMPLAUSIBLE),
        (SIGNAL, -1869, Quality.IMPLAUSIBLE),
        (SIGNAL, "0", Quality.SENTINEL),
        (SIGNAL, "-40.00", Quality.SENTINEL),
        (SIGNAL, "-40 dBm", Quality.SENTINEL),
        (LEVEL, 0, Quality.SENTINEL),
        (LEVEL, -40000, Quality.SENTINEL),
        (LEVEL, -65536, Quality.SENTINEL),
    ],
)
def test_what_is_no_reading_of_the_light_is_never_judged(path, raw, quality):
    rx = reading(look(box({path: raw})), "optical.rx_dbm")
    assert (rx.value, rx.quality) == (None, quality)


@pytest.mark.parametrize("path", [CT_RX, ZTE_RX])
@pytest.mark.parametrize("raw", [0, 1, -1, 65535])
def test_a_placeholder_of_a_tr098_box_is_neither_weak_nor_overload(path, raw):
    document = box({path: raw}, identity=vendor("ZTE"), root="InternetGatewayDevice")
    assert reading(look(document), "optical.rx_dbm").quality is Quality.SENTINEL


@pytest.mark.parametrize(
    ("raw", "dbm"),
    [("-18.69 dBm", -18.69), ("-18.69dbm", -18.69), (-18.69, -18.69), (-19, -19), (" -19 ", -19)],
)
def test_a_power_in_dbm_reads_however_it_is_written(raw, dbm):
    assert value(look(box({SIGNAL: raw})), "optical.rx_dbm") == dbm


@pytest.mark.parametrize(
    ("path", "raw", "dbm"),
    [
        ("Device.Optical.Interface.2.X_TP_GPON_Config.RXPower", 5624, -2.5),
        ("Device.Optical.Interface.3.Stats.SignalRxPower", "-18.69", -18.69),
        ("Device.Optical.Interface.2.OpticalSignalLevel", -21500, -21.5),
        ("Device.XPON.ONU.1.ANI.2.Transceiver.1.RxPower", -215, -21.5),
        ("Device.XPON.ONU.1.ANI.1.Transceiver.2.RxPower", -215, -21.5),
    ],
)
def test_optics_of_another_instance_are_found_and_asked_for(path, raw, dbm):
    seen = look(box({path: raw}))
    assert value(seen, "optical.rx_dbm") == dbm
    assert path in seen.refresh_paths


def test_optics_of_another_wan_device_are_found():
    path = CT_RX.replace("WANDevice.1", "WANDevice.3")
    document = box({path: 100}, identity=vendor("FiberHome"), root="InternetGatewayDevice")
    assert value(look(document), "optical.rx_dbm") == -20.0


def test_an_idle_first_interface_does_not_hide_the_second():
    second = "Device.Optical.Interface.2.Stats.SignalRxPower"
    seen = look(box({SIGNAL: "-40", second: "-18.69"}))
    assert value(seen, "optical.rx_dbm") == -18.69


def test_a_placeholder_beside_a_truth_never_read_is_not_fresh_and_the_truth_is_asked_for():
    seen = look(box({LEVEL: 0, f"{OPTICS}.TransmitOpticalLevel": 0}))
    assert not seen.is_fresh
    assert any(path.endswith("X_TP_GPON_Config.RXPower") for path in seen.refresh_paths)


def test_a_box_that_says_it_has_no_light_just_now_is_fresh():
    assert look(box({RX: 0})).is_fresh


def test_what_was_only_informed_is_not_fresh_and_everything_is_asked_for():
    seen = look(box({"Device.DeviceInfo.SoftwareVersion": "1"}))
    assert (seen.is_fresh, seen.oldest_age_s) == (False, None)
    asked = " ".join(seen.refresh_paths)
    assert "X_TP_GPON_Config.RXPower" in asked
    assert "Device.WiFi.Radio.*.Status" in asked


def test_wifi_that_was_never_discovered_is_asked_for_though_the_optics_are_known():
    seen = look(box({RX: 5624, "Device.DeviceInfo.UpTime": 9}, age_s=900))
    assert "Device.WiFi.Radio.*.Status" in seen.refresh_paths


def test_a_table_of_which_only_an_informed_leaf_is_known_is_asked_for_whole():
    wan = "InternetGatewayDevice.WANDevice.1.WANConnectionDevice"
    document = box(
        {CT_RX: 100, f"{wan}.1.WANPPPConnection.1.ExternalIPAddress": "100.64.1.2"},
        identity=vendor("FiberHome"),
        root="InternetGatewayDevice",
        age_s=900,
    )
    asked = look(document).refresh_paths
    everywhere = "InternetGatewayDevice.WANDevice.*.WANConnectionDevice.*"
    assert f"{everywhere}.WANPPPConnection.*.ConnectionStatus" in asked


def test_whose_signal_it_is_is_read_again_with_the_signal():
    row = "Device.WiFi.AccessPoint.1.AssociatedDevice.1"
    seen = look(
        box(
            {RX: 5624, f"{row}.MACAddress": "AA:BB:CC:00:00:01", f"{row}.SignalStrength": -50},
            age_s=900,
        )
    )
    assert "Device.WiFi.AccessPoint.*.AssociatedDevice.*.MACAddress" in seen.refresh_paths


def test_what_is_judged_is_asked_for_before_what_is_only_shown():
    row = "Device.WiFi.AccessPoint.1.AssociatedDevice.1"
    leaves = {RX: 5624, f"{row}.MACAddress": "AA:BB:CC:00:00:01", f"{row}.SignalStrength": -50}
    asked = look(box(leaves, age_s=900)).refresh_paths
    rows = "Device.WiFi.AccessPoint.*.AssociatedDevice.*"
    assert asked.index(RX) < asked.index(f"{rows}.SignalStrength")
    assert asked.index(f"{rows}.SignalStrength") < asked.index(f"{rows}.OperatingStandard")


@pytest.mark.parametrize(
    ("age_s", "fresh"), [(0, True), (59.9, True), (60.0, True), (60.04, False), (60.1, False)]
)
def test_sixty_seconds_are_fresh_and_more_are_not(age_s, fresh):
    seen = look(box({RX: 5624}, age_s=age_s))
    assert seen.is_fresh is fresh
    assert (seen.oldest_age_s <= 60) is fresh


def test_a_reading_from_the_future_has_no_known_age():
    seen = look(box({RX: 5624}, age_s=-3600))
    assert not seen.is_fresh
    assert reading(seen, "optical.rx_dbm").quality is Quality.STALE
    assert reading(seen, "optical.rx_dbm").age_s is None


def test_a_second_of_two_clocks_is_no_future():
    assert look(box({RX: 5624}, age_s=-1.5)).is_fresh


def test_microseconds_and_offsets_are_read():
    document = box({RX: 5624})
    leaf = document["Device"]["Optical"]["Interface"]["1"]["X_TP_GPON_Config"]["RXPower"]
    leaf["_timestamp"] = "2026-11-23T20:59:50.123456+01:00"
    assert reading(look(document), "optical.rx_dbm").age_s == pytest.approx(9.9)


def test_a_document_without_a_data_model_or_an_inform_is_not_asked_for_anything():
    bare = {"_id": "OUI-S1", "_deviceId": {"_SerialNumber": "S1"}}
    seen = look(bare)
    assert (seen.is_fresh, seen.refresh_paths, seen.reachable_by_request) == (False, (), False)
    uninformed = box({RX: 5624})
    del uninformed["_lastInform"]
    assert not look(uninformed).reachable_by_request


def test_radios_of_three_bands_and_two_of_one_stay_apart():
    leaves = {RX: 5624}
    bands = ("2.4GHz", "5GHz", "5GHz", "6GHz")
    for number, band in enumerate(bands, 1):
        leaves[f"Device.WiFi.Radio.{number}.OperatingFrequencyBand"] = band
        leaves[f"Device.WiFi.Radio.{number}.Channel"] = number
    seen = look(box(leaves, identity=GENERIC))
    channels = {m.subject: m.value for m in seen.measurements if m.name == "wifi.channel"}
    assert channels == {"radio:2.4": 1, "radio:5": 2, "radio:5-2": 3, "radio:6": 4}


def test_the_air_is_read_where_the_operators_firmware_serves_it():
    row = "Device.WiFi.MultiAP.APDevice.1.Radio.2"
    seen = look(
        box(
            {
                RX: 5624,
                f"{row}.OperatingFrequencyBand": "5GHz",
                f"{row}.Noise": -92,
                f"{row}.Utilization": 19,
            }
        )
    )
    assert value(seen, "wifi.noise_dbm", "radio:5") == -92
    assert value(seen, "wifi.utilisation_pct", "radio:5") == 19


def test_a_utilisation_above_a_hundred_is_of_the_other_scale():
    row = "Device.WiFi.MultiAP.APDevice.1.Radio.2"
    seen = look(box({f"{row}.OperatingFrequencyBand": "5GHz", f"{row}.Utilization": 204}))
    assert value(seen, "wifi.utilisation_pct", "radio:5") == 80.0


@pytest.mark.parametrize(
    "row",
    ["Device.WiFi.MultiAP.APDevice.1.Radio.2", "Device.WiFi.DataElements.Network.Device.1.Radio.2"],
)
def test_air_that_is_never_busy_was_not_measured(row):
    """A radio that is on hears at least its own beacons; 0 is TP-Link's word for no reading."""
    bands = {f"{row}.OperatingFrequencyBand": "5GHz", f"{row}.X_TP_Band": "5GHz"}
    seen = look(box({**bands, f"{row}.Utilization": 0}))
    [load] = [m for m in seen.measurements if m.name == "wifi.utilisation_pct"]
    assert (load.subject, load.value, load.quality) == ("radio:5", None, Quality.SENTINEL)


def test_the_lan_bridge_is_no_wan_whatever_its_case():
    seen = look(
        box(
            {
                "Device.IP.Interface.1.Name": "LAN",
                "Device.IP.Interface.1.Status": "Up",
                "Device.IP.Interface.2.Name": "ppp0",
                "Device.IP.Interface.2.Status": "Up",
            }
        )
    )
    assert {m.subject for m in seen.measurements if m.name == "wan.status"} == {
        "wan:Device.IP.Interface.2"
    }


def test_a_leaf_with_neither_value_nor_time_is_asked_for_again():
    seen = look(box({RX: UNREAD, "Device.DeviceInfo.UpTime": 5}, identity=TPLINK))
    assert not seen.is_fresh
    assert RX in seen.refresh_paths


def test_a_value_without_a_time_is_not_read():
    document = box({RX: 5624})
    del document["Device"]["Optical"]["Interface"]["1"]["X_TP_GPON_Config"]["RXPower"]["_timestamp"]
    seen = look(document)
    assert reading(seen, "optical.rx_dbm").quality is Quality.NOT_READ
    assert not seen.is_fresh


def test_the_last_inform_says_nothing_about_an_older_reading():
    seen = look(box({RX: 5624}, age_s=61, informed_s=1))
    assert not seen.is_fresh
    assert seen.last_inform == NOW - timedelta(seconds=1)


def test_the_node_without_a_backhaul_is_the_controller_whatever_mac_the_box_names():
    network = "Device.WiFi.DataElements.Network.Device"
    seen = look(
        box(
            {
                "Device.Ethernet.Link.1.MACAddress": "AA:00:00:00:00:09",
                f"{network}.1.ID": "AA:00:00:00:00:01",
                f"{network}.1.MultiAPDevice.Backhaul.LinkType": "None",
                f"{network}.2.ID": "AA:00:00:00:00:02",
                f"{network}.2.MultiAPDevice.Backhaul.LinkType": "Wi-Fi",
            },
            identity=GENERIC,
        )
    )
    book = Casebook("x", Request("S1"), NOW, 60)
    book.found(seen)
    answer = answered(book)
    assert [n["role"] for n in answer["mesh"]["nodes"]] == ["controller", "satellite"]


@pytest.mark.parametrize("raw", [10**400, -(10**400), 1e308, True, "1e999", "9" * 500, "--5"])
def test_a_number_beyond_all_reason_is_no_reading_and_no_crash(raw):
    seen = look(box({RX: raw, "Device.DeviceInfo.UpTime": raw}))
    assert value(seen, "optical.rx_dbm") is None
    assert value(seen, "device.uptime_s") is None


@pytest.mark.parametrize(("rx", "tx"), [(-21, 2), ("-21.5", "2.3"), (-3, 1)])
@pytest.mark.parametrize("identity", [GENERIC, TPLINK])
def test_levels_that_look_like_whole_dbm_are_not_read_as_thousandths(identity, rx, tx):
    """-0.02 dBm would be an overload, 0.002 dBm a laser out of class: a box to replace."""
    told = {f"{OPTICS}.OpticalSignalLevel": rx, f"{OPTICS}.TransmitOpticalLevel": tx}
    seen = look(box(told, identity=identity))
    for name in ("optical.rx_dbm", "optical.tx_dbm"):
        assert value(seen, name) is None
        assert reading(seen, name).quality is Quality.UNKNOWN_VALUE
    told = {f"{OPTICS}.OpticalSignalLevel": -21500, f"{OPTICS}.TransmitOpticalLevel": 2100}
    seen = look(box(told, identity=identity))
    assert (value(seen, "optical.rx_dbm"), value(seen, "optical.tx_dbm")) == (-21.5, 2.1)


@pytest.mark.parametrize(
    ("serial", "oui", "gpon"),
    [
        ("A4B1C2D3E4F5", "A4B1C2", None),
        ("a4b1c2d3e4f5", "A4B1C2", None),
        ("ZTEGC1234567", "A4B1C2", "ZTEGC1234567"),
        ("DD16B3123456", "A4B1C2", "DD16B3123456"),
    ],
)
def test_a_serial_that_is_the_boxs_mac_is_no_gpon_serial(serial, oui, gpon):
    identity = {**vendor("Sagemcom"), "_SerialNumber": serial, "_OUI": oui}
    seen = look(box({"Device.DeviceInfo.UpTime": 3}, identity=identity))
    book = Casebook("x", Request(serial), NOW, 60)
    book.found(seen)
    assert (seen.device.gpon_serial, book.close(NOW).device.gpon_serial) == (gpon, gpon)


def test_an_instance_that_is_no_number_is_none():
    seen = look(box({f"{OPTICS}.X_TP_GPON_Config.RXPower": 272, "Device.WiFi.Radio.².Channel": 6}))
    assert value(seen, "optical.rx_dbm") == -15.65


@pytest.mark.parametrize("raw", [0, "0", "0.000000", "-40"])
def test_a_nokias_placeholder_is_no_laser_out_of_class(raw):
    path = "InternetGatewayDevice.X_ALU_OntOpticalParam.TXPower"
    seen = look(box({path: raw}, identity=vendor("ALCL"), root="InternetGatewayDevice"))
    assert reading(seen, "optical.tx_dbm").quality is Quality.SENTINEL


@pytest.mark.parametrize(
    ("maker", "column"),
    [
        ("ZTE", "X_ZTE-COM_ServiceList"), ("ZTE", "X_CT-COM_ServiceList"),
        ("ALCL", "X_ALU-COM_ServiceList"), ("Nokia", "X_CT-COM_ServiceList"),
        ("Huawei", "X_HW_SERVICELIST"), ("FiberHome", "X_FH_ServiceList"),
        ("Raisecom", "X_CT-COM_ServiceList"),
    ],
)  # fmt: skip
def test_the_acs_own_connection_does_not_pass_for_the_customers(maker, column):
    wans = "InternetGatewayDevice.WANDevice.1.WANConnectionDevice"
    acs, internet = f"{wans}.1.WANIPConnection.1", f"{wans}.2.WANPPPConnection.1"
    document = box(
        {
            f"{acs}.ConnectionStatus": "Connected", f"{acs}.{column}": "TR069",
            f"{internet}.ConnectionStatus": "Disconnected", f"{internet}.{column}": "INTERNET",
        },
        identity=vendor(maker), root="InternetGatewayDevice",
    )  # fmt: skip
    seen = look(document)
    assert value(seen, "wan.service", f"wan:{acs}") == "TR069"
    assert value(seen, "wan.service", f"wan:{internet}") == "INTERNET"
    family = next(p for p in profiles() if p.id == seen.device.family)
    asked = {path for reads in (1, 2) for path in further_paths(document, family, reads)}
    assert asked >= {f"{acs}.{column}", f"{internet}.{column}"}
