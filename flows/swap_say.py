"""What people say about an open swap, written down: one wins, the other is told who did."""

from __future__ import annotations

from cpe.domain import swap_moves as moves
from cpe.domain.swap import ENDED, SwapState
from cpe.domain.swap_case import Answer, BenchResult, Override, SwapCase, SwapFile
from cpe.domain.swap_errors import SwapRaceError, TransitionRefusedError
from cpe.profiles.swap_wording import both, swap_wording
from flows.swap_request import BenchAnswer, Decision, OverrideAnswer
from tasks import swap_book as book
from tasks.swap_clock import now


async def answer(swap_id: str, said: BenchAnswer) -> SwapFile:
    """Write the bench result down. The same person saying the same again is no news.

    Raises TransitionRefusedError while it waits for no answer, SwapRaceError when somebody else
    answered first, SwapNotFoundError, StoreError.
    """
    file = await book.load(swap_id)
    given = Answer(said.result, said.by, now(), said.remarks)
    if _repeats(file.case, given):
        return file
    try:
        return await book.moved(
            file.case.id,
            lambda case: moves.answered(case, given),
            actor=said.by,
            detail=_detail(said.result.value, said.remarks),
        )
    except TransitionRefusedError:
        case = (await book.load(file.case.id)).case
        if _repeats(case, given):
            return await book.load(case.id)
        if (first := case.answer) is not None and first.result is not BenchResult.NOT_TESTED:
            raise _answered_before(first) from None
        raise


async def override(swap_id: str, said: OverrideAnswer) -> SwapFile:
    """Write the decision down. Raises as `answer` does."""
    file = await book.load(swap_id)
    granted = said.decision is Decision.OVERRIDE
    given = Override(said.by, said.reason, now(), granted)
    if _decided(file.case, given):
        return file
    try:
        return await book.moved(
            file.case.id,
            lambda case: moves.overridden(case, given, book.pace()),
            actor=said.by,
            detail=said.reason,
        )
    except TransitionRefusedError:
        case = (await book.load(file.case.id)).case
        if _decided(case, given):
            return await book.load(case.id)
        if case.override is not None:
            raise _decided_before(case.override) from None
        raise


def _repeats(case: SwapCase, given: Answer) -> bool:
    first = case.answer
    if first is None or case.state not in (SwapState.CONCLUDING, *ENDED):
        return False
    return (first.result, first.by) == (given.result, given.by)


def _decided(case: SwapCase, given: Override) -> bool:
    first = case.override
    return first is not None and (first.by, first.granted) == (given.by, given.granted)


def _answered_before(first: Answer) -> SwapRaceError:
    words = swap_wording()
    result = words.results[first.result.value].fill()
    message = both(words.texts["already_answered"].fill(by=first.by, result=result))
    winner = {"by": first.by, "result": first.result.value, "at": first.at.isoformat()}
    return SwapRaceError(message, winner)


def _decided_before(first: Override) -> SwapRaceError:
    words = swap_wording()
    decision = "override" if first.granted else "give_up"
    result = words.decisions[decision].fill()
    message = both(words.texts["already_decided"].fill(by=first.by, result=result))
    winner = {"by": first.by, "result": decision, "at": first.at.isoformat()}
    return SwapRaceError(message, winner)


def _detail(result: str, remarks: str) -> str:
    return f"{result}: {remarks}" if remarks else result
