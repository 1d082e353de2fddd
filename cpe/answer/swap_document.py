"""The swap as JSON, `cpe.swap/1`.

Top level: `schema id kind state text{fr,en} outcome old new customer diagnosis guard override
answer task deadline waits_for steps[] transitions[] follow_ups[] differences[] problem run
requested_by reason opened_at installed_at closed_at`.

- `old`, `new`: `{serial equipment status{before,after}}`, the status as ERPNext had it before the
  swap and as this swap last left it.
- `diagnosis`: `{id verdict swap model firmware rules[]}` or null; `guard`: `{permission passed
  named detail at}`; `override`: `{by reason granted at}`; `answer`: `{result by remarks at}`.
- `task`: `{name due priority}`; `waits_for`: `override`, `test` or null.
- `steps[]`: `{step actor at before after changed}`, `at` null while not finished.
- `follow_ups[]`: `{name due_at done_at diagnosis_id verdict says why}`, `says` one of `stayed left
  not_comparable`.

Missing is null. Times are ISO-8601 UTC.
"""

from __future__ import annotations

from typing import Any, Final

from cpe.answer.document import utc
from cpe.domain.finding import Text
from cpe.domain.swap import UNDER_TEST, SwapState, Unit
from cpe.domain.swap_case import SwapCase, SwapFile, UnitRef
from cpe.domain.swap_plan import INSTALL_NEW, REMOVE_OLD, SETTLE_OLD, TAKE_BACK_NEW
from cpe.profiles.swap_wording import swap_wording

SCHEMA: Final = "cpe.swap/1"
Json = dict[str, Any]
_STEPS_OF: Final = {
    Unit.OLD: (SETTLE_OLD, REMOVE_OLD),
    Unit.NEW: (TAKE_BACK_NEW, INSTALL_NEW),
}


def swap_document(file: SwapFile) -> Json:
    """The whole swap."""
    case = file.case
    return {
        "schema": SCHEMA,
        "id": case.id,
        "kind": case.kind.value,
        "state": case.state.value,
        "text": _text(standing(case)),
        "outcome": case.outcome.value if case.outcome is not None else None,
        "old": _unit(file, Unit.OLD, case.old),
        "new": _unit(file, Unit.NEW, case.new),
        "customer": case.customer,
        "diagnosis": _diagnosis(case),
        "guard": _guard(case),
        "override": _override(case),
        "answer": _answer(case),
        "task": _task(case),
        "deadline": utc(case.deadline),
        "waits_for": _waits_for(case.state),
        "steps": [
            {
                "step": step.step,
                "actor": step.actor,
                "at": utc(step.at),
                "before": step.before,
                "after": step.after,
                "changed": step.changed,
            }
            for step in file.steps
        ],
        "transitions": [
            {
                "event": move.event,
                "from": move.was or None,
                "to": move.became,
                "actor": move.actor,
                "at": utc(move.at),
                "detail": move.detail or None,
            }
            for move in file.transitions
        ],
        "follow_ups": [
            {
                "name": one.name,
                "due_at": utc(one.due_at),
                "done_at": utc(one.done_at),
                "diagnosis_id": one.diagnosis_id,
                "verdict": one.verdict,
                "says": one.says,
                "why": one.why or None,
            }
            for one in file.follow_ups
        ],
        "differences": list(case.differences),
        "problem": case.problem or None,
        "run": {"flow_run_id": case.flow_run_id, "url": case.run_url},
        "requested_by": case.requested_by,
        "reason": case.reason or None,
        "opened_at": utc(case.opened_at),
        "installed_at": utc(case.installed_at),
        "closed_at": utc(case.closed_at),
    }


def standing(case: SwapCase) -> Text:
    """Where it stands, in a few words: the outcome once there is one."""
    words = swap_wording()
    if case.outcome is not None:
        return words.outcomes[case.outcome.value].fill()
    return words.states[case.state.value].fill()


def _unit(file: SwapFile, unit: Unit, known: UnitRef) -> Json:
    done = [s for name in _STEPS_OF[unit] if (s := file.step(name)) is not None and s.after]
    after = done[0].after["status"] if done and done[0].after else None
    return {
        "serial": known.serial,
        "equipment": known.equipment,
        "equipment_type": known.equipment_type,
        "status": {"before": known.status, "after": after},
    }


def _diagnosis(case: SwapCase) -> Json | None:
    if (found := case.diagnosis) is None:
        return None
    return {
        "id": found.id,
        "verdict": found.verdict,
        "swap": found.swap,
        "model": found.model,
        "firmware": found.firmware,
        "rules": list(found.rules),
    }


def _guard(case: SwapCase) -> Json | None:
    if (said := case.guard) is None:
        return None
    return {
        "permission": said.permission.value,
        "passed": said.passed,
        "named": said.named,
        "detail": said.detail or None,
        "at": utc(said.at),
    }


def _override(case: SwapCase) -> Json | None:
    if (said := case.override) is None:
        return None
    return {"by": said.by, "reason": said.reason, "granted": said.granted, "at": utc(said.at)}


def _answer(case: SwapCase) -> Json | None:
    if (said := case.answer) is None:
        return None
    return {
        "result": said.result.value,
        "by": said.by,
        "remarks": said.remarks or None,
        "at": utc(said.at),
    }


def _task(case: SwapCase) -> Json | None:
    if (task := case.task) is None:
        return None
    return {"name": task.name, "due": task.due.isoformat(), "priority": task.priority}


def _waits_for(state: SwapState) -> str | None:
    if state is SwapState.AWAITING_OVERRIDE:
        return "override"
    return "test" if state in UNDER_TEST else None


def _text(text: Text) -> Json:
    return {"fr": text.fr, "en": text.en}
