"""The final state of a run: the answer is its result, kept whole and not searched."""

from __future__ import annotations

from prefect.client.schemas.objects import StateType
from prefect.utilities.collections import visit_collection

from cpe.domain.finding import Status, Text
from cpe.domain.verdict import CONSEQUENCES, Code, Verdict
from flows.final_state import judged


def verdict() -> Verdict:
    action, swap = CONSEQUENCES[Code.FIBRE_WEAK]
    text = Text("La fibre arrive trop faible", "The light is too weak")
    return Verdict(Code.FIBRE_WEAK, Status.FAULT, action, swap, text, (), (), ())


def test_the_state_is_named_after_the_verdict_and_holds_the_answer():
    answer = {"verdict": {"code": "fibre_weak"}}
    state = judged(verdict(), answer)
    assert (state.type, state.name) == (StateType.COMPLETED, "fibre_weak")
    assert state.message == "La fibre arrive trop faible"
    assert state.data is answer
    assert state.model_copy().data == answer


def test_prefect_does_not_search_the_answer_for_futures():
    seen = []
    visit_collection(judged(verdict(), {"findings": ["needle"]}), seen.append)
    assert "needle" not in seen
    assert "fibre_weak" in seen
