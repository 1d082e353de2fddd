"""The two forms of a suspended swap: what people choose is said in their words, French first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from prefect.input import RunInput
from pydantic import Field, ValidationError

from cpe.domain.swap_case import BenchResult
from cpe.profiles.swap_wording import both, swap_wording
from flows.swap_request import BenchAnswer, Decision, Name, OverrideAnswer, Reason, Remarks

_WORDS: Final = swap_wording()
RESULT_LABELS: Final = {r: both(_WORDS.results[r.value].fill()) for r in BenchResult}
DECISION_LABELS: Final = {d: both(_WORDS.decisions[d.value].fill()) for d in Decision}


def _choice(title: str, options: Iterable[str]) -> Any:
    """A required field that the UI shows as a list to choose from."""
    return Field(title=title, json_schema_extra={"enum": list(options), "position": 0})


class BenchForm(RunInput):
    """Résultat du banc d'essai · Bench result."""

    resultat: str = _choice("Résultat du banc · Bench result", RESULT_LABELS.values())
    nom: Name = Field(
        title="Votre nom · Your name",
        description="Qui a testé la boîte. · Who tested the unit.",
        json_schema_extra={"position": 1},
    )
    remarques: Remarks = Field(
        default="", title="Remarques · Remarks", json_schema_extra={"position": 2}
    )


class OverrideForm(RunInput):
    """Passer outre au diagnostic · Overriding the diagnosis."""

    decision: str = _choice("Décision · Decision", DECISION_LABELS.values())
    nom: Name = Field(
        title="Votre nom · Your name",
        description="La personne qui en répond. · Who answers for it.",
        json_schema_extra={"position": 1},
    )
    motif: Reason = Field(
        title="Motif · Reason",
        description="Pourquoi ; conservé et compté. · Why; kept and counted.",
        json_schema_extra={"position": 2},
    )


def filled_bench(said: BenchAnswer) -> dict[str, str]:
    """The answer as the form holds it."""
    return {
        "resultat": RESULT_LABELS[said.result],
        "nom": said.by,
        "remarques": said.remarks,
    }


def filled_override(said: OverrideAnswer) -> dict[str, str]:
    """The decision as the form holds it."""
    return {
        "decision": DECISION_LABELS[said.decision],
        "nom": said.by,
        "motif": said.reason,
    }


def read_form(filled: dict[str, Any]) -> BenchAnswer | OverrideAnswer:
    """What a form says. Raises ValueError when it says nothing that can be understood."""
    try:
        if "resultat" in filled:
            bench = BenchForm(**filled)
            result = next(r for r, label in RESULT_LABELS.items() if label == bench.resultat)
            return BenchAnswer(result=result, by=bench.nom, remarks=bench.remarques)
        form = OverrideForm(**filled)
        decision = next(d for d, label in DECISION_LABELS.items() if label == form.decision)
        return OverrideAnswer(decision=decision, by=form.nom, reason=form.motif)
    except (ValidationError, StopIteration) as error:
        raise ValueError("the form could not be read") from error
