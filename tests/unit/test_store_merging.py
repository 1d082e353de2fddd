"""How what is learned of a box joins what is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from cpe.domain.memory import Identity
from cpe.store.merging import combine, merge
from tests.support.store.samples import ACS_ID, NOON, SERIAL, identity

LATER = NOON + timedelta(hours=1)
PLACE = {"olt": "olt-nord", "pon": "0/1/3", "ont": "12", "ont_index": "7.12"}

names = st.sampled_from([None, "a", "b"])
moments = st.integers(0, 5).map(lambda hours: NOON + timedelta(hours=hours))
identities = st.builds(
    Identity,
    last_seen=moments,
    source=st.sampled_from(["sweep", "diagnosis"]),
    tr069_serial=names,
    acs_id=names,
    gpon_serial=names,
    mac=names,
    olt=names,
    pon=names,
    ont=names,
    equipment=names,
)


def stored(learned: list[Identity]) -> list[tuple[int, Identity]]:
    """The table after learning one after the other, as `identities` would write it."""
    rows: dict[int, Identity] = {}
    for one in learned:
        change = merge(sorted(rows.items()), [one])
        for row_id in change.gone:
            del rows[row_id]
        rows.update(change.changed)
        for new in change.new:
            rows[max(rows, default=0) + 1] = new
    return sorted(rows.items())


def boxes(rows: list[tuple[int, Identity]]) -> list[Identity]:
    return sorted((row for _, row in rows), key=repr)


def test_the_newer_word_counts_and_the_older_fills_what_it_left_open():
    older = identity(model="XX230v", equipment="EQ-1", first_seen=NOON)
    newer = identity(model="XX530v", last_seen=LATER, source="diagnosis")
    expected = replace(newer, equipment="EQ-1", first_seen=NOON)
    assert combine(older, newer) == combine(newer, older) == expected


def test_a_location_is_never_put_together_from_two_sightings():
    older = identity(**PLACE)
    newer = identity(last_seen=LATER, olt="olt-sud", pon="0/2/1")
    merged = combine(older, newer)
    assert (merged.olt, merged.pon, merged.ont, merged.ont_index) == (
        "olt-sud",
        "0/2/1",
        None,
        None,
    )


def test_a_location_stays_when_the_newer_word_has_none():
    merged = combine(identity(**PLACE), identity(last_seen=LATER))
    assert (merged.olt, merged.ont) == ("olt-nord", "12")


def test_a_location_does_not_outlive_the_gpon_serial_it_was_seen_under():
    merged = combine(identity(**PLACE), identity(last_seen=LATER, gpon_serial="TPLG00000009"))
    assert (merged.gpon_serial, merged.olt) == ("TPLG00000009", None)


def test_a_serial_without_a_box_waits_in_a_row_of_its_own():
    told = identity(acs_id=None, tr069_serial=None, **PLACE)
    [(row_id, waiting)] = stored([told, replace(told, ont="13", last_seen=LATER)])
    assert (waiting.acs_id, waiting.ont, waiting.first_seen) == (None, "13", NOON)
    change = merge([(row_id, waiting)], [identity(last_seen=LATER)])
    assert change.gone == [row_id]
    assert [(box.acs_id, box.ont) for box in change.new] == [(ACS_ID, "13")]


def test_what_an_olt_tells_goes_to_every_box_that_claims_the_serial():
    two = [(1, identity()), (2, identity(acs_id="B", tr069_serial="SB"))]
    change = merge(two, [identity(acs_id=None, tr069_serial=None, last_seen=LATER, **PLACE)])
    assert [(row_id, box.tr069_serial, box.olt) for row_id, box in change.changed] == [
        (1, SERIAL, "olt-nord"),
        (2, "SB", "olt-nord"),
    ]
    assert change.new == change.gone == []


def test_a_serial_is_never_rewritten_by_a_stranger_with_the_same_gpon_serial():
    stranger = identity(acs_id=None, tr069_serial="SX", last_seen=LATER)
    rows = stored([identity(), stranger, identity(last_seen=LATER)])
    assert [(row.acs_id, row.tr069_serial) for _, row in rows] == [(ACS_ID, SERIAL), (None, "SX")]


def test_equipment_completes_the_box_with_that_serial_and_makes_no_row():
    erp = Identity(last_seen=LATER, source="erp", tr069_serial=SERIAL, equipment="EQ-7")
    assert [row.equipment for _, row in stored([identity(), erp])] == ["EQ-7"]
    assert stored([erp]) == []


def test_learning_what_is_known_writes_nothing():
    known = stored([identity(**PLACE)])
    change = merge(known, [identity(**PLACE)])
    assert (change.new, change.changed, change.gone) == ([], [], [])


def test_a_name_that_a_box_was_just_told_finds_it_for_the_next():
    """Hypothesis found it once in some thousand runs: the sweep learns many at once."""
    box = identity(acs_id="a", tr069_serial=None, gpon_serial="a", mac=None)
    by_gpon = identity(acs_id=None, tr069_serial=None, gpon_serial="a", mac="m")
    by_mac = identity(acs_id=None, tr069_serial=None, gpon_serial=None, mac="m", equipment="E")
    learned = [box, by_gpon, by_mac]
    assert [one.equipment for one in merge([], learned).new] == ["E"]
    assert merge([], learned).new == boxes(stored(learned))


@given(st.lists(identities, max_size=6))
def test_there_is_one_row_a_box_and_one_a_waiting_serial(learned):
    rows = [row for _, row in stored(learned)]
    named = [row.acs_id for row in rows if row.acs_id]
    waiting = [row.gpon_serial for row in rows if not row.acs_id]
    assert len(set(named)) == len(named)
    assert len(set(waiting)) == len(waiting)
    assert None not in waiting
    assert {one.acs_id for one in learned if one.acs_id} == set(named)


@given(st.lists(identities, max_size=6))
def test_at_once_or_one_by_one_is_the_same(learned):
    change = merge([], learned)
    assert (change.changed, change.gone) == ([], [])
    assert sorted(change.new, key=repr) == boxes(stored(learned))


@given(identities, identities)
def test_combining_never_loses_a_name_that_only_one_knew(one, two):
    merged = combine(one, two)
    for name in ("tr069_serial", "acs_id", "gpon_serial", "mac", "equipment"):
        known = {getattr(one, name), getattr(two, name)} - {None}
        assert getattr(merged, name) in (known or {None})
    assert merged.last_seen == max(one.last_seen, two.last_seen)
