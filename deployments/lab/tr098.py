"""The parameter models of the TR-098 boxes: Huawei EG8145V5, ZTE F660, Nokia G-240W.

They differ in optics: whole dBm (Huawei, sic `X_GponInterafceConfig`), 0.1 µW (ZTE), dBm as
float text (Nokia). None reports utilisation or noise.
"""

from __future__ import annotations

from typing import Final

from deployments.lab.encodings import dbm_to_tenth_microwatt
from deployments.lab.parameters import Box, Getter, Sheet, Template, Value, moment
from deployments.lab.truth import Family, Optics

_ROOT: Final = "InternetGatewayDevice"
_TESTS: Final = f"{_ROOT}.DownloadDiagnostics"
_WAN: Final = f"{_ROOT}.WANDevice.1.WANConnectionDevice.1.WANPPPConnection.1"
_LAN: Final = f"{_ROOT}.LANDevice.1"
INFORM: Final = frozenset(
    {
        f"{_ROOT}.DeviceInfo.HardwareVersion",
        f"{_ROOT}.DeviceInfo.SoftwareVersion",
        f"{_ROOT}.DeviceInfo.ProvisioningCode",
        f"{_ROOT}.ManagementServer.ParameterKey",
        f"{_ROOT}.ManagementServer.ConnectionRequestURL",
        f"{_WAN}.ExternalIPAddress",
    }
)
_MODELS: Final = {
    Family.EG8145V5: ("EG8145V5", "159D.A", "V5R020C00S280"),
    Family.F660: ("F660", "V8.0", "V8.0.10P4T18"),
    Family.G240W: ("G-240W-C", "3FE46606AAAA", "3FE46398BFGB40"),
}


def template(family: Family, stations: int, optics: Optics) -> Template:
    """All parameters of this model."""
    sheet = Sheet()
    _device(sheet, *_MODELS[family])
    _optics(sheet, family, optics)
    _wan(sheet)
    _lan(sheet, stations)
    _tests(sheet)
    return Template(sheet.leaves, INFORM, _TESTS, "Complete")


def _uptime(box: Box) -> int:
    return int(max(0.0, box.now - box.booted_at))


def _device(sheet: Sheet, model: str, hardware: str, firmware: str) -> None:
    info, server = f"{_ROOT}.DeviceInfo", f"{_ROOT}.ManagementServer"
    sheet.add(info, {
        "Manufacturer": lambda box: box.who.manufacturer, "ModelName": model,
        "ManufacturerOUI": lambda box: box.who.oui, "ProductClass": model,
        "SerialNumber": lambda box: box.who.serial, "HardwareVersion": hardware,
        "SoftwareVersion": firmware, "UpTime:unsignedInt": _uptime,
    })  # fmt: skip
    sheet.add(info, {"ProvisioningCode": ""}, write=True)
    sheet.add(server, {
        "ParameterKey": "",
        "ConnectionRequestURL": lambda box: f"http://{box.ip}:7547/cr",
    })  # fmt: skip
    sheet.add(server, {
        "ConnectionRequestUsername": lambda box: f"cr-{box.who.index}-CANARY-user",
        "ConnectionRequestPassword": lambda box: f"cr-{box.who.index}-CANARY-password",
        "PeriodicInformEnable": True, "PeriodicInformInterval": 300,
        "URL": "http://acs.invalid:7547/",
    }, write=True)  # fmt: skip


def _optics(sheet: Sheet, family: Family, optics: Optics) -> None:
    if family is Family.EG8145V5:
        path = f"{_ROOT}.WANDevice.1.X_GponInterafceConfig"
        sheet.add(path, {
            "Status": "Up", "TXPower:int": lambda box: round(box.truth.tx_dbm),
            "TransceiverTemperature:int": lambda box: round(box.truth.temperature_c),
            "SupplyVoltage:int": lambda box: box.truth.voltage_mv,
            "BiasCurrent:int": lambda box: round(box.truth.bias_ma),
        })  # fmt: skip
        sheet.add(f"{path}.Stats", {"FECError": 0, "HECError": 0})
        _rx(sheet, path, "RXPower:int", lambda box: round(box.truth.rx_dbm), 0, optics)
    elif family is Family.F660:
        path = f"{_ROOT}.WANDevice.1.X_ZTE-COM_WANPONInterfaceConfig"
        sheet.add(path, {
            "Status": "Up", "TXPower:int": lambda box: dbm_to_tenth_microwatt(box.truth.tx_dbm),
        })  # fmt: skip
        _rx(sheet, path, "RXPower:int", lambda b: dbm_to_tenth_microwatt(b.truth.rx_dbm), 0, optics)
    else:
        path = f"{_ROOT}.X_ALU_OntOpticalParam"
        sheet.add(path, {
            "TXPower": lambda box: f"{box.truth.tx_dbm:.6f}",
            "RXPowerLower": "-27.958800", "RXPowerUpper": "-7.000600",
        })  # fmt: skip
        _rx(sheet, path, "RXPower", lambda b: f"{b.truth.rx_dbm:.6f}", "0.000000", optics)


def _rx(
    sheet: Sheet, path: str, key: str, getter: Getter, sentinel: Value, optics: Optics
) -> None:  # fmt: skip
    if optics is Optics.MISSING:
        return
    sheet.add(path, {key: lambda b: sentinel if b.truth.optics is Optics.SENTINEL else getter(b)})


def _wan(sheet: Sheet) -> None:
    sheet.add(_WAN, {
        "ConnectionStatus": lambda box: "Connected" if box.truth.wan_up else "Disconnected",
        "ExternalIPAddress": lambda box: box.ip if box.truth.wan_up else "0.0.0.0",  # noqa: S104 - what a box without a lease shows
        "LastConnectionError": lambda box: "ERROR_NONE" if box.truth.wan_up
        else "ERROR_AUTHENTICATION_FAILURE",
        "MACAddress": lambda box: box.who.mac,
        "Uptime:unsignedInt": lambda box: _uptime(box) if box.truth.wan_up else 0,
    })  # fmt: skip
    sheet.add(_WAN, {
        "Enable": True, "ConnectionType": "IP_Routed", "Name": "1_INTERNET_R_VID_1",
        "Username": lambda box: f"client{box.who.index}-CANARY@fibre",
        "Password": lambda box: f"ppp-{box.who.index}-CANARY-password",
    }, write=True)  # fmt: skip


def _lan(sheet: Sheet, stations: int) -> None:
    for number in range(1, 5):
        path = f"{_LAN}.LANEthernetInterfaceConfig.{number}"
        sheet.add(path, {
            "MACAddress": lambda box: box.who.mac, "Name": f"eth0:{number}",
            "Status": "Up" if number == 1 else "NoLink",
        })  # fmt: skip
        sheet.add(path, {"Enable": True, "DuplexMode": "Auto", "MaxBitRate": "Auto"}, write=True)
    for number, channel, standard in ((1, 6, "11bgn"), (5, 36, "11ac")):
        path = f"{_LAN}.WLANConfiguration.{number}"
        up = number == 1
        sheet.add(path, {
            "Status": lambda box, up=up: "Up"
            if (box.truth.radio_24_up if up else box.truth.radio_5_up) else "Down",
            "TotalAssociations": stations if number == 5 else 0,
        })  # fmt: skip
        sheet.add(path, {
            "Enable": True, "Channel": channel, "Standard": standard,
            "SSID": lambda box: f"Maison-{box.who.index}",
            "KeyPassphrase": lambda box: f"wifi-{box.who.index}-CANARY-passphrase",
        }, write=True)  # fmt: skip
        sheet.add(f"{path}.PreSharedKey.1", {
            "PreSharedKey": lambda box: f"psk-{box.who.index}-CANARY",
        }, write=True)  # fmt: skip
    for number in range(1, stations + 1):
        sheet.add(f"{_LAN}.WLANConfiguration.5.AssociatedDevice.{number}", {
            "AssociatedDeviceMACAddress":
                lambda box, n=number: f"3E:06:{n:02X}:{box.who.mac[9:]}",
            "AssociatedDeviceIPAddress": f"192.168.1.{9 + number}",
        })  # fmt: skip


def _tests(sheet: Sheet) -> None:
    sheet.add(_TESTS, {
        "ROMTime:dateTime": lambda box: moment(box.download.begin_at),
        "BOMTime:dateTime": lambda box: moment(box.download.begin_at),
        "EOMTime:dateTime": lambda box: moment(box.download.end_at),
        "TestBytesReceived:unsignedInt": lambda box: box.download.bytes_received,
        "TotalBytesReceived:unsignedInt":
            lambda box: box.download.bytes_received * 21 // 20 % (1 << 32),
    })  # fmt: skip
    sheet.add(_TESTS, {
        "DiagnosticsState": lambda box: box.download.state,
        "DownloadURL": lambda box: box.download.url, "Interface": "", "NumberOfConnections": 1,
        "TimeBasedTestDuration": 0,
    }, write=True)  # fmt: skip
