"""TR-143 arithmetic: what a finished download says, or why it says nothing.

Times are the box's own clock, which may be wrong: only their difference counts. Counters are
mostly unsignedInt and start again at 4 GiB; a test file has to be smaller than that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from cpe.domain.observation import Scalar

COMPLETE: Final = frozenset({"Complete", "Completed"})
"""`Completed` is a typing error of early TR-181 versions that real boxes still say."""
REQUESTED: Final = "Requested"
CANCELED: Final = "Canceled"
SHORTEST_S: Final = 0.2
"""Times come in milliseconds and TCP needs some round trips to get up to speed."""
CLOCK_SLACK_S: Final = 1.0
MILLISECONDS: Final = 3
"""Decimals of a second from which on its step is nothing beside SHORTEST_S."""
MAX_DIGITS: Final = 20
"""Of an unsignedLong."""
MAX_MBPS: Final = 10_000.0
"""XGS-PON; nothing a subscriber's box has is faster."""

_ERRORS: Final = {
    "Error_CannotResolveHostName": "the box cannot resolve the test server's name",
    "Error_NoRouteToHost": "the box has no route to the test server",
    "Error_InitConnectionFailed": "the test server does not take the box's connection",
    "Error_NoResponse": "the test server does not answer the box",
    "Error_TransferFailed": "the transfer from the test server failed",
    "Error_PasswordRequestFailed": "the test server did not ask for a password",
    "Error_LoginFailed": "the test server refuses the login",
    "Error_NoTransferMode": "the test server has no such transfer mode",
    "Error_NoPASV": "the test server has no passive mode",
    "Error_IncorrectSize": "the test file's size is not what was announced",
    "Error_Timeout": "the box's test timed out",
    "Error_Internal": "the box's test failed inside",
    "Error_Other": "the box's test failed",
}


@dataclass(frozen=True, slots=True)
class Counters:
    """The result parameters as read, None where there is none.

    Times are xsd:dateTime texts, bytes are counts, `full_period_us` microseconds during which all
    connections were loading.
    """

    began: Scalar = None
    ended: Scalar = None
    test_bytes: Scalar = None
    total_bytes: Scalar = None
    full_test_bytes: Scalar = None
    full_total_bytes: Scalar = None
    full_period_us: Scalar = None


@dataclass(frozen=True, slots=True)
class Rate:
    """What was measured, over which bytes and time; `mbps` None: `why` says why not.

    `resolution_ms` is the step of the times that it was measured by, where they tell one.
    """

    mbps: float | None = None
    bytes: int | None = None
    duration_ms: int | None = None
    why: str = ""
    resolution_ms: int | None = None


def failed(state: str) -> bool:
    """Whether the test ended without a result."""
    return state.startswith("Error") or state == CANCELED


def explain(state: str) -> str:
    """A failed state in words."""
    if state == CANCELED:
        return "the test was cancelled"
    return f"{_ERRORS.get(state, 'the box reports an error')} ({state})"


def download_rate(counters: Counters, *, connections: int | None, waited_s: float) -> Rate:
    """The download rate by TR-143's formulas.

    One connection: 8·TestBytesReceived / (EOM − BOM). Several: 8·TotalBytesReceivedUnderFullLoading
    / PeriodOfFullLoading, where the box counts that; else the first over the whole test.
    `waited_s` is how long ago the test was asked for: it cannot have lasted longer.
    """
    duration_s = _duration_s(counters)
    if isinstance(duration_s, str):
        return Rate(why=duration_s)
    received = whole_number(counters.test_bytes)
    step_ms = _resolution_ms(counters)
    average = Rate(None, received, round(duration_s * 1000), resolution_ms=step_ms)
    if duration_s > waited_s + CLOCK_SLACK_S:
        return replace(average, why="the box's clock was set during the test")
    if duration_s < SHORTEST_S:
        why = f"{duration_s * 1000:.0f} ms are too short to measure: the test file is too small"
        return replace(average, why=why)
    if not received:
        return replace(average, why="the box counted no bytes")
    if _contradicted(counters, received):
        why = "the byte counters contradict each other: they may have wrapped at 4 GiB"
        return replace(average, why=why)
    rate = replace(average, mbps=_mbps(received, duration_s))
    if connections is not None and connections > 1:
        rate = _under_full_loading(counters, duration_s) or rate
    if rate.mbps is not None and rate.mbps > MAX_MBPS:
        why = "faster than any line: the counters cannot be right"
        return replace(rate, mbps=None, why=why)
    return rate


def bounds_mbps(
    received: int | None, duration_ms: int | None, resolution_ms: int | None
) -> tuple[float, float] | None:
    """The least and the most that a rate may be, its times being told in steps; None when they are
    fine enough. Both ends are cut off by as much as a step."""
    if not received or not duration_ms or not resolution_ms:
        return None
    shortest_ms = max(duration_ms - resolution_ms, 0)
    most = 8 * received / shortest_ms / 1e3 if shortest_ms else math.inf
    return 8 * received / (duration_ms + resolution_ms) / 1e3, min(most, MAX_MBPS)


def whole_number(value: Scalar) -> int | None:
    """A count, also when written as text (xsd:unsignedLong); None when it is none."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        text = value.strip()
        return int(text) if len(text) <= MAX_DIGITS and text.isascii() and text.isdigit() else None
    if isinstance(value, float) and not value.is_integer():
        return None
    return int(value) if value >= 0 else None


def moment(value: Scalar) -> datetime | None:
    """A time of the box's clock; None for what is no time and for year 1, CWMP's "unknown"."""
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    if parsed.year == 1:
        return None
    return parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)


def _duration_s(counters: Counters) -> float | str:
    began, ended = moment(counters.began), moment(counters.ended)
    if began is None or ended is None:
        return "the box gives no time of the transfer's begin or end"
    seconds = (ended - began).total_seconds()
    return seconds if seconds > 0 else "the transfer ends before it begins on the box's clock"


def _resolution_ms(counters: Counters) -> int | None:
    """The step of both times: whole seconds where neither has a fraction, tenths, hundredths. None
    for milliseconds, and for finer."""
    digits = 0
    for value in (counters.began, counters.ended):
        at = moment(value)
        fraction = f"{at.microsecond:06}".rstrip("0") if at is not None else ""
        digits = max(digits, len(fraction))
    return 10 ** (3 - digits) if digits < MILLISECONDS else None


def _contradicted(counters: Counters, received: int) -> bool:
    """Part above whole: only a counter that wrapped says so. 0 is a counter that is not kept."""
    total = whole_number(counters.total_bytes)
    full, full_total = (
        whole_number(counters.full_test_bytes),
        whole_number(counters.full_total_bytes),
    )
    return (
        bool(total and total < received)
        or bool(full and full > received)
        or bool(full and full_total and full_total < full)
    )


def _under_full_loading(counters: Counters, duration_s: float) -> Rate | None:
    """None when the box does not count it, or counts what cannot be."""
    period_us = whole_number(counters.full_period_us)
    received = whole_number(counters.full_total_bytes) or whole_number(counters.full_test_bytes)
    if not period_us or not received:
        return None
    seconds = period_us / 1e6
    if not SHORTEST_S <= seconds <= duration_s + CLOCK_SLACK_S:
        return None
    return Rate(_mbps(received, seconds), received, round(seconds * 1000))


def _mbps(received: int, seconds: float) -> float:
    return round(8 * received / seconds / 1e6, 2)
