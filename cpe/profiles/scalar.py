"""One raw value becomes one value of a quantity, or the reason why it is none."""

from __future__ import annotations

import re
from typing import Final

from cpe.domain.observation import Quality, Scalar
from cpe.domain.serials import NO_MACS, mac_address
from cpe.domain.units import convert
from cpe.profiles.cpe_profile import Candidate, plausible_range, same_word
from cpe.profiles.operating_classes import operating_classes
from cpe.profiles.quantities import Kind, Quantity

Read = tuple[Scalar, Quality, str]
"""Value, quality, and in words what is wrong with the raw value."""
_DECIMAL: Final = re.compile(
    r"([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|nan|inf)\s*(?:dbm)?", re.IGNORECASE
)
_BAND: Final = re.compile(
    r"(?:wifi|wlan|radio|band)?[\s_\-]*(2[.,_]?4|24|2|5|5\.0|6)[\s_\-]*"
    r"(?:g(?:hz)?(?:[\s_\-]*(?:[0-9lh]|low|high))?)?[\s_\-]*(?:wifi|wlan|radio|band)?",
    re.IGNORECASE,
)


def read_scalar(value: Scalar, candidate: Candidate, quantity: Quantity) -> Read:
    """What the candidate makes of a raw value that was read."""
    if quantity.kind is Kind.NUMBER:
        return _number(value, candidate, quantity)
    if quantity.kind is Kind.BOOL:
        return _bool(value)
    return _text(str(value).strip(), candidate, quantity.kind)


def _text(text: str, candidate: Candidate, kind: Kind) -> Read:
    if text in candidate.sentinels:
        return None, Quality.SENTINEL, f"{text!r} is a placeholder"
    if candidate.operating_class:
        return _band_of_class(text)
    if candidate.values is not None:
        known = _worded(text, candidate.values)
        return (known, Quality.OK, "") if known is not None else _unknown(text)
    if kind is Kind.MAC:
        return _mac(text)
    return _band(text) if kind is Kind.BAND else (text, Quality.OK, "")


def _unknown(text: str) -> Read:
    return None, Quality.UNKNOWN_VALUE, f"unknown value {text[:40]!r}"


def _worded(text: str, values: dict[str, str]) -> str | None:
    """Our word for a device's; `Wi-Fi`, `WIFI` and `wi_fi` are one word of it."""
    if text in values:
        return values[text]
    if not any(c.isalpha() for c in text):  # "-1" is not "1"
        return None
    key = same_word(text)
    return next((ours for theirs, ours in values.items() if same_word(theirs) == key), None)


def _mac(text: str) -> Read:
    if not text or same_word(text) in ("none", "null"):
        return None, Quality.SENTINEL, "no address"
    canonical = mac_address(text)
    if canonical is None:
        return None, Quality.UNPARSABLE, f"{text[:40]!r} is no MAC"
    if canonical in NO_MACS:
        return None, Quality.SENTINEL, f"{text!r} is no address"
    return canonical, Quality.OK, ""


def _band(text: str) -> Read:
    """`2.4GHz`, `2.4 G`, `5G`, `5GHz-2`, `Radio_5G`; an empty one is not told."""
    if not text:
        return None, Quality.SENTINEL, "no band"
    match = _BAND.fullmatch(text)
    if match is None:
        return _unknown(text)
    number = match[1]
    return ("2.4" if number.startswith("2") else number.split(".")[0]), Quality.OK, ""


def _band_of_class(text: str) -> Read:
    """The band of a radio by its operating class; 0 is none."""
    if text in ("", "0"):
        return None, Quality.SENTINEL, "no operating class"
    known = operating_classes().get(text)
    if known is None:
        return None, Quality.UNKNOWN_VALUE, f"unknown operating class {text[:40]!r}"
    return known.band, Quality.OK, ""


def _bool(value: Scalar) -> Read:
    if isinstance(value, bool):
        return value, Quality.OK, ""
    known = {"true": True, "1": True, "false": False, "0": False}
    text = str(value).strip().lower()
    if text in known:
        return known[text], Quality.OK, ""
    return None, Quality.UNKNOWN_VALUE, f"unknown value {text[:40]!r}"


def _number(value: Scalar, candidate: Candidate, quantity: Quantity) -> Read:
    if isinstance(value, str) and value.strip() in candidate.sentinels:
        return None, Quality.SENTINEL, f"{value!r} is a placeholder"
    raw = _parse_number(value)
    if raw is None:
        return None, Quality.UNPARSABLE, f"{str(value)[:40]!r} is not a number"
    if any(isinstance(s, int | float) and s == raw for s in candidate.sentinels):
        return None, Quality.SENTINEL, f"{value!r} is a placeholder"
    if candidate.ambiguous and candidate.ambiguous[0] <= raw <= candidate.ambiguous[1]:
        return None, Quality.UNKNOWN_VALUE, f"{value!r} is ambiguous: {candidate.note}"
    converted = convert(candidate.conversion, raw)
    low, high = plausible_range(candidate, quantity)
    if converted is None or not low <= converted <= high:
        return None, Quality.IMPLAUSIBLE, f"{value!r} is no possible reading"
    whole = candidate.conversion == "identity" and converted == int(converted)
    return (int(converted) if whole and not isinstance(value, float) else converted), Quality.OK, ""


def _parse_number(value: Scalar) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        try:
            return float(value)
        except OverflowError:
            return None
    match = _DECIMAL.fullmatch(value.strip())
    return float(match[1]) if match is not None else None
