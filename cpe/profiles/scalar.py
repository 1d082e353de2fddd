"""One raw value becomes one value of a quantity, or the reason why it is none."""

from __future__ import annotations

import re
from typing import Final

from cpe.domain.observation import Quality, Scalar
from cpe.domain.units import convert
from cpe.profiles.cpe_profile import Candidate, plausible_range
from cpe.profiles.quantities import Kind, Quantity

Read = tuple[Scalar, Quality, str]
"""Value, quality, and in words what is wrong with the raw value."""
_DECIMAL: Final = re.compile(
    r"([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|nan|inf)\s*(?:dbm)?", re.IGNORECASE
)


def read_scalar(value: Scalar, candidate: Candidate, quantity: Quantity) -> Read:
    """What the candidate makes of a raw value that was read."""
    if quantity.kind is Kind.NUMBER:
        return _number(value, candidate, quantity)
    if quantity.kind is Kind.BOOL:
        return _bool(value)
    text = str(value).strip()
    if text in candidate.sentinels:
        return None, Quality.SENTINEL, f"{value!r} is a placeholder"
    if candidate.values is None:
        return text, Quality.OK, ""
    if text in candidate.values:
        return candidate.values[text], Quality.OK, ""
    return None, Quality.UNKNOWN_VALUE, f"unknown value {text[:40]!r}"


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
