"""Starting other deployments from a sweep: shards on several workers, diagnoses of the worst."""

from __future__ import annotations

import asyncio
import logging
import math
from typing import Any, Final

import httpx
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import ObjectNotFound, PrefectException

from cpe.settings import SweepSettings
from flows.request import run_name

log = logging.getLogger("cpe.sweep")
TROUBLE: Final = (httpx.HTTPError, PrefectException, TimeoutError)
SHARD: Final = "sweep-shard/batch"
DIAGNOSIS: Final = "diagnose-cpe/on-demand"
POLL_S: Final = 2.0
PATIENCE_S: Final = 600.0
"""A shard that no worker takes in this time is walked by the sweep itself."""


async def spread_walks(sweep_id: str, olts: list[str]) -> None:
    """Have deployment runs walk these OLTs and wait for them; what they leave is the caller's."""
    try:
        await _spread(sweep_id, olts)
    except TROUBLE as error:
        log.warning("Prefect's API failed, this run walks every OLT: %s", type(error).__name__)


async def _spread(sweep_id: str, olts: list[str]) -> None:
    settings = SweepSettings()
    shards = min(settings.shards, len(olts))
    rounds = math.ceil(len(olts) / shards / settings.walks_at_once)
    async with get_client() as client:
        try:
            deployment = await client.read_deployment_by_name(SHARD)
        except ObjectNotFound:
            log.warning("%s is not deployed: this run walks every OLT", SHARD)
            return
        runs = [
            await client.create_flow_run_from_deployment(
                deployment.id,
                parameters={"sweep_id": sweep_id, "olts": olts[number::shards]},
                idempotency_key=f"{sweep_id}:shard:{number}",
            )
            for number in range(shards)
        ]
        await _ended(client, runs, PATIENCE_S + rounds * settings.walk_s)


async def _ended(client: PrefectClient, runs: list[FlowRun], limit_s: float) -> None:
    """Until every run has ended, nobody takes one up, or `limit_s` have passed: a run whose worker
    died is running for ever."""
    loop = asyncio.get_running_loop()
    waiting, began = {run.id for run in runs}, loop.time()
    while waiting:
        await asyncio.sleep(POLL_S)
        started = False
        for run_id in list(waiting):
            state = (await client.read_flow_run(run_id)).state
            if state is not None and state.is_final():
                waiting.discard(run_id)
            started = started or (state is not None and state.is_running())
        waited_s = loop.time() - began
        if waiting and waited_s > (limit_s if started else PATIENCE_S):
            log.warning("%d shards have not ended after %.0f s", len(waiting), waited_s)
            return


async def diagnose_worst(sweep_id: str, serials: list[str]) -> dict[str, Any]:
    """Start a full diagnosis of each serial on the interactive pool; nobody waits for them.

    Keyed by sweep and serial: a sweep that is gone on with starts none twice.
    """
    started, skipped = list[str](), ""
    try:
        await _diagnose(sweep_id, serials, started)
    except ObjectNotFound:
        skipped = f"{DIAGNOSIS} is not deployed"
    except TROUBLE as error:
        skipped = f"Prefect's API failed: {type(error).__name__}"
    return {"started": len(started), "serials": started, "skipped": skipped}


async def _diagnose(sweep_id: str, serials: list[str], started: list[str]) -> None:
    async with get_client() as client:
        deployment = await client.read_deployment_by_name(DIAGNOSIS)
        for serial in serials:
            await client.create_flow_run_from_deployment(
                deployment.id,
                name=run_name(serial),
                parameters={"request": {"serial": serial, "requested_by": "sweep"}},
                idempotency_key=f"{sweep_id}:{serial}",
                tags=["sweep"],
            )
            started.append(serial)
