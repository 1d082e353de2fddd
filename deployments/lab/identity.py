"""Who box number i is and where it hangs: pure functions of the index, so 100,000 cost nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from deployments.lab.truth import Conditions, Family, Placement, Vendor, dice

ODD_SERIALS: Final = {11: "ab-12/34", 12: "2239000001"}
"""A serial that needs encoding twice, and one that looks like a number."""

VENDORS: Final = (Vendor.HUAWEI, Vendor.ZTE, Vendor.NOKIA)
OLT_NAMES: Final = ("olt-nord", "olt-centre", "olt-sud")


def olt_name(number: int) -> str:
    """The first three have names, the others numbers."""
    return OLT_NAMES[number] if number < len(OLT_NAMES) else f"olt-{number + 1:02d}"


def olt_vendor(number: int) -> Vendor:
    """The makes take turns."""
    return VENDORS[number % len(VENDORS)]


_X, _H, _Z, _N = Family.XX230V, Family.EG8145V5, Family.F660, Family.G240W
_PATTERN: Final = (_X, _X, _X, _X, _X, _X, _H, _Z, _N, _X)
_FIRST_TPLINK: Final = 20
_SMALL_PONS: Final = 60
_SMALL_PON_SIZE: Final = 12


@dataclass(frozen=True, slots=True)
class Identity:
    """What is printed on the box."""

    index: int
    serial: str
    family: Family
    manufacturer: str
    oui: str
    product_class: str
    mac: str
    gpon_serial: str

    @property
    def acs_id(self) -> str:
        """GenieACS's `_id`: OUI-ProductClass-Serial, each part percent-encoded."""
        return acs_id(self.oui, self.product_class, self.serial)

    @property
    def is_tplink(self) -> bool:
        """TR-181 with TP-Link's extras; the others speak TR-098."""
        return self.family is Family.XX230V


def acs_id(oui: str, product_class: str, serial: str) -> str:
    """Join the parts as GenieACS does; every char outside [A-Za-z0-9_] is percent-encoded."""
    return "-".join(_encode(part) for part in (oui, product_class, serial) if part)


def _encode(part: str) -> str:
    if part.isascii() and part.replace("_", "a").isalnum():
        return part
    return "".join(
        chr(b) if chr(b).isascii() and (chr(b).isalnum() or b == 0x5F) else f"%{b:02X}"
        for b in part.encode()
    )


def family_of(index: int) -> Family:
    """The first twenty are TP-Link, then six or seven of ten."""
    return _X if index < _FIRST_TPLINK else _PATTERN[index % 10]


def identity(seed: int, index: int, *, spare: int = 0) -> Identity:
    """The box with this number; `spare` > 0 numbers a box on the shelf, always a TP-Link.

    A TP-Link's GPON serial follows from its MAC as on real units.
    """
    family = _X if spare else family_of(index)
    number = (int(dice(seed, 1) * 100_000) + index) * 4
    low = f"{number >> 16 & 0xFF:02X}:{number >> 8 & 0xFF:02X}:{number & 0xFF | 1:02X}"
    if family is _X:
        serial = f"SPARE{spare:02d}" if spare else ODD_SERIALS.get(index) or f"LAB{index + 1:04d}"
        gpon = f"TPLGB4{number:06X}"
        return Identity(
            index, serial, family, "TP-Link", "1C61B4", "Device2", f"1C:61:B4:{low}", gpon
        )
    if family is _H:
        sn = f"A9{number:06X}"
        return Identity(
            index, "48575443" + sn, family, "Huawei Technologies Co., Ltd", "00259E", "EG8145V5",
            f"94:25:33:{low}", "HWTC" + sn,
        )  # fmt: skip
    if family is _Z:
        sn = f"ZTEGC8{number:06X}"
        return Identity(index, sn, family, "ZTE", "B4B362", "F660", f"B4:B3:62:{low}", sn)
    sn = f"ALCLF9{number:06X}"
    return Identity(index, sn, family, "ALCL", "F8A097", "G-240W-C", f"F8:A0:97:{low}", sn)


def base_conditions(seed: int, who: Identity) -> Conditions:
    """A healthy box, each a little different. Whole-dBm models still land inside the target."""
    index = who.index
    rx = round(-14.5 - 7.5 * dice(seed, index, 2), 2)
    return Conditions(
        rx_dbm=rx,
        tx_dbm=round(1.6 + 1.2 * dice(seed, index, 3), 2),
        olt_rx_dbm=round(rx - 1.0 - 3.0 * dice(seed, index, 4), 2),
        temperature_c=round(41 + 9 * dice(seed, index, 5), 1),
        bias_ma=round(12 + 5 * dice(seed, index, 6), 1),
        distance_m=int(400 + 9000 * dice(seed, index, 7)),
        utilisation_24_pct=round(18 + 25 * dice(seed, index, 8), 1),
        utilisation_5_pct=round(6 + 25 * dice(seed, index, 9), 1),
        operator_firmware=who.is_tplink and index >= _FIRST_TPLINK and index % 10 == 3,
        satellites=2 if who.is_tplink and index >= _FIRST_TPLINK and index % 10 == 4 else 0,
        line_mbps=round(430 + 120 * dice(seed, index, 10), 1),
    )


def placement(index: int, pon_size: int, olts: int = 3) -> Placement:
    """Block by block round the OLTs. The first 60 boxes share five small PONs, always.

    Small so that the tour's outage (box 37) takes eleven neighbours along and nobody else's box.
    """
    if index < _SMALL_PONS:
        block, ont = divmod(index, _SMALL_PON_SIZE)
    else:
        block, ont = divmod(index - _SMALL_PONS, pon_size)
        block += _SMALL_PONS // _SMALL_PON_SIZE
    return Placement(block % olts, block // olts, ont)


def default_pon_size(devices: int) -> int:
    """32 ONTs a PON, 64 in large fleets."""
    return 32 if devices <= 5_000 else 64
