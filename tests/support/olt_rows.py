"""Rows of one ONT in the tables of each OLT family, encoded by hand from the reference's facts.

Nothing here reads `cpe/profiles`: the client must not be tested against its own data.
"""

from __future__ import annotations

import math

from tests.support.snmp_agent import Raw

E = "1.3.6.1.4.1"


def octets(serial: str) -> bytes:
    """`HWTC1234ABCD` → 4 ASCII + 4 binary octets."""
    return serial[:4].encode("ascii") + bytes.fromhex(serial[4:])


def huawei(
    serial: str,
    *,
    port: int = 1,
    slot: int = 1,
    ont: int = 1,
    state: int = 1,
    cause: int = 13,
    down: str = "07ea0b17140a0500",
    ont_rx: int = -1914,
    ont_tx: int = 213,
    olt_rx: int = 7900,
    distance: int = 3200,
) -> dict[str, Raw]:
    index = f"{0xFA000000 | slot << 13 | port << 8}.{ont}"
    base = f"{E}.2011.6.128.1.1.2"
    return {
        f"{base}.43.1.3.{index}": octets(serial),
        f"{base}.46.1.15.{index}": state,
        f"{base}.46.1.20.{index}": distance,
        f"{base}.46.1.23.{index}": bytes.fromhex(down),
        f"{base}.46.1.24.{index}": cause,
        f"{base}.51.1.1.{index}": 41,
        f"{base}.51.1.2.{index}": 19,
        f"{base}.51.1.3.{index}": ont_tx,
        f"{base}.51.1.4.{index}": ont_rx,
        f"{base}.51.1.5.{index}": 3220,
        f"{base}.51.1.6.{index}": olt_rx,
    }


def zte_1012(
    serial: str, *, state: int = 3, cause: int = 9, ont: int = 1, ont_rx: int = 5635
) -> dict[str, Raw]:
    index = f"{0x10000000 | 1 << 16 | 1 << 8}.{ont}"
    return {
        f"{E}.3902.1012.3.28.1.1.5.{index}": octets(serial),
        f"{E}.3902.1012.3.28.2.1.4.{index}": state,
        f"{E}.3902.1012.3.28.2.1.7.{index}": cause,
        f"{E}.3902.1012.3.11.4.1.2.{index}": 1234,
        f"{E}.3902.1015.1010.11.2.1.2.{index}": -21500,
        f"{E}.3902.1012.3.50.12.1.1.10.{index}.1": ont_rx,
        f"{E}.3902.1012.3.50.12.1.1.14.{index}.1": 16100,
    }


def zte_1082(
    serial: str,
    *,
    state: int = 4,
    cause: int | None = None,
    ont: int = 1,
    serial_as: str = "text",
    ont_rx: int = 5635,
) -> dict[str, Raw]:
    index = f"{0x11010301}.{ont}"
    base = f"{E}.3902.1082.500"
    rows: dict[str, Raw] = {
        f"{base}.10.2.3.8.1.4.{index}": state,
        f"{base}.10.2.3.8.1.6.{index}": b"2026-11-23 20:10:05",
        f"{base}.1.2.4.2.1.2.{index}": -22150,
        f"{base}.10.2.3.10.1.2.{index}": 2210,
        f"{base}.20.2.2.2.1.10.{index}.1": ont_rx,
    }
    if serial_as == "text":
        rows[f"{base}.10.2.3.3.1.18.{index}"] = f"1,{serial}".encode()
    else:
        rows[f"{base}.20.2.1.2.1.3.{index}"] = octets(serial)
    if cause is not None:
        rows[f"{base}.10.2.3.8.1.7.{index}"] = cause
    return rows


def nokia(
    serial: str, *, slot: int = 1, pon: int = 1, ont: int = 1, state: int = 0, ont_rx: int = -10000
) -> dict[str, Raw]:
    index = (slot + 1) << 25 | 0b1110 << 21 | (pon - 1) << 16 | (ont - 1) << 9
    base = f"{E}.637.61.1.35.10"
    return {
        f"{base}.1.1.5.{index}": octets(serial),
        f"{base}.4.1.2.{index}": state,
        f"{base}.14.1.2.{index}": ont_rx,
        f"{base}.18.1.2.{index}": -225,
    }


def raisecom(
    serial: str, *, slot: int = 3, port: int = 7, ont: int = 1, state: int = 1, cause: int = 6
) -> dict[str, Raw]:
    own = 1 << 28 | slot << 23 | port << 16 | ont
    place = slot * 10**7 + port * 10**5 + 1
    other = place + ont * 1000 if ont < 100 else (3 << 28) + place + (ont - 100) * 1000
    base = f"{E}.8886.18.3.1.3.1.1"
    return {
        f"{base}.2.{own}": serial.encode(),
        f"{base}.17.{own}": state,
        f"{base}.15.{own}": cause,
        f"{base}.16.{own}": b"<100" if ont >= 100 else 1500,
        f"{E}.8886.18.3.1.3.3.1.1.{own}": -231,
        f"{E}.8886.18.3.6.3.1.1.16.{other}": 5000,
        f"{E}.8886.18.3.6.3.1.1.17.{other}": 16000,
    }


def fiberhome(
    serial: str, *, slot: int = 11, pon: int = 1, ont: int = 1, state: int = 1, told_slot: int = 11
) -> dict[str, Raw]:
    index = slot << 25 | pon << 19 | ont << 8
    base = f"{E}.5875.800.3"
    return {
        f"{base}.10.1.1.10.{index}": serial[:4].encode() + serial[4:].lower().encode(),
        f"{base}.10.1.1.11.{index}": state,
        f"{base}.10.1.1.2.{index}": told_slot,
        f"{base}.10.1.1.3.{index}": pon,
        f"{base}.10.1.1.4.{index}": ont,
        f"{base}.9.3.3.1.6.{index}": -2011,
        f"{base}.9.3.3.1.7.{index}": 231,
        f"{base}.9.3.7.1.2.{slot << 25 | pon << 19}.{ont}": -2345,
    }


def calix_axos(
    ont_id: str, *, index: int = 7, state: int = 1, dbm: float = -20.5
) -> dict[str, Raw]:
    base = f"{E}.6321.1.2.4.2.6.1.1"
    return {
        f"{base}.2.{index}": ont_id.encode(),
        f"{base}.4.{index}": state,
        f"{base}.5.{index}": 1,
        f"{base}.6.{index}": round(10_000 * 10 ** (dbm / 10)),
        f"{base}.7.{index}": 15849,
        f"{base}.8.{index}": round(10_000 * 10 ** (-22 / 10)),
    }


def tplink(
    serial: str, *, ont: int = 5, online: int = 1, last_down: str = "Dying Gasp", layout: str = "A"
) -> dict[str, Raw]:
    base, index = f"{E}.11863.6.100.1.7.2.1", f"0.3.{ont}"
    if layout == "B":
        return {
            f"{base}.3.{index}": serial.encode(),
            f"{base}.6.{index}": b"online",
            f"{base}.24.{index}": -2011,
            f"{base}.26.{index}": 12,
        }
    return {
        f"{base}.3.{index}": b"5",
        f"{base}.6.{index}": serial.encode(),
        f"{base}.11.{index}": online,
        f"{base}.18.{index}": 870,
        f"{base}.26.{index}": b"-19.31",
        f"{base}.27.{index}": b"2.10",
        f"{base}.28.{index}": b"--",
        f"{base}.30.{index}": b"3300",
        f"{base}.31.{index}": b"44.5",
        f"{base}.42.{index}": last_down.encode(),
    }


def vsol(serial: str, *, ont: int = 2, state: int = 3, rx: str = "-19.32(dBm)") -> dict[str, Raw]:
    base, index = f"{E}.37950.1.1.6.1.1", f"4.{ont}"
    return {
        f"{base}.4.1.5.{index}": serial.encode(),
        f"{base}.1.1.5.{index}": state,
        f"{base}.3.1.6.{index}": b"2.31",
        f"{base}.3.1.7.{index}": rx.encode(),
    }


def bdcom(
    serial: str,
    *,
    index: int = 77,
    state: int = 3,
    cause: int = 6,
    name: bytes = b"GPON0/1:1",
) -> dict[str, Raw]:
    base = f"{E}.3320.10"
    return {
        f"1.3.6.1.2.1.2.2.1.2.{index}": name,
        f"{base}.3.3.1.2.{index}": serial.lower().encode(),
        f"{base}.3.3.1.4.{index}": state,
        f"{base}.3.1.1.35.{index}": cause,
        f"{base}.3.1.1.33.{index}": 12345,
        f"{base}.3.4.1.2.{index}": -214,
        f"{base}.3.4.1.3.{index}": -65535,
    }


def cdata(
    serial: str,
    *,
    ont: int = 3,
    port: int = 1,
    state: int = 1,
    cause: str = "LOS",
    card: str = "0.1310721",
) -> dict[str, Raw]:
    base, index = f"{E}.17409.2.8", 0x480000 + port * 100 + ont
    return {
        f"{base}.4.1.1.2.{index}": f"gpon 0/0/{port} onu {ont}".encode(),
        f"{base}.4.1.1.3.{index}": octets(serial),
        f"{base}.4.1.1.7.{index}": state,
        f"{base}.4.1.1.9.{index}": 640,
        f"{base}.4.1.1.102.{index}": b"2026/11/23 20:10:05",
        f"{base}.4.1.1.103.{index}": cause.encode(),
        f"{base}.4.4.1.4.{index}.{card}": -2011,
        f"{base}.4.4.1.5.{index}.{card}": 65535,
    }


def ufiber(serial: str, *, port: int = 2, state: int = 1, rx: int = -1912) -> dict[str, Raw]:
    index = ".".join(map(str, (len(serial), *serial.encode())))
    base = f"{E}.41112.1.5.6.2.1"
    return {
        f"{base}.1.{index}": serial.encode(),
        f"{base}.3.{index}": state,
        f"{base}.5.{index}": port,
        f"{base}.8.{index}": 215 if state == 1 else 0,
        f"{base}.9.{index}": rx if state == 1 else 0,
    }


def mw_dbm(raw: int) -> float:
    """Calix: the dBm of raw/10⁴ mW, for expectations."""
    return round(10 * math.log10(raw / 10_000), 2)
