"""Showing where a swap is: the run's name, its artifact, the text above its form.

What cannot be shown is logged and no reason to stop: the swap goes on.
"""

from __future__ import annotations

import logging
from typing import Final

from cpe.answer.swap_page import form_text, run_name, swap_page
from cpe.domain.swap import WAITING
from cpe.domain.swap_case import SwapFile
from cpe.settings import ErpSettings
from flows.swap_suspend import state_name
from tasks import swap_book as book
from tasks import swap_runs as runs

log: Final = logging.getLogger("cpe.swap")


def artifact_key(swap_id: str) -> str:
    """The artifact of a swap: one key, all its versions."""
    return f"swap-{swap_id}"


async def show(swap_id: str, *, asleep: bool = False) -> SwapFile:
    """Bring everything people see up to date. `asleep`: its run is suspended; its form too."""
    file = await book.load(swap_id)
    case, zone = file.case, ErpSettings().time_zone
    try:
        await runs.publish(artifact_key(case.id), swap_page(file, zone), run_name(case, zone))
        if case.flow_run_id is not None:
            await runs.rename(case.flow_run_id, run_name(case, zone))
            if asleep and case.state in WAITING and case.wait_key is not None:
                await runs.introduce(case.flow_run_id, case.wait_key, form_text(file, zone))
                await runs.rename_state(case.flow_run_id, state_name(case))
    except runs.RunsUnavailableError as error:
        log.warning("swap %s: not shown: %s", case.id, error)
    return file
