"""A kept snapshot replays to the same verdict, byte for byte; what changed is named."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cpe.domain.memory import KeptDiagnosis
from cpe.domain.observation import Outcome, Quality, Source
from cpe.domain.snapshot import (
    SNAPSHOT_SCHEMA,
    DownCause,
    FreshnessOutcome,
    History,
    OltReport,
    OntState,
    PastReading,
    Request,
    Snapshot,
    SpeedTest,
)
from cpe.profiles.quantities import Kind, quantities
from cpe.profiles.thresholds import load_thresholds
from cpe.rules import judge as judge_module
from cpe.rules.judge import code_hash, judge
from cpe.store import codec
from deployments.commands.replay import compare
from tests.support.cases import NOW, neighbours, reading, sighting, snapshot
from tests.support.store.strategies import instances

drawn = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
KNOWN = quantities()
TEXTS = st.sampled_from(["up", "down", "error", "disabled", "connected", "wifi", "2.4", "5", "né"])
SUBJECTS = {
    "wifi": "radio:", "station": "station:", "node": "node:", "wan": "wan:", "lan": "lan:",
    "neighbour": "neighbour:",
}  # fmt: skip


@st.composite
def readings(draw):
    """A reading that an adapter could give: physical, of the quantity's own kind."""
    name = draw(st.sampled_from(sorted(KNOWN)))
    quantity = KNOWN[name]
    if quantity.kind is Kind.NUMBER:
        low, high = quantity.physical
        value = draw(st.one_of(st.floats(low, high), st.integers(int(low), int(high))))
    else:
        value = draw(st.booleans() if quantity.kind is Kind.BOOL else TEXTS)
    kind = SUBJECTS.get(name.split(".")[0], "")
    return reading(
        name,
        value,
        kind + draw(st.sampled_from("AB")) if kind else "",
        source=draw(st.sampled_from([Source.ACS, Source.OLT, Source.BRIDGE])),
        age_s=draw(st.one_of(st.none(), st.floats(0, 1e6))),
        quality=draw(st.sampled_from([Quality.OK, Quality.OK, *Quality])),
        resolution=draw(st.sampled_from([None, 1.0])),
    )


@st.composite
def histories(draw):
    times = st.floats(0, 40 * 86_400).map(lambda s: NOW - timedelta(seconds=s))
    names = st.sampled_from(["optical.rx_dbm", "device.uptime_s", "optical.errors_sent"])
    one = st.builds(
        PastReading, names, st.just(""), st.floats(-40, 1e6), times, st.sampled_from(Source)
    )
    return History(
        readings=tuple(draw(st.lists(one, max_size=6))),
        boots=tuple(draw(st.lists(times, max_size=6))),
        firmwares=tuple(draw(st.lists(st.tuples(times, TEXTS), max_size=3))),
    )


@st.composite
def cases(draw):
    """A diagnosis as the flow could close it."""
    olt = None
    if draw(st.booleans()):
        olt = sighting(
            draw(st.sampled_from(OntState)),
            cause=draw(st.sampled_from([None, *DownCause])),
            down_at=draw(st.sampled_from([None, NOW, NOW - timedelta(days=9)])),
            neighbours=draw(
                st.sampled_from([None, (), neighbours(up=4), neighbours(up=1, down=5)])
            ),
        )
    failed = draw(st.dictionaries(TEXTS, TEXTS, max_size=3))
    found = {(m.name, m.subject, m.source): m for m in draw(st.lists(readings(), max_size=25))}
    return snapshot(
        *found.values(),
        report=OltReport(olt, asked=("a",), failed=failed),
        outcome=draw(st.sampled_from([None, *FreshnessOutcome])),
        answered=draw(st.booleans()),
        acs_known=draw(st.sampled_from([True, False, None])),
        acs=draw(st.sampled_from(Outcome)),
        history=draw(histories()),
        request=Request("X", draw(st.booleans()), draw(st.sampled_from([None, 3.0])), 0.1 + 0.2),
        speedtest=draw(st.sampled_from([None, SpeedTest("Complete", 123.4), SpeedTest()])),
    )


def text(judgement):
    return codec.verdict_text(judgement.verdict) + codec.findings_text(judgement.findings)


@pytest.mark.slow
@drawn
@given(cases())
def test_a_kept_diagnosis_replays_to_the_same_bytes_and_no_rule_crashes(shot):
    first = judge(shot, load_thresholds())
    again = judge(codec.snapshot_from_text(codec.snapshot_text(shot)), load_thresholds())
    assert text(again) == text(first)
    assert again.ruleset == first.ruleset
    assert not any("internal error" in n.reason for n in first.verdict.not_evaluable)


@pytest.mark.slow
@drawn
@given(cases())
def test_a_database_that_orders_keys_its_own_way_changes_nothing(shot):
    tree = json.loads(codec.snapshot_text(shot))

    def turned(value):
        if isinstance(value, dict):
            return {key: turned(value[key]) for key in reversed(value)}
        return [turned(item) for item in value] if isinstance(value, list) else value

    again = codec.snapshot_from_text(json.dumps(turned(tree)))
    assert text(judge(again, load_thresholds())) == text(judge(shot, load_thresholds()))


@settings(drawn, max_examples=30)
@given(instances(Snapshot).map(lambda shot: replace(shot, schema=SNAPSHOT_SCHEMA)))
def test_no_snapshot_however_wild_stops_the_judge(shot):
    first = judge(shot, load_thresholds())
    again = judge(codec.snapshot_from_text(codec.snapshot_text(shot)), load_thresholds())
    assert text(again) == text(first)
    assert first.verdict.because


def test_the_ruleset_names_thresholds_and_code():
    ruleset = judge(snapshot(), load_thresholds()).ruleset
    assert ruleset == f"{load_thresholds().ruleset}.{code_hash()}"


def test_another_word_or_rule_is_another_ruleset(tmp_path, monkeypatch):
    before = code_hash()
    words = tmp_path / "wording.yaml"
    shutil.copy(judge_module.WORDS, words)
    monkeypatch.setattr(judge_module, "WORDS", words)
    code_hash.cache_clear()
    assert code_hash() == before
    words.write_text(words.read_text("utf-8").replace("trop faible", "faible"), "utf-8")
    code_hash.cache_clear()
    assert code_hash() != before
    code_hash.cache_clear()


def kept(shot):
    judged = judge(shot, load_thresholds())
    return KeptDiagnosis(
        id=shot.id,
        snapshot=shot,
        findings=judged.findings,
        verdict=judged.verdict,
        ruleset=judged.ruleset,
        document={},
        finished_at=NOW,
        duration_ms=1,
        flow_run_id=None,
    )


def test_a_replay_without_changes_is_identical_and_names_nothing():
    diagnosis = kept(snapshot())
    report = compare(diagnosis, judge(diagnosis.snapshot, load_thresholds()))
    assert report["identical"]
    assert report["changed_findings"] == []


def test_a_replay_by_other_thresholds_names_the_finding_that_turned(tmp_path):
    rules = tmp_path / "rules.yaml"
    rules.write_text("version: '2026.12'\noptical: {rx_min_dbm: -18.0}\n", "utf-8")
    diagnosis = kept(snapshot())
    report = compare(diagnosis, judge(diagnosis.snapshot, load_thresholds(rules)))
    assert not report["identical"]
    assert (report["kept"]["code"], report["now"]["code"]) == ("healthy", "fibre_weak")
    turned = {c["rule"]: (c["kept"], c["now"]) for c in report["changed_findings"]}
    assert turned == {"optical.rx_power_in_band": ("ok", "fault")}
    assert report["ruleset"]["now"].startswith("2026.12+")
