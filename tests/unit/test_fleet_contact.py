"""Every expected box is counted once, under one word that means the same everywhere."""

from __future__ import annotations

from io import StringIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from cpe.answer.sweep_html import report
from cpe.answer.sweep_page import contacts, coverage_rows, page, words
from cpe.fleet.words import CONTACTS
from cpe.profiles.sweep_words import sweep_words
from deployments.commands import sweep_show
from tests.support.small_fleet import NOW, a_box, an_ont, judged, was_known
from tests.unit.test_sweep_report import an_answer

LATELY, LONG_AGO = NOW - 60, NOW - 3 * 86_400


def quiet(number, **changes):
    return a_box(number, last_inform=LONG_AGO, rx_dbm=None, rx_quality="stale", **changes)


def test_without_olts_the_boxes_that_nobody_can_place_are_in_a_list_of_the_same_word():
    boxes = [a_box(n) if n < 7 else quiet(n) for n in range(1_000)]
    boxes[7]["last_inform"] = None
    boxes[8]["last_inform"] = NOW - 2 * 86_400
    found = judged(boxes)
    assert found.summary["silent"]["count"] == 0, "no OLT says that they are online"
    assert found.coverage["unreachable"] == 993
    assert found.summary["unreachable"]["count"] == 993
    assert found.coverage["contact"] == {
        "informing": 7, "online_at_olt_only": 0, "down": 0, "unreachable": 993, "unseen": 0,
    }  # fmt: skip
    assert found.summary["unreachable"]["boxes"][0]["serial"] == "S8", "who was there last"
    assert (found.rows["contact"] == "unreachable").sum() == 993


@pytest.mark.parametrize(
    ("ont", "word"),
    [
        ({}, "online_at_olt_only"),
        ({"state": "los", "down_at": NOW - 3_600}, "down"),
        ({"state": "dying_gasp", "down_at": NOW - 3_600}, "down"),
        ({"state": "offline"}, "down"),
        ({"state": "unknown"}, "unreachable"),
        (None, "unreachable"),
    ],
)
def test_what_an_olt_says_of_a_quiet_box_places_it(ont, word):
    onts = [an_ont(n) for n in range(1, 30)] + ([] if ont is None else [an_ont(0, **ont)])
    found = judged([quiet(0), *(a_box(n) for n in range(1, 30))], onts)
    assert found.coverage["contact"][word] == 1
    assert found.coverage["contact"]["informing"] == 29
    assert found.coverage["unreachable"] == (word == "unreachable")


def test_a_box_whose_olt_was_not_read_is_unreachable_and_not_silent():
    boxes = [quiet(n) if n < 5 else a_box(n) for n in range(30)]
    known = [was_known(n, olt="olt-9") for n in range(30)]
    found = judged(boxes, [], known, asked=["olt-9"], walked={"olt-9": False})
    assert (found.coverage["unreachable"], found.summary["unreachable"]["count"]) == (5, 5)
    assert found.summary["silent"]["count"] == 0


def test_a_box_that_informed_after_its_olt_saw_it_down_is_not_down():
    onts = [an_ont(0, state="los", down_at=NOW - 3_600, walked_at=NOW - 300)]
    found = judged([a_box(0)], onts)
    assert found.coverage["contact"]["informing"] == 1


BOX = st.fixed_dictionaries(
    {"informed": st.sampled_from([LATELY, NOW - 1_000, LONG_AGO, None]),
     "rx": st.sampled_from([-20.0, -29.0, None]),
     "ont": st.sampled_from(["online", "los", "dying_gasp", "offline", "unknown", None]),
     "in_acs": st.booleans(), "was_known": st.booleans(), "active": st.booleans()}
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(st.lists(BOX, min_size=1, max_size=12), st.booleans(), st.booleans())
def test_the_words_partition_the_fleet_and_the_lists_agree_with_the_counts(drawn, whole, read):
    rows = list(enumerate(drawn))
    boxes = [
        a_box(n, last_inform=one["informed"], rx_dbm=one["rx"],
              rx_quality="ok" if one["rx"] else "not_read")
        for n, one in rows if one["in_acs"]
    ]  # fmt: skip
    onts = [an_ont(n, state=one["ont"], walked_at=NOW - 300) for n, one in rows if one["ont"]]
    known = [was_known(n) for n, one in rows if one["was_known"]]
    units = [
        {"equipment": f"E{n}", "serial": f"S{n}", "status": "Actif"}
        for n, one in rows if one["active"]
    ]  # fmt: skip
    found = judged(boxes, onts, known, equipment=units, acs_whole=whole, walked={"olt-1": read})
    covered, summary = found.coverage, found.summary
    contact = covered["contact"]
    assert tuple(contact) == (*CONTACTS, "unseen")
    assert sum(contact.values()) == covered["expected"]
    assert sum(contact.values()) - contact["unseen"] == covered["seen"] == len(found.rows)
    assert contact["unseen"] == covered["unseen"]
    assert contact["unreachable"] == covered["unreachable"] == summary["unreachable"]["count"]
    assert {name: n for name, n in contact.items() if n and name != "unseen"} == {
        str(name): int(n) for name, n in found.rows["contact"].value_counts().items() if n
    }
    assert sum(summary["verdicts"].values()) == covered["seen"]
    assert covered["evaluable"] + covered["not_evaluable"] == covered["seen"]
    assert sum(covered["not_evaluable_by"].values()) == covered["not_evaluable"]
    assert summary["silent"]["count"] == summary["verdicts"].get("management_silent", 0)
    assert summary["silent"]["count"] <= contact["online_at_olt_only"]
    assert summary["rx"]["measured"] + summary["rx"]["not_measured"] == covered["seen"]
    for pon_word, word in (("down", "down"), ("not_evaluable", "not_evaluable")):
        total = contact[word] if word in contact else covered[word]
        assert sum(pon[pon_word] for pon in summary["pons"]) <= total


@pytest.fixture(scope="module")
def answer():
    return an_answer(failed=("olt-1",))


def test_all_that_people_read_names_the_same_words_and_numbers(answer, monkeypatch):
    monkeypatch.setattr(sweep_show, "out", lambda: console)
    monkeypatch.setenv("CPE_LANGUAGE", "en")
    console = Console(width=400, record=True, file=StringIO())
    sweep_show.show_sweep(answer)
    terminal, html, markdown = console.export_text(), report(answer), page(answer)
    table = {row[""]: row["n"] for row in coverage_rows(answer)}
    assert answer["coverage"]["unreachable"] > 0
    for name, count in contacts(answer):
        phrase = sweep_words().phrases[f"coverage_{name}"]
        assert f"{count} {phrase.en}" in terminal
        assert phrase.en in html
        assert f"**{count}** {words(f'coverage_{name}')}" in markdown
        assert table[f"→ {words(f'coverage_{name}')}"] == count


def test_the_list_and_the_count_have_one_word():
    phrases = sweep_words().phrases
    listed, counted = phrases["list_unreachable"], phrases["coverage_unreachable"]
    assert (listed.fr.lower(), listed.en.lower()) == (counted.fr.lower(), counted.en.lower())


def test_a_sweep_kept_before_boxes_were_counted_so_is_still_shown(answer):
    old = {**answer, "coverage": {k: v for k, v in answer["coverage"].items() if k != "contact"}}
    del old["unreachable"]
    assert contacts(old) == []
    assert report(old)
    assert page(old)
