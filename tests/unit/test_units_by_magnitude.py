"""A rate or signal is in the unit that its number can only be in, or in none."""

import pytest

from tests.support.documents import GOOD_098, GOOD_181, look

PHONE = "5C:F9:00:00:00:01"
AP, DE, MAP = "Device.WiFi.AccessPoint", "Device.WiFi.DataElements.Network.Device", (
    "Device.WiFi.MultiAP.APDevice"
)  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "mbps"),
    [(867, 867), (866_000, 866.0), (54, 54), (1_200, None), (6_500, None), (11_530, None),
     (11_531, 11.531), (2_402_000, 2402.0), (0, None), (866_000_000, 866.0)],
)  # fmt: skip
@pytest.mark.parametrize("table", ["AccessPoint", "DataElements", "MultiAP"])
def test_a_rate_is_in_the_unit_that_it_can_only_be_in(table, raw, mbps):
    row = {
        "AccessPoint": f"{AP}.1.AssociatedDevice.1",
        "DataElements": f"{DE}.1.Radio.1.BSS.1.STA.1",
        "MultiAP": f"{MAP}.1.Radio.1.AP.1.AssociatedDevice.1",
    }[table]
    seen = look(
        GOOD_181 | {f"{row}.MACAddress": PHONE, f"{row}.LastDataDownlinkRate": raw}, maker="TP-Link"
    )
    [told] = [m for m in seen.measurements if m.name == "station.rate_mbps"]
    assert told.value == mbps
    if mbps is None:
        assert told.note
        assert told.quality.value in ("unknown_value", "sentinel")


@pytest.mark.parametrize(
    ("path", "raw", "mbps"),
    [
        (f"{MAP}.2.X_TP_LinkRate", 866, 866), (f"{MAP}.2.X_TP_LinkRate", 866_000, 866.0),
        (f"{MAP}.2.X_TP_LinkRate", 6_500, None),
        (f"{DE}.2.MultiAPDevice.Backhaul.Stats.LastDataDownlinkRate", 867, 867),
        (f"{DE}.2.MultiAPDevice.Backhaul.Stats.LastDataDownlinkRate", 1_201_000, 1201.0),
        (f"{DE}.2.MultiAPDevice.Backhaul.Stats.LastDataDownlinkRate", 1_201, None),
        (f"{DE}.2.BackhaulPHYRate", 1_201, 1201),
    ],
)  # fmt: skip
def test_a_backhauls_rate_is_in_the_unit_that_it_can_only_be_in(path, raw, mbps):
    named = {f"{MAP}.2.MACAddress": "02:00:00:00:00:02", f"{DE}.2.ID": "02:00:00:00:00:02"}
    seen = look(GOOD_181 | named | {path: raw}, maker="TP-Link")
    [told] = [m for m in seen.measurements if m.name == "node.backhaul_rate_mbps"]
    assert told.value == mbps


@pytest.mark.parametrize(("raw", "dbm"), [(100, -60.0), (-60, -60), (0, None), (255, None)])
def test_a_signal_is_rcpi_or_dbm_by_its_sign(raw, dbm):
    row = f"{DE}.1.Radio.1.BSS.1.STA.1"
    leaves = GOOD_181 | {f"{row}.MACAddress": PHONE, f"{row}.SignalStrength": raw}
    [told] = [m for m in look(leaves).measurements if m.name == "station.rssi_dbm"]
    assert told.value == dbm


@pytest.mark.parametrize(
    ("maker", "leaf", "raw", "mbps"),
    [
        ("Huawei", "X_HW_TxRate", 243, 243), ("Huawei", "X_HW_TxRate", 866_000, 866.0),
        ("ZTE", "X_ZTE-COM_TXRate", 65_000, 65.0), ("ZTE", "X_ZTE-COM_TXRate", 867, 867),
        ("ZTE", "X_ZTE-COM_TXRate", 2_402, None), ("ALCL", "LastDataTransmitRate", "300", 300),
        ("ACME", "LastDataTransmitRate", "866000", 866.0),
    ],
)  # fmt: skip
def test_the_rates_of_tr_098_makers_are_read_in_their_units(maker, leaf, raw, mbps):
    row = "InternetGatewayDevice.LANDevice.1.WLANConfiguration.5.AssociatedDevice.1"
    leaves = GOOD_098 | {f"{row}.AssociatedDeviceMACAddress": PHONE, f"{row}.{leaf}": raw}
    [told] = [m for m in look(leaves, maker=maker).measurements if m.name == "station.rate_mbps"]
    assert told.value == mbps


@pytest.mark.parametrize(
    ("raw", "mbps"),
    [(1000, 1000), (100, 100), (2_500, 2500), (100_000, 100.0), (1_000_000, 1000.0),
     (1_000_000_000, 1000.0), (10_000, None), (-1, None), (0, None)],
)  # fmt: skip
def test_a_ports_rate_is_in_the_unit_that_it_can_only_be_in(raw, mbps):
    row = "InternetGatewayDevice.LANDevice.1.LANEthernetInterfaceConfig.1"
    [told] = [m for m in look(GOOD_098 | {f"{row}.MaxBitRate": raw}).measurements
              if m.name == "lan.rate_mbps"]  # fmt: skip
    assert told.value == mbps
    row = "Device.Ethernet.Interface.1"
    leaves = GOOD_181 | {f"{row}.Upstream": False, f"{row}.CurrentBitRate": raw}
    [told] = [m for m in look(leaves).measurements if m.name == "lan.rate_mbps"]
    assert told.value == mbps
