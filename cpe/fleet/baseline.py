"""Each box against its own past: medians over three windows, the trend, how long until too weak.

The past is kept in hundredths of a dBm as 16-bit integers, one column a day: 100,000 boxes over a
month are 6 MB.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt

from cpe.fleet.words import Bools, Floats

Hundredths = npt.NDArray[np.int16]
MISSING: Final = np.int16(32_767)
"""Sorts behind every reading."""
PER_DB: Final = 100
_CHUNK: Final = 4_000


@dataclass(frozen=True, slots=True)
class Past:
    """Readings of earlier days: one row a box, one column a day; `ages` are days before today."""

    values: Hundredths
    ages: npt.NDArray[np.int64]

    def within(self, days: int) -> Hundredths:
        """The columns of the last so many days."""
        return self.values[:, (self.ages >= 1) & (self.ages <= days)]


@dataclass(frozen=True, slots=True)
class Drift:
    """How today's reading stands to the past. dB; negative is weaker. NaN is not known."""

    short: Floats
    middle: Floats
    long: Floats
    long_median: Floats
    long_count: npt.NDArray[np.int64]
    per_month: Floats
    days_left: Floats


def empty_past(boxes: int, days: int) -> Past:
    """Nothing known of any day."""
    values: Hundredths = np.full((boxes, days), MISSING, dtype=np.int16)
    return Past(values, np.arange(1, days + 1))


def medians(values: Hundredths) -> tuple[Floats, npt.NDArray[np.int64]]:
    """(median in dBm, how many readings) of each row; NaN without any."""
    median, count = np.empty(len(values)), np.empty(len(values), dtype=np.int64)
    for rows in _chunks(len(values)):
        median[rows], count[rows] = _medians(values[rows])
    return median, count


def _chunks(rows: int) -> Iterator[slice]:
    """A fleet's copies on the way to a result would be a tenth of a sweep's memory."""
    return (slice(start, start + _CHUNK) for start in range(0, rows, _CHUNK))


def _medians(values: Hundredths) -> tuple[Floats, npt.NDArray[np.int64]]:
    count = np.sum(values != MISSING, axis=1)
    if not values.shape[1]:
        return np.full(len(values), np.nan), count
    ordered = np.sort(values, axis=1)
    rows = np.arange(len(values))
    low = ordered[rows, np.maximum((count - 1) // 2, 0)].astype(np.float64) / PER_DB
    high = ordered[rows, np.minimum(count // 2, values.shape[1] - 1)].astype(np.float64) / PER_DB
    return np.where(count > 0, (low + high) / 2, np.nan), count


def drift(
    rx_dbm: Floats,
    past: Past,
    windows: tuple[int, int, int],
    *,
    at_least: int,
    trend_at_least: int,
    weak_dbm: float,
) -> Drift:
    """Today against the medians of three windows, and the straight line through the long one.

    `at_least` readings make a median, `trend_at_least` a trend; `days_left` is when the trend,
    if it falls, reaches `weak_dbm`.
    """
    parts = [
        _drift(rx_dbm[rows], Past(past.values[rows], past.ages), windows, at_least, trend_at_least,
               weak_dbm)
        for rows in _chunks(len(rx_dbm))
    ]  # fmt: skip
    if not parts:
        return _drift(rx_dbm, past, windows, at_least, trend_at_least, weak_dbm)
    return Drift(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Drift)))


def _drift(
    rx_dbm: Floats,
    past: Past,
    windows: tuple[int, int, int],
    at_least: int,
    trend_at_least: int,
    weak_dbm: float,
) -> Drift:
    differences: list[Floats] = []
    median, count = _medians(past.within(0))
    for days in windows:
        median, count = _medians(past.within(days))
        differences.append(np.where(count >= at_least, rx_dbm - median, np.nan))
    per_day = _slope(rx_dbm, past, windows[-1], trend_at_least)
    falling = np.where(per_day < 0, per_day, np.nan)
    left = np.where(rx_dbm > weak_dbm, (weak_dbm - rx_dbm) / falling, np.nan)
    short, middle, long = differences
    return Drift(short, middle, long, median, count, per_day * 30, left)


def _slope(rx_dbm: Floats, past: Past, days: int, at_least: int) -> Floats:
    """dB a day by least squares over the window, today included."""
    chosen = (past.ages >= 1) & (past.ages <= days)
    x = np.append(-past.ages[chosen].astype(np.float64), 0.0)
    kept = past.values[:, chosen]
    y = np.column_stack([np.where(kept == MISSING, np.nan, kept / PER_DB), rx_dbm])
    return _least_squares(x, y, ~np.isnan(y), at_least)


def _least_squares(x: Floats, y: Floats, held: Bools, at_least: int) -> Floats:
    n = held.sum(axis=1)
    some = np.maximum(n, 1)
    y = np.where(held, y, 0.0)
    x_mean = (held * x).sum(axis=1) / some
    y_mean = y.sum(axis=1) / some
    dx = (x - x_mean[:, None]) * held
    spread = (dx * dx).sum(axis=1)
    slope = (dx * (y - y_mean[:, None])).sum(axis=1) / np.maximum(spread, 1e-9)
    return np.where((n >= at_least) & (spread > 0) & held[:, -1], slope, np.nan)
