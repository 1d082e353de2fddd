"""The arithmetic of a sweep: medians, trends, neighbours, coverage, lists."""

from __future__ import annotations

import math
import subprocess
import sys
from statistics import median

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpe.fleet.baseline import MISSING, Past, drift, medians
from cpe.fleet.coverage import short_answer
from cpe.fleet.neighbourhood import count_neighbours
from cpe.profiles.thresholds import load_thresholds

LIMITS = load_thresholds()
READINGS = st.lists(st.one_of(st.none(), st.integers(-3500, -500)), min_size=5, max_size=5)


@given(st.lists(READINGS, min_size=1, max_size=8))
def test_medians_are_those_of_the_statistics_module(rows):
    values = np.array([[MISSING if v is None else v for v in row] for row in rows], np.int16)
    found, count = medians(values)
    for got, n, row in zip(found, count, rows, strict=True):
        held = [v / 100 for v in row if v is not None]
        assert n == len(held)
        assert math.isnan(got) if not held else got == median(held)


def line(slope, days=30, start=-18.0):
    """A past that falls by `slope` dB a day towards today, and today's reading."""
    ages = np.arange(1, days + 1)
    past = np.round((start - slope * ages) * 100).astype(np.int16)[None, :]
    return Past(past, ages), np.array([start])


def test_a_straight_fall_is_told_as_what_it_is():
    past, now = line(-0.1)
    found = drift(now, past, (7, 15, 30), at_least=3, trend_at_least=10, weak_dbm=-25.0)
    assert found.per_month[0] == pytest.approx(-3.0, abs=0.01)
    assert found.days_left[0] == pytest.approx(70, abs=0.5)
    assert found.short[0] == pytest.approx(-0.4, abs=0.01)
    assert found.long[0] == pytest.approx(-1.55, abs=0.01)


def test_few_readings_are_neither_baseline_nor_trend():
    past, now = line(-0.1)
    values = past.values.copy()
    values[:, 2:] = MISSING
    found = drift(now, Past(values, past.ages), (7, 15, 30), at_least=3, trend_at_least=10,
                  weak_dbm=-25.0)  # fmt: skip
    assert np.isnan([found.short[0], found.long[0], found.per_month[0], found.days_left[0]]).all()


def test_no_reading_today_is_no_trend():
    past, _ = line(-0.1)
    found = drift(np.array([np.nan]), past, (7, 15, 30), at_least=3, trend_at_least=10,
                  weak_dbm=-25.0)  # fmt: skip
    assert np.isnan(found.per_month[0])


def test_a_rising_line_never_reaches_the_limit():
    past, now = line(0.1)
    found = drift(now, past, (7, 15, 30), at_least=3, trend_at_least=10, weak_dbm=-25.0)
    assert np.isnan(found.days_left[0])


def onts(*rows):
    return pd.DataFrame(
        [("olt", "0/1", state, at, cause[0] if cause else None) for state, at, *cause in rows],
        columns=["olt", "pon", "state", "down_at", "cause"],
    )


def test_neighbours_are_counted_without_the_ont_itself():
    now = 1_000_000.0
    found = count_neighbours(
        onts(("los", now - 60), ("los", now - 100), ("online", None), ("los", now - 5_000)),
        now, LIMITS.line,
    )  # fmt: skip
    assert list(found["neighbours_down"]) == [1, 1, 3, 0]
    assert list(found["neighbours_up"]) == [2, 2, 3, 3]


def test_neighbours_that_the_operator_shut_off_are_no_outage():
    now = 1_000_000.0
    shut = ("offline", now - 60, "deactivated")
    found = count_neighbours(onts(("los", now - 60), shut, shut, shut), now, LIMITS.line)
    assert list(found["neighbours_down"]) == [0, 1, 1, 1]
    assert found["neighbours_up"][0] == 0


def test_pons_of_two_olts_with_one_label_do_not_mix():
    frame = pd.concat([onts(("los", 5e5), ("los", 5e5))] * 2, ignore_index=True)
    frame["olt"] = ["a", "a", "b", "b"]
    assert list(count_neighbours(frame, 5e5, LIMITS.line)["neighbours_down"]) == [1] * 4


@pytest.mark.parametrize(
    ("rows", "before", "short"),
    [(400, 400, False), (201, 400, False), (199, 400, True), (0, 400, True), (0, 19, False),
     (5, 0, False)],
)  # fmt: skip
def test_an_answer_is_short_against_what_there_was(rows, before, short):
    assert bool(short_answer(rows, before, LIMITS.fleet)) is short


@pytest.mark.slow
def test_a_plain_diagnosis_imports_no_frames():
    code = (
        "import sys, flows.diagnose_cpe, flows.conduct, deployments.commands.diagnose;"
        "sys.exit(any(m in sys.modules for m in ('pandas', 'pyarrow')))"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=False)
    assert done.returncode == 0


def test_what_only_a_sweep_judges_does_not_change_a_ruleset(tmp_path):
    other = tmp_path / "rules.yaml"
    other.write_text("fleet: {pon_drop_db: 3.0}\n")
    changed = load_thresholds(other)
    assert changed.fleet.pon_drop_db == 3.0
    assert changed.ruleset == LIMITS.ruleset
