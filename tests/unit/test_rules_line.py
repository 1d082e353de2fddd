"""What the OLT and the ACS say together: outage, power, light, silence, not found."""

from datetime import timedelta

import pytest

from cpe.domain.finding import Status
from cpe.domain.observation import Outcome, Quality, Source
from cpe.domain.snapshot import DownCause, FreshnessOutcome, OltReport, OntState, OtherBox
from cpe.domain.verdict import Code
from cpe.profiles.thresholds import load_thresholds
from cpe.rules.judge import judge
from tests.support.cases import NOW, neighbours, reading, sighting, snapshot

STALE = {"outcome": FreshnessOutcome.UNREACHABLE, "answered": False, "acs": Outcome.STALE}


def verdict(shot):
    return judge(shot, load_thresholds()).verdict


def finding(shot, rule):
    return next(f for f in judge(shot, load_thresholds()).findings if f.rule == rule)


def dead(state, **changes):
    """A box that no longer answers, as the OLT sees it."""
    stale = reading("optical.rx_dbm", -18.5, age_s=900, quality=Quality.STALE)
    return snapshot(stale, olt=sighting(state, **changes), **STALE)


def test_light_lost_by_this_ont_alone_is_a_cut_fibre():
    v = verdict(dead(OntState.LOS))
    assert v.code is Code.FIBRE_CUT
    assert v.because == ("line.ont_has_light",)
    assert v.swap == "blocked"


def test_a_lone_ont_without_light_is_a_cut_fibre():
    assert verdict(dead(OntState.LOS, neighbours=())).code is Code.FIBRE_CUT


def test_unread_neighbours_are_named_and_do_not_hide_the_lost_light():
    v = verdict(dead(OntState.LOS, neighbours=None, neighbours_detail="no answer"))
    assert v.code is Code.FIBRE_CUT
    assert "line.pon_is_up" in [n.rule for n in v.not_evaluable]


def test_a_dying_gasp_is_a_matter_of_power():
    v = verdict(dead(OntState.DYING_GASP, cause=DownCause.DYING_GASP))
    assert (v.code, v.action) == (Code.POWER_OFF, "check_power")


def test_an_own_dying_gasp_stays_power_off_when_the_neighbours_gasped_too():
    gasped = neighbours(up=1, down=5, state=OntState.DYING_GASP)
    v = verdict(dead(OntState.DYING_GASP, neighbours=gasped))
    assert v.code is Code.POWER_OFF
    assert "panne de courant du secteur" in v.text.fr
    assert "area power cut" in v.text.en
    assert Code.PON_OUTAGE not in v.also


@pytest.mark.parametrize(
    ("up", "down", "code"),
    [
        (3, 3, Code.PON_OUTAGE),
        (4, 3, Code.FIBRE_CUT),
        (0, 3, Code.PON_OUTAGE),
        (0, 2, Code.FIBRE_CUT),
        (2, 2, Code.FIBRE_CUT),
        (20, 20, Code.PON_OUTAGE),
        (21, 20, Code.FIBRE_CUT),
    ],
)
def test_an_outage_needs_three_neighbours_and_half_of_those_that_were_up(up, down, code):
    assert verdict(dead(OntState.LOS, neighbours=neighbours(up=up, down=down))).code is code


@pytest.mark.parametrize(
    ("minutes", "code"), [(0, Code.PON_OUTAGE), (10, Code.PON_OUTAGE), (11, Code.FIBRE_CUT)]
)
def test_only_neighbours_that_went_down_within_ten_minutes_count(minutes, code):
    went = NOW - timedelta(hours=1)
    others = neighbours(up=3, down=3, down_at=went + timedelta(minutes=minutes))
    assert verdict(dead(OntState.LOS, down_at=went, neighbours=others)).code is code


def test_neighbours_that_were_down_before_were_not_up():
    went = NOW - timedelta(hours=1)
    before = neighbours(down=10, down_at=went - timedelta(hours=5))
    with_it = neighbours(up=1, down=3, down_at=went)
    shot = dead(OntState.LOS, down_at=went, neighbours=(*before, *with_it))
    assert verdict(shot).code is Code.PON_OUTAGE


def test_churned_customers_count_neither_way():
    churned = neighbours(down=30, down_at=NOW - timedelta(days=8))
    shot = dead(OntState.LOS, neighbours=(*churned, *neighbours(up=5)))
    assert verdict(shot).code is Code.FIBRE_CUT
    shot = dead(OntState.LOS, neighbours=(*churned, *neighbours(up=2, down=3)))
    assert verdict(shot).code is Code.PON_OUTAGE


def test_an_ont_down_for_an_unknown_cause_with_its_neighbours_is_an_outage():
    shot = dead(OntState.OFFLINE, neighbours=neighbours(up=1, down=6))
    assert verdict(shot).code is Code.PON_OUTAGE


def test_a_deactivated_ont_is_inconclusive_even_beside_an_outage():
    shot = dead(OntState.OFFLINE, cause=DownCause.DEACTIVATED, neighbours=neighbours(up=9))
    v = verdict(shot)
    assert v.code is Code.INCONCLUSIVE
    assert "line.ont_is_active" in v.because


def test_a_box_that_is_online_but_silent_is_a_matter_of_management():
    rx = reading("optical.rx_dbm", -19.0, source=Source.OLT, age_s=0)
    v = verdict(snapshot(rx, olt=sighting(), without=["optical.rx_dbm"], **STALE))
    assert (v.code, v.action, v.swap) == (Code.MANAGEMENT_SILENT, "restart_cpe", "diagnostic")


@pytest.mark.parametrize("outcome", [FreshnessOutcome.QUEUED, FreshnessOutcome.REFUSED])
def test_queued_and_refused_requests_are_silence_too(outcome):
    rx = reading("optical.rx_dbm", -19.0, source=Source.OLT, age_s=0)
    shot = snapshot(rx, olt=sighting(), **{**STALE, "outcome": outcome})
    assert verdict(shot).code is Code.MANAGEMENT_SILENT


def test_weak_light_leads_over_silence():
    rx = reading("optical.rx_dbm", -27.0, source=Source.OLT, age_s=0)
    v = verdict(snapshot(rx, olt=sighting(), without=["optical.rx_dbm"], **STALE))
    assert v.code is Code.FIBRE_WEAK
    assert v.also == (Code.MANAGEMENT_SILENT,)


def test_an_acs_that_is_down_beside_an_online_ont_is_inconclusive():
    shot = snapshot(
        reading("optical.rx_dbm", -19.0, source=Source.OLT, age_s=0),
        acs_known=None,
        acs=Outcome.UNREACHABLE,
        outcome=FreshnessOutcome.UNREACHABLE,
        answered=False,
        olt=sighting(),
    )
    v = verdict(shot)
    assert v.code is not Code.MANAGEMENT_SILENT
    assert "management.acs_reaches_box" in [n.rule for n in v.not_evaluable]


def test_unknown_to_the_acs_and_online_at_an_olt_is_silence():
    shot = snapshot(
        reading("optical.rx_dbm", -19.0, source=Source.OLT, age_s=0),
        acs_known=False,
        outcome=FreshnessOutcome.NOT_FOUND,
        answered=False,
        olt=sighting(),
    )
    assert verdict(shot).code is Code.MANAGEMENT_SILENT


def unknown_to_acs(report):
    return snapshot(
        acs_known=False, outcome=FreshnessOutcome.NOT_FOUND, answered=False, report=report
    )


def test_a_serial_that_no_system_knows_is_not_found():
    v = verdict(unknown_to_acs(OltReport(None, asked=("olt-a", "olt-b"))))
    assert (v.code, v.action, v.swap) == (Code.NOT_FOUND, "check_serial", "blocked")


def test_not_found_is_not_proved_while_an_olt_could_not_be_asked():
    v = verdict(unknown_to_acs(OltReport(None, asked=("olt-a",), failed={"olt-a": "silence"})))
    assert v.code is Code.INCONCLUSIVE
    assert "identity.serial_is_known" in [n.rule for n in v.not_evaluable]


def test_not_found_is_not_proved_while_the_acs_is_down():
    shot = snapshot(
        acs_known=None,
        acs=Outcome.UNREACHABLE,
        outcome=FreshnessOutcome.UNREACHABLE,
        answered=False,
        report=OltReport(None, asked=("olt-a",)),
    )
    assert verdict(shot).code is Code.INCONCLUSIVE


def test_a_box_that_answered_after_the_olt_said_los_has_light():
    shot = snapshot(olt=sighting(OntState.LOS), outcome=FreshnessOutcome.REFRESHED)
    assert finding(shot, "line.ont_has_light").status is Status.DEGRADED
    assert verdict(shot).code is not Code.FIBRE_CUT


def test_an_unknown_state_at_the_olt_is_announced():
    state = reading("line.ont_state", "42", source=Source.OLT, quality=Quality.UNKNOWN_VALUE)
    shot = snapshot(state, olt=sighting(OntState.UNKNOWN), **STALE)
    found = finding(shot, "line.ont_has_light")
    assert found.status is Status.UNKNOWN
    assert "42" in found.reason


def test_a_rogue_ont_is_replaced():
    v = verdict(dead(OntState.OFFLINE, cause=DownCause.ROGUE))
    assert (v.code, v.swap) == (Code.HARDWARE_FAULT, "allowed")


def test_the_olt_is_not_missed_when_the_box_answered():
    shot = snapshot()
    assert finding(shot, "line.pon_is_up").status is Status.NOT_APPLICABLE
    assert verdict(shot).code is Code.HEALTHY


def test_two_boxes_with_one_serial_are_both_named():
    shot = snapshot(others=(OtherBox("OTHER-ID", "XX230v", NOW),))
    found = finding(shot, "identity.serial_is_unique")
    assert found.status is Status.DEGRADED
    assert "OTHER-ID" in found.text.fr
    assert found.evidence[0].actual == "OTHER-ID"
    assert verdict(shot).code is Code.HEALTHY


def test_a_box_that_refuses_to_be_read_is_not_silent():
    shot = snapshot(outcome=FreshnessOutcome.REFUSED, answered=True, acs=Outcome.REFUSED)
    assert finding(shot, "management.acs_reaches_box").status is Status.DEGRADED
