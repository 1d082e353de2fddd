"""Device documents of a GenieACS from a few leaves, and what a diagnosis makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from cpe.access.genieacs.lookup import sighting
from cpe.domain.snapshot import AcsSighting, Device, Snapshot
from cpe.profiles.thresholds import load_thresholds
from cpe.rules.judge import Judgement, judge
from tests.support.cases import NOW, snapshot

GOOD_181 = {
    "Device.DeviceInfo.UpTime": 90_000,
    "Device.Ethernet.Interface.1.MACAddress": "02:00:00:00:00:01",
    "Device.XPON.ONU.1.ANI.1.Transceiver.1.RxPower": -195,
    "Device.PPP.Interface.1.ConnectionStatus": "Connected",
}
GOOD_098 = {
    "InternetGatewayDevice.DeviceInfo.UpTime": 90_000,
    "InternetGatewayDevice.WANDevice.1.WANConnectionDevice.1.WANIPConnection.1.ConnectionStatus":
        "Connected",
    "InternetGatewayDevice.WANDevice.1.X_CT-COM_GponInterfaceConfig.RXPower": 110,
}  # fmt: skip

_LIGHT = {
    "Huawei": {"InternetGatewayDevice.WANDevice.1.X_GponInterafceConfig.RXPower": -19},
    "Nokia": {"InternetGatewayDevice.X_ALU_OntOpticalParam.RXPower": "-19.4"},
    "ALCL": {"InternetGatewayDevice.X_ALU_OntOpticalParam.RXPower": "-19.4"},
}
"""Where makers of TR-098 boxes have their Rx power."""


def document(
    leaves: Mapping[str, Any], *, maker: str = "ACME", ages_s: Mapping[str, float] | None = None
) -> dict[str, Any]:
    """The leaves as if the ACS had read them 5 s ago, or so long ago as `ages_s` says by prefix."""
    root: dict[str, Any] = {
        "_id": "OUI-Class-Serial",
        "_deviceId": {"_Manufacturer": maker, "_SerialNumber": "S1"},
        "_lastInform": NOW.isoformat(),
    }
    of_maker = _LIGHT.get(maker, {}) if "InternetGatewayDevice" in next(iter(leaves)) else {}
    for path, value in {**leaves, **of_maker}.items():
        node = root
        for step in path.split("."):
            node = node.setdefault(step, {})
        old = [age_s for prefix, age_s in (ages_s or {}).items() if path.startswith(prefix)]
        stamp = (NOW - timedelta(seconds=old[0] if old else 5.0)).isoformat()
        node.update(_object=False, _value=value, _timestamp=stamp)
    return root


def look(leaves: Mapping[str, Any], **how: Any) -> AcsSighting:
    """What the ACS's document says, in our terms."""
    return sighting(document(leaves, **how), now=NOW, limit_s=60)


def diagnosed(
    leaves: Mapping[str, Any], *, tables_read: tuple[str, ...] = (), **how: Any
) -> Snapshot:
    """A diagnosis of a box that the ACS read just now."""
    seen = look(leaves, **how)
    device = Device(acs_id="X", mac=seen.device.mac, family=seen.device.family)
    return snapshot(
        *seen.measurements,
        device=device,
        cannot_report=seen.cannot_report,
        tables_read=tables_read,
        without=("optical.tx_dbm", "optical.temperature_c", "wan.status"),
    )


def judged(leaves: Mapping[str, Any], **how: Any) -> Judgement:
    """Its findings and verdict."""
    return judge(diagnosed(leaves, **how), load_thresholds())


def values(shot: Snapshot | AcsSighting, name: str) -> dict[str, Any]:
    """The readable values of a quantity by subject."""
    return {m.subject: m.value for m in shot.measurements if m.name == name and m.value is not None}
