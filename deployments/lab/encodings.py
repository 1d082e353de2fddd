"""How devices write what is so. By hand, from the reference; the client's decoders are not used."""

from __future__ import annotations


def dbm_to_tenth_microwatt(dbm: float) -> int:
    """−2.50 dBm → 5623, as TP-Link and ZTE boxes report power."""
    return round(10_000 * 10 ** (dbm / 10))


def dbm_to_rcpi(dbm: float) -> int:
    """−60 dBm → 100; also ANPI, the noise code."""
    return max(0, min(220, round(2 * (dbm + 110))))


def pct_to_u8(pct: float) -> int:
    """51 % → 130."""
    return max(0, min(255, round(pct * 255 / 100)))


def gpon_serial_hex(canonical: str) -> str:
    """`TPLGB4D00744` → `54504C47B4D00744`."""
    return canonical[:4].encode("ascii").hex().upper() + canonical[4:]


def gpon_serial_octets(canonical: str) -> bytes:
    """`TPLGB4D00744` → 4 ASCII octets and 4 binary ones."""
    return canonical[:4].encode("ascii") + bytes.fromhex(canonical[4:])
