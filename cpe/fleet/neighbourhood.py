"""How many neighbours went down with each ONT, PON by PON: the design's outage count, at once."""
# pyright: basic

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from cpe.domain.olt_clock import AHEAD, NEVER_SET
from cpe.domain.snapshot import SHUT
from cpe.profiles.thresholds import Line

NEIGHBOUR_COUNTS: Final = (
    "neighbours_down", "neighbours_up", "neighbours_unknown", "neighbours_down_by_olt",
    "neighbours_up_by_olt",
)  # fmt: skip
_MS: Final = 1000
_SHUT: Final = [cause.value for cause in SHUT]
_PON_STRIDE: Final = 10**13
"""More milliseconds than any Unix time of this century, so that PONs do not mix."""


def on_our_clock(at: np.ndarray, now: float) -> np.ndarray:
    """The OLTs' times (Unix seconds) where they can be of our clock, else NaN."""
    with np.errstate(invalid="ignore"):
        possible = (at >= NEVER_SET.timestamp()) & (at <= now + AHEAD.total_seconds())
    return np.where(possible, at, np.nan)


def count_neighbours(onts: pd.DataFrame, now: float, limits: Line) -> dict[str, np.ndarray]:
    """For each row: neighbours that went down with it, that were up until then, of unknown state.

    The ONT itself is not counted. Down for more than `churned_days`, or by the operator's own will,
    counts neither way. Where the OLT tells times, only what went down within the window went with
    it, and what went down earlier was not up. Meaningless where the PON is not known or was not
    wholly read. The counts `…_by_olt` are for a subject that contradicts its OLT's clock: what is
    long ago is told by the newest time of the PON, as it is for all where that cannot be of ours.
    """
    pon = _pon_numbers(onts)
    state = onts["state"].astype(object).to_numpy()
    online, unknown = state == "online", state == "unknown"
    down = ~online & ~unknown
    at = onts["down_at"].to_numpy(dtype=np.float64)
    timed = down & np.isfinite(at)
    newest = np.full(int(pon.max(initial=-1)) + 1, -np.inf)
    np.maximum.at(newest, pon[timed], at[timed])
    told = np.isfinite(newest)
    ours = np.where(told & np.isnan(on_our_clock(newest, now)), newest, now)
    by_olt = np.where(told, newest, now)
    lost = down & ~onts["cause"].astype(object).isin(_SHUT).to_numpy()
    went, were_up = _counts(pon, at, timed, online, lost, _long_ago(ours, limits)[pon], limits)
    own = _counts(pon, at, timed, online, lost, _long_ago(by_olt, limits)[pon], limits)
    unknown_on = np.bincount(pon, weights=unknown, minlength=len(newest)).astype(np.int64)
    return {
        "neighbours_down": went.astype(np.int32),
        "neighbours_up": were_up.astype(np.int32),
        "neighbours_unknown": (unknown_on[pon] - unknown).astype(np.int32),
        "neighbours_down_by_olt": own[0].astype(np.int32),
        "neighbours_up_by_olt": own[1].astype(np.int32),
    }


def _long_ago(olt_now: np.ndarray, limits: Line) -> np.ndarray:
    return olt_now - limits.churned_days * 86_400


def _counts(
    pon: np.ndarray,
    at: np.ndarray,
    timed: np.ndarray,
    online: np.ndarray,
    lost: np.ndarray,
    long_ago: np.ndarray,
    limits: Line,
) -> tuple[np.ndarray, np.ndarray]:
    """(went down with the row, were up until then), `lost` being down by nobody's will."""
    at_ms = np.where(timed, np.round(np.nan_to_num(at) * _MS), 0).astype(np.int64)
    counts = lost & ~(timed & (at < long_ago))
    size = int(pon.max(initial=-1)) + 1
    up_on = np.bincount(pon, weights=online, minlength=size).astype(np.int64)
    down_on = np.bincount(pon, weights=counts, minlength=size).astype(np.int64)
    timeless_on = np.bincount(pon, weights=counts & ~timed, minlength=size).astype(np.int64)
    keys = np.sort(pon[counts & timed] * _PON_STRIDE + at_ms[counts & timed])
    window = round(limits.outage_window_s * _MS)
    base = pon * _PON_STRIDE
    within = np.searchsorted(keys, base + at_ms + window, "right") - np.searchsorted(
        keys, base + at_ms - window, "left"
    )
    later = np.searchsorted(keys, base + _PON_STRIDE - 1, "right") - np.searchsorted(
        keys, base + at_ms + window, "right"
    )
    # A subject that has a time of its own can be compared with the others.
    went = np.where(timed, timeless_on[pon] + within, down_on[pon]) - counts
    return went, np.where(timed, went + later, went) + up_on[pon] - online


def _pon_numbers(onts: pd.DataFrame) -> np.ndarray:
    labels = onts["olt"].astype(object) + "\0" + onts["pon"].astype(object)
    return pd.factorize(labels)[0].astype(np.int64)
