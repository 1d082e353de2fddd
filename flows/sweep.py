"""The runbook of a sweep: read each source once → judge → refresh what matters → keep → act.

Like a diagnosis it runs as Prefect task runs in a flow, or as plain functions.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from cpe.answer.document import utc
from cpe.domain.sweep import Sweep, SweepState
from cpe.settings import SweepSettings
from flows.conduct import Step
from flows.sweep_request import SweepRequest
from flows.unwind import all_or_none, end_all
from tasks.fleet import Judged, finish_sweep, judge_fleet, keep_fleet
from tasks.refreshing import refresh_boxes
from tasks.sweep import (
    acs_is_configured,
    begin_sweep,
    inventory,
    keep_beating,
    read_acs_fleet,
    read_erp_equipment,
    tell,
    walk_olt,
)

log = logging.getLogger("cpe.sweep")
Json = dict[str, Any]
Spread = Callable[[str, list[str]], Awaitable[None]]
"""Has other workers walk these OLTs for the sweep with this id."""
Diagnose = Callable[[str, list[str]], Awaitable[Json]]
"""Starts full diagnoses of these serials for the sweep with this id."""


@dataclass(frozen=True, slots=True)
class Swept:
    """A sweep that ended, and its frames for exports."""

    sweep: Sweep
    answer: Json
    judged: Judged


witness: ContextVar[Callable[[Swept], None] | None] = ContextVar("witness", default=None)
"""Told of the sweep the moment it ended, with its frames, which no result carries."""


async def sweep(
    request: SweepRequest,
    sweep_id: str,
    run: dict[str, str | None],
    step: Step,
    *,
    spread: Spread | None = None,
    diagnose: Diagnose | None = None,
) -> Swept:
    """Sweep the fleet, or go on with a sweep that was killed. Raises StoreError, ProfileError."""
    begun: Sweep = await step(begin_sweep, sweep_id, request.requested_by, run["flow_run_id"])
    beating = asyncio.create_task(keep_beating(begun.id))
    try:
        return await _sweep(request, begun, run, step, spread, diagnose)
    finally:
        await end_all(beating)


async def _sweep(
    request: SweepRequest,
    begun: Sweep,
    run: dict[str, str | None],
    step: Step,
    spread: Spread | None,
    diagnose: Diagnose | None,
) -> Swept:
    olts = [target.name for target in inventory()]
    await _read(begun, olts, step, spread)
    tell("judge", 0)
    judged: Judged = await step(judge_fleet, begun, olts, acs_is_configured())
    refreshed: Json = {"asked": 0, "skipped": "not asked for"}
    if request.refresh:
        refreshed = await step(refresh_boxes, begun, judged)
        if refreshed["read"]:
            judged = await step(judge_fleet, begun, olts, acs_is_configured())
    tell("keep", 0)
    learned = await step(keep_fleet, judged)
    worst = SweepSettings().worst if request.worst is None else request.worst
    diagnoses: Json = {"started": 0, "skipped": "not asked for"}
    if worst and diagnose is not None:
        diagnoses = await diagnose(begun.id, worst_serials(judged, worst))
    acted = {"refreshed": refreshed, "diagnoses": diagnoses, "learned_names": learned}
    ended, answer = conclude_answer(begun, judged, acted, run)
    await step(finish_sweep, ended)
    swept = Swept(ended, answer, judged)
    if (told := witness.get()) is not None:
        told(swept)
    return swept


async def _read(begun: Sweep, olts: list[str], step: Step, spread: Spread | None) -> None:
    """Every source at the same time; what an earlier, killed run kept is not read again."""
    from tasks import clients  # noqa: PLC0415 - a name that only this needs

    fleet = (await clients.store()).fleet()
    kept = {part.name for part in await fleet.parts(begun.id, "olt", with_data=False) if part.whole}
    missing = [name for name in olts if name not in kept]
    has_erp = any(part.whole for part in await fleet.parts(begun.id, "erp", with_data=False))
    gate = asyncio.Semaphore(SweepSettings().walks_at_once)

    async def walk(name: str) -> None:
        async with gate:
            await step(walk_olt, begun.id, name)

    async def walk_all() -> None:
        left = missing
        if spread is not None and len(missing) > 1:
            await spread(begun.id, missing)
            done = {p.name for p in await fleet.parts(begun.id, "olt", with_data=False)}
            left = [name for name in missing if name not in done]
        await all_or_none(*(walk(name) for name in left))

    reads: list[Awaitable[Any]] = [walk_all()]
    if acs_is_configured():
        reads.append(step(read_acs_fleet, begun.id))
    if not has_erp:
        reads.append(step(read_erp_equipment, begun.id))
    await all_or_none(*reads)


def worst_serials(judged: Judged, limit: int) -> list[str]:
    """Whom a full diagnosis is worth most, by the name it is asked with."""
    worst: list[Json] = judged.conclusion.summary["worst"][:limit]
    return [box["serial"] for box in worst if box["serial"]]


def conclude_answer(
    begun: Sweep, judged: Judged, acted: Json, run: dict[str, str | None]
) -> tuple[Sweep, Json]:
    """The sweep as it is kept and the answer `cpe.sweep/1`."""
    conclusion = judged.conclusion
    finished_at = datetime.now(UTC)
    state = SweepState.INCOMPLETE if conclusion.reasons else SweepState.COMPLETE
    answer: Json = {
        "schema": "cpe.sweep/1",
        "id": begun.id,
        "started_at": utc(begun.started_at),
        "finished_at": utc(finished_at),
        "duration_ms": round((finished_at - begun.started_at).total_seconds() * 1000),
        "state": state.value,
        "reasons": list(conclusion.reasons),
        "coverage": conclusion.coverage,
        **{k: v for k, v in conclusion.summary.items() if k != "schema"},
        "acted": acted,
        "ruleset": judged.ruleset,
        "run": run,
    }
    ended = replace(
        begun,
        state=state,
        finished_at=finished_at,
        ruleset=judged.ruleset,
        flow_run_id=run["flow_run_id"],
        coverage=conclusion.coverage,
        summary=answer,
    )
    return ended, answer
