"""Each box against its own past, before the fleet is judged. Pure."""
# pyright: basic

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cpe.fleet.baseline import Drift, Past, drift
from cpe.fleet.frames import give_back
from cpe.fleet.history import past_frame
from cpe.fleet.joined import Joined
from cpe.fleet.words import Floats
from cpe.profiles.thresholds import Thresholds


@dataclass(frozen=True, slots=True)
class Pasts:
    """Earlier days laid beside the fleet's rows, and how often things happened this week."""

    own: Past
    of_olt: Past
    at_olt: Past
    downs: Mapping[int, int] = field(default_factory=dict[int, int])
    boots: Mapping[int, int] = field(default_factory=dict[int, int])
    """By box id (`known["id"]`)."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What the past says: the facts that rules ask for, and each box's drift."""

    past: pd.DataFrame
    own: Drift
    at_olt: Drift
    downs: np.ndarray
    boots: np.ndarray
    """How often this week, a row a box."""


def compare(joined: Joined, pasts: Pasts, thresholds: Thresholds) -> Compared:
    """Each box against its own past, which is not needed any more after that."""
    fleet, frames = joined.fleet, joined.frames
    past = past_frame(
        fleet, frames.known, pasts.own, pasts.of_olt, frames.boots, joined.sources.now, thresholds
    )
    own, at_olt = _drifts(fleet, pasts, thresholds)
    give_back()
    return Compared(
        past,
        own,
        at_olt,
        downs=_by_row(fleet, frames.known, pasts.downs),
        boots=_by_row(fleet, frames.known, pasts.boots),
    )


def _drifts(fleet: pd.DataFrame, pasts: Pasts, thresholds: Thresholds) -> tuple[Drift, Drift]:
    limits, optical = thresholds.fleet, thresholds.optical
    rx_dbm = _floats(fleet, "rx_dbm")
    told_by_olt = np.isnan(rx_dbm)
    values = np.where(told_by_olt[:, None], pasts.of_olt.values, pasts.own.values)
    rx_dbm = np.where(told_by_olt, _floats(fleet, "ont_rx_dbm"), rx_dbm)
    own = drift(
        rx_dbm, Past(values, pasts.own.ages), limits.baseline_days,
        at_least=limits.baseline_readings, trend_at_least=limits.trend_readings,
        weak_dbm=optical.rx_min_dbm,
    )  # fmt: skip
    at_olt = drift(
        _floats(fleet, "olt_rx_dbm"), pasts.at_olt, limits.baseline_days,
        at_least=limits.baseline_readings, trend_at_least=limits.trend_readings,
        weak_dbm=optical.olt_rx_min_dbm,
    )  # fmt: skip
    return own, at_olt


def _by_row(fleet: pd.DataFrame, known: pd.DataFrame, counts: Mapping[int, int]) -> np.ndarray:
    before = fleet["before"].to_numpy(dtype=np.int64)
    found = np.zeros(len(fleet), dtype=np.int64)
    if not counts or not len(known):
        return found
    per_known = known["id"].map(counts).fillna(0).to_numpy(dtype=np.int64)
    return np.where(before >= 0, per_known[np.maximum(before, 0)], 0)


def _floats(fleet: pd.DataFrame, name: str) -> Floats:
    return fleet[name].to_numpy(dtype=np.float64, na_value=np.nan)
