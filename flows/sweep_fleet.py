"""Judge the whole fleet: who is weak, what fades, what is down together, what could not be seen."""

from __future__ import annotations

import asyncio
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import StateType
from prefect.logging import get_run_logger
from prefect.runtime import flow_run

from cpe.domain.errors import ProfileError
from cpe.profiles.check import check_profiles
from cpe.settings import SweepSettings
from flows.conduct import as_task_run
from flows.final_state import IN_THE_WAY, Judged, put_off, unusable
from flows.links import flow_run_url
from flows.spreading import diagnose_worst, spread_walks
from flows.sweep import sweep
from flows.sweep_request import SweepRequest
from tasks.sweep_report import publish_sweep, shown_progress

NIGHTLY = SweepRequest(requested_by="schedule")


@flow(
    name="sweep-fleet",
    flow_run_name="balayage du parc",
    description=__doc__,
    persist_result=True,
    result_serializer="json",
    timeout_seconds=6 * 3600,
    validate_parameters=True,
)
async def sweep_fleet(request: SweepRequest = NIGHTLY) -> Any:
    """Balaye tout le parc · Sweeps the whole fleet.

    Returns the answer `cpe.sweep/1`; the run's final state is `complete` or `incomplete`.

    Args:
        request: Ce que le balayage peut faire de lui-même · What it may do by itself.
    """
    run_id = str(flow_run.id)
    run = {"flow_run_id": run_id, "url": flow_run_url(run_id)}
    try:
        check_profiles()
    except ProfileError as error:
        return unusable(error)
    spread = spread_walks if SweepSettings().shards > 1 else None
    try:
        async with shown_progress():
            swept = await sweep(
                request, run_id, run, as_task_run, spread=spread, diagnose=diagnose_worst
            )
    except IN_THE_WAY as error:  # nothing was swept: our database, the settings, another sweep
        return put_off(error)
    for reason in swept.answer["reasons"]:
        get_run_logger().warning("incomplete: %s", reason)
    await asyncio.gather(as_task_run(publish_sweep, swept.answer), return_exceptions=True)
    message = "; ".join(swept.answer["reasons"]) or f"{swept.answer['coverage']['pct']:g} %"
    return Judged(
        type=StateType.COMPLETED, name=swept.answer["state"], message=message, data=swept.answer
    )
