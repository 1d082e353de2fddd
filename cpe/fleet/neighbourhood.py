"""How many neighbours went down with each ONT, PON by PON: the design's outage count, at once."""
# pyright: basic

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from cpe.domain.snapshot import SHUT
from cpe.profiles.thresholds import Line

_MS: Final = 1000
_SHUT: Final = [cause.value for cause in SHUT]
_PON_STRIDE: Final = 10**13
"""More milliseconds than any Unix time of this century, so that PONs do not mix."""


def count_neighbours(onts: pd.DataFrame, now: float, limits: Line) -> dict[str, np.ndarray]:
    """For each row: neighbours that went down with it, that were up until then, of unknown state.

    The ONT itself is not counted. Down for more than `churned_days`, or by the operator's own will,
    counts neither way. Where the
    OLT tells times, only what went down within the window went with it, and what went down
    earlier was not up. Meaningless where the PON is not known or was not wholly read.
    """
    state = onts["state"].astype(object).to_numpy()
    pon = _pon_numbers(onts)
    online, unknown = state == "online", state == "unknown"
    down = ~online & ~unknown
    at = onts["down_at"].to_numpy(dtype=np.float64)
    timed = np.isfinite(at)
    at_ms = np.where(timed, np.round(np.nan_to_num(at) * _MS), 0).astype(np.int64)
    churned = down & timed & (at < now - limits.churned_days * 86_400)
    shut = onts["cause"].astype(object).isin(_SHUT).to_numpy()
    counts = down & ~churned & ~shut
    size = int(pon.max(initial=-1)) + 1
    up_on = np.bincount(pon, weights=online, minlength=size).astype(np.int64)
    unknown_on = np.bincount(pon, weights=unknown, minlength=size).astype(np.int64)
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
    compared = down & timed  # a subject whose own time can be compared with the others'
    went = np.where(compared, timeless_on[pon] + within, down_on[pon]) - counts
    were_up = np.where(compared, went + later, went) + up_on[pon] - online
    return {
        "neighbours_down": went.astype(np.int32),
        "neighbours_up": were_up.astype(np.int32),
        "neighbours_unknown": (unknown_on[pon] - unknown).astype(np.int32),
    }


def _pon_numbers(onts: pd.DataFrame) -> np.ndarray:
    labels = onts["olt"].astype(object) + "\0" + onts["pon"].astype(object)
    return pd.factorize(labels)[0].astype(np.int64)
