"""Named conversions from what devices report to the units we judge in.

Every `Measurement` records the name of the conversion that made it. A conversion maps one
raw number to one value; sentinels and plausibility are the profile's business, not ours.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

Conversion = Callable[[float], float | None]

DBM_DECIMALS: Final = 2


def tenth_microwatt_to_dbm(raw: float) -> float | None:
    """0.1 µW to dBm: 10·log10(raw/10⁴); 5624 → −2.5. No light (≤ 0) has no dBm value."""
    if raw <= 0:
        return None
    return round(10 * math.log10(raw / 10_000), DBM_DECIMALS)


def dbm_to_tenth_microwatt(dbm: float) -> float:
    """Inverse of `tenth_microwatt_to_dbm`, in 0.1 µW."""
    return 10_000 * 10 ** (dbm / 10)


def tenth_microwatt_mw_to_dbm(raw: float) -> float | None:
    """Calix AXOS: raw/10⁴ mW to dBm. The same arithmetic as 0.1 µW, another unit's name."""
    return tenth_microwatt_to_dbm(raw)


def identity(raw: float) -> float | None:
    """Already in the unit the quantity is judged in."""
    return raw


def milli(raw: float) -> float | None:
    """Thousandths: TR-181 OpticalSignalLevel −21500 → −21.5 dBm."""
    return round(raw / 1000, 3)


def tenth(raw: float) -> float | None:
    """Tenths: TR-181 XPON Transceiver RxPower −215 → −21.5 dBm."""
    return round(raw / 10, 2)


def hundredth(raw: float) -> float | None:
    """Hundredths: −2415 → −24.15."""
    return round(raw / 100, 2)


def rcpi_to_dbm(raw: float) -> float | None:
    """RCPI/ANPI code 0..220 to dBm: raw/2 − 110 (IEEE 802.11; TR-181 DataElements)."""
    if not 0 <= raw <= 220:
        return None
    return raw / 2 - 110


def u8_to_pct(raw: float) -> float | None:
    """0..255 mapped linearly to 0..100 % (TR-181 DataElements Utilization); 130 → 51."""
    if not 0 <= raw <= 255:
        return None
    return round(raw * 100 / 255, 1)


def u256_to_c(raw: float) -> float | None:
    """Transceiver temperature, 1/256 °C; 12251 → 47.9."""
    return round(raw / 256, 1)


def kbps_to_mbps(raw: float) -> float | None:
    """kbit/s to Mbit/s."""
    return round(raw / 1000, 3)


def bps_to_mbps(raw: float) -> float | None:
    """bit/s to Mbit/s."""
    return round(raw / 1_000_000, 3)


def bias_2ua_to_ma(raw: float) -> float | None:
    """Laser bias in 2 µA steps to mA (SFF-8472 scale; TP-Link BiasCurrent 8302 → 16.6)."""
    return round(raw * 2 / 1000, 2)


def microamp_to_ma(raw: float) -> float | None:
    """µA to mA."""
    return round(raw / 1000, 3)


CONVERSIONS: Final[dict[str, Conversion]] = {
    "identity": identity,
    "tenth_microwatt_to_dbm": tenth_microwatt_to_dbm,
    "tenth_microwatt_mw_to_dbm": tenth_microwatt_mw_to_dbm,
    "milli": milli,
    "tenth": tenth,
    "hundredth": hundredth,
    "rcpi_to_dbm": rcpi_to_dbm,
    "u8_to_pct": u8_to_pct,
    "u256_to_c": u256_to_c,
    "kbps_to_mbps": kbps_to_mbps,
    "bps_to_mbps": bps_to_mbps,
    "bias_2ua_to_ma": bias_2ua_to_ma,
    "microamp_to_ma": microamp_to_ma,
}


def convert(name: str, raw: float) -> float | None:
    """Apply the named conversion; None when the raw number has no value in that unit.

    Raises KeyError for a name that does not exist (profiles are checked when loaded).
    """
    if math.isnan(raw) or math.isinf(raw):
        return None
    return CONVERSIONS[name](raw)
