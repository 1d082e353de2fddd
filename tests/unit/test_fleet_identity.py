"""One box under two names, one name on two boxes: counted once, judged once."""

from __future__ import annotations

from cpe.fleet.conclude import known_frame
from cpe.fleet.rows import box_rows, chunks
from tests.support.small_fleet import NOW, a_box, an_ont, judged, verdict_of, was_known


def kept(found, known):
    frame = known_frame({n: [row.get(n) for row in known] for n in was_known(0)})
    return [row for chunk, before in chunks(found.rows, frame)
            for row in box_rows(chunk, before, NOW)]  # fmt: skip


def only_on_olt(number, **changes):
    """What a sweep without the ACS kept of an ONT."""
    return was_known(number, **{"id": 100 + number, "key": f"olt:TPLG{number:0>8}", "acs_id": None,
                                "serial": None, "in_acs": False, **changes})  # fmt: skip


def test_boxes_first_met_at_their_olt_are_no_others_when_the_acs_shows_them():
    known = [only_on_olt(n) for n in range(30)]
    found = judged([a_box(n) for n in range(30)], [an_ont(n) for n in range(30)], known)
    assert (found.coverage["expected"], found.coverage["unseen"]) == (30, 0)


def test_an_olt_is_not_short_for_boxes_that_are_known_under_two_names():
    """The first night without an ACS, the second with it, the third with one ONT less."""
    known = [*(only_on_olt(n) for n in range(30)), *(was_known(n) for n in range(30))]
    found = judged([a_box(n) for n in range(30)], [an_ont(n) for n in range(29)], known)
    [olt] = found.coverage["olts"]
    assert (olt["rows"], olt["before"], olt["whole"]) == (29, 30, True)
    assert found.reasons == ()


def test_a_box_that_has_a_name_keeps_it_on_a_night_without_the_acs():
    known = [only_on_olt(1), was_known(1)]
    found = judged([], [an_ont(1)], known, acs_whole=False)
    assert list(found.rows["key"]) == ["acs:BOX-1"]


def test_half_an_answer_does_not_lower_what_the_next_one_is_measured_against():
    onts, known = [an_ont(n) for n in range(40)], [was_known(n) for n in range(40)]
    half = judged([a_box(n) for n in range(10)], onts, known, acs_whole=False)
    assert sum(row["in_acs"] for row in kept(half, known)) == 40
    whole = judged([a_box(n) for n in range(40)], onts, known)
    assert sum(row["in_acs"] for row in kept(whole, known)) == 40


def test_a_box_that_the_whole_acs_no_longer_has_is_no_longer_expected_of_it():
    onts, known = [an_ont(n) for n in range(40)], [was_known(n) for n in range(40)]
    found = judged([a_box(n) for n in range(39)], onts, known)
    assert sum(row["in_acs"] for row in kept(found, known)) == 39


def test_the_old_document_of_a_box_that_registered_again_is_not_silent():
    old = a_box(1, acs_id="BOX-1-old", last_inform=NOW - 9 * 86_400, spoke_at=NOW - 9 * 86_400,
                rx_dbm=None, rx_quality="stale")  # fmt: skip
    for boxes in ([old, a_box(1)], [a_box(1), old]):
        found = judged(boxes, [an_ont(1)])
        assert verdict_of(found, "BOX-1") == "healthy"
        assert verdict_of(found, "BOX-1-old") == "inconclusive"
        assert found.summary["silent"]["count"] == 0
        assert found.summary["stock"]["gpon_serial_twice"]["count"] == 2
        assert found.coverage["on_olt"] == 1
