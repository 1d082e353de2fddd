"""WiFi, DataElements and MultiAP of a TP-Link XX230v."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from deployments.lab.encodings import dbm_to_rcpi, pct_to_u8
from deployments.lab.parameters import Box, Sheet, Value

_BANDS: Final = ((1, "2.4GHz", "40MHz", 6, "b,g,n,ax"), (2, "5GHz", "80MHz", 44, "a,ac,n,ax"))
_POSSIBLE: Final = {
    1: "1,2,3,4,5,6,7,8,9,10,11",
    2: "36,40,44,48,52,56,60,64,149,153,157,161,100,104,108,112,132,136,140,144,165",
}
_STATION_RADIO: Final = (2, 2, 1)
"""Which radio station 1, 2, 3 … use; from the fourth on all are on 5 GHz."""


def station_mac(box: Box, number: int) -> str:
    """The MAC of a customer's device: locally administered, stable."""
    return f"3E:06:{number:02X}:{box.who.mac[9:]}"


def satellite_mac(box: Box, number: int) -> str:
    """The MAC of a mesh satellite."""
    return f"1C:61:{0xC0 + number:02X}:{box.who.mac[9:]}"


def satellite_name(node: int) -> str:
    """What the customer called a satellite."""
    return f"Deco-{'salon' if node == 1 else 'etage'}"


def radio_of(number: int) -> int:
    """The radio that station `number` (from 1) uses."""
    return _STATION_RADIO[number - 1] if number <= len(_STATION_RADIO) else 2


def _up(radio: int) -> Callable[[Box], bool]:
    return lambda box: box.truth.radio_24_up if radio == 1 else box.truth.radio_5_up


def _noise_dbm(radio: int) -> Callable[[Box], int]:
    def noise(box: Box) -> int:
        dbm = box.truth.noise_24_dbm if radio == 1 else box.truth.noise_5_dbm
        return round(dbm) if dbm is not None else 0

    return noise


def _anpi(radio: int) -> Callable[[Box], int]:
    def code(box: Box) -> int:
        dbm = box.truth.noise_24_dbm if radio == 1 else box.truth.noise_5_dbm
        return dbm_to_rcpi(dbm) if dbm is not None else 0

    return code


def _busy(radio: int, share: float = 1.0) -> Callable[[Box], int]:
    def busy(box: Box) -> int:
        truth = box.truth
        pct = truth.utilisation_24_pct if radio == 1 else truth.utilisation_5_pct
        return pct_to_u8(pct * share)

    return busy


def radios(sheet: Sheet) -> None:
    """Device.WiFi.Radio and SSID."""
    for number, band, width, channel, standards in _BANDS:
        path, up = f"Device.WiFi.Radio.{number}", _up(number)
        sheet.add(path, {
            "ChannelsInUse": str(channel), "CurrentOperatingChannelBandwidth": width,
            "PossibleChannels": _POSSIBLE[number],
            "MaxBitRate": 574 if number == 1 else 1201, "Name": "ra0" if number == 1 else "rax0",
            "Status": lambda box, up=up: "Up" if up(box) else "Down", "Upstream": False,
            "SupportedFrequencyBands": band, "SupportedStandards": standards,
        })  # fmt: skip
        sheet.add(path, {
            "Enable": True, "Channel": channel, "AutoChannelEnable": True,
            "OperatingFrequencyBand": band, "OperatingStandards": standards,
            "TransmitPower:int": 100,
        }, write=True)  # fmt: skip
        sheet.add(f"{path}.Stats", {
            "Noise:int": _noise_dbm(number), "ErrorsReceived": 0, "ErrorsSent": 0,
            "PacketsReceived": 0, "PacketsSent": 0, "X_TP_RSSI:int": 0, "X_TP_SNR:int": 0,
            "X_TP_Utilization": 0,
        })  # fmt: skip
        ssid = f"Device.WiFi.SSID.{number}"
        sheet.add(ssid, {
            "BSSID": lambda box: box.who.mac,
            "Status": lambda box, up=up: "Up" if up(box) else "Down",
        })  # fmt: skip
        sheet.add(ssid, {
            "Enable": True, "LowerLayers": f"Device.WiFi.Radio.{number}.",
            "SSID": lambda box: f"Maison-{box.who.index}",
        }, write=True)  # fmt: skip


def access_points(sheet: Sheet) -> None:
    """Device.WiFi.AccessPoint with its secrets in clear, as a real unit serves them."""
    for number in (1, 2):
        path, up = f"Device.WiFi.AccessPoint.{number}", _up(number)
        sheet.add(path, {
            "AssociatedDeviceNumberOfEntries": 0,
            "Status": lambda box, up=up: "Up" if up(box) else "Down",
        })  # fmt: skip
        sheet.add(path, {
            "Enable": True, "SSIDReference": f"Device.WiFi.SSID.{number}.",
        }, write=True)  # fmt: skip
        sheet.add(f"{path}.Security", {
            "KeyPassphrase": lambda box: f"wifi-{box.who.index}-CANARY-passphrase",
            "PreSharedKey": lambda box: f"psk-{box.who.index}-CANARY",
            "ModeEnabled": "WPA2-Personal",
        }, write=True)  # fmt: skip


def data_elements(sheet: Sheet) -> None:
    """Device.WiFi.DataElements: the only place with a utilisation."""
    device = "Device.WiFi.DataElements.Network.Device.1"
    sheet.add(device, {
        "ID": lambda box: box.who.mac, "RadioNumberOfEntries": 2, "CollectionInterval": 0,
    })  # fmt: skip
    _scores(sheet, device)
    for number, band, width, channel, _ in _BANDS:
        sheet.add(f"{device}.Radio.{number}", {
            "Enabled:boolean": _up(number), "Noise:unsignedInt": _anpi(number),
            "Utilization:unsignedInt": _busy(number),
            "ReceiveOther:unsignedInt": _busy(number, 0.7), "ReceiveSelf": 0, "Transmit": 0,
            "X_TP_Band": band, "X_TP_Bandwidth": width, "X_TP_Channel": channel,
            "X_TP_ErrorsReceived:unsignedInt": lambda box: box.truth.radio_errors,
            "X_TP_ErrorsPkt:unsignedInt": lambda box: box.truth.radio_errors,
            "X_TP_ErrorsSent": 0, "X_TP_PacketsReceived": 430_244, "X_TP_PacketsSent": 388_102,
        })  # fmt: skip


def _scores(sheet: Sheet, device: str) -> None:
    """The box's opinion of itself; 0.0 for a band that no device uses."""

    def air(box: Box, pct: float) -> str:
        told = box.truth.score_air or max(1.0, 5.0 - pct / 22)
        return f"{told:.1f}"

    def coverage(box: Box, radio: int) -> str:
        levels = [
            dbm
            for number, dbm in enumerate(box.truth.station_rssi_dbm, start=1)
            if radio_of(number) == radio
        ]
        return f"{max(1.0, min(5.0, (min(levels) + 95) / 8)):.1f}" if levels else "0.0"

    sheet.add(f"{device}.X_TP_QoE.Factor", {
        "WiFiAvailability2GScore": lambda box: air(box, box.truth.utilisation_24_pct),
        "WiFiAvailability5GScore": lambda box: air(box, box.truth.utilisation_5_pct),
        "WiFiCoverage2GScore": lambda box: coverage(box, 1),
        "WiFiCoverage5GScore": lambda box: coverage(box, 2),
        "ConnectivityScore": "5.0", "AvailableBandwidthScore": "1.0", "SystemHealthScore": "5.0",
    })  # fmt: skip


def neighbours(sheet: Sheet, count: int) -> None:
    """Device.WiFi.NeighboringWiFiDiagnostic: what the last scan saw."""
    scan = "Device.WiFi.NeighboringWiFiDiagnostic"
    sheet.add(scan, {"ResultNumberOfEntries": count})
    sheet.add(scan, {"DiagnosticsState": "Complete" if count else "None"}, write=True)
    for number in range(count):
        sheet.add(f"{scan}.Result.{number + 1}", {
            "BSSID": f"02:AA:00:00:00:{number:02X}", "SSID": f"voisin-{number}",
            "Channel:unsignedInt": lambda box, n=number: box.truth.neighbours[n][0],
            "SignalStrength:int": lambda box, n=number: round(box.truth.neighbours[n][1]),
            "OperatingFrequencyBand":
                lambda box, n=number: "2.4GHz" if box.truth.neighbours[n][0] <= 14 else "5GHz",
        })  # fmt: skip


def multi_ap(sheet: Sheet, satellites: int, stations: int) -> None:
    """Device.WiFi.MultiAP: the controller with all stations, then each satellite."""
    for node in range(satellites + 1):
        path = f"Device.WiFi.MultiAP.APDevice.{node + 1}"
        sheet.add(path, _controller() if node == 0 else _satellite(node))
        for number, band, width, channel, standards in _BANDS:
            radio = f"{path}.Radio.{number}"
            sheet.add(radio, {
                "Channel": channel, "CurrentOperatingChannelBandwidth": width,
                "OperatingFrequencyBand": band, "OperatingStandards": standards,
                "X_TP_BackhaulLinkRate:unsignedInt": _link_rate(node, number),
            })  # fmt: skip
            here = [n for n in range(1, stations + 1) if node == 0 and radio_of(n) == number]
            sheet.add(f"{radio}.AP.1", {
                "SSID": lambda box: f"Maison-{box.who.index}", "X_TP_Type": "Primary",
                "AssociatedDeviceNumberOfEntries": len(here),
            })  # fmt: skip
            for row, station in enumerate(here, start=1):
                _station(sheet, f"{radio}.AP.1.AssociatedDevice.{row}", station, number)
    sheet.add("Device.WiFi.MultiAP", {"APDeviceNumberOfEntries": satellites + 1})


def _link_rate(node: int, radio: int) -> int | Callable[[Box], int]:
    if node == 0 or radio == 1:
        return 0
    return lambda box: box.truth.backhaul_rate_mbps if is_alive(box, node) else 0


def is_alive(box: Box, node: int) -> bool:
    """Only the first satellite suffers from what befalls satellites."""
    return box.truth.satellite_active or node != 1


def _controller() -> dict[str, Value | Callable[[Box], Value]]:
    return {
        "MACAddress": lambda box: box.who.mac, "Manufacturer": "TP-Link",
        "SerialNumber": lambda box: box.who.serial, "BackhaulLinkType": "",
        "BackhaulSignalStrength": 0, "BackhaulLinkUtilization": 0, "BackhaulMACAddress": "",
        "X_TP_Active": True, "X_TP_IsController": True, "X_TP_HostName": "XX230v",
        "X_TP_ModelName": "XX230v", "X_TP_Band": "", "X_TP_LinkRate": 0, "RadioNumberOfEntries": 2,
    }  # fmt: skip


def _satellite(node: int) -> dict[str, Value | Callable[[Box], Value]]:
    def of_first(bad: float, good: float) -> float:
        return bad if node == 1 else good

    return {
        "MACAddress": lambda box: satellite_mac(box, node), "Manufacturer": "TP-Link",
        "SerialNumber": lambda box: f"{box.who.serial}-S{node}",
        "BackhaulLinkType": lambda box: "Wi-Fi" if is_alive(box, node) else "",
        "BackhaulMACAddress": lambda box: box.who.mac,
        "BackhaulSignalStrength:unsignedInt": lambda box: dbm_to_rcpi(
            of_first(box.truth.backhaul_rssi_dbm, -55.0)) if is_alive(box, node) else 0,
        "BackhaulLinkUtilization:unsignedInt": lambda box: pct_to_u8(
            of_first(box.truth.backhaul_utilisation_pct, 22.0)) if is_alive(box, node) else 0,
        "X_TP_Active:boolean": lambda box: is_alive(box, node), "X_TP_IsController": False,
        "X_TP_HostName": satellite_name(node), "X_TP_ModelName": "Deco X20",
        "X_TP_Band": lambda box: "5GHz" if is_alive(box, node) else "",
        "X_TP_LinkRate:unsignedInt": lambda box: round(
            of_first(box.truth.backhaul_rate_mbps, 866)) if is_alive(box, node) else 0,
        "RadioNumberOfEntries": 2,
    }  # fmt: skip


def _station(sheet: Sheet, path: str, number: int, radio: int) -> None:
    def rssi(box: Box) -> float:
        return box.truth.station_rssi_dbm[number - 1]

    sheet.add(path, {
        "Active": True, "MACAddress": lambda box: station_mac(box, number),
        "SignalStrength:unsignedInt": lambda box: dbm_to_rcpi(rssi(box)), "Noise": 0,
        "LastDataDownlinkRate:unsignedInt": lambda box: rate_kbps(rssi(box), radio),
        "LastDataUplinkRate:unsignedInt": lambda box: rate_kbps(rssi(box), radio) * 2 // 3,
        "OperatingStandard": "ax", "X_TP_HostName": f"appareil-{number}",
        "X_TP_IPAddress": f"192.168.1.{9 + number}",
    })  # fmt: skip
    sheet.add(f"{path}.Stats", {
        "PacketsSent:unsignedInt": 67_694,
        "RetransCount:unsignedInt": lambda box: _retransmitted(box, number),
    })  # fmt: skip


def _retransmitted(box: Box, number: int) -> int:
    """A firmware that counts has some for every device."""
    pct = box.truth.station_retries_pct
    return round(67_694 * (pct if number == 1 else min(pct, 2.0)) / 100)


def rate_kbps(rssi_dbm: float, radio: int) -> int:
    """A link rate that falls with the signal, in kbit/s."""
    best = 960_000 if radio == 2 else 240_000
    return max(1_000, int(best * max(0.01, min(1.0, (rssi_dbm + 92) / 40))))
