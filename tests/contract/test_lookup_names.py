"""A box is found by what a person reads off its sticker, however the ACS writes it."""

from datetime import UTC, datetime

import pytest

from cpe.access.genieacs import lookup
from tests.support.boxes import put, stamp
from tests.support.own_nbi import Cpe, OwnNbi

NOW = datetime.now(UTC)
MAC = "Device.Ethernet.Interface.1.MACAddress"
SN = "Device.Optical.Interface.1.GponAuth.GponSn"


def acs_with(leaves, serial="22275A7009001", root="Device", maker="TP-Link"):
    acs = OwnNbi()
    acs_id = "1C61B4-Device2-" + serial.replace(":", "%3A")
    document = {
        "_id": acs_id,
        "_deviceId": {"_Manufacturer": maker, "_SerialNumber": serial},
        "_lastInform": stamp(NOW),
    }
    put(document, f"{root}.ManagementServer.ConnectionRequestURL", "http://127.0.0.1:1/x", NOW)
    for path, value in leaves.items():
        put(document, path, value, NOW)
    acs.add(document, Cpe({}))
    return acs


async def found(acs, typed):
    sighting = await lookup.find(acs.client(), typed, limit_s=60)
    return sighting.device.serial if sighting is not None else None


MACS = (
    "1C:61:B4:D0:07:45", "1c:61:b4:d0:07:45", "1C-61-B4-D0-07-45", "1c-61-b4-d0-07-45",
    "1C61B4D00745", "1c61b4d00745", "1c61.b4d0.0745",
)  # fmt: skip


@pytest.mark.parametrize("held", MACS)
@pytest.mark.parametrize("typed", [*MACS, "1C 61 B4 D0 07 45"])
async def test_a_mac_in_any_notation_finds_its_box(typed, held):
    assert await found(acs_with({MAC: held}), typed) == "22275A7009001"


@pytest.mark.parametrize("held", MACS)
async def test_a_box_whose_serial_is_its_mac_is_found_by_it(held):
    assert await found(acs_with({}, serial=held), "1C:61:B4:D0:07:45") == held


GPONS = (
    "54504C47B4D00744", "54504c47b4d00744", "TPLGB4D00744", "tplgb4d00744", "TPLGb4d00744",
)  # fmt: skip


@pytest.mark.parametrize("held", GPONS)
@pytest.mark.parametrize("typed", [*GPONS, "TPLG-B4D00744", "54 50 4C 47 B4 D0 07 44"])
async def test_a_gpon_serial_in_any_notation_finds_its_box(typed, held):
    assert await found(acs_with({SN: held}), typed) == "22275A7009001"


async def test_a_huawei_box_is_found_by_its_own_gpon_parameter():
    leaves = {"InternetGatewayDevice.DeviceInfo.X_HW_SerialNumber": "HWTCA9419001"}
    acs = acs_with(leaves, serial="2150083D", root="InternetGatewayDevice", maker="Huawei")
    assert await found(acs, "HWTCA9419001") == "2150083D"
    sighting = await lookup.find(acs.client(), "2150083D", limit_s=60)
    assert sighting is not None
    assert sighting.device.gpon_serial == "HWTCA9419001"
