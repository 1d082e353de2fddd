"""The modem's data model: OID → rows, made of the box's truth. Every value is a string.

Names after the reference; what a real unit leaks (PPP, WiFi and admin passwords) is a canary here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from deployments.lab.encodings import dbm_to_rcpi, dbm_to_tenth_microwatt
from deployments.lab.parameters import Box
from deployments.lab.tr181 import OPERATOR, STOCK
from deployments.lab.tr181_wifi import (
    is_alive,
    radio_of,
    rate_kbps,
    satellite_mac,
    satellite_name,
    station_mac,
)
from deployments.lab.truth import BridgeOptics

Row = dict[str, str]
NOWHERE: Final = "0,0,0,0,0,0"
_BANDS: Final = ((1, "2.4GHz", 6, "40M"), (2, "5GHz", 44, "80M"))


def _info(box: Box) -> list[Row]:
    firmware = OPERATOR if box.truth.operator_firmware else STOCK
    return [{
        "modelName": "XX230v", "hardwareVersion": "XX230v v1.0 00000000",
        "softwareVersion": firmware, "serialNumber": box.who.serial,
        "upTime": str(int(max(0.0, box.now - box.booted_at))), "stack": NOWHERE,
    }]  # fmt: skip


def _optics(box: Box) -> list[Row]:
    truth = box.truth
    dark = truth.bridge_optics is BridgeOptics.SENTINEL
    received = str(0 if dark else dbm_to_tenth_microwatt(truth.rx_dbm))
    if truth.bridge_optics is BridgeOptics.DBM_TEXT:
        received = f"{truth.rx_dbm:.2f} dBm"
    return [{
        "RXPower": received, "TXPower": str(dbm_to_tenth_microwatt(truth.tx_dbm)),
        "transceiverTemperature": str(round(truth.temperature_c * 256)),
        "supplyVottage": str(truth.voltage_mv), "biasCurrent": str(round(truth.bias_ma * 500)),
        "status": "5", "ponType": "GPON", "xponStatus": "Up", "stack": "1,0,0,0,0,0",
    }]  # fmt: skip


def _wan(box: Box) -> list[Row]:
    up = box.truth.wan_up
    rows: list[Row] = []
    for number, name in enumerate(("usb_ppp3g", "ipoe_0_0_d", "pppoe_gpon_3_3"), start=1):
        used = name == "pppoe_gpon_3_3"
        rows.append({
            "name": name, "enable": "1" if used else "0", "connType": "PPPoE" if used else "IPoE",
            "connStatusV4": "Connected" if used and up else "Disconnected",
            "connIPv4Address": box.ip if used and up else "0.0.0.0",  # noqa: S104 - no address
            "X_TP_Uptime": str(int(max(0.0, box.now - box.booted_at))) if used and up else "0",
            "PPPUserName": f"client{box.who.index}-CANARY@fibre",
            "PPPPassword": f"ppp-{box.who.index}-CANARY-password",
            "PPPLastConnError": "ERROR_NONE" if up else "ERROR_AUTHENTICATION_FAILURE",
            "ifName": "ppp0" if used else "", "MACAddr": box.who.mac,
            "stack": f"{number},0,0,0,0,0",
        })  # fmt: skip
    return rows


def _wifi(box: Box) -> list[Row]:
    return [
        {
            "band": band, "primaryEnable": "1", "primarySSID": f"Maison-{box.who.index}",
            "primaryPSK": f"wifi-{box.who.index}-CANARY-passphrase",
            "guestEnable": "0", "guestPSK": f"guest-{box.who.index}-CANARY",
            "standard": "ax", "bandwidth": width, "autoChannel": "1", "channel": str(channel),
            "transmitPower": "100", "stack": f"{number},0,0,0,0,0",
        }
        for number, band, channel, width in _BANDS
    ]  # fmt: skip


def _nodes(box: Box) -> list[Row]:
    """Controller and satellites; before the map is brought up to date their links are blank."""
    rows: list[Row] = [{
        "MACAddress": box.who.mac, "X_TP_IsController": "1", "X_TP_Active": "1",
        "X_TP_HostName": "XX230v", "X_TP_ModelName": "XX230v", "X_TP_IPAddress": "192.168.1.1",
        "backhaulLinkType": "", "backhaulSignalStrength": "0", "backhaulMACAddress": "",
        "X_TP_LinkRate": "0", "stack": "1,0,0,0,0,0",
    }]  # fmt: skip
    for node in range(1, box.truth.satellites + 1):
        alive = is_alive(box, node)
        rssi = box.truth.backhaul_rssi_dbm if node == 1 else -55.0
        rate = box.truth.backhaul_rate_mbps if node == 1 else 866
        rows.append({
            "MACAddress": satellite_mac(box, node), "X_TP_IsController": "0",
            "X_TP_Active": "1" if alive else "0", "X_TP_HostName": satellite_name(node),
            "X_TP_ModelName": "Deco X20", "X_TP_IPAddress": f"192.168.1.{200 + node}",
            "backhaulLinkType": "Wi-Fi" if alive else "",
            "backhaulSignalStrength": str(dbm_to_rcpi(rssi)) if alive else "0",
            "backhaulMACAddress": box.who.mac if alive else "",
            "X_TP_LinkRate": str(rate) if alive else "0", "stack": f"{node + 1},0,0,0,0,0",
        })  # fmt: skip
    return rows


def _stations(box: Box) -> list[Row]:
    rows: list[Row] = []
    for number, rssi in enumerate(box.truth.station_rssi_dbm, start=1):
        radio = radio_of(number)
        rate = rate_kbps(rssi, radio)
        rows.append({
            "MACAddress": station_mac(box, number), "X_TP_HostName": f"appareil-{number}",
            "X_TP_IPAddress": f"192.168.1.{9 + number}", "X_TP_ApDeviceMac": box.who.mac,
            "operatingStandard": "ax", "signalStrength": str(dbm_to_rcpi(rssi)), "noise": "50",
            "lastDataDownlinkRate": str(rate), "lastDataUplinkRate": str(rate * 2 // 3),
            "active": "1", "stack": f"1,{radio},2,{number},0,0",
        })  # fmt: skip
    return rows


def _wired(box: Box) -> list[Row]:
    return [{
        "IPAddress": "192.168.1.90", "MACAddress": f"3E:07:01:{box.who.mac[9:]}",
        "X_TP_HostName": "televiseur", "linkSpeed": "1000", "APDeviceMACAddress": box.who.mac,
        "active": "1", "stack": "1,1,0,0,0,0",
    }]  # fmt: skip


def _radios(box: Box) -> list[Row]:
    return [
        {
            "channel": str(channel), "operatingFrequencyBand": band, "MACAddress": box.who.mac,
            "stack": f"1,{number},0,0,0,0",
        }
        for number, band, channel, _ in _BANDS
    ]  # fmt: skip


def _users(box: Box) -> list[Row]:
    return [{
        "adminName": "admin", "adminPwd": f"admin-{box.who.index}-CANARY-password",
        "userName": "user", "userPwd": "modem-CANARY-login", "stack": NOWHERE,
    }]  # fmt: skip


def _memory(box: Box) -> list[Row]:
    del box
    return [{"total": "", "free": "", "stack": NOWHERE}]


def _timeout(box: Box) -> list[Row]:
    del box
    return [{"timeout": "10", "stack": NOWHERE}]


SINGLE: Final[dict[str, Callable[[Box], list[Row]]]] = {
    "DEV2_DEV_INFO": _info, "DEV2_MEM_STATUS": _memory, "SESSION_TIMEOUT": _timeout,
    "DEV2_USER_CFG": _users,
}  # fmt: skip
"""Objects that there is one of: `gl` on them is an error."""
LISTS: Final[dict[str, Callable[[Box], list[Row]]]] = {
    "DEV2_OPTC_GPON_CFG": _optics, "DEV2_ADT_WAN": _wan, "DEV2_ADT_WIFI_COMMON": _wifi,
    "DEV2_WIFI_APDEV": _nodes, "DEV2_WIFI_APDEV_ASSOCDEV": _stations,
    "DEV2_WIFI_APDEV_ETHASSOCDEV": _wired, "DEV2_WIFI_APDEV_RADIO": _radios,
}  # fmt: skip
MAPPED: Final = frozenset({"DEV2_WIFI_APDEV", "DEV2_WIFI_APDEV_ASSOCDEV"})
"""What `op ACT_UPDATE_MAPINFO` brings up to date."""
BLANK: Final = frozenset(
    {"backhaulSignalStrength", "X_TP_LinkRate", "signalStrength", "lastDataDownlinkRate"}
)


def rows_of(oid: str, box: Box, *, mapped: bool) -> list[Row]:
    """The rows of an object. Raises KeyError for one that does not exist."""
    rows = {**SINGLE, **LISTS}[oid](box)
    if oid in MAPPED and not mapped:
        return [{name: "0" if name in BLANK else value for name, value in row.items()}
                for row in rows]  # fmt: skip
    return rows
