"""The export says of every box what the report counts."""

from __future__ import annotations

import pandas as pd
import pytest

from cpe.fleet.compare import compare
from cpe.fleet.conclude import conclude, join_frames
from cpe.fleet.export import table
from cpe.profiles.thresholds import load_thresholds
from tests.support.fleets import generate
from tests.support.small_fleet import a_box, an_ont, judged, was_known


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The summary of a generated fleet, and its CSV as a spreadsheet reads it."""
    fleet, thresholds = generate(600, 5), load_thresholds()
    joined = join_frames(fleet.frames, fleet.sources, thresholds)
    pasts = fleet.pasts(len(joined.fleet))
    pasts.downs.update(dict.fromkeys(range(1, 9), 4))
    pasts.boots.update(dict.fromkeys(range(4, 20), 6))
    found = conclude(joined, compare(joined, pasts, thresholds), [], thresholds)
    file = tmp_path_factory.mktemp("export") / "fleet.csv"
    table(found.rows).to_csv(file, index=False)
    return found.summary, pd.read_csv(file, low_memory=False)


def test_every_list_that_is_cut_short_can_be_had_from_it(exported):
    summary, csv = exported
    assert summary["fading_count"] == csv["fading"].notna().sum() > 0
    assert summary["flapping"]["count"] == (csv["downs_7d"] >= 3).sum() > 0
    assert summary["rebooting"]["count"] == (csv["boots_7d"] >= 5).sum() > 0
    assert summary["partly_read"]["count"] == csv["partly_read"].sum() > 0
    assert summary["long_down"]["count"] == csv["long_down"].sum() > 0
    assert summary["verdicts"] == csv["verdict"].value_counts().to_dict()
    kinds = pd.Series([one["kind"] for one in summary["fading"]]).value_counts()
    if summary["fading_count"] <= 100:
        assert kinds.to_dict() == csv["fading"].value_counts().to_dict()


def test_its_pons_are_those_of_the_report(exported):
    summary, csv = exported
    told = {(p["olt"], p["pon"]): p["boxes"] for p in summary["pons"]}
    assert told == csv.groupby(["olt", "pon"]).size().to_dict()


def test_a_box_that_was_not_read_tonight_has_its_place_and_that_it_is_an_old_one():
    boxes, known = [a_box(n) for n in range(2)], [was_known(n) for n in range(2)]
    found = judged(boxes, [an_ont(0)], known, walked={"olt-1": False})
    csv = table(found.rows)
    assert list(csv["pon"].astype(object)) == ["0/1", "0/1"]
    assert list(csv["on_olt"]) == [True, False]
