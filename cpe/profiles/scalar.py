"""One raw value becomes one value of a quantity, or the reason why it is none."""

from __future__ import annotations

import math
import re
from functools import partial
from typing import Final

from cpe.domain.number_text import read_number
from cpe.domain.observation import Quality, Scalar
from cpe.domain.serials import NO_MACS, mac_address
from cpe.domain.units import convert
from cpe.profiles.cpe_profile import Candidate, plausible_range, same_word
from cpe.profiles.operating_classes import operating_classes
from cpe.profiles.quantities import Kind, Quantity

Read = tuple[Scalar, Quality, str]
"""Value, quality, and in words what is wrong with the raw value."""
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
    """A number: as it is, or in a text, whose unit beats the one that the candidate expects."""
    if not isinstance(value, str):
        return _bare_number(value, value, candidate, quantity)
    if value.strip() in candidate.sentinels:
        return None, Quality.SENTINEL, f"{value!r} is a placeholder"
    written = read_number(value, quantity.unit or "", partial(convert, candidate.conversion))
    if written.wrong:
        return None, Quality.UNPARSABLE, f"{value[:40]!r}: {written.wrong}"
    if written.bare is None:
        return _checked(written.value, value, candidate, quantity)
    bare = int(written.bare) if written.is_whole else written.bare
    return _bare_number(bare, value, candidate, quantity)


def _bare_number(raw: Scalar, value: Scalar, candidate: Candidate, quantity: Quantity) -> Read:
    """A number without a unit, in the candidate's scale. `value` is what was sent."""
    number = _float(raw)
    if number is None:
        return None, Quality.UNPARSABLE, f"{str(value)[:40]!r} is not a number"
    if quantity.is_raw_placeholder(raw) or number in candidate.sentinels:
        return None, Quality.SENTINEL, f"{value!r} is a placeholder"
    if candidate.ambiguous and candidate.ambiguous[0] <= number <= candidate.ambiguous[1]:
        return None, Quality.UNKNOWN_VALUE, f"{value!r} is ambiguous: {candidate.note}"
    converted, quality, note = _checked(
        convert(candidate.conversion, number), value, candidate, quantity
    )
    whole = candidate.conversion == "identity" and not isinstance(value, float)
    if whole and isinstance(converted, float) and converted.is_integer():
        return int(converted), quality, note
    return converted, quality, note


def _float(raw: Scalar) -> float | None:
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        return None
    try:
        return float(raw)
    except OverflowError:
        return None


def _checked(
    converted: float | None, value: Scalar, candidate: Candidate, quantity: Quantity
) -> Read:
    """A value in the quantity's unit that is neither a placeholder nor impossible."""
    if converted is not None and (
        math.isinf(converted) or quantity.is_placeholder(converted, candidate.resolution)
    ):
        return None, Quality.SENTINEL, f"{value!r} is a placeholder"
    low, high = plausible_range(candidate, quantity)
    possible = converted is not None and low <= converted <= high
    if converted is None or not possible or not quantity.is_detectable(converted):
        return None, Quality.IMPLAUSIBLE, f"{value!r} is no possible reading"
    return converted, Quality.OK, ""
