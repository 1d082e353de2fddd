"""One radio, device or node is one, in however many rows, tables and spellings it stands."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpe.access.same_thing import LinkRow, RadioRow, best_link, block, radios
from cpe.domain.finding import Status
from cpe.domain.serials import identity_key, mac_address
from cpe.domain.verdict import Code
from tests.support.documents import GOOD_181, diagnosed, judged, look, values

PHONE = "5C:F9:00:00:00:01"
AP, DE, MAP = "Device.WiFi.AccessPoint", "Device.WiFi.DataElements.Network.Device", (
    "Device.WiFi.MultiAP.APDevice"
)  # fmt: skip


def radio(number, band, channel=None, **more):
    path = f"Device.WiFi.Radio.{number}"
    leaves = {f"{path}.OperatingFrequencyBand": band, f"{path}.Enable": True,
              f"{path}.Status": "Up"}  # fmt: skip
    if channel is not None:
        leaves[f"{path}.Channel"] = channel
    return leaves | {f"{path}.{name}": value for name, value in more.items()}


def home(*bands):
    """Radios with an SSID and an access point each."""
    leaves = dict(GOOD_181)
    for number, (band, channel) in enumerate(bands, start=1):
        leaves |= radio(number, band, channel)
        leaves[f"Device.WiFi.SSID.{number}.LowerLayers"] = f"Device.WiFi.Radio.{number}."
        leaves[f"{AP}.{number}.SSIDReference"] = f"Device.WiFi.SSID.{number}."
    return leaves


TWO = home(("2.4GHz", 6), ("5GHz", 36))


def station(ap, rssi, mac=PHONE, row=1, **more):
    path = f"{AP}.{ap}.AssociatedDevice.{row}"
    leaves = {f"{path}.MACAddress": mac, f"{path}.SignalStrength": rssi}
    return leaves | {f"{path}.{name}": value for name, value in more.items()}


def finding(said, rule):
    return next(f for f in said.findings if f.rule == rule)


# -- devices: B5


@pytest.mark.parametrize("with_bands", [True, False])
def test_a_wifi_7_device_with_one_good_link_is_one_device_that_is_fine(with_bands):
    leaves = TWO if with_bands else GOOD_181
    said = judged(leaves | station(1, -84) | station(2, -52))
    assert said.verdict.code is Code.HEALTHY
    signal = finding(said, "client.signal_is_good")
    assert (signal.status, len(signal.evidence)) == (Status.OK, 1)


def test_the_band_and_rate_of_a_device_are_those_of_its_best_link():
    leaves = TWO | station(1, -84, LastDataDownlinkRate=30_000)
    shot = diagnosed(leaves | station(2, -52, LastDataDownlinkRate=1_200_000))
    assert values(shot, "station.band") == {f"station:{PHONE}": "5"}
    assert values(shot, "station.rate_mbps") == {f"station:{PHONE}": 1200.0}


def test_a_device_in_all_three_tables_is_one():
    leaves = TWO | station(2, -58) | {
        f"{DE}.1.ID": "02:00:00:00:00:01",
        f"{DE}.1.Radio.1.BSS.1.STA.1.MACAddress": "5c-f9-00-00-00-01",
        f"{DE}.1.Radio.1.BSS.1.STA.1.SignalStrength": 104,
        f"{MAP}.1.MACAddress": "02:00:00:00:00:01",
        f"{MAP}.1.Radio.1.AP.1.AssociatedDevice.1.MACAddress": "5CF900000001",
        f"{MAP}.1.Radio.1.AP.1.AssociatedDevice.1.SignalStrength": 104,
    }  # fmt: skip
    for maker in ("ACME", "TP-Link"):
        assert len(values(look(leaves, maker=maker), "station.mac")) == 1


def test_a_device_on_one_weak_link_is_weak_whatever_a_second_table_says():
    leaves = TWO | station(2, -88) | {
        f"{DE}.1.ID": "02:00:00:00:00:01",
        f"{DE}.1.Radio.2.CurrentOperatingClassProfile.1.Class": 115,
        f"{DE}.1.Radio.2.BSS.1.STA.1.MACAddress": PHONE,
        f"{DE}.1.Radio.2.BSS.1.STA.1.SignalStrength": 120,
    }  # fmt: skip
    said = judged(leaves | station(1, -50, mac="02:00:00:00:00:99"))
    assert said.verdict.code is Code.CLIENT_DEVICE
    assert PHONE in said.verdict.text.fr
    assert "#" not in said.verdict.text.fr


def test_a_row_that_a_device_left_behind_does_not_hide_its_weak_link():
    leaves = TWO | station(1, -45, Active=False) | station(2, -88, Active=True)
    other = station(1, -50, mac="02:00:00:00:00:99", row=2)
    assert judged(leaves | other).verdict.code is Code.CLIENT_DEVICE


def test_a_row_that_nobody_read_again_does_not_hide_a_weak_link():
    leaves = TWO | station(1, -45) | station(2, -88)
    other = station(1, -50, mac="02:00:00:00:00:99", row=2)
    old = {f"{AP}.1.AssociatedDevice.1": 4_000.0}
    assert judged(leaves | other, ages_s=old).verdict.code is Code.CLIENT_DEVICE


def test_a_row_left_behind_does_not_blame_a_device_that_is_fine():
    leaves = TWO | station(1, -92, Active=False) | station(2, -50, Active=True)
    assert judged(leaves).verdict.code is Code.HEALTHY


def test_a_device_that_two_nodes_list_is_one():
    leaves = dict(GOOD_181)
    for node, rcpi in ((1, 40), (2, 110)):
        row = f"{MAP}.{node}.Radio.1.AP.1.AssociatedDevice.1"
        leaves |= {f"{MAP}.{node}.MACAddress": f"02:00:00:00:00:0{node}",
                   f"{row}.MACAddress": PHONE, f"{row}.SignalStrength": rcpi,
                   f"{row}.Active": True}  # fmt: skip
    seen = look(leaves, maker="TP-Link")
    assert values(seen, "station.rssi_dbm") == {f"station:{PHONE}": -55.0}
    assert values(seen, "station.node") == {f"station:{PHONE}": "02:00:00:00:00:02"}


LEVELS = st.one_of(st.none(), st.floats(-95, -30))
LINKS = st.lists(
    st.builds(
        LinkRow,
        table=st.integers(0, 2),
        active=st.sampled_from([None, True, False]),
        signal_dbm=LEVELS,
        is_fresh=st.booleans(),
        band=st.sampled_from([None, "2.4", "5", "6"]),
    ),
    min_size=1,
    max_size=6,
)


@given(LINKS)
def test_every_row_of_a_device_either_counts_or_does_not(rows):
    counted, others = best_link(rows)
    assert sorted(counted + others) == list(range(len(rows)))
    assert counted


@given(st.lists(st.floats(-95, -30), min_size=1, max_size=4))
def test_second_opinions_on_one_link_never_change_what_the_first_table_says(levels):
    rows = [LinkRow(table=t, signal_dbm=s, is_fresh=True, band="5") for t, s in enumerate(levels)]
    assert best_link(rows)[0][0] == 0


@given(LINKS, st.floats(-95, -30))
def test_a_row_that_is_gone_or_old_never_counts_before_a_live_one(rows, level):
    gone = [LinkRow(r.table, False, r.signal_dbm, r.is_fresh, "6") for r in rows]
    live = LinkRow(table=0, active=True, signal_dbm=level, is_fresh=True, band="5")
    counted, _ = best_link([*gone, live])
    assert counted == [len(rows)]


# -- nodes


def test_a_satellite_in_two_tables_is_one_node():
    leaves = GOOD_181 | {
        f"{MAP}.1.MACAddress": "02:00:00:00:00:01", f"{MAP}.1.X_TP_IsController": True,
        f"{MAP}.2.MACAddress": "1c:61:c1:00:00:02", f"{MAP}.2.X_TP_IsController": False,
        f"{MAP}.2.BackhaulSignalStrength": 40,
        f"{DE}.1.ID": "020000000001", f"{DE}.2.ID": "1C61.C100.0002",
    }  # fmt: skip
    shot = diagnosed(leaves, maker="TP-Link")
    assert len(values(shot, "node.mac")) == 2
    assert judged(leaves, maker="TP-Link").verdict.code is Code.MESH_BACKHAUL


def test_a_satellite_that_left_a_row_behind_is_there():
    leaves = GOOD_181 | {
        f"{MAP}.1.MACAddress": "02:00:00:00:00:01", f"{MAP}.1.X_TP_IsController": True,
        f"{MAP}.2.MACAddress": "1C:61:C1:00:00:02", f"{MAP}.2.X_TP_Active": False,
        f"{MAP}.2.X_TP_IsController": False,
        f"{MAP}.3.MACAddress": "1c:61:c1:00:00:02", f"{MAP}.3.X_TP_Active": True,
        f"{MAP}.3.BackhaulSignalStrength": 110, f"{MAP}.3.X_TP_IsController": False,
    }  # fmt: skip
    shot = diagnosed(leaves, maker="TP-Link")
    assert values(shot, "node.active") == {"node:1C:61:C1:00:00:02": True}
    assert judged(leaves, maker="TP-Link").verdict.code is Code.HEALTHY


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("IEEE_802_3AB_GIGABIT_ETHERNET", "ethernet"), ("IEEE 802.3u", "ethernet"),
        ("IEEE 802.11ax", "wifi"), ("IEEE_802_11BE", "wifi"), ("IEEE 802.11n 5.0", "wifi"),
        ("IEEE_802_11N_2_4_GHZ", "wifi"), ("IEEE 1901 FFT", "homeplug"), ("MoCAv1.1", "moca"),
        ("MOCA_V1_1", "moca"), ("", "none"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("where", ["BackhaulMediaType", "MultiAPDevice.Backhaul.BackhaulMediaType"])
def test_the_media_of_a_backhaul_have_the_names_of_ieee_1905(where, word, kind):
    seen = look(GOOD_181 | {f"{DE}.2.ID": "02:00:00:00:00:02", f"{DE}.2.{where}": word})
    assert values(seen, "node.backhaul_type") == {"node:02:00:00:00:00:02": kind}


def test_a_medium_that_nobody_knows_is_announced():
    seen = look(GOOD_181 | {f"{DE}.2.ID": "02:00:00:00:00:02", f"{DE}.2.BackhaulMediaType": "LiFi"})
    told = next(m for m in seen.measurements if m.name == "node.backhaul_type")
    assert (told.quality.value, told.raw) == ("unknown_value", "LiFi")


# -- radios: B12


def de_radio(number, busy, *, operating_class=None, channel=None, bssid=None):
    path = f"{DE}.1.Radio.{number}"
    leaves = {f"{path}.Utilization": busy}
    if operating_class is not None:
        leaves |= {f"{path}.CurrentOperatingClassProfile.1.Class": operating_class,
                   f"{path}.CurrentOperatingClassProfile.1.Channel": channel}  # fmt: skip
    if bssid is not None:
        leaves[f"{path}.BSS.1.BSSID"] = bssid
    return leaves


def busy_by_radio(leaves, **how):
    shot = diagnosed(leaves, **how)
    return values(shot, "wifi.utilisation_pct"), {
        m.subject for m in shot.measurements if m.subject.startswith("radio:")
    }


def test_standard_data_elements_join_by_operating_class_in_any_order():
    leaves = TWO | de_radio(1, 217, operating_class=128, channel=42)
    leaves |= de_radio(2, 51, operating_class=81, channel=6)
    busy, all_radios = busy_by_radio(leaves)
    assert busy == {"radio:5": 85.1, "radio:2.4": 20.0}
    assert all_radios == {"radio:5", "radio:2.4"}
    text = judged(leaves).verdict.text.fr
    assert "Canal 36 (5 GHz)" in text
    assert "?" not in text


def test_two_radios_of_one_band_stay_two_and_join_by_channel():
    leaves = home(("2.4GHz", 6), ("5GHz", 36), ("5GHz", 149))
    leaves |= de_radio(1, 229, operating_class=128, channel=155)
    leaves |= de_radio(2, 25, operating_class=128, channel=42)
    leaves |= de_radio(3, 26, operating_class=81, channel=6)
    busy, all_radios = busy_by_radio(leaves)
    assert busy == {"radio:5": 9.8, "radio:5-2": 89.8, "radio:2.4": 10.2}
    assert len(all_radios) == 3
    text = judged(leaves).verdict.text.fr
    assert "Canal 149" in text
    assert "#" not in text


def test_radios_join_by_bssid_where_nothing_else_tells():
    leaves = TWO | {"Device.WiFi.SSID.1.BSSID": "02:00:00:00:0a:01",
                    "Device.WiFi.SSID.2.BSSID": "02-00-00-00-0A-02"}  # fmt: skip
    leaves |= de_radio(1, 217, bssid="020000000A02") | de_radio(2, 26, bssid="0200.0000.0a01")
    assert busy_by_radio(leaves)[0] == {"radio:5": 85.1, "radio:2.4": 10.2}


def test_an_address_of_zeroes_joins_nothing():
    none = "00:00:00:00:00:00"
    leaves = TWO | {"Device.WiFi.SSID.1.BSSID": none, "Device.WiFi.SSID.2.BSSID": none}
    leaves |= de_radio(1, 217, bssid=none) | de_radio(2, 26, bssid=none)
    busy, all_radios = busy_by_radio(leaves)
    assert all_radios == {"radio:5", "radio:2.4"}
    assert not set(busy) & all_radios


def test_what_may_be_either_radios_is_no_ones():
    """Two radios and two nameless rows: nothing says which is which, and no third radio appears."""
    leaves = TWO | de_radio(1, 250) | de_radio(2, 26)
    said = judged(leaves)
    assert busy_by_radio(leaves)[1] == {"radio:5", "radio:2.4"}
    free = finding(said, "wifi.channel_is_free")
    assert (free.status, free.reason) == (
        Status.UNKNOWN,
        "nothing tells which radio the value is of",
    )
    assert [e.actual for e in free.evidence] == [98.0, 10.2]


def test_multi_ap_radios_without_a_band_join_by_their_channel():
    leaves = TWO | {f"{MAP}.1.Radio.1.Channel": 36, f"{MAP}.1.Radio.1.Utilization": 19,
                    f"{MAP}.1.Radio.2.Channel": 6, f"{MAP}.1.Radio.2.Utilization": 130}  # fmt: skip
    assert busy_by_radio(leaves) == ({"radio:5": 19, "radio:2.4": 51.0}, {"radio:5", "radio:2.4"})


def test_a_channel_number_that_two_bands_have_is_no_proof():
    """Channel 5 is of 2.4 GHz and of 6 GHz."""
    leaves = home(("2.4GHz", 5), ("6GHz", 5))
    leaves |= {f"{MAP}.1.Radio.1.Channel": 5, f"{MAP}.1.Radio.1.Utilization": 19}
    busy, all_radios = busy_by_radio(leaves)
    assert all_radios == {"radio:2.4", "radio:6"}
    assert not set(busy) & all_radios


BAND = st.sampled_from(["2.4", "5", "6", None])
RADIOS = st.lists(
    st.builds(
        RadioRow,
        table=st.integers(0, 2),
        band=BAND,
        blocks=st.lists(st.sampled_from([block(6), block(36), block(42, 128), block(149)]),
                        max_size=2).map(tuple),
        bssids=st.frozensets(st.sampled_from("abcd"), max_size=2),
    ),
    max_size=8,
)  # fmt: skip


@given(RADIOS)
def test_rows_of_one_table_are_never_one_radio_and_no_row_is_lost(rows):
    found, unplaced = radios(rows)
    assert sorted([n for group in found for n in group] + unplaced) == list(range(len(rows)))
    for group in found:
        assert len({rows[n].table for n in group}) == len(group)
        assert len({rows[n].band for n in group} - {None}) <= 1


# -- spellings: B6

OCTETS = st.lists(st.integers(0, 255), min_size=6, max_size=6)


def spellings(octets):
    full = [f"{o:02x}" for o in octets]
    flat = "".join(full)
    fours = [flat[i : i + 4] for i in (0, 4, 8)]
    told = [":".join(full), "-".join(full), " ".join(full), flat, ".".join(fours),
            "-".join(fours), ":".join(fours), ":".join(f"{o:x}" for o in octets)]  # fmt: skip
    return [text for one in told for text in (one, one.upper(), f" {one} ")]


@given(OCTETS)
def test_a_mac_is_one_in_every_spelling(octets):
    assert len({mac_address(text) for text in spellings(octets)}) == 1
    assert len({identity_key(text) for text in spellings(octets)}) == 1


@settings(max_examples=40)
@given(OCTETS.filter(lambda o: any(o) and o != [255] * 6), st.data())
def test_joining_is_invariant_under_case_and_separators(octets, data):
    spelled = st.sampled_from(spellings(octets))
    mac = mac_address(":".join(f"{o:02x}" for o in octets))
    leaves = TWO | station(2, -58, mac=data.draw(spelled)) | {
        f"{DE}.1.ID": data.draw(spelled), f"{MAP}.1.MACAddress": data.draw(spelled),
        f"{DE}.1.Radio.1.BSS.1.STA.1.MACAddress": data.draw(spelled),
        f"{MAP}.1.Radio.1.AP.1.AssociatedDevice.1.MACAddress": data.draw(spelled),
    }  # fmt: skip
    seen = look(leaves, maker="TP-Link")
    assert values(seen, "station.mac") == {f"station:{mac}": mac}
    assert values(seen, "node.mac") == {f"node:{mac}": mac}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("HWTCA9419001", "48575443A9419001"), ("hwtc-a9419001", "48 57 54 43 A9 41 90 01"),
        ("22275A7009001", " 22275a7009001 "), ("abc-123.4", "ABC1234"),
    ],
)  # fmt: skip
def test_serials_in_two_notations_are_one(one, other):
    assert identity_key(one) == identity_key(other)


def test_different_serials_stay_different():
    told = ["HWTCA9419001", "HWTCA9419002", "22275A7009001", "", "-"]
    assert len({identity_key(t) for t in told}) == 4


@pytest.mark.parametrize("band", ["5GHz", "5 GHz", "5G", "5g", "5GHZ", "5.0GHz", "Radio_5G", "5"])
def test_a_band_is_one_in_every_spelling(band):
    leaves = GOOD_181 | radio(1, "2.4GHz", 6) | radio(2, band, 36)
    assert set(values(look(leaves), "wifi.band")) == {"radio:2.4", "radio:5"}


@pytest.mark.parametrize("band", ["60GHz", "900MHz", "both", "2.4GHz and 5GHz", "25"])
def test_a_band_that_nobody_knows_is_announced(band):
    told = next(m for m in look(GOOD_181 | radio(1, band)).measurements if m.name == "wifi.band")
    assert told.quality.value == "unknown_value"


@pytest.mark.parametrize(
    "reference",
    ["Device.WiFi.SSID.2", "device.wifi.ssid.2.", " WiFi.SSID.2 ", "Device.WiFi.SSID.2.,"],
)
def test_a_reference_is_followed_however_it_is_spelled(reference):
    leaves = TWO | station(2, -58) | {f"{AP}.2.SSIDReference": reference}
    assert values(look(leaves), "station.band") == {f"station:{PHONE}": "5"}
