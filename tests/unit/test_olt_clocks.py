"""Times are compared within one clock: an OLT's with its own, with ours only where they can be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpe.domain.finding import Status
from cpe.domain.olt_clock import on_our_clock
from cpe.domain.snapshot import DownCause, FreshnessOutcome, History, Neighbour, OntState
from cpe.domain.verdict import Code
from tests.support.cases import NOW, neighbours, reading, sighting, snapshot
from tests.support.judging import dead, found, verdict
from tests.support.small_fleet import NOW as SWEEP_NOW
from tests.support.small_fleet import a_box, an_ont, judged

CLOCKS = {
    "1970": datetime(1970, 1, 12, tzinfo=UTC),
    "2000": datetime(2000, 1, 1, 0, 20, tzinfo=UTC),
    "2010": datetime(2010, 1, 1, tzinfo=UTC),
    "2016": datetime(2016, 1, 1, tzinfo=UTC),
    "right": NOW - timedelta(minutes=10),
    "local": NOW - timedelta(hours=5),
    "ahead": NOW + timedelta(hours=3),
    "years ahead": datetime(2036, 2, 7, tzinfo=UTC),
    "months behind": NOW - timedelta(days=90),
}


def lost_together(at: datetime) -> tuple[Neighbour, ...]:
    """Six of seven neighbours without light within 20 s."""
    return (
        *(
            Neighbour(f"d{i}", OntState.LOS, at + timedelta(seconds=3 * i), DownCause.FIBRE)
            for i in range(6)
        ),
        Neighbour("u", OntState.ONLINE),
    )


@pytest.mark.parametrize("clock", CLOCKS)
def test_a_feeder_that_is_cut_is_an_outage_whatever_the_olts_clock_says(clock):
    at = CLOCKS[clock]
    shot = dead(OntState.LOS, down_at=at + timedelta(seconds=20), neighbours=lost_together(at))
    assert verdict(shot).code is Code.PON_OUTAGE


@pytest.mark.parametrize("clock", CLOCKS)
def test_an_ont_that_was_lost_alone_is_cut_alone_whatever_the_olts_clock_says(clock):
    at = CLOCKS[clock]
    others = lost_together(at - timedelta(hours=9))
    shot = dead(OntState.LOS, down_at=at, neighbours=others)
    assert verdict(shot).code is Code.FIBRE_CUT


@pytest.mark.parametrize("clock", CLOCKS)
def test_the_sweep_says_the_same(clock):
    at = CLOCKS[clock].timestamp() + SWEEP_NOW - NOW.timestamp() if clock not in (
        "1970", "2000", "2010", "2016", "years ahead"
    ) else CLOCKS[clock].timestamp()  # fmt: skip
    onts = [
        *(an_ont(n, state="los", cause="fibre", down_at=at + 3 * n) for n in range(7)), an_ont(7)
    ]  # fmt: skip
    boxes = [a_box(n, last_inform=SWEEP_NOW - 1_000, rx_dbm=None) for n in range(7)]
    summary = judged([*boxes, a_box(7)], onts).summary
    assert summary["verdicts"] == {"healthy": 1, "pon_outage": 7}


@pytest.mark.parametrize("clock", ["1970", "2000", "2016", "ahead", "years ahead"])
def test_the_sweep_finds_an_outage_of_boxes_that_the_acs_does_not_know(clock):
    at = CLOCKS[clock].timestamp()
    onts = [an_ont(n, state="los", cause="fibre", down_at=at + 3 * n) for n in range(7)]
    assert judged([a_box(9)], onts).summary["verdicts"]["pon_outage"] == 7


def test_customers_who_left_long_ago_are_still_no_outage():
    long_ago = NOW - timedelta(days=30)
    churned = neighbours(down=6, down_at=long_ago)
    shot = dead(
        OntState.LOS, down_at=NOW - timedelta(minutes=3), neighbours=(*churned, *neighbours(up=3))
    )
    assert verdict(shot).code is Code.FIBRE_CUT


def test_a_time_that_is_yet_to_come_does_not_silence_a_box_that_answers():
    seen = sighting(OntState.LOS, down_at=NOW + timedelta(hours=3))
    shot = snapshot(olt=seen, outcome=FreshnessOutcome.FRESH)
    assert found(shot, "line.ont_has_light").status is Status.DEGRADED
    assert verdict(shot).code is Code.HEALTHY


@pytest.mark.parametrize("clock", ["1970", "2000", "2016", "ahead", "years ahead"])
def test_a_gasp_of_no_known_day_neither_explains_a_reboot_loop_nor_proves_it(clock):
    boots = History(boots=tuple(NOW - timedelta(hours=h) for h in (1, 5, 9)))
    seen = sighting(cause=DownCause.DYING_GASP, down_at=CLOCKS[clock])
    shot = snapshot(reading("device.uptime_s", 3600), history=boots, olt=seen)
    assert verdict(shot).swap == "diagnostic"
    assert found(shot, "hardware.no_reboot_loop").status is Status.FAULT


@given(st.datetimes(timezones=st.just(UTC)))
def test_only_what_can_be_of_our_clock_is_compared_with_it(at):
    told = on_our_clock(at, NOW)
    assert told in (None, at)
    assert (told is None) == (at.year < 2020 or at > NOW + timedelta(seconds=60))


def test_the_sweep_judges_lasers_by_their_technology_and_knows_placeholders():
    told = [
        a_box(0, technology="XGS-PON", tx_dbm=6.5),
        a_box(1, technology="GPON", tx_dbm=6.5),
        a_box(2, tx_dbm=6.5),
        a_box(3, rx_dbm=-40.0),
        a_box(4, rx_dbm=-25.0, rx_step=1.0),
        a_box(5, model="XX230v", tx_dbm=6.5),
        a_box(6, technology="XGSPON", rx_dbm=-8.5),
    ]
    found_of = judged(told).summary["verdicts"]
    assert found_of == {
        "healthy": 2, "hardware_fault": 2, "inconclusive": 2, "fibre_overload": 1,
    }  # fmt: skip
