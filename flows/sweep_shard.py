"""Walk some OLTs for a sweep that another run conducts: how a sweep spreads over workers."""

from __future__ import annotations

import asyncio
from typing import Any

from prefect import flow

from cpe.settings import SweepSettings
from flows.conduct import as_task_run
from flows.final_state import IN_THE_WAY, put_off
from tasks.sweep import walk_olt


@flow(
    name="sweep-shard",
    flow_run_name="sweep {sweep_id} shard",
    description=__doc__,
    timeout_seconds=2 * 3600,
    validate_parameters=True,
)
async def sweep_shard(sweep_id: str, olts: list[str]) -> Any:
    """Parcourt quelques OLT pour un balayage · Walks some OLTs for a sweep; how many were whole.

    Args:
        sweep_id: Le balayage qui attend · The sweep that waits for it.
        olts: Les noms de l'inventaire · Names of the inventory.
    """
    gate = asyncio.Semaphore(SweepSettings().walks_at_once)

    async def walk(name: str) -> bool:
        async with gate:
            part = await as_task_run(walk_olt, sweep_id, name)
        return bool(part.whole)

    try:
        return sum(await asyncio.gather(*(walk(name) for name in olts)))
    except IN_THE_WAY as error:  # the sweep walks what this leaves
        return put_off(error)
