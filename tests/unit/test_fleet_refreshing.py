"""Which stale boxes are worth asking: those that may answer and hide something."""

from __future__ import annotations

from cpe.fleet.doubt import stale_that_matter
from tests.support.small_fleet import NOW, a_box, an_ont, judged

STALE = {"rx_dbm": None, "rx_quality": "stale", "spoke_at": NOW - 2 * 86_400}


def test_no_budget_is_spent_on_documents_of_boxes_that_are_gone():
    boxes = [
        a_box(0, last_inform=NOW - 90 * 86_400, **STALE),
        a_box(1, last_inform=None, **STALE),
        a_box(2, **STALE),
        a_box(3, last_inform=NOW - 90 * 86_400, **STALE),
        a_box(4),
    ]
    found = judged(boxes, [an_ont(3)])
    assert set(stale_that_matter(found, limit=9)) == {"BOX-2", "BOX-3"}, "3 is up at its OLT"


def test_one_that_its_olt_hears_faintly_comes_first():
    boxes = [a_box(n, **STALE) for n in range(3)]
    onts = [an_ont(0), an_ont(1, olt_rx_dbm=-29.0), an_ont(2)]
    assert stale_that_matter(judged(boxes, onts), limit=2) == ["BOX-1", "BOX-0"]
