"""What a sweep did not see is told, and nothing is concluded from it."""

from __future__ import annotations

import pytest

from tests.support.small_fleet import NOW, a_box, an_ont, judged, was_known

FAR = 40


def two_olts(**far):
    """Forty boxes on each of two OLTs, as the last sweep left them and as the ACS tells now."""
    known = [was_known(n, olt="olt-1" if n < FAR else "olt-2") for n in range(2 * FAR)]
    boxes = [a_box(n, **(far if n >= FAR else {})) for n in range(2 * FAR)]
    return boxes, [an_ont(n) for n in range(FAR)], known


def test_an_olt_that_the_inventory_no_longer_names_was_not_read():
    found = judged(*two_olts())
    unread = [one for one in found.coverage["olts"] if not one["whole"]]
    assert [(one["olt"], one["rows"], one["before"]) for one in unread] == [("olt-2", 0, FAR)]
    assert unread[0]["detail"] == "not in the inventory"
    assert found.coverage["pct"] == 50.0
    assert found.reasons
    assert found.summary["stock"]["active_never_seen"]["count"] is None


def test_an_olt_whose_boxes_inform_no_more_is_gone_and_not_missing():
    found = judged(*two_olts(last_inform=NOW - 3 * 86_400))
    assert [one["olt"] for one in found.coverage["olts"]] == ["olt-1"]


def test_a_few_boxes_that_are_still_told_to_be_on_an_old_olt_are_no_olt():
    boxes, onts, known = two_olts()
    found = judged(boxes[: FAR + 3], onts, known[: FAR + 3])
    assert [one["olt"] for one in found.coverage["olts"]] == ["olt-1"]


def test_an_olt_under_another_name_is_not_missing():
    boxes, onts, known = two_olts()
    onts += [an_ont(n, olt="olt-nord") for n in range(FAR, 2 * FAR)]
    found = judged(boxes, onts, known)
    assert [one["olt"] for one in found.coverage["olts"]] == ["olt-1", "olt-nord"]
    assert found.reasons == ()


@pytest.mark.parametrize("hours", [2, 30, 24 * 9])
def test_an_acs_that_has_heard_nobody_since_friday_makes_no_fleet_silent(hours):
    boxes = [a_box(n, last_inform=NOW - hours * 3_600 - n) for n in range(FAR)]
    found = judged(boxes, [an_ont(n) for n in range(FAR)])
    assert "management_silent" not in found.summary["verdicts"]
    assert found.reasons[0].startswith("acs: only 0% of its boxes inform")


def test_a_few_that_went_silent_long_ago_are_silent():
    boxes = [a_box(n, last_inform=NOW - 60 if n else NOW - 9 * 86_400) for n in range(FAR)]
    found = judged(boxes, [an_ont(n) for n in range(FAR)])
    assert found.summary["silent"]["count"] == 1
    assert found.reasons == ()


def test_a_box_that_was_not_read_and_is_active_in_erpnext_is_expected_once():
    known = [was_known(n) for n in range(FAR)]
    units = [{"equipment": f"E{n}", "serial": f"S{n}", "status": "Actif"} for n in range(FAR + 2)]
    half = judged([a_box(n) for n in range(10)], [], known, equipment=units, acs_whole=False)
    covered = half.coverage
    assert (covered["seen"], covered["unseen"], covered["expected"]) == (10, FAR - 8, FAR + 2)
    assert covered["unseen_active_in_erp"] == 2, "that nothing else told of"
