"""Diagnose the replacement of a diagnostic swap, and say whether the fault stayed or left."""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.runtime import flow_run
from prefect.states import Completed

from cpe.profiles.swap_wording import swap_wording
from flows.conduct import as_task_run
from flows.final_state import IN_THE_WAY, LATER, put_off
from flows.swap_follow_ups import follow_up
from flows.swap_show import show


@flow(name="follow-up-swap", flow_run_name="suivi {name}", description=__doc__, timeout_seconds=300)
async def follow_up_swap(swap_id: str, name: str) -> Any:
    """Diagnostique le remplacement · Diagnoses the replacement.

    Args:
        swap_id: L'échange · The swap.
        name: Le suivi : 30min, 24h ou 72h · Which follow-up.
    """
    try:
        done = await follow_up(swap_id, name, as_task_run, str(flow_run.id))
        if done is None or done.says is None:
            return Completed(name="Rien à faire", message="done before")
        await show(swap_id, asleep=True)
    except IN_THE_WAY as error:
        return put_off(error, LATER)
    said = swap_wording().says[done.says].fill()
    return Completed(name=done.says, message=said.fr)
