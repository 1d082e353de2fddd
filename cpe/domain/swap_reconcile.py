"""How ERPNext differs from what a waiting swap left there. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cpe.domain.swap import MOVES, UNDER_TEST, Unit
from cpe.domain.swap_case import SwapCase

TASK_ENDED: Final = ("Completed", "Cancelled")
SETTLING: Final = timedelta(minutes=15)
"""A removed unit may have informed once more while its replacement was being fitted."""


@dataclass(frozen=True, slots=True)
class Difference:
    """`found` None: it is gone."""

    what: str
    expected: str
    found: str | None


def differences(
    case: SwapCase, statuses: Mapping[str, str], task_status: str | None
) -> tuple[Difference, ...]:
    """`statuses` are by document name; `task_status` None means that the Task is gone.

    Only while the test is awaited: during its own writes a swap differs by itself, and after its
    end others may move the units.
    """
    if case.state not in UNDER_TEST:
        return ()
    found: list[Difference] = []
    for unit, known in ((Unit.OLD, case.old), (Unit.NEW, case.new)):
        left = MOVES[case.kind, unit][1].value
        now = statuses.get(known.equipment)
        if now != left:
            found.append(Difference(known.serial, left, now))
    if case.task is not None and (task_status is None or task_status in TASK_ENDED):
        found.append(Difference(case.task.name, "Open", task_status))
    return tuple(found)


def moved_without_papers(case: SwapCase, last_inform: datetime | None) -> bool:
    """Whether the removed unit has spoken to the ACS since it was removed."""
    if case.state not in UNDER_TEST or case.installed_at is None or last_inform is None:
        return False
    return last_inform > case.installed_at + SETTLING
