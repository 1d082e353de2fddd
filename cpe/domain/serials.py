"""What people type and what systems call a box: TR-069 serial, GPON serial, MAC.

The canonical GPON serial is 4 upper-case letters/digits + 8 upper-case hex digits
(`TPLGB4D00744`); the canonical MAC is `1C:61:B4:D0:07:45`.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from cpe.domain.errors import InputRefusedError

MAX_SERIAL_LENGTH: Final = 64
_MARKS: Final = frozenset("-_.:%/ +#()~&@,=!'")
"""What a serial may hold beside letters and digits: harmless in JSON, in a percent-encoded URL, in
a markdown table and on a terminal. No `*`, `?`, `$`, quotes, brackets: wildcards and syntax."""
NO_MACS: Final = frozenset({"00:00:00:00:00:00", "FF:FF:FF:FF:FF:FF"})
"""What boxes write where they have no address."""
_VENDOR_HEX: Final = re.compile(r"([A-Za-z0-9]{4})([0-9A-Fa-f]{8})")
_HEX16: Final = re.compile(r"[0-9A-Fa-f]{16}")
_MAC_OCTETS: Final = re.compile(r"[0-9A-Fa-f]{1,2}(?:[:\-. ][0-9A-Fa-f]{1,2}){5}")
_MAC_GROUPS: Final = re.compile(r"(?:[0-9A-Fa-f]{4}[:\-. ]){2}[0-9A-Fa-f]{4}|[0-9A-Fa-f]{12}")
_SEPARATORS: Final = re.compile(r"[:\-. ]")


def parse_serial(text: str) -> str:
    """The serial as it may be sent, trimmed and composed (NFC: `é` is one character).

    What passes has one meaning everywhere: to a GenieACS query it is never `/a regular
    expression/` or a wildcard. Raises InputRefusedError with one clear line.
    """
    serial = unicodedata.normalize("NFC", text.strip(" "))
    if not serial:
        raise InputRefusedError("the serial is empty")
    if len(serial) > MAX_SERIAL_LENGTH:
        raise InputRefusedError(f"the serial is longer than {MAX_SERIAL_LENGTH} characters")
    if not all(c in _MARKS or c.isalpha() or c in "0123456789" for c in serial):
        raise InputRefusedError(
            "the serial may hold letters, digits, spaces and - _ . : % / + # ( ) ~ & @ , = ! ' only"
            " (no wildcard)"
        )
    if ".." in serial:
        raise InputRefusedError("the serial may not hold '..'")
    if serial.startswith("/") or serial.endswith("/"):
        raise InputRefusedError("the serial may not begin or end with '/'")
    return serial


def serial_spellings(serial: str) -> tuple[str, ...]:
    """Every way a system may hold a parsed serial: in either case, accents composed or apart."""
    cases = (serial, serial.upper(), serial.lower())
    forms = (*cases, *(unicodedata.normalize("NFD", text) for text in cases))
    return tuple(dict.fromkeys(forms))


def is_same_serial(one: str, other: str) -> bool:
    """Whether two spellings, in any case, name one box."""
    return _folded(one) == _folded(other)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).upper()


def gpon_serial(text: str) -> str | None:
    """Canonical GPON serial from any notation seen in the field, else None.

    Accepts `TPLGB4D00744`, lower case, 16 hex digits (`54504C47B4D00744`), `48 57 54 43 ..`,
    and ZTE's `1,ZTEGxxxxxxxx`.
    """
    value = text.strip().replace("\0", "")
    if value[:2].isascii() and re.match(r"\d,", value):
        value = value[2:]
    compact = re.sub(r"[ :\-.]", "", value)
    if _HEX16.fullmatch(compact):
        vendor = bytes.fromhex(compact[:8])
        if all(0x30 <= b <= 0x39 or 0x41 <= b <= 0x5A or 0x61 <= b <= 0x7A for b in vendor):
            return vendor.decode("ascii").upper() + compact[8:].upper()
        return None
    if match := _VENDOR_HEX.fullmatch(compact):
        return (match[1] + match[2]).upper()
    return None


def gpon_serial_from_octets(octets: bytes) -> str | None:
    """Canonical GPON serial from the OLT's 8 octets (4 ASCII + 4 binary); also its text forms."""
    if len(octets) == 8:
        vendor, number = octets[:4], octets[4:]
        return vendor.decode().upper() + number.hex().upper() if vendor.isalnum() else None
    try:
        return gpon_serial(octets.decode("ascii"))
    except UnicodeDecodeError:
        return None


def gpon_serial_hex(canonical: str) -> str:
    """`TPLGB4D00744` → `54504C47B4D00744`, as TP-Link's GponSn leaf holds it."""
    return canonical[:4].encode("ascii").hex().upper() + canonical[4:].upper()


def mac_address(text: str) -> str | None:
    """Canonical MAC from any notation seen in the field, else None.

    Accepts `1c-61-b4-d0-07-45`, `1C61B4D00745`, `1c61.b4d0.0745`, `1c61-b4d0-0745` and octets
    without their leading zero (`1c:61:b4:d0:7:45`).
    """
    value = text.strip()
    if _MAC_OCTETS.fullmatch(value):
        digits = "".join(octet.zfill(2) for octet in _SEPARATORS.split(value)).upper()
    elif _MAC_GROUPS.fullmatch(value):
        digits = _SEPARATORS.sub("", value).upper()
    else:
        return None
    return ":".join(digits[i : i + 2] for i in range(0, 12, 2))


def identity_key(text: str) -> str | None:
    """What two spellings of one serial, GPON serial or MAC have in common; None for a blank.

    GPON serials in hex and in text have one key; a key is for comparing, not for showing.
    """
    if mac := mac_address(text):
        return mac.replace(":", "")
    if canonical := gpon_serial(text):
        return canonical
    return re.sub(r"[\s:\-._]", "", _folded(text)) or None


def gpon_spellings(canonical: str) -> tuple[str, ...]:
    """Every way a system may hold a canonical GPON serial: text or hex, in either case."""
    as_hex = gpon_serial_hex(canonical)
    return (
        canonical, as_hex, canonical.lower(), as_hex.lower(),
        canonical[:4] + canonical[4:].lower(),
    )  # fmt: skip


def mac_spellings(canonical: str) -> tuple[str, ...]:
    """Every way a system may hold a canonical MAC."""
    plain = canonical.replace(":", "")
    dotted = ".".join((plain[:4], plain[4:8], plain[8:]))
    upper = (canonical, canonical.replace(":", "-"), plain, dotted)
    return (*upper, *(text.lower() for text in upper))


def spellings(text: str) -> tuple[str, ...]:
    """Every way a system may hold a serial, GPON serial or MAC that somebody gave."""
    found = [*serial_spellings(text)]
    if canonical := gpon_serial(text):
        found += gpon_spellings(canonical)
    if mac := mac_address(text):
        found += mac_spellings(mac)
    return tuple(dict.fromkeys(found))


def same_address(one: object, other: object) -> bool:
    """Whether two texts are one MAC; what is none is compared without case."""
    texts = [str(value or "").strip() for value in (one, other)]
    first, second = (mac_address(text) or text.upper() for text in texts)
    return bool(first) and first == second


def tplink_gpon_serial_from_mac(mac: str) -> str | None:
    """TP-Link's GPON serial derived from the WAN MAC: TPLG + bytes 3, 4, 5 + (byte 6 & 0xFC).

    1C:61:B4:D0:07:45 → TPLGB4D00744, the pair of a real XX230v.
    """
    canonical = mac_address(mac)
    if canonical is None:
        return None
    octets = [int(part, 16) for part in canonical.split(":")]
    return f"TPLG{octets[2]:02X}{octets[3]:02X}{octets[4]:02X}{octets[5] & 0xFC:02X}"
