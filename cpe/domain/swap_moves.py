"""Every change of a swap's case, through the lifecycle table. Pure: the time is given."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from cpe.domain.swap import (
    ENDED,
    UNDER_TEST,
    WAITING,
    Kind,
    Outcome,
    SwapEvent,
    SwapState,
    after,
)
from cpe.domain.swap_case import (
    Answer,
    BenchResult,
    DiagnosisRef,
    FollowUp,
    Guarded,
    Override,
    SwapCase,
    TaskRef,
)
from cpe.domain.swap_plan import outcome_of
from cpe.domain.swap_timer import Pace, span_name

EVENT_OF: Final = {
    BenchResult.PASSED: SwapEvent.PASSED,
    BenchResult.FAILED: SwapEvent.FAILED,
    BenchResult.RETURNED: SwapEvent.RETURNED,
    BenchResult.NOT_TESTED: SwapEvent.NOT_TESTED,
}
LONGEST_PAUSE: Final = timedelta(minutes=30)


def guarded(
    case: SwapCase, said: Guarded, diagnosis: DiagnosisRef | None, pace: Pace
) -> tuple[SwapCase, SwapEvent]:
    """The guard has spoken."""
    event = SwapEvent.GUARD_PASSED if said.passed else SwapEvent.GUARD_BLOCKED
    changed = _moved(case, event, said.at, guard=said, diagnosis=diagnosis)
    return _with_deadline(changed, said.at, pace), event


def overridden(case: SwapCase, said: Override, pace: Pace) -> tuple[SwapCase, SwapEvent]:
    """A named person has decided, or nobody did in time."""
    event = SwapEvent.OVERRIDDEN if said.granted else SwapEvent.DECLINED
    changed = _moved(case, event, said.at, override=said)
    if not said.granted:
        return changed.but(outcome=Outcome.REFUSED), event
    return _with_deadline(changed, said.at, pace), event


def _with_deadline(case: SwapCase, now: datetime, pace: Pace) -> SwapCase:
    """Kept before the Task is made: made again after a crash, it has the same date."""
    if case.state is SwapState.SWAPPING and case.kind is Kind.DIAGNOSTIC:
        return case.but(deadline=now + pace.test)
    return case


def unit_taken(case: SwapCase, now: datetime, why: str) -> tuple[SwapCase, SwapEvent]:
    """The replacement is not to be had any more, and nothing was written."""
    event = SwapEvent.UNIT_TAKEN
    return _moved(case, event, now, outcome=Outcome.REFUSED, problem=why), event


def installed(case: SwapCase, now: datetime, task: TaskRef | None) -> tuple[SwapCase, SwapEvent]:
    """Both units, and the Task, are as they should be."""
    event = SwapEvent.INSTALLED
    if case.kind is Kind.DIAGNOSTIC:
        return _moved(case, event, now, installed_at=now, task=task), event
    done = _moved(case, event, now, installed_at=now, outcome=Outcome.REPLACED)
    return done, event


def answered(case: SwapCase, said: Answer) -> tuple[SwapCase, SwapEvent]:
    """The warehouse has answered. Raises TransitionRefusedError."""
    event = EVENT_OF[said.result]
    key = case.wait_key if said.result is BenchResult.NOT_TESTED else None
    return _moved(case, event, said.at, answer=said, wait_key=key), event


def overdue(case: SwapCase, now: datetime) -> tuple[SwapCase, SwapEvent]:
    """The deadline has passed without an answer."""
    event = SwapEvent.DEADLINE_MISSED
    return _moved(case, event, now), event


def settled(case: SwapCase, now: datetime) -> tuple[SwapCase, SwapEvent]:
    """Everything that the outcome asks for is done."""
    event = SwapEvent.SETTLED
    return _moved(case, event, now, outcome=outcome_of(case)), event


def follow_ups(case: SwapCase, pace: Pace) -> tuple[FollowUp, ...]:
    """When the replacement of a diagnostic swap is looked at."""
    if case.kind is not Kind.DIAGNOSTIC or case.installed_at is None:
        return ()
    spans = dict.fromkeys(sorted(pace.follow_ups))
    return tuple(FollowUp(span_name(span), case.installed_at + span) for span in spans)


def stuck(case: SwapCase, now: datetime, why: str) -> SwapCase:
    """It did not go on; it is tried again after a pause that doubles, half an hour at most."""
    pause = min(timedelta(seconds=30) * 2 ** min(case.troubles, 10), LONGEST_PAUSE)
    return case.but(problem=why, troubles=case.troubles + 1, try_after=now + pause)


def _moved(case: SwapCase, event: SwapEvent, now: datetime, **changes: object) -> SwapCase:
    state = after(case.kind, case.state, event)
    changed = case.but(state=state, updated_at=now, problem="", troubles=0, try_after=None)
    if state in ENDED:
        changed = changed.but(closed_at=now)
    if state not in WAITING:
        changed = changed.but(wait_key=None)
    if state not in UNDER_TEST:
        changed = changed.but(differences=())  # compared no more, so never taken back
    return changed.but(**changes)


def is_active(state: SwapState) -> bool:
    """Whether the system has the next word: such a swap must have a driver."""
    return state not in ENDED and state not in WAITING
