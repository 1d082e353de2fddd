"""Numbers as devices write them: `-19.32(dBm)`, `0.00 mW (-23.19 dBm)`, `-21,5 dBm`, `45 °C`.

A unit that is written beats the one that a profile expects; numbers that contradict each other,
or are of another dimension than the one wanted, are no reading.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_NUMBER: Final = r"[+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:e[+-]?\d+)?|[+-]?inf(?:inity)?\b|nan\b"
_TOKEN: Final = re.compile(rf"({_NUMBER})\s*(?:\(\s*)?([a-z°%℃][a-z°]*(?:/s)?)?", re.IGNORECASE)
_BETWEEN: Final = re.compile(r"[\s()\[\]/;|~=]*")
_LONGEST: Final = 64
_SLACK_DB: Final = 0.05
"""Two ways of writing one power were rounded each for itself."""


def _milliwatt_to_dbm(milliwatt: float) -> float:
    return 10 * math.log10(milliwatt) if milliwatt > 0 else -math.inf


def _times(factor: float) -> Callable[[float], float]:
    return lambda number: number * factor


_SAME: Final = _times(1)
_UNITS: Final[dict[str, tuple[str, Callable[[float], float]]]] = {
    "dbm": ("dBm", _SAME),
    "mw": ("dBm", _milliwatt_to_dbm),
    "uw": ("dBm", lambda number: _milliwatt_to_dbm(number / 1e3)),
    "nw": ("dBm", lambda number: _milliwatt_to_dbm(number / 1e6)),
    "mv": ("mV", _SAME),
    "v": ("mV", _times(1000)),
    "ma": ("mA", _SAME),
    "ua": ("mA", _times(1e-3)),
    "c": ("°C", _SAME),
    "°c": ("°C", _SAME),
    "℃": ("°C", _SAME),
    "°": ("°C", _SAME),
    "celsius": ("°C", _SAME),
    "m": ("m", _SAME),
    "km": ("m", _times(1000)),
    "s": ("s", _SAME),
    "%": ("%", _SAME),
    "bit/s": ("Mbit/s", _times(1e-6)),
    "bps": ("Mbit/s", _times(1e-6)),
    "kbit/s": ("Mbit/s", _times(1e-3)),
    "kbps": ("Mbit/s", _times(1e-3)),
    "mbit/s": ("Mbit/s", _SAME),
    "mbps": ("Mbit/s", _SAME),
    "gbit/s": ("Mbit/s", _times(1e3)),
    "gbps": ("Mbit/s", _times(1e3)),
}
"""Written units, without case, as (the unit we judge in, the way there)."""


@dataclass(frozen=True, slots=True)
class WrittenNumber:
    """A number and the unit beside it, None where there is none. `step` is its last digit's."""

    number: float
    unit: str | None
    step: float


@dataclass(frozen=True, slots=True)
class Written:
    """What a text says: `value` in the unit wanted, or a bare number whose unit it does not say.

    `is_whole`: the bare number has no decimals. `value` of −inf is "no light". `wrong` says why the
    text gives neither.
    """

    value: float | None = None
    bare: float | None = None
    is_whole: bool = False
    wrong: str = ""


def written_numbers(text: str) -> tuple[WrittenNumber, ...]:
    """Every number of a text that consists of nothing else; empty when there is something else."""
    rest = text.strip().replace("−", "-").replace("μ", "u").replace("µ", "u")
    found: list[WrittenNumber] = []
    at = 0
    while len(rest) <= _LONGEST and at < len(rest):
        match = _TOKEN.match(rest, at)
        if match is None:
            return ()
        digits = match[1].replace(",", ".")
        _, _, decimals = digits.lower().partition("e")[0].partition(".")
        found.append(WrittenNumber(float(digits), match[2], 10.0 ** -len(decimals)))
        between = _BETWEEN.match(rest, match.end())
        at = match.end() if between is None else between.end()
    return tuple(found)


def read_number(text: str, unit: str, convert: Callable[[float], float | None]) -> Written:
    """The number of a text in `unit`; `convert` is what the profile makes of a bare number."""
    numbers = written_numbers(text)
    if not numbers:
        return Written(wrong="no number in the text")
    bare = [n for n in numbers if n.unit is None]
    if len(bare) == len(numbers) == 1:
        number = bare[0].number
        return Written(bare=number, is_whole=bare[0].step == 1 and number.is_integer())
    if len(bare) == len(numbers):
        return Written(wrong="several numbers and no unit")
    if strange := [n.unit for n in numbers if n.unit and _dimension(n.unit) != unit]:
        return Written(wrong=f"the unit {strange[0]!r} is not {unit}")
    stated = [n for n in numbers if n.unit]
    best = min(stated, key=lambda n: (n.unit or "").casefold() != unit.casefold())
    own_low, value, own_high = _interval(best)
    for other in stated:
        low, _, high = _interval(other)
        if low > own_high + _SLACK_DB or high < own_low - _SLACK_DB:
            return Written(wrong="the numbers of the text contradict each other")
    for number in bare:
        converted = convert(number.number)
        if converted is None or abs(converted - value) > max(best.step, 2 * _SLACK_DB):
            return Written(wrong="the numbers of the text contradict each other")
    return Written(value=value)


def _dimension(unit: str) -> str | None:
    known = _UNITS.get(unit.casefold())
    return known[0] if known is not None else None


def _interval(written: WrittenNumber) -> tuple[float, float, float]:
    """(the least it may be, the value, the most), in the unit we judge in."""
    to_unit = _UNITS[(written.unit or "").casefold()][1]
    half = written.step / 2
    number = written.number
    return to_unit(number - half), to_unit(number), to_unit(number + half)
