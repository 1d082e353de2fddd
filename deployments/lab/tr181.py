"""The parameter model of a TP-Link XX230v, its operator firmware, and its mesh satellites.

Shape after a real unit (hw v1.0, fw 0.6.0 3.0.0): RXPower in 0.1 µW, RCPI for stations, 0..255
for utilisation, 0 as placeholder in OpticalSignalLevel and every Noise.
"""

from __future__ import annotations

from typing import Final

from deployments.lab import tr181_wifi
from deployments.lab.encodings import dbm_to_tenth_microwatt, gpon_serial_hex
from deployments.lab.parameters import Box, Sheet, Template, moment
from deployments.lab.truth import Optics

STOCK: Final = "0.6.0 3.0.0 v6066.0 Build 220630 Rel.56119n"
OPERATOR: Final = "1.3.0 0.9.1 v605e.0 Build 230710 Rel.52381n"
_OPTICAL: Final = "Device.Optical.Interface.1"
_TESTS: Final = "Device.IP.Diagnostics.DownloadDiagnostics"
INFORM: Final = frozenset(
    {
        "Device.DeviceInfo.HardwareVersion",
        "Device.DeviceInfo.SoftwareVersion",
        "Device.DeviceInfo.ProvisioningCode",
        "Device.ManagementServer.ParameterKey",
        "Device.ManagementServer.ConnectionRequestURL",
        "Device.IP.Interface.6.IPv4Address.1.IPAddress",
    }
)


def template(
    operator: bool, satellites: int, stations: int, optics: Optics, neighbours: int
) -> Template:
    """All parameters of this variant."""
    sheet = Sheet()
    _device(sheet, OPERATOR if operator else STOCK)
    _management(sheet)
    _optical(sheet, operator, optics)
    _interfaces(sheet)
    _hosts(sheet, stations)
    _tests(sheet)
    tr181_wifi.radios(sheet)
    tr181_wifi.access_points(sheet)
    tr181_wifi.data_elements(sheet)
    tr181_wifi.multi_ap(sheet, satellites, stations)
    tr181_wifi.neighbours(sheet, neighbours)
    return Template(sheet.leaves, INFORM, _TESTS, "Completed")


def _uptime(box: Box) -> int:
    return int(max(0.0, box.now - box.booted_at))


def _device(sheet: Sheet, firmware: str) -> None:
    info = "Device.DeviceInfo"
    sheet.add(info, {
        "Description": "AX1800 Dual Band Wi-Fi 6 GPON Router",
        "HardwareVersion": "XX230v v1.0 00000000",
        "Manufacturer": lambda box: box.who.manufacturer,
        "ManufacturerOUI": lambda box: box.who.oui,
        "ModelName": "XX230v",
        "ProductClass": lambda box: box.who.product_class,
        "SerialNumber": lambda box: box.who.serial,
        "SoftwareVersion": firmware,
        "UpTime:unsignedInt": _uptime,
        "X_TP_DevType": "PON",
        "X_TP_DeviceModel": "XX230v(EU)",
    })  # fmt: skip
    sheet.add(info, {"ProvisioningCode": ""}, write=True)
    sheet.add(f"{info}.MemoryStatus", {"Free": 73940, "Total": 212544})
    sheet.add(f"{info}.ProcessStatus", {"CPUUsage": 4, "ProcessNumberOfEntries": 131})


def _management(sheet: Sheet) -> None:
    server = "Device.ManagementServer"
    sheet.add(server, {
        "ConnectionRequestURL": lambda box: f"http://{box.ip}:7547/cr",
        "ParameterKey": "",
        "NATDetected": False,
        "SupportedConnReqMethods": "HTTP,STUN,XMPP",
    })  # fmt: skip
    sheet.add(server, {
        "ConnectionRequestUsername": lambda box: f"cr-{box.who.index}-CANARY-user",
        "ConnectionRequestPassword": lambda box: f"cr-{box.who.index}-CANARY-password",
        "PeriodicInformEnable": True,
        "PeriodicInformInterval": 300,
        "URL": "http://acs.invalid:7547/",
        "Username": "cpe", "Password": "acs-CANARY-password",
    }, write=True)  # fmt: skip


def _optical(sheet: Sheet, operator: bool, optics: Optics) -> None:
    sheet.add(_OPTICAL, {
        "Name": "BBA_OPTC_INTF", "OpticalSignalLevel:int": 0, "TransmitOpticalLevel:int": 0,
        "Status": "Up", "LastChange": 0, "Upstream": True,
    })  # fmt: skip
    sheet.add(_OPTICAL, {"Alias": "", "Enable": True, "LowerLayers": ""}, write=True)
    sheet.add(f"{_OPTICAL}.Stats", {
        "BytesReceived:unsignedLong": lambda box: _uptime(box) * 91_337,
        "BytesSent:unsignedLong": lambda box: _uptime(box) * 11_113,
        "PacketsReceived:unsignedLong": lambda box: _uptime(box) * 97,
        "PacketsSent:unsignedLong": lambda box: _uptime(box) * 31,
    })  # fmt: skip
    if operator:
        errors = lambda box: int(box.truth.optical_errors_per_s * (box.now % 1e6))  # noqa: E731 - named for the two rows below
        sheet.add(f"{_OPTICAL}.Stats", {
            "ErrorsReceived:unsignedInt": errors, "ErrorsSent": 0,
            "SignalTxPower": lambda box: f"{box.truth.tx_dbm:.2f}",
        })  # fmt: skip
        if optics is not Optics.MISSING:
            sheet.add(f"{_OPTICAL}.Stats", {
                "SignalRxPower": lambda box: "0.00" if box.truth.optics is Optics.SENTINEL
                else f"{box.truth.rx_dbm:.2f}",
            })  # fmt: skip
    sheet.add(f"{_OPTICAL}.GponAuth", {
        "GponSn": lambda box: gpon_serial_hex(box.who.gpon_serial),
        "GponPwd": "gpon-CANARY-password",
    }, write=True)  # fmt: skip
    config = f"{_OPTICAL}.X_TP_GPON_Config"
    if operator:
        return
    sheet.add(config, {
        "BiasCurrent:int": lambda box: round(box.truth.bias_ma * 500),
        "Enable": False, "PonType": "GPON", "Status": "5",
        "SupplyVottage:int": lambda box: box.truth.voltage_mv,
        "TXPower:int": lambda box: dbm_to_tenth_microwatt(box.truth.tx_dbm),
        "TransceiverTemperature:int": lambda box: round(box.truth.temperature_c * 256),
    })  # fmt: skip
    if optics is not Optics.MISSING:
        sheet.add(config, {
            "RXPower:int": lambda box: 0 if box.truth.optics is Optics.SENTINEL
            else dbm_to_tenth_microwatt(box.truth.rx_dbm),
        })  # fmt: skip


def _interfaces(sheet: Sheet) -> None:
    for number, alias in enumerate(("LAN", "LAN1", "LAN2", "LAN3", "LAN4"), start=1):
        up = alias in {"LAN1", "LAN2"}
        path = f"Device.Ethernet.Interface.{number}"
        sheet.add(path, {
            "MACAddress": lambda box: box.who.mac, "MaxBitRate:int": 1000 if up else -1,
            "Name": f"eth0.{number - 1}" if number > 1 else "eth0", "Upstream": False,
            "Status": "Up" if up else "Down", "X_TP_IfNameAlias": alias,
        })  # fmt: skip
        sheet.add(path, {"Enable": True, "DuplexMode": "Auto"}, write=True)
        sheet.add(f"{path}.Stats", {"ErrorsReceived": 0, "ErrorsSent": 0})
    _ip(sheet, 1, "br0", "Device.Ethernet.Link.1.", wan=False)
    _ip(sheet, 6, "ppp0", "Device.PPP.Interface.3.", wan=True)
    ppp = "Device.PPP.Interface.3"
    sheet.add(ppp, {
        "ConnectionStatus": lambda box: "Connected" if box.truth.wan_up else "Disconnected",
        "LastConnectionError": lambda box: "ERROR_NONE" if box.truth.wan_up
        else "ERROR_AUTHENTICATION_FAILURE",
        "LastChange:unsignedInt": _uptime,
        "Name": "ppp0",
        "Status": lambda box: "Up" if box.truth.wan_up else "Down",
    })  # fmt: skip
    sheet.add(f"{ppp}.IPCP", {"LocalIPAddress": lambda box: box.ip if box.truth.wan_up else ""})
    sheet.add(ppp, {
        "Enable": True, "ConnectionTrigger": "AlwaysOn",
        "Username": lambda box: f"client{box.who.index}-CANARY@fibre",
        "Password": lambda box: f"ppp-{box.who.index}-CANARY-password",
    }, write=True)  # fmt: skip


def _ip(sheet: Sheet, number: int, name: str, below: str, *, wan: bool) -> None:
    path = f"Device.IP.Interface.{number}"
    state = (lambda box: "Up" if box.truth.wan_up else "Down") if wan else "Up"
    sheet.add(path, {"Name": name, "Status": state})
    sheet.add(path, {
        "Enable": True, "LowerLayers": below, "X_TP_ConnType": "PPPoE" if wan else "LAN",
        "X_TP_ServiceType": "Internet,TR069" if wan else "Unknown",
    }, write=True)  # fmt: skip
    address = (
        (lambda box: box.ip if box.truth.wan_up else "0.0.0.0")  # noqa: S104 - what a box without a lease shows
        if wan
        else "192.168.1.1"
    )
    sheet.add(f"{path}.IPv4Address.1", {
        "IPAddress": address, "AddressingType": "IPCP" if wan else "Static", "Enable": True,
    }, write=True)  # fmt: skip


def _hosts(sheet: Sheet, stations: int) -> None:
    sheet.add("Device.Hosts", {"HostNumberOfEntries": stations})
    for number in range(1, stations + 1):
        sheet.add(f"Device.Hosts.Host.{number}", {
            "Active": True, "HostName": f"appareil-{number}",
            "IPAddress": f"192.168.1.{9 + number}",
            "PhysAddress": lambda box, n=number: tr181_wifi.station_mac(box, n),
            "X_TP_LanConnType": 5, "X_TP_ClientType": "Other",
        })  # fmt: skip


def _tests(sheet: Sheet) -> None:
    sheet.add(_TESTS, {
        "DownloadDiagnosticMaxConnections": 3, "X_TP_Status": 0,
        "ROMTime:dateTime": lambda box: moment(box.download.begin_at),
        "BOMTime:dateTime": lambda box: moment(box.download.begin_at),
        "EOMTime:dateTime": lambda box: moment(box.download.end_at),
        "TCPOpenRequestTime:dateTime": lambda box: moment(box.download.begin_at),
        "TCPOpenResponseTime:dateTime": lambda box: moment(box.download.begin_at),
        "TestBytesReceived:unsignedInt": lambda box: box.download.bytes_received,
        "TotalBytesReceived:unsignedInt":
            lambda box: box.download.bytes_received * 21 // 20 % (1 << 32),
    })  # fmt: skip
    sheet.add(_TESTS, {
        "DiagnosticsState": lambda box: box.download.state,
        "DownloadURL": lambda box: box.download.url,
        "Interface": "Device.IP.Interface.6.", "NumberOfConnections": 3, "DSCP": 0,
        "EthernetPriority": 0, "TimeBasedTestDuration": 0, "DownloadTransports": "HTTP",
    }, write=True)  # fmt: skip
