"""What a swap must have done in the outside world before it may move on. Pure.

The names of the steps are kept for ever with the swap: whoever changes one makes every swap that
is under way do that step again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cpe.domain.swap import MOVES, Kind, Outcome, SwapState, Unit, UnitStatus
from cpe.domain.swap_case import BenchResult, SwapCase

INSTALL_NEW: Final = "new-unit-installed"
REMOVE_OLD: Final = "old-unit-removed"
OPEN_TASK: Final = "test-task-opened"
SETTLE_OLD: Final = "old-unit-settled"
TAKE_BACK_NEW: Final = "new-unit-taken-back"
CLOSE_TASK: Final = "test-task-closed"


@dataclass(frozen=True, slots=True)
class MoveUnit:
    """One PUT of one unit: from the only status it may have. `customer`: `keep`, `set`, `clear`."""

    step: str
    unit: Unit
    was: UnitStatus
    becomes: UnitStatus
    customer: str = "keep"


@dataclass(frozen=True, slots=True)
class OpenTask:
    """The Task that asks for the bench test."""

    step: str = OPEN_TASK


@dataclass(frozen=True, slots=True)
class CloseTask:
    """The Task is completed, with the result as a comment."""

    step: str = CLOSE_TASK


Effect = MoveUnit | OpenTask | CloseTask

OUTCOMES: Final = {
    BenchResult.PASSED: Outcome.PASSED,
    BenchResult.FAILED: Outcome.FAILED,
    BenchResult.RETURNED: Outcome.RETURNED,
}


def effects(case: SwapCase) -> tuple[Effect, ...]:
    """Every effect of the state the swap is in, in order; none while a person has the word.

    The new unit goes first: it is the one that somebody else may have taken meanwhile, and then
    nothing has been written yet.
    """
    if case.state is SwapState.SWAPPING:
        units = (
            _move(INSTALL_NEW, case.kind, Unit.NEW, "set"),
            _move(REMOVE_OLD, case.kind, Unit.OLD),
        )
        return (*units, OpenTask()) if case.kind is Kind.DIAGNOSTIC else units
    if case.state is SwapState.CONCLUDING:
        return (*_settling(case), CloseTask())
    return ()


def _settling(case: SwapCase) -> tuple[MoveUnit, ...]:
    outcome = outcome_of(case)
    if outcome is Outcome.RETURNED:
        return (
            _move(SETTLE_OLD, Kind.RETURN, Unit.OLD, "set"),
            _move(TAKE_BACK_NEW, Kind.RETURN, Unit.NEW, "clear"),
        )
    stocked = "clear" if outcome is Outcome.PASSED else "keep"
    return (_move(SETTLE_OLD, outcome, Unit.OLD, stocked),)


def outcome_of(case: SwapCase) -> Outcome:
    """What the answer makes of it. Raises ValueError while there is none that concludes."""
    if case.answer is None or case.answer.result not in OUTCOMES:
        raise ValueError(f"swap {case.id} has no answer that concludes it")
    return OUTCOMES[case.answer.result]


def _move(step: str, why: Kind | Outcome, unit: Unit, customer: str = "keep") -> MoveUnit:
    was, becomes = MOVES[why, unit]
    return MoveUnit(step, unit, was, becomes, customer)
