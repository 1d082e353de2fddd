"""One incident for what went down together, named after what is known of it."""

from __future__ import annotations

import pytest

from tests.support.small_fleet import NOW, a_box, an_ont, judged, verdict_of

LATE = NOW - 400


def down(number, state, cause=None, **changes):
    return an_ont(number, state=state, cause=cause, down_at=LATE, olt_rx_dbm=None, **changes)


def silent(number):
    return a_box(number, last_inform=LATE, spoke_at=LATE - 60)


def a_pon_down(state, cause=None, size=8):
    return judged([silent(n) for n in range(size)], [down(n, state, cause) for n in range(size)])


def test_homes_of_an_area_without_power_are_not_called_one_by_one():
    found = a_pon_down("dying_gasp", "dying_gasp")
    assert [one["kind"] for one in found.summary["outages"]] == ["area_power_cut"]
    assert found.summary["verdicts"] == {"power_off": 8}
    assert found.summary["no_power"]["count"] == 0
    assert found.summary["worst"] == []


def test_a_home_that_unplugged_its_box_is_called():
    onts = [down(0, "dying_gasp", "dying_gasp"), *(an_ont(n) for n in range(1, 8))]
    found = judged([silent(0), *(a_box(n) for n in range(1, 8))], onts)
    assert found.summary["no_power"]["count"] == 1
    assert len(found.summary["worst"]) == 1


def test_an_ont_that_the_operator_shut_off_is_not_worth_a_diagnosis():
    onts = [down(0, "offline", "deactivated"), *(an_ont(n) for n in range(1, 8))]
    found = judged([silent(0), *(a_box(n) for n in range(1, 8))], onts)
    assert verdict_of(found, "BOX-0") == "inconclusive"
    assert found.summary["worst"] == []


@pytest.mark.parametrize(
    ("state", "kind"),
    [("los", "feeder_cut"), ("dying_gasp", "area_power_cut"), ("offline", "pon_down")],
)
def test_a_pon_that_is_down_for_no_told_reason_is_not_said_to_be_cut(state, kind):
    [outage] = a_pon_down(state).summary["outages"]
    assert (outage["kind"], outage["down"], outage["of"]) == (kind, 8, 8)


def test_boxes_whose_pon_the_olt_does_not_tell_share_no_feeder():
    boxes = [a_box(n, rx_dbm=-22.0 if n < 2 else -20.0) for n in range(6)]
    past = {n: dict.fromkeys(range(1, 20), -20.0) for n in range(6)}
    found = judged(boxes, [an_ont(n, pon="", pon_read=False) for n in range(6)], past_db=past)
    assert found.summary["fading_pons"] == []
    assert [one["kind"] for one in found.summary["fading"]] == ["pon_unknown"] * 2


def test_a_box_that_no_olt_ever_showed_is_not_said_to_fade_in_its_own_drop():
    past = {0: dict.fromkeys(range(1, 20), -20.0)}
    found = judged([a_box(0, rx_dbm=-23.0)], past_db=past)
    assert [one["kind"] for one in found.summary["fading"]] == ["pon_unknown"]


def test_boxes_of_one_pon_do():
    boxes = [a_box(n, rx_dbm=-22.0 if n < 2 else -20.0) for n in range(6)]
    past = {n: dict.fromkeys(range(1, 20), -20.0) for n in range(6)}
    found = judged(boxes, [an_ont(n) for n in range(6)], past_db=past)
    assert [one["siblings"] for one in found.summary["fading_pons"]] == [2]


def test_a_cut_feeder_is_found_though_the_olts_clock_stands_at_its_start():
    """The OLT lost its time: everything is down since the year 2000, as if churned long ago."""
    begun = 946_684_800.0
    onts = [down(n, "los", "fibre") | {"down_at": begun + n} for n in range(8)]
    found = judged([silent(n) for n in range(8)], onts)
    assert [(one["down"], one["since"]) for one in found.summary["outages"]] == [(8, None)]
    assert found.summary["verdicts"] == {"pon_outage": 8}


def test_boxes_that_left_long_ago_are_still_no_outage():
    gone = NOW - 30 * 86_400
    onts = [down(n, "los", "fibre") | {"down_at": gone} for n in range(8)]
    boxes = [a_box(n, last_inform=gone, spoke_at=gone, rx_dbm=None) for n in range(8)]
    assert judged(boxes, onts).summary["outages"] == []


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("state", ["los", "dying_gasp"])
def test_an_ont_that_left_long_ago_is_no_work_for_tonight(told, state):
    gone = NOW - 30 * 86_400
    onts = [an_ont(0, state=state, down_at=gone if told else None),
            *(an_ont(n) for n in range(1, 8))]  # fmt: skip
    boxes = [a_box(n, last_inform=gone if n == 0 else NOW - 60) for n in range(8)]
    found = judged(boxes, onts).summary
    assert (found["cut"]["count"], found["no_power"]["count"], found["worst"]) == (0, 0, [])
    assert [one["serial"] for one in found["long_down"]["boxes"]] == ["S0"]


def test_an_ont_that_went_down_this_week_is():
    onts = [an_ont(0, state="los", down_at=NOW - 3 * 86_400), *(an_ont(n) for n in range(1, 8))]
    found = judged([silent(0), *(a_box(n) for n in range(1, 8))], onts).summary
    assert (found["cut"]["count"], found["long_down"]["count"], len(found["worst"])) == (1, 0, 1)


def test_homes_of_a_pon_that_was_half_read_are_not_said_to_be_cut_alone():
    onts = [down(n, "los", "fibre", pon_read=False) for n in range(5)]
    boxes = [silent(n) for n in range(5)]
    found = judged(boxes, onts, walked={"olt-1": False}).summary
    assert found["verdicts"] == {"fibre_cut": 5}, "as a diagnosis says that cannot read the PON"
    assert found["cut"]["count"] == 0
    assert found["outages"] == []


def test_a_customer_who_has_not_paid_has_not_left():
    gone = NOW - 30 * 86_400
    onts = [an_ont(0, state="offline", cause="deactivated", down_at=gone),
            *(an_ont(n) for n in range(1, 8))]  # fmt: skip
    boxes = [a_box(n, last_inform=gone if n == 0 else NOW - 60) for n in range(8)]
    found = judged(boxes, onts).summary
    assert (found["long_down"]["count"], found["worst"]) == (0, [])
