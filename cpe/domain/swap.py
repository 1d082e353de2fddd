"""The swap's vocabulary and the only two tables that move anything. Pure.

`LIFECYCLE` moves a swap, `MOVES` moves a unit; what is in neither is refused, with what would be
accepted instead. Status labels are the operator's, letter for letter.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from cpe.domain.swap_errors import TransitionRefusedError


class Kind(StrEnum):
    """What a technician asks for."""

    REPLACEMENT = "remplacement_definitif"
    DIAGNOSTIC = "swap_diagnostic"
    RETURN = "retour_de_diagnostic"
    """Ends a swap_diagnostic; never a swap of its own."""


class UnitStatus(StrEnum):
    """Where a unit stands in ERPNext."""

    IN_STOCK = "En inventaire"
    ACTIVE = "Actif"
    UNDER_TEST = "En diagnostic"
    FAULTY = "Défectueux"
    RETURNED = "Retourné"


class SwapState(StrEnum):
    """Where a swap stands."""

    REQUESTED = "requested"
    AWAITING_OVERRIDE = "awaiting_override"
    SWAPPING = "swapping"
    AWAITING_TEST = "awaiting_test"
    OVERDUE = "overdue"
    CONCLUDING = "concluding"
    CLOSED = "closed"
    REFUSED = "refused"


class SwapEvent(StrEnum):
    """What may happen to a swap."""

    GUARD_PASSED = "guard_passed"
    GUARD_BLOCKED = "guard_blocked"
    OVERRIDDEN = "overridden"
    DECLINED = "declined"
    """Nobody overrides: given up, or not decided in time."""
    UNIT_TAKEN = "unit_taken"
    """The new unit is no longer what it was before anything was written."""
    INSTALLED = "installed"
    DEADLINE_MISSED = "deadline_missed"
    PASSED = "passed"
    FAILED = "failed"
    RETURNED = "returned"
    NOT_TESTED = "not_tested"
    SETTLED = "settled"


class Outcome(StrEnum):
    """The one end of a swap."""

    REPLACED = "replaced"
    PASSED = "passed"
    """The removed unit passed its bench test; the replacement stays for good."""
    FAILED = "failed"
    RETURNED = "returned"
    """The removed unit went back to the customer."""
    REFUSED = "refused"


class Unit(StrEnum):
    """Which of the two boxes."""

    OLD = "old"
    NEW = "new"


WAITING: Final = frozenset(
    {SwapState.AWAITING_OVERRIDE, SwapState.AWAITING_TEST, SwapState.OVERDUE}
)
"""A person has the next word."""
UNDER_TEST: Final = frozenset({SwapState.AWAITING_TEST, SwapState.OVERDUE})
ENDED: Final = frozenset({SwapState.CLOSED, SwapState.REFUSED})
OPEN: Final = frozenset(SwapState) - ENDED
KINDS_OF_A_SWAP: Final = (Kind.REPLACEMENT, Kind.DIAGNOSTIC)

_S, _E = SwapState, SwapEvent
_BEFORE: Final = {
    (_S.REQUESTED, _E.GUARD_PASSED): _S.SWAPPING,
    (_S.REQUESTED, _E.GUARD_BLOCKED): _S.AWAITING_OVERRIDE,
    (_S.AWAITING_OVERRIDE, _E.OVERRIDDEN): _S.SWAPPING,
    (_S.AWAITING_OVERRIDE, _E.DECLINED): _S.REFUSED,
    (_S.SWAPPING, _E.UNIT_TAKEN): _S.REFUSED,
}
LIFECYCLE: Final[dict[Kind, dict[tuple[SwapState, SwapEvent], SwapState]]] = {
    Kind.REPLACEMENT: {**_BEFORE, (_S.SWAPPING, _E.INSTALLED): _S.CLOSED},
    Kind.DIAGNOSTIC: {
        **_BEFORE,
        (_S.SWAPPING, _E.INSTALLED): _S.AWAITING_TEST,
        (_S.AWAITING_TEST, _E.DEADLINE_MISSED): _S.OVERDUE,
        **{
            (waiting, event): _S.CONCLUDING
            for waiting in (_S.AWAITING_TEST, _S.OVERDUE)
            for event in (_E.PASSED, _E.FAILED, _E.RETURNED)
        },
        (_S.AWAITING_TEST, _E.NOT_TESTED): _S.AWAITING_TEST,
        (_S.OVERDUE, _E.NOT_TESTED): _S.OVERDUE,
        (_S.CONCLUDING, _E.SETTLED): _S.CLOSED,
    },
    Kind.RETURN: {},
}

_U = UnitStatus
MOVES: Final[dict[tuple[Kind | Outcome, Unit], tuple[UnitStatus, UnitStatus]]] = {
    (Kind.REPLACEMENT, Unit.OLD): (_U.ACTIVE, _U.FAULTY),
    (Kind.REPLACEMENT, Unit.NEW): (_U.IN_STOCK, _U.ACTIVE),
    (Kind.DIAGNOSTIC, Unit.OLD): (_U.ACTIVE, _U.UNDER_TEST),
    (Kind.DIAGNOSTIC, Unit.NEW): (_U.IN_STOCK, _U.ACTIVE),
    (Kind.RETURN, Unit.OLD): (_U.UNDER_TEST, _U.ACTIVE),
    (Kind.RETURN, Unit.NEW): (_U.ACTIVE, _U.RETURNED),
    (Outcome.PASSED, Unit.OLD): (_U.UNDER_TEST, _U.IN_STOCK),
    (Outcome.FAILED, Unit.OLD): (_U.UNDER_TEST, _U.FAULTY),
}
"""What a swap or an outcome does to a unit: from the only status it may have, to the next."""


def accepted(kind: Kind, state: SwapState) -> tuple[SwapEvent, ...]:
    """What may happen to a swap of this kind in this state."""
    return tuple(event for (at, event) in LIFECYCLE[kind] if at is state)


def after(kind: Kind, state: SwapState, event: SwapEvent) -> SwapState:
    """The next state. Raises TransitionRefusedError, which says what would be accepted."""
    following = LIFECYCLE[kind].get((state, event))
    if following is None:
        raise TransitionRefusedError(
            subject=kind.value,
            state=state.value,
            event=event.value,
            accepted=tuple(e.value for e in accepted(kind, state)),
        )
    return following


def moved(why: Kind | Outcome, unit: Unit, status: str) -> UnitStatus:
    """The unit's next status. Raises TransitionRefusedError for any status but the expected."""
    move = MOVES.get((why, unit))
    if move is None or status != move[0].value:
        raise TransitionRefusedError(
            subject=f"{unit.value} unit",
            state=status,
            event=why.value,
            accepted=() if move is None else (move[0].value,),
        )
    return move[1]


def expected(why: Kind | Outcome, unit: Unit) -> UnitStatus:
    """The only status from which the unit may move. Raises KeyError when it does not move."""
    return MOVES[why, unit][0]
