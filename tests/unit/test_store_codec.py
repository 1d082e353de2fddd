"""What is kept comes back: same values, same types, same text."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cpe.domain.errors import StoreError
from cpe.domain.finding import Finding
from cpe.domain.observation import Measurement
from cpe.domain.snapshot import SNAPSHOT_SCHEMA, OltReport, Snapshot
from cpe.domain.verdict import Verdict
from cpe.store import canonical, codec
from tests.support.store import samples
from tests.support.store.strategies import floats, instances, json_trees, scalars

slow_to_draw = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


snapshots = instances(Snapshot).map(lambda seen: replace(seen, schema=SNAPSHOT_SCHEMA))


def alike(one: object, other: object) -> bool:
    """Equal and of the same types all the way down: 1 is not 1.0 is not True."""
    return repr(one) == repr(other)


def through_jsonb(text: str) -> str:
    """What PostgreSQL's jsonb does to a text: numbers as exact decimals, its own key order."""

    def number(literal: str) -> float:
        plain = format(Decimal(literal), "f")
        return json.loads(plain.removeprefix("-") if Decimal(literal) == 0 else plain)

    tree = json.loads(text, parse_float=number)
    assert "\\u0000" not in text
    return json.dumps(tree, ensure_ascii=False, sort_keys=False)


@slow_to_draw
@given(snapshots)
def test_a_snapshot_comes_back_as_it_was(snapshot):
    text = codec.snapshot_text(snapshot)
    again = codec.snapshot_from_text(text)
    assert again == snapshot
    assert codec.snapshot_text(again) == text
    text.encode("utf-8")


@slow_to_draw
@given(snapshots)
def test_jsonb_does_not_change_a_snapshot(snapshot):
    text = codec.snapshot_text(snapshot)
    assert codec.snapshot_text(codec.snapshot_from_text(through_jsonb(text))) == text


@given(scalars, scalars)
def test_a_raw_value_keeps_its_type(value, raw):
    measurement = samples.reading(value=value, raw=raw)
    seen = samples.snapshot(measurements=(measurement,))
    again = codec.snapshot_from_text(codec.snapshot_text(seen)).measurements[0]
    assert alike((again.value, again.raw), (value, raw))


@slow_to_draw
@given(st.lists(instances(Finding), max_size=3).map(tuple), instances(Verdict))
def test_findings_and_verdict_come_back_as_they_were(findings, verdict):
    assert codec.decode_findings(json.loads(codec.findings_text(findings))) == findings
    assert codec.decode_verdict(json.loads(codec.verdict_text(verdict))) == verdict


@given(json_trees)
def test_packing_is_undone_by_unpacking(tree):
    packed = canonical.pack(tree)
    text = canonical.dumps(packed)
    assert alike(canonical.unpack(canonical.loads(text)), canonical.unpack(packed))
    assert canonical.unpack(packed) == tree
    assert "\\u0000" not in text
    text.encode("utf-8")


@given(floats)
def test_a_float_stays_the_same_float(number):
    again = canonical.unpack(canonical.loads(canonical.dumps(canonical.pack(number))))
    assert isinstance(again, float)
    assert math.copysign(1, again) == math.copysign(1, number)
    assert again == number


def test_canonical_text_has_sorted_keys_no_spaces_and_real_letters():
    assert canonical.dumps({"b": [1, 1.0, None], "a": "é"}) == '{"a":"é","b":[1,1.0,null]}'


def test_not_a_number_is_kept_as_what_it_is():
    again = canonical.unpack(canonical.pack([float("nan"), float("-inf")]))
    assert math.isnan(again[0])
    assert again[1] == -math.inf


def test_a_mapping_comes_back_in_one_order_wherever_it_was_kept():
    report = OltReport(None, failed={"olt-b": "no answer", "olt-a": "no answer"})
    seen = codec.snapshot_from_text(codec.snapshot_text(samples.snapshot(olt=report)))
    assert list(seen.olt.failed) == ["olt-a", "olt-b"]


def test_a_snapshot_of_another_schema_is_refused():
    tree = json.loads(codec.snapshot_text(samples.snapshot()))
    tree["schema"] = "cpe.snapshot/2"
    message = "the snapshot is of schema 'cpe.snapshot/2', this code reads 'cpe.snapshot/1'"
    with pytest.raises(StoreError, match=message):
        codec.decode_snapshot(tree)


def test_a_field_that_this_code_does_not_know_is_refused_not_dropped():
    tree = json.loads(codec.snapshot_text(samples.snapshot()))
    tree["measurements"][0]["colour"] = "blue"
    with pytest.raises(StoreError, match=r"holds snapshot\.measurements\.0\.colour, which"):
        codec.decode_snapshot(tree)


def test_an_older_snapshot_without_a_newer_optional_field_is_read():
    tree = json.loads(codec.snapshot_text(samples.snapshot()))
    del tree["others"]
    assert codec.decode_snapshot(tree).others == ()


def test_a_refused_value_is_named_by_its_place_not_quoted():
    tree = json.loads(codec.snapshot_text(samples.snapshot()))
    tree["freshness"]["outcome"] = "canary-value"
    with pytest.raises(StoreError) as caught:
        codec.decode_snapshot(tree)
    assert "the kept snapshot cannot be read: freshness.outcome: " in str(caught.value)
    assert "canary" not in str(caught.value)


def test_a_value_of_an_undeclared_type_is_refused_when_written():
    wrong: Measurement = samples.reading(value=object())
    with pytest.raises(StoreError, match="undeclared type"):
        codec.snapshot_text(samples.snapshot(measurements=(wrong,)))


def test_text_that_is_not_json_is_refused():
    with pytest.raises(StoreError, match="the snapshot is not JSON"):
        codec.snapshot_from_text("<html>")


def test_a_document_must_be_json():
    with pytest.raises(StoreError, match="the document is not JSON"):
        codec.encode_document({"at": samples.NOON})
