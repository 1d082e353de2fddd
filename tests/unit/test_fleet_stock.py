"""Where ERPNext and the plant tell different stories."""

from __future__ import annotations

from tests.support.small_fleet import NOW, a_box, an_ont, judged

DAY = 86_400


def unit(number, status="Actif"):
    return {"equipment": f"EQP-{number}", "serial": f"S{number}", "status": status}


def test_an_active_unit_that_was_not_heard_for_weeks_is_seen_by_nobody():
    """Its document stays in the ACS for ever."""
    boxes = [a_box(0), a_box(1, last_inform=NOW - 10 * DAY), a_box(2, last_inform=NOW - 20 * DAY),
             a_box(3, last_inform=None), a_box(4, last_inform=NOW - 20 * DAY),
             a_box(5, last_inform=NOW - 20 * DAY)]  # fmt: skip
    onts = [an_ont(0), an_ont(4), an_ont(5, state="los", down_at=NOW - 20 * DAY)]
    found = judged(boxes, onts, equipment=[unit(n) for n in range(7)])
    unseen = found.summary["stock"]["active_never_seen"]
    assert [one["serial"] for one in unseen["boxes"]] == ["S2", "S3", "S5", "S6"]
    assert unseen["count"] == 4
    assert found.coverage["unseen_active_in_erp"] == 1, "the others are counted as boxes"


def test_units_on_the_shelf_are_not_missed():
    found = judged([a_box(0)], [an_ont(0)], equipment=[unit(0), unit(1, "En inventaire")])
    assert found.summary["stock"]["active_never_seen"]["count"] == 0
