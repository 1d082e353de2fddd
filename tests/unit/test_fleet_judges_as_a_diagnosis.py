"""The vectorised rules and those of a diagnosis say the same of every box, rule by rule."""

from __future__ import annotations

import pytest

from cpe.domain.finding import Status
from cpe.domain.verdict import lead
from cpe.fleet import words
from cpe.fleet.conclude import join_frames
from cpe.fleet.history import past_frame
from cpe.fleet.judge import NOT_CLAIMED, RULES, judge
from cpe.fleet.view import View
from cpe.profiles.sweep_words import sweep_words
from cpe.profiles.thresholds import load_thresholds
from cpe.profiles.wording import wording
from cpe.rules import catalogue
from cpe.rules.facts import Facts
from tests.support.fleets import Boxes, generate

CLAIMED = tuple(name for name, _ in RULES)
SINGLE = [(name, rule) for name, rule in catalogue.RULES if name in CLAIMED]


def judged_both_ways(fleet):
    thresholds = load_thresholds()
    joined = join_frames(fleet.frames, fleet.sources, thresholds)
    pasts = fleet.pasts(len(joined.fleet))
    past = past_frame(
        joined.fleet, fleet.frames.known, pasts.own, pasts.of_olt, fleet.boots,
        fleet.sources.now, thresholds,
    )  # fmt: skip
    frames = joined.frames
    view = View(joined.fleet, frames.radios, frames.nodes, fleet.sources, thresholds, past)
    vectorised = judge(view)
    boxes = Boxes(fleet, joined.fleet)
    statuses = {r: vectorised.statuses[r].to_numpy() for r in CLAIMED}
    for row in range(len(boxes)):
        shot = boxes.snapshot(row)
        facts = Facts(shot, thresholds, wording())
        findings = [rule(facts) for _, rule in SINGLE]
        chosen = lead(findings, required_for_healthy=catalogue.required_for_healthy(shot))
        partly = [k for k in ("radios", "nodes") if bool(boxes.rows[row][f"more_{k}"])]
        yield (
            row,
            partly,
            {f.rule: f.status for f in findings},
            {r: words.STATUSES[statuses[r][row]] for r in CLAIMED},
            chosen.code.value,
            words.verdict_name(int(vectorised.verdict[row])),
        )


def doubted(partly, single, code):
    """What a sweep may say of a box of which it read only some radios or nodes: nothing is proved
    good, and the box is not healthy."""
    if not partly:
        return single, code
    prefixes = tuple({"radios": "wifi.", "nodes": "mesh."}[kind] for kind in partly)
    good = (Status.OK, Status.NOT_APPLICABLE)
    changed = {
        r: Status.UNKNOWN if r.startswith(prefixes) and s in good else s for r, s in single.items()
    }
    return changed, "inconclusive" if code == "healthy" else code


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "seed", "options"),
    [
        (7_000, 1, {}),
        (1_500, 2, {"failed": ("olt-1",)}),
        (1_500, 3, {"acs_whole": False}),
        (500, 4, {"acs_hears": False, "failed": ("olt-0", "olt-2")}),
    ],
)
def test_every_box_of_a_generated_fleet_gets_the_same_findings(size, seed, options):
    seen = {rule: set() for rule in CLAIMED}
    fleet_of_boxes = generate(size, seed, **options)
    for row, partly, diagnosis, fleet, lead_code, verdict in judged_both_ways(fleet_of_boxes):
        single, code = doubted(partly, diagnosis, lead_code)
        different = {r: (single[r], fleet[r]) for r in CLAIMED if single[r] is not fleet[r]}
        assert not different, f"box {row}: (diagnosis, sweep) {different}"
        assert verdict == code, f"box {row}"
        for rule, status in single.items():
            seen[rule].add(status)
    if size > 5_000:
        dull = {rule: found for rule, found in seen.items() if len(found) < 2}
        assert not dull, "the fleet does not try these rules"


def test_the_sweep_claims_rules_of_the_catalogue_in_its_order():
    known = [name for name, _ in catalogue.RULES]
    assert list(CLAIMED) == [name for name in known if name in CLAIMED]


def test_every_rule_is_claimed_or_said_not_to_be():
    known = {name for name, _ in catalogue.RULES}
    assert set(CLAIMED) | set(NOT_CLAIMED) == known
    assert not set(CLAIMED) & set(NOT_CLAIMED)
    for why in NOT_CLAIMED.values():
        assert f"not_judged_{why}" in sweep_words().phrases
