"""No verdict hangs on less than the step in which a reading was told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpe.access.olt.decode import number
from cpe.domain.finding import Status
from cpe.domain.observation import Source
from cpe.domain.snapshot import Request, SpeedTest
from cpe.domain.speed import Counters, download_rate
from cpe.domain.verdict import Code
from cpe.profiles.olt_columns import ColumnName, IntColumn
from tests.support.cases import reading, sighting, snapshot
from tests.support.judging import found, verdict

ONE_S_APART = ("2026-11-23T18:00:00Z", "2026-11-23T18:00:01Z")


def a_speed_test(began, ended, received, plan, *, measured=None):
    rate = download_rate(Counters(began, ended, received), connections=1, waited_s=40)
    test = SpeedTest(
        "Complete", rate.mbps, rate.bytes, rate.duration_ms, 1, None, rate.why, rate.resolution_ms
    )
    request = Request("S", speedtest=True, measured_mbps=measured, plan_mbps=plan)
    return snapshot(speedtest=test, request=request)


def test_whole_seconds_one_apart_say_nothing_of_a_plan_of_1000():
    shot = a_speed_test(*ONE_S_APART, 56_000_000, 1000)
    assert shot.speedtest.download_mbps == 448.0
    assert found(shot, "speed.ont_is_fast_enough").status is Status.UNKNOWN
    v = verdict(shot)
    assert (v.code, v.swap) == (Code.INCONCLUSIVE, "diagnostic")
    reasons = {n.rule: n.reason for n in v.not_evaluable}
    assert "between 224 and 10000 Mbit/s" in reasons["speed.ont_is_fast_enough"]


@pytest.mark.parametrize(
    ("began", "ended", "received", "plan", "status"),
    [
        ("18:00:00Z", "18:00:01Z", 56_000_000, 300, Status.OK),
        ("18:00:00.000Z", "18:00:01.000000Z", 56_000_000, 1000, Status.UNKNOWN),
        ("18:00:00.412Z", "18:00:01.412Z", 56_000_000, 1000, Status.FAULT),
        ("18:00:00.4Z", "18:00:01.4Z", 56_000_000, 1000, Status.FAULT),
        ("18:00:00.4Z", "18:00:01.4Z", 61_000_000, 1000, Status.UNKNOWN),
        ("18:00:00Z", "18:00:10Z", 560_000_000, 1000, Status.FAULT),
        ("18:00:00Z", "18:00:10Z", 600_000_000, 1000, Status.UNKNOWN),
        ("18:00:00Z", "18:00:10Z", 690_000_000, 1000, Status.OK),
        ("18:00:00Z", "18:00:02Z", 1_000_000, None, Status.FAULT),
        ("18:00:00Z", "18:00:02Z", 2_000_000, None, Status.UNKNOWN),
        ("18:00:00+00:00", "18:00:01+00:00", 56_000_000, 1000, Status.UNKNOWN),
    ],
)
def test_a_speed_is_judged_by_what_its_times_leave_open(began, ended, received, plan, status):
    shot = a_speed_test(f"2026-11-23T{began}", f"2026-11-23T{ended}", received, plan)
    assert found(shot, "speed.ont_is_fast_enough").status is status


@pytest.mark.parametrize(
    ("measured", "status"), [(100, Status.FAULT), (200, Status.UNKNOWN), (600, Status.UNKNOWN)]
)
def test_a_customer_is_not_compared_with_a_figure_that_may_be_any(measured, status):
    shot = a_speed_test(*ONE_S_APART, 56_000_000, 300, measured=measured)
    assert found(shot, "speed.customer_gets_it").status is status


def test_full_loading_is_told_in_microseconds_and_judged_as_it_is():
    counters = Counters(*ONE_S_APART, 56_000_000, None, 50_000_000, 50_000_000, 900_000)
    rate = download_rate(counters, connections=3, waited_s=40)
    assert (rate.mbps, rate.resolution_ms) == (444.44, None)


@given(
    st.integers(1, 10**9), st.integers(200, 60_000), st.sampled_from([1000, 100, 10]),
    st.integers(0, 999), st.integers(1, 5000),
)  # fmt: skip
def test_whatever_the_truth_was_the_told_bounds_hold_it(received, lasted_ms, step, phase, plan):
    began, ended = phase, phase + lasted_ms
    told_ms = ended // step * step - began // step * step
    if told_ms < 200:
        return
    test = SpeedTest("Complete", 8 * received / told_ms / 1e3, received, told_ms, 1,
                     resolution_ms=step)  # fmt: skip
    least, most = test.bounds_mbps
    assert least <= 8 * received / lasted_ms / 1e3
    assert most >= min(8 * received / lasted_ms / 1e3, 10_000)


@pytest.mark.parametrize(
    ("rx", "code"),
    [
        (-24, Code.HEALTHY),
        (-25, Code.INCONCLUSIVE),
        (-26, Code.FIBRE_WEAK),
        (-9, Code.HEALTHY),
        (-8, Code.INCONCLUSIVE),
        (-7, Code.FIBRE_OVERLOAD),
    ],
)
def test_a_whole_dbm_at_the_limit_is_on_neither_side_of_it(rx, code):
    shot = snapshot(reading("optical.rx_dbm", rx, resolution=1.0))
    assert verdict(shot).code is code


@pytest.mark.parametrize(("finer", "code"), [(-24.6, Code.HEALTHY), (-25.4, Code.FIBRE_WEAK)])
def test_a_finer_reading_of_the_olt_decides_what_the_boxs_own_leaves_open(finer, code):
    olt = reading("optical.rx_dbm", finer, source=Source.OLT, age_s=0)
    shot = snapshot(reading("optical.rx_dbm", -25, resolution=1.0), olt, olt=sighting())
    assert verdict(shot).code is code


def test_a_laser_is_not_blamed_while_the_light_may_be_weak():
    shot = snapshot(reading("optical.rx_dbm", -25, resolution=1.0), reading("optical.tx_dbm", -3.0))
    assert verdict(shot).swap == "diagnostic"
    assert found(shot, "optical.tx_power_in_class").status is Status.DEGRADED


@pytest.mark.parametrize(
    ("tx", "status"),
    [(0, Status.UNKNOWN), (1, Status.OK), (5, Status.UNKNOWN), (6, Status.FAULT),
     (-1, Status.FAULT)],
)  # fmt: skip
def test_a_whole_dbm_of_a_laser_is_judged_when_it_is_surely_on_one_side(tx, status):
    shot = snapshot(reading("optical.tx_dbm", tx, resolution=1.0))
    assert found(shot, "optical.tx_power_in_class").status is status


@pytest.mark.parametrize(
    ("celsius", "status"), [(69, Status.OK), (70, Status.UNKNOWN), (71, Status.FAULT)]
)
def test_a_whole_degree_at_the_limit_replaces_nothing(celsius, status):
    shot = snapshot(reading("optical.temperature_c", celsius, resolution=1.0))
    assert found(shot, "hardware.transceiver_is_cool").status is status


def test_an_olts_half_decibels_are_told_and_its_tenths_are_fine():
    halves = IntColumn.model_validate({"oid": "1.3.6.1.1", "decode": "int", "mul": 0.5,
                                       "typical": -42})  # fmt: skip
    assert (halves.step, number(ColumnName.ONT_RX, halves, -50).value) == (0.5, -25.0)
    at_limit = reading("optical.rx_dbm", -25.0, source=Source.OLT, age_s=0, resolution=0.5)
    assert verdict(snapshot(at_limit, olt=sighting())).code is Code.INCONCLUSIVE
    fine = replace(at_limit, resolution=0.1)
    assert verdict(snapshot(fine, olt=sighting())).code is Code.HEALTHY
