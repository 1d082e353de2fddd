"""The companions of a waiting swap: runs scheduled at its deadline and at each follow-up.

They are rows of Prefect's database and survive every restart. One that is lost is made up for by
the sweep, which looks at our own table.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Final

from cpe.domain.swap import UNDER_TEST
from cpe.domain.swap_case import SwapCase, SwapFile
from cpe.domain.swap_moves import is_active
from cpe.domain.swap_timer import upcoming
from tasks import swap_book as book
from tasks import swap_runs as runs
from tasks.swap_clock import now

log: Final = logging.getLogger("cpe.swap")


async def plan_visits(file: SwapFile) -> None:
    """Schedule what is still to come; what is scheduled already stays one run."""
    case = file.case
    if case.installed_at is None:
        return
    try:
        if case.state in UNDER_TEST and case.deadline is not None:
            alarm = upcoming(case.deadline, now(), book.pace())
            await _visit(runs.DEADLINE, case, alarm.name, alarm.at, {"swap_id": case.id})
        for one in file.follow_ups:
            if one.done_at is None:
                wanted = {"swap_id": case.id, "name": one.name}
                await _visit(runs.FOLLOW_UP, case, one.name, one.due_at, wanted)
    except runs.RunsUnavailableError as error:
        log.warning("swap %s: visits are left to the sweep: %s", case.id, error)


async def _visit(
    deployment: str, case: SwapCase, what: str, at: datetime, parameters: dict[str, str]
) -> None:
    await runs.create(
        deployment,
        parameters,
        key=f"{runs.TAG}{case.id}/{what}",
        tags=[f"visit-of:{case.id}"],
        at=at,
    )


async def wake(file: SwapFile, filled: dict[str, str] | None = None) -> bool:
    """Have the swap's run go on now that the swap has moved; False when the sweep must do it.

    `filled` is what was said, as its form holds it, for Prefect to keep with the run.
    """
    case = file.case
    if case.flow_run_id is None or not is_active(case.state):
        return False
    try:
        if filled is not None and not await runs.resume(case.flow_run_id, filled):
            return True
        found = await runs.read(case.flow_run_id)
        if found is None or found.state is None or not found.state.is_paused():
            return False
        await runs.take_up(case.flow_run_id)
    except runs.RunsUnavailableError as error:
        log.warning("swap %s: its run is left to the sweep: %s", case.id, error)
        return False
    return True
