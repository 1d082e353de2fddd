"""A deadline's occasion: the Task raised, a comment, the artifact, an event. The wait goes on."""

from __future__ import annotations

import contextlib
import logging
from typing import Final

from cpe.domain import swap_moves as moves
from cpe.domain.swap import SwapState
from cpe.domain.swap_case import SwapCase, SwapFile
from cpe.domain.swap_errors import SwapNotFoundError, TransitionRefusedError
from cpe.domain.swap_timer import Alarm, due
from flows.conduct import Step
from flows.swap_drive import US, driving
from tasks import swap_book as book
from tasks import swap_runs as runs
from tasks.swap_alarm import tell_people
from tasks.swap_clock import now

log: Final = logging.getLogger("cpe.swap")


async def ring(swap_id: str, step: Step) -> Alarm | None:
    """Do what the swap owes its people now, once per occasion; None when that is nothing.

    Raises AccessError, StoreError, SwapBusyError.
    """
    try:
        if _owed(await book.load(swap_id)) is None:
            return None
    except SwapNotFoundError:
        return None
    async with driving(swap_id):
        file = await book.load(swap_id)
        alarm = _owed(file)
        if alarm is None:
            return None
        priority = await step(tell_people, alarm.name, file.case, alarm)
        if alarm.is_escalation and file.case.state is SwapState.AWAITING_TEST:
            with contextlib.suppress(TransitionRefusedError):  # answered while people were told
                await book.moved(swap_id, lambda c: moves.overdue(c, now()), actor=US)
        await book.edited(swap_id, lambda c: _with_priority(c, priority))
        _emit(file.case, alarm)
        swaps = await book.book()
        await swaps.finish(swap_id, alarm.name, at=now(), after={"told": True}, changed=True)
    return alarm


def _owed(file: SwapFile) -> Alarm | None:
    fired = {step.step for step in file.steps if step.at is not None}
    return due(file.case, now(), book.pace(), fired)


def _with_priority(case: SwapCase, priority: str) -> SwapCase:
    if case.task is None:
        return case
    task = case.task
    return case.but(task=type(task)(task.name, task.due, priority))


def _emit(case: SwapCase, alarm: Alarm) -> None:
    """For automations: `cpe.swap.reminder`, `cpe.swap.escalated`."""
    runs.emit(
        "escalated" if alarm.is_escalation else "reminder",
        case.id,
        case.flow_run_id,
        {"deadline": case.deadline.isoformat() if case.deadline else None, "alarm": alarm.name},
    )
