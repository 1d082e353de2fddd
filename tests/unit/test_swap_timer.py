"""When a waiting swap speaks up, whom a follow-up exonerates, what an orphan needs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpe.domain.finding import Finding, Status, Text
from cpe.domain.swap import Kind, SwapState, UnitStatus
from cpe.domain.swap_case import DiagnosisRef, Guarded, Permission, SwapCase, TaskRef, UnitRef
from cpe.domain.swap_compare import compare, failed
from cpe.domain.swap_guard import is_recent, lets_through
from cpe.domain.swap_moves import follow_ups, stuck
from cpe.domain.swap_orphans import RunSeen, care
from cpe.domain.swap_reconcile import differences, moved_without_papers
from cpe.domain.swap_timer import Pace, due, latest, span_name, upcoming
from cpe.domain.verdict import Code
from tests.support.store import samples

NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
DAY, PACE = timedelta(days=1), Pace()


def a_case(state=SwapState.AWAITING_TEST, **changes) -> SwapCase:
    return SwapCase(
        **{
            "id": "5f0c",
            "kind": Kind.DIAGNOSTIC,
            "state": state,
            "old": UnitRef("OLD1", "EQP-1", UnitStatus.ACTIVE.value, "CUST-1"),
            "new": UnitRef("NEW1", "EQP-2", UnitStatus.IN_STOCK.value),
            "customer": "CUST-1",
            "requested_by": "Luc",
            "opened_at": NOW,
            "updated_at": NOW,
            "installed_at": NOW,
            "deadline": NOW + 7 * DAY,
            "task": TaskRef("TASK-1", (NOW + 7 * DAY).date(), "Medium"),
            **changes,
        }
    )


@pytest.mark.parametrize(
    ("days", "name"),
    [
        (0, None), (4.99, None), (5, "reminder"), (6.99, "reminder"), (7, "escalation-0"),
        (13.99, "escalation-0"), (14, "escalation-1"), (28.5, "escalation-3"),
    ],
)  # fmt: skip
def test_the_alarm_of_a_day(days, name):
    alarm = latest(NOW + 7 * DAY, NOW + days * DAY, PACE)
    assert (alarm and alarm.name) == name


def test_an_alarm_is_owed_once_and_only_while_the_test_is_awaited():
    later = NOW + 8 * DAY
    assert due(a_case(), later, PACE, ()).name == "escalation-0"
    assert due(a_case(), later, PACE, ("escalation-0",)) is None
    for state in set(SwapState) - {SwapState.AWAITING_TEST, SwapState.OVERDUE}:
        assert due(a_case(state), later, PACE, ()) is None


@given(st.floats(0, 200), st.floats(0.01, 30))
def test_walking_from_alarm_to_alarm_meets_each_once(days, step):
    deadline, at, met = NOW + 7 * DAY, NOW, []
    end = NOW + days * DAY
    while (alarm := upcoming(deadline, at, PACE)).at <= end:
        assert alarm.at > at
        assert latest(deadline, alarm.at, PACE) == alarm
        met.append(alarm.name)
        at = alarm.at
    assert len(set(met)) == len(met)
    # A scan that comes by now and then meets a part of them, in the same order, the last always.
    scanned, at = [], NOW
    while at <= end:
        alarm = latest(deadline, at, PACE)
        if alarm is not None and alarm.name not in scanned:
            scanned.append(alarm.name)
        at += step * DAY
    assert [name for name in met if name in scanned] == scanned


@pytest.mark.parametrize(
    ("span", "name"),
    [
        (timedelta(minutes=30), "30min"), (DAY, "24h"), (3 * DAY, "72h"), (7 * DAY, "7d"),
        (timedelta(seconds=2), "2s"), (timedelta(minutes=90), "90min"),
    ],
)  # fmt: skip
def test_a_follow_up_has_the_name_people_give_it(span, name):
    assert span_name(span) == name


def test_the_replacement_is_looked_at_three_times_after_a_diagnostic_swap_only():
    planned = follow_ups(a_case(), PACE)
    assert [(f.name, f.due_at - NOW) for f in planned] == [
        ("30min", timedelta(minutes=30)), ("24h", DAY), ("72h", 3 * DAY),
    ]  # fmt: skip
    assert follow_ups(a_case(kind=Kind.REPLACEMENT), PACE) == ()


WEAK = DiagnosisRef("d1", "fibre_weak", "blocked", ("optical.rx_power_in_band",))
UNPROVED = DiagnosisRef("d1", "inconclusive", "diagnostic", ("wan.session_is_up",))
HARD = DiagnosisRef("d1", "hardware_fault", "allowed", ("hardware.radios_are_up", "b"))


@pytest.mark.parametrize(
    ("before", "verdict", "statuses", "says", "why"),
    [
        (WEAK, "fibre_weak", {}, "stayed", "same_verdict"),
        (WEAK, "healthy", {"optical.rx_power_in_band": Status.OK}, "left", "rules_ok"),
        (WEAK, "fibre_weak", {"optical.rx_power_in_band": Status.FAULT}, "stayed", "same_verdict"),
        (WEAK, "healthy", {}, "not_comparable", "not_evaluable"),
        (WEAK, "healthy", {"optical.rx_power_in_band": Status.UNKNOWN}, "not_comparable",
         "not_evaluable"),
        (WEAK, "inconclusive", {"optical.rx_power_in_band": Status.DEGRADED}, "not_comparable",
         "not_evaluable"),
        (HARD, "fibre_cut", {"hardware.radios_are_up": Status.OK, "b": Status.OK}, "left",
         "rules_ok"),
        (HARD, "fibre_cut", {"hardware.radios_are_up": Status.FAULT, "b": Status.OK}, "stayed",
         "same_rules"),
        (HARD, "fibre_cut", {"hardware.radios_are_up": Status.OK}, "not_comparable",
         "not_evaluable"),
        (None, "healthy", {}, "not_comparable", "no_diagnosis"),
        (WEAK, None, {}, "not_comparable", "no_diagnosis"),
        (DiagnosisRef("d", "healthy", "blocked"), "healthy", {}, "not_comparable",
         "nothing_was_wrong"),
        (DiagnosisRef("d", "inconclusive", "diagnostic"), "inconclusive", {},
         "not_comparable", "nothing_was_wrong"),
        (UNPROVED, "inconclusive", {"wan.session_is_up": Status.OK}, "left", "rules_ok"),
        (UNPROVED, "inconclusive", {"wan.session_is_up": Status.FAULT}, "stayed", "same_rules"),
        (UNPROVED, "fibre_cut", {"wan.session_is_up": Status.UNKNOWN}, "not_comparable",
         "not_evaluable"),
    ],
)  # fmt: skip
def test_what_a_follow_up_says_of_the_removed_unit(before, verdict, statuses, says, why):
    found = compare(before, verdict, statuses, timedelta(minutes=30))
    assert (found.says.value, found.why) == (says, why)


@pytest.mark.parametrize(
    ("hours", "status", "says", "why"),
    [
        (0.5, Status.OK, "not_comparable", "too_early"),
        (24, Status.OK, "left", "rules_ok"),
        (0.5, Status.FAULT, "stayed", "same_rules"),
    ],
)
def test_a_reboot_loop_has_not_left_before_a_day_is_over(hours, status, says, why):
    rule = "hardware.no_reboot_loop"
    before = DiagnosisRef("d", "hardware_fault", "allowed", (rule,))
    found = compare(before, "inconclusive", {rule: status}, timedelta(hours=hours))
    assert (found.says.value, found.why) == (says, why)


@pytest.mark.parametrize(
    ("code", "rules"), [(Code.INCONCLUSIVE, ("a",)), (Code.FIBRE_WEAK, ("a", "b"))]
)
def test_only_what_failed_can_be_looked_up_in_the_replacement(code, rules):
    found = [Finding("a", Status.FAULT, Text("", "")), Finding("b", Status.UNKNOWN, Text("", ""))]
    assert failed(samples.verdict(code=code, because=("a", "b")), found) == rules


@pytest.mark.parametrize(
    ("permission", "kinds"),
    [
        (Permission.ALLOWED, {Kind.REPLACEMENT, Kind.DIAGNOSTIC, Kind.RETURN}),
        (Permission.DIAGNOSTIC, {Kind.DIAGNOSTIC}),
        (Permission.BLOCKED, set()),
        (Permission.NONE, set()),
    ],
)
def test_the_guard_lets_through_what_the_diagnosis_allows(permission, kinds):
    assert {kind for kind in Kind if lets_through(kind, permission)} == kinds


@pytest.mark.parametrize(
    ("minutes", "recent"), [(0, True), (30, True), (30.02, False), (-1, True), (-1.1, False)]
)
def test_a_diagnosis_may_be_named_for_half_an_hour(minutes, recent):
    assert is_recent(NOW, NOW + timedelta(minutes=minutes)) is recent


BLOCKED = a_case(
    SwapState.AWAITING_OVERRIDE,
    guard=Guarded(Permission.BLOCKED, passed=False, named="none", at=NOW),
)


@pytest.mark.parametrize(
    ("case", "run", "quiet_s", "driven_s", "expected"),
    [
        (a_case(SwapState.SWAPPING), "CRASHED", 30, None, "take_up"),
        (a_case(SwapState.SWAPPING), "FAILED", 30, -1, "take_up"),
        (a_case(SwapState.SWAPPING), "CANCELLED", 30, None, "take_up"),
        (a_case(SwapState.SWAPPING), "CRASHED", 5, None, "nothing"),
        (a_case(SwapState.SWAPPING), "CRASHED", 30, 10, "nothing"),
        (a_case(SwapState.SWAPPING), "RUNNING", 30, None, "nothing"),
        (a_case(SwapState.SWAPPING), "RUNNING", 90, None, "take_up"),
        (a_case(SwapState.SWAPPING), "PENDING", 90, None, "nothing"),
        (a_case(SwapState.SWAPPING), "PENDING", 121, None, "take_up"),
        (a_case(SwapState.SWAPPING), "SCHEDULED", 9999, None, "nothing"),
        (a_case(SwapState.SWAPPING), "CANCELLING", 9999, None, "nothing"),
        (a_case(SwapState.CONCLUDING), "PAUSED", 30, None, "take_up"),
        (a_case(SwapState.REQUESTED), None, 30, None, "create"),
        (a_case(SwapState.REQUESTED), "COMPLETED", 30, None, "create"),
        (a_case(), "PAUSED", 9999, None, "nothing"),
        (a_case(), "RUNNING", 90, None, "take_up"),
        (a_case(), "FAILED", 30, None, "take_up"),
        (a_case(), None, 30, None, "create"),
        (BLOCKED, "PAUSED", 3600, None, "nothing"),
        (BLOCKED, "PAUSED", 86_400, None, "take_up"),
        (a_case(SwapState.CLOSED), "FAILED", 9999, None, "nothing"),
        (a_case(SwapState.REFUSED), None, 9999, None, "nothing"),
        (stuck(a_case(SwapState.SWAPPING), NOW, "ERPNext"), "FAILED", 25, None, "nothing"),
        (stuck(a_case(SwapState.SWAPPING), NOW, "ERPNext"), "FAILED", 31, None, "take_up"),
    ],
)  # fmt: skip
def test_what_an_orphan_needs(case, run, quiet_s, driven_s, expected):
    now = NOW + timedelta(seconds=quiet_s)
    seen = None if run is None else RunSeen(run, NOW)
    driven = None if driven_s is None else now + timedelta(seconds=driven_s)
    assert care(case, driven, seen, now, PACE).value == expected


def test_a_swap_that_does_not_go_on_is_tried_at_growing_intervals_up_to_half_an_hour():
    case, pauses = a_case(SwapState.SWAPPING), []
    for _ in range(12):
        case = stuck(case, NOW, "ERPNext")
        pauses.append((case.try_after - NOW).total_seconds())
    assert pauses[:5] == [30, 60, 120, 240, 480]
    assert pauses[-1] == 1800


def test_erpnext_is_compared_only_while_the_test_is_awaited():
    left = {"EQP-1": "En diagnostic", "EQP-2": "Actif"}
    assert differences(a_case(), left, "Open") == ()
    assert differences(a_case(SwapState.SWAPPING), {}, None) == ()
    assert differences(a_case(SwapState.CLOSED), {}, None) == ()
    found = differences(a_case(SwapState.OVERDUE), {"EQP-1": "En inventaire"}, "Cancelled")
    assert [(d.what, d.expected, d.found) for d in found] == [
        ("OLD1", "En diagnostic", "En inventaire"),
        ("NEW1", "Actif", None),
        ("TASK-1", "Open", "Cancelled"),
    ]


@pytest.mark.parametrize(
    ("minutes", "moved"), [(None, False), (-5, False), (14, False), (16, True)]
)
def test_a_removed_unit_that_informs_after_its_removal_is_somewhere(minutes, moved):
    last = None if minutes is None else NOW + timedelta(minutes=minutes)
    assert moved_without_papers(a_case(), last) is moved
    assert moved_without_papers(a_case(SwapState.CLOSED), last) is False
