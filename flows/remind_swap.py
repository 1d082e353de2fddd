"""A test is due or late: tell the warehouse, once per occasion, and plan the next occasion."""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.states import Completed

from flows.conduct import as_task_run
from flows.final_state import IN_THE_WAY, LATER, put_off
from flows.swap_alarms import ring
from flows.swap_planning import plan_visits
from flows.swap_show import show


@flow(
    name="remind-swap",
    flow_run_name="échéance {swap_id}",
    description=__doc__,
    timeout_seconds=300,
)
async def remind_swap(swap_id: str) -> Any:
    """Rappelle ou signale un test en retard · Reminds of a test or escalates it.

    Args:
        swap_id: L'échange · The swap.
    """
    try:
        alarm = await ring(swap_id, as_task_run)
        if alarm is None:
            return Completed(name="Rien à faire", message="told before, or no longer waiting")
        await plan_visits(await show(swap_id, asleep=True))
    except IN_THE_WAY as error:
        return put_off(error, LATER)
    return Completed(name="Signalé" if alarm.is_escalation else "Rappelé", message=alarm.name)
