"""What people read and fill in about swaps, and the requests that may be sent."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from cpe.answer.swap_document import swap_document
from cpe.answer.swap_page import form_text, run_name, swap_page
from cpe.domain.swap import Kind, Outcome, SwapState
from cpe.domain.swap_case import (
    Answer,
    BenchResult,
    DiagnosisRef,
    FollowUp,
    Guarded,
    Override,
    Permission,
    StepRecord,
    SwapFile,
)
from cpe.domain.swap_compare import Says
from cpe.domain.swap_errors import REASONS
from cpe.domain.swap_ledger import ledger
from cpe.profiles.swap_wording import swap_wording
from deployments.cli import app
from flows.swap_forms import (
    BenchForm,
    OverrideForm,
    filled_bench,
    filled_override,
    read_form,
)
from flows.swap_request import BenchAnswer, Decision, OverrideAnswer, SwapRequest
from tests.unit.test_swap_timer import NOW, a_case

ZONE = "America/Toronto"


def test_every_code_has_its_words():
    words = swap_wording()
    assert set(words.kinds) == {k.value for k in Kind}
    assert set(words.states) == {s.value for s in SwapState}
    assert set(words.outcomes) == {o.value for o in Outcome}
    assert set(words.results) == {r.value for r in BenchResult}
    assert set(words.decisions) == {d.value for d in Decision}
    assert set(words.permissions) == {p.value for p in Permission}
    assert set(words.says) == {s.value for s in Says}
    assert set(words.refusals) == set(REASONS) - {"not_accepted"}


@pytest.mark.parametrize("result", list(BenchResult))
def test_an_answer_survives_the_form(result):
    said = BenchAnswer(result=result, by="Marc", remarks="rien")
    filled = filled_bench(said)
    assert filled["resultat"] in BenchForm.model_json_schema()["properties"]["resultat"]["enum"]
    assert read_form(filled) == said


@pytest.mark.parametrize("decision", list(Decision))
def test_a_decision_survives_the_form(decision):
    said = OverrideAnswer(decision=decision, by="Anne", reason="Le client insiste")
    filled = filled_override(said)
    offered = OverrideForm.model_json_schema()["properties"]["decision"]["enum"]
    assert filled["decision"] in offered
    assert read_form(filled) == said


@pytest.mark.parametrize(
    "filled",
    [{}, {"resultat": "passed", "nom": "Marc"}, {"resultat": "Défectueuse · Failed", "nom": "  "},
     {"decision": "Non", "nom": "A", "motif": "x"}, {"resultat": 3}],
)  # fmt: skip
def test_a_form_that_says_nothing_is_not_guessed_at(filled):
    with pytest.raises(ValueError, match="could not be read"):
        read_form(filled)


def test_the_decisive_fields_of_a_form_cannot_be_left_out():
    assert BenchForm.model_json_schema()["required"] == ["resultat", "nom"]
    assert OverrideForm.model_json_schema()["required"] == ["decision", "nom", "motif"]


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "vol"}, {"old_serial": "LAB*"}, {"new_serial": ""}, {"requested_by": " "},
        {"requested_by": "x" * 141}, {"extra": 1}, {"reason": "x" * 2001}, {"old_serial": "a..b"},
    ],
)  # fmt: skip
def test_what_may_not_be_sent_is_no_request(changes):
    good = {
        "kind": "swap_diagnostic",
        "old_serial": "A1",
        "new_serial": "B1",
        "requested_by": "Luc",
    }
    SwapRequest(**good)
    with pytest.raises(ValidationError):
        SwapRequest(**{**good, **changes})


def test_what_was_pasted_with_its_spaces_means_the_same():
    """A name copied out of ERPNext: « CUST-3 » was refused for not being « CUST-3 »."""
    asked = SwapRequest(
        kind="swap_diagnostic",
        old_serial=" A1 ",
        new_serial="B1 ",
        requested_by="Luc",
        customer="\tCUST-3 \n",
        diagnosis_id=" 5f0c ",
    )
    assert (asked.old_serial, asked.customer, asked.diagnosis_id) == ("A1", "CUST-3", "5f0c")


def whole() -> SwapFile:
    case = a_case(
        SwapState.OVERDUE,
        reason="<script>alert(1)</script> | [x](http://y)",
        diagnosis=DiagnosisRef("d1234567890", "fibre_weak", "blocked", ("optical.x",), "XX230v"),
        guard=Guarded(Permission.BLOCKED, passed=False, named="none", at=NOW, detail="fibre_weak"),
        override=Override("Anne | x", "parce que", NOW),
        answer=Answer(BenchResult.NOT_TESTED, "Marc", NOW, "demain"),
        problem="ERPNext ne répond pas",
        differences=("OLD1 : ERPNext dit « x »",),
    )
    return SwapFile(
        case,
        steps=(StepRecord("new-unit-installed", "Luc", NOW, {"status": "En inventaire"}, NOW,
                          {"status": "Actif"}, changed=True),),
        follow_ups=(
            FollowUp("30min", NOW, NOW, "d2", "fibre_weak", "stayed", "same_verdict"),
            FollowUp("24h", NOW + timedelta(days=1)),
        ),
    )  # fmt: skip


def test_the_page_says_all_and_nothing_that_people_wrote_becomes_markup():
    page = swap_page(whole(), ZONE)
    for words in ("Test en retard", "Test overdue", "parce que", "Le défaut est resté",
                  "En inventaire", "ERPNext ne répond pas", "TASK-1", "prévu le"):  # fmt: skip
        assert words in page
    assert "<script" not in page
    assert "[x](" not in page


def test_the_form_says_what_is_asked_and_what_the_replacement_showed():
    text = form_text(whole(), ZONE)
    assert text.startswith("**Testez la boîte")
    assert "Le défaut est resté" in text
    blocked = SwapFile(a_case(SwapState.AWAITING_OVERRIDE))
    assert "passer outre" in form_text(blocked, ZONE)


def test_the_name_of_a_run_says_where_the_swap_is():
    assert run_name(a_case(), ZONE) == "OLD1 → NEW1 · En test au banc, échéance 2026-11-30"
    closed = a_case(SwapState.CLOSED, outcome=Outcome.PASSED)
    assert run_name(closed, ZONE) == "OLD1 → NEW1 · Bonne au banc"


def test_the_document_has_the_fields_of_the_contract_and_null_for_what_is_missing():
    document = swap_document(SwapFile(a_case(SwapState.REQUESTED, deadline=None, task=None)))
    assert document["schema"] == "cpe.swap/1"
    for name in ("outcome", "diagnosis", "guard", "override", "answer", "task", "deadline",
                 "waits_for", "problem", "closed_at"):  # fmt: skip
        assert document[name] is None
    assert document["old"]["status"] == {"before": "Actif", "after": None}
    full = swap_document(whole())
    assert (full["waits_for"], full["new"]["status"]["after"]) == ("test", "Actif")
    json.dumps(full)


def test_an_empty_ledger_has_no_rate_and_not_a_rate_of_nothing():
    empty = ledger([], NOW)
    assert (empty.total.rate, empty.tested_days_median, empty.swaps) == (None, None, 0)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["start", "vol", "A1", "B1"], 2),
        (["start", "swap_diagnostic", "A1"], 2),
        (["start", "swap_diagnostic", "LAB*", "B1", "--by", "Luc"], 2),
        (["answer", "abcdef", "perhaps", "--by", "Luc"], 2),
        (["answer", "abcdef", "passed"], 2),
        (["override", "abcdef", "--by", "Anne"], 2),
        (["override", "abcdef", "--by", "Anne", "--reason", "non"], 2),
        (["show", "abcdef"], 3),
        (["answer", "abcdef", "passed", "--by", "Luc"], 3),
        (["list", "--state", "lost"], 5),
        (["list", "--serial", "LAB*"], 2),
        (["list"], 0),
        (["report"], 0),
        (["start", "swap_diagnostic", "A1", "B1", "--by", "Luc"], 4),
    ],
)
def test_the_command_exits_as_the_design_says(words, code):
    done = CliRunner().invoke(app, ["swap", *words, "--json"])
    assert done.exit_code == code, done.output
    assert "Traceback" not in done.output


def test_a_time_zone_or_a_field_that_cannot_be_used_is_named(monkeypatch):
    monkeypatch.setenv("CPE_ERP_TIME_ZONE", "Mars/Base")
    monkeypatch.setenv("CPE_ERP_SERIAL_FIELD", "x; drop")
    done = CliRunner().invoke(app, ["swap", "list"])
    assert done.exit_code == 2
    assert "CPE_ERP_TIME_ZONE" in done.output
    assert "CPE_ERP_SERIAL_FIELD" in done.output
