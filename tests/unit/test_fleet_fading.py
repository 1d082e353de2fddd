"""Who fades with whom: siblings of a PON share a cause above their homes."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from cpe.fleet.baseline import MISSING, Drift, Past, drift
from cpe.fleet.incidents import fading, fading_pons
from cpe.profiles.thresholds import load_thresholds


def faded(drops_db, per_month=None, readings=15, at_olt=None):
    """What a PON of so many homes tells, each weaker than its own past by so much."""
    size = len(drops_db)
    names = [f"S{n}" for n in range(size)]
    boxes = pd.DataFrame(
        {"key": names, "acs_id": names, "serial": names, "gpon_serial": names, "model": "M",
         "known_olt": "olt-1", "known_pon": "0/1"}
    )  # fmt: skip
    unknown = np.full(size, np.nan)
    long = -np.array(drops_db, dtype=float)
    drift = Drift(
        unknown, unknown, long, unknown, np.full(size, readings),
        unknown if per_month is None else np.full(size, per_month), unknown,
    )  # fmt: skip
    nothing = Drift(*[unknown] * 4, np.zeros(size, dtype=np.int64), unknown, unknown)
    if at_olt is not None:
        nothing = replace(nothing, long=-np.array(at_olt, dtype=float))
    view = SimpleNamespace(boxes=boxes, rx_dbm=np.full(size, -20.0), thresholds=load_thresholds())
    return fading(view, drift, nothing)


@pytest.mark.parametrize("homes", [3, 64])
def test_two_siblings_that_fade_are_the_feeders_or_a_splitters_whatever_their_share(homes):
    found = faded([1.6, 1.5, *[0.0] * (homes - 2)])
    assert list(found["kind"]) == ["feeder_or_splitter"] * 2
    [pon] = fading_pons(found)
    assert (pon["siblings"], pon["of"]) == (2, homes)


def test_one_that_fades_alone_is_its_own_drop_or_connector():
    found = faded([2.0, 1.4, 0.0])
    assert list(found["serial"]) == ["S0"]
    assert list(found["kind"]) == ["drop_or_connector"]
    assert fading_pons(found) == []


def test_one_sibling_alone_must_fall_further_than_two_together():
    assert faded([1.9, 0.0, 0.0]).empty


def test_ten_days_of_noise_are_no_trend_of_a_month():
    assert faded([0.3] * 4, per_month=-2.4, readings=10).empty


def test_a_month_that_falls_is_one_before_its_medians_tell():
    found = faded([1.1], per_month=-2.2, readings=29)
    assert list(found["kind"]) == ["drop_or_connector"]


def test_a_fleet_of_boxes_that_read_whole_dbm_does_not_fade_in_its_first_fortnight():
    dice, size, nights = np.random.default_rng(1), 3_200, 10
    usual = dice.uniform(-23, -16, size)[:, None]
    told = np.round(usual + dice.normal(0, 0.3, (size, nights + 1)))
    values = np.full((size, 30), MISSING, dtype=np.int16)
    values[:, :nights] = told[:, 1:] * 100
    found = drift(told[:, 0], Past(values, np.arange(1, 31)), (7, 15, 30), at_least=3,
                  trend_at_least=10, weak_dbm=-25.0)  # fmt: skip
    pons = np.array([f"0/{n // 32}" for n in range(size)])
    boxes = pd.DataFrame({"key": "k", "acs_id": "a", "serial": "s", "gpon_serial": "g",
                          "model": "M", "known_olt": "olt-1", "known_pon": pons})  # fmt: skip
    view = SimpleNamespace(boxes=boxes, rx_dbm=told[:, 0], thresholds=load_thresholds())
    assert fading_pons(fading(view, found, found)) == []


def test_a_box_that_only_its_olt_measures_fades_by_what_the_olt_receives():
    unread = float("nan")
    found = faded([unread, 0.0, unread], at_olt=[3.0, 3.0, 0.1])
    assert list(found["serial"]) == ["S0"], "one that tells its own power is judged by that"
    [box] = found.to_dict("records")
    assert (box["worst_db"], box["measured_by"], box["hint"]) == (-3.0, "olt", "")
    assert np.isnan(box["days_left"])
