"""A box that hangs on another PON has another loss: its past there is no baseline."""

from __future__ import annotations

import numpy as np
import pytest

from cpe.fleet.baseline import MISSING
from cpe.fleet.conclude import known_frame
from cpe.fleet.history import Album, has_moved
from cpe.fleet.rows import box_rows, chunks
from tests.support.small_fleet import NOW, a_box, an_ont, judged, was_known

TODAY = int(NOW // 86_400)


def known_of(*rows):
    return known_frame({n: [row.get(n) for row in rows] for n in (*was_known(0), "placed_at")})


def days_that_count(known, onts):
    found = judged([a_box(n) for n in range(len(known))], onts, known)
    fleet = found.rows.assign(known_olt=found.rows["olt"], known_pon=found.rows["pon"])
    album = Album(fleet, known_of(*known), 30, today=TODAY)
    past = album.empty()
    for age in range(1, 31):
        album.lay(past, (age, [row["id"] for row in known], [-2000] * len(known)))
    return list(np.sum(past.values != MISSING, axis=1))


def test_only_the_days_since_a_box_was_moved_count():
    known = [
        was_known(0),
        was_known(1, pon="0/7"),  # found on another PON tonight
        was_known(2, placed_at=NOW - 5 * 86_400),
        was_known(3, pon=""),
    ]
    assert days_that_count(known, [an_ont(n) for n in range(4)]) == [30, 0, 5, 30]


@pytest.mark.parametrize(
    ("was", "moved"),
    [({}, False), ({"pon": "0/2"}, True), ({"olt": "olt-9"}, True), ({"pon": None}, False),
     ({"pon": ""}, False), ({"olt": None, "pon": None}, False)],
)  # fmt: skip
def test_the_night_a_box_is_met_elsewhere_is_kept(was, moved):
    known = [was_known(0, **was)]
    found = judged([a_box(0)], [an_ont(0)], known)
    [row] = [r for c, b in chunks(found.rows, known_of(*known)) for r in box_rows(c, b, NOW)]
    assert row["placed_at"] == (round(NOW * 1000) if moved else None)


def test_a_box_that_no_olt_shows_tonight_stays_where_it_was():
    nothing = np.array([None], dtype=object)
    there = np.array(["olt-1"], dtype=object)
    assert not has_moved((nothing, nothing), (there, there)).any()


def test_rows_that_a_move_left_behind_on_the_old_pon_are_no_neighbours_that_are_down():
    left = [an_ont(n, state="los", down_at=NOW - 400) for n in range(20)]
    moved = [an_ont(n, pon="0/2") for n in range(20)]
    stayed = [an_ont(n) for n in range(20, 32)]
    unplugged = an_ont(32, state="los", down_at=NOW - 380)
    boxes = [a_box(n) for n in range(32)]
    boxes.append(a_box(32, last_inform=NOW - 400, spoke_at=NOW - 460))
    found = judged(boxes, [*left, *moved, *stayed, unplugged]).summary
    assert found["outages"] == []
    assert found["verdicts"] == {"healthy": 32, "fibre_cut": 1}
    assert found["findings"]["line.pon_is_up"]["degraded"] == 0
