"""A sweep reads of a home what a diagnosis reads: each radio once, each node once, no box twice."""

import pytest

from cpe.access.genieacs.sweep.plan import sweep_projection
from cpe.access.genieacs.sweep.reader import FleetPart, FleetReader
from tests.support.cases import NOW
from tests.support.documents import GOOD_098, GOOD_181, document, look, values

DE, MAP = "Device.WiFi.DataElements.Network.Device", "Device.WiFi.MultiAP.APDevice"


def radios(*told):
    leaves = {}
    for number, (band, channel) in enumerate(told, start=1):
        path = f"Device.WiFi.Radio.{number}"
        leaves |= {f"{path}.OperatingFrequencyBand": band, f"{path}.Channel": channel,
                   f"{path}.Enable": True}  # fmt: skip
    return leaves


def data_elements(*told):
    leaves = {}
    for number, (operating_class, channel, busy) in enumerate(told, start=1):
        path = f"{DE}.1.Radio.{number}"
        leaves |= {f"{path}.CurrentOperatingClassProfile.1.Class": operating_class,
                   f"{path}.CurrentOperatingClassProfile.1.Channel": channel,
                   f"{path}.Utilization": busy}  # fmt: skip
    return leaves


HOMES = {
    "standard": GOOD_181 | radios(("2.4GHz", 6), ("5GHz", 36))
    | data_elements((128, 42, 217), (81, 6, 51)),
    "two of one band": GOOD_181 | radios(("2.4 GHz", 6), ("5GHz", 36), ("5G", 149))
    | data_elements((128, 155, 229), (128, 42, 25), (81, 6, 26)),
    "nameless": GOOD_181 | radios(("2.4GHz", 6), ("5GHz", 36))
    | {f"{DE}.1.Radio.{n}.Utilization": 200 for n in (1, 2)},
    "left behind": GOOD_181 | {
        f"{MAP}.1.MACAddress": "02:00:00:00:00:01", f"{MAP}.1.X_TP_IsController": True,
        f"{MAP}.2.MACAddress": "1c61c1000002", f"{MAP}.2.X_TP_Active": False,
        f"{MAP}.3.MACAddress": "1C-61-C1-00-00-02", f"{MAP}.3.X_TP_Active": True,
        f"{MAP}.3.BackhaulSignalStrength": 90,
        f"{DE}.1.ID": "0200.0000.0001", f"{DE}.2.ID": "1c:61:c1:00:00:02",
        f"{DE}.2.BackhaulMediaType": "IEEE 802.11ax",
    },
    "fibre to the room": GOOD_098 | {
        "InternetGatewayDevice.X_HW_APDevice.1.APMacAddr": "0273-e251-da01",
        "InternetGatewayDevice.X_HW_APDevice.1.ApOnlineFlag": "0",
        "InternetGatewayDevice.X_HW_APDevice.4.APMacAddr": "0273E251DA04",
        "InternetGatewayDevice.X_HW_APDevice.4.ApOnlineFlag": "1",
        "InternetGatewayDevice.X_HW_APDevice.4.UplinkType": "pon",
    },
}  # fmt: skip
MAKERS = {"left behind": "TP-Link", "fibre to the room": "Huawei"}


@pytest.mark.parametrize("home", sorted(HOMES))
def test_a_sweep_sees_the_radios_and_nodes_that_a_diagnosis_sees(home):
    maker = MAKERS.get(home, "ACME")
    seen, part = look(HOMES[home], maker=maker), FleetPart()
    FleetReader(now=NOW, limit_s=60).read(document(HOMES[home], maker=maker), part)
    told = {s.partition(":")[2] for s in (m.subject for m in seen.measurements) if "radio:" in s}
    assert len(part.radios["box"]) == len(told)
    for kind, columns in (("wifi", part.radios), ("node", part.nodes)):
        for name in columns:
            if name != "box":
                single = list(values(seen, f"{kind}.{name}").values())
                fleet = [v for v in columns[name] if v is not None]
                subjects = values(seen, f"{kind}.{name}")
                expected = [v for s, v in subjects.items() if not s.startswith("unplaced:")]
                assert sorted(map(str, fleet)) == sorted(map(str, expected)), (kind, name, single)


def test_every_leaf_that_tells_radios_apart_is_in_the_one_query():
    paths = sweep_projection()
    assert f"{DE}.1.Radio.1.CurrentOperatingClassProfile" in paths
    assert "Device.WiFi.Radio.1.Channel" in paths
