"""Take up swaps whose run died, tell of deadlines, make up for follow-ups that were missed."""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.states import Completed

from flows.conduct import as_task_run
from flows.final_state import IN_THE_WAY, LATER, put_off
from flows.swap_sweep import sweep


@flow(
    name="sweep-swaps",
    flow_run_name="ronde des échanges",
    description=__doc__,
    timeout_seconds=600,
)
async def sweep_swaps() -> Any:
    """Une ronde des échanges ouverts · One round of the open swaps."""
    try:
        did = await sweep(as_task_run)
    except IN_THE_WAY as error:
        return put_off(error, LATER)
    said = ", ".join(f"{what} {count}" for what, count in sorted(did.items()))
    return Completed(name="Repris" if did else "Rien à faire", message=said or None)
