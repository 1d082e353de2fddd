"""One box under two names, one name on two boxes: counted once, judged once."""

from __future__ import annotations

from tests.support.small_fleet import a_box, an_ont, judged, was_known


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
