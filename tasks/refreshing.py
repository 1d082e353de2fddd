"""Having boxes read again within a budget: whose old readings hide something that matters, and who
was never asked who they are."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from prefect import task

from cpe.access.genieacs import lookup
from cpe.access.genieacs.refresh import TaskOutcome
from cpe.access.genieacs.sweep.plan import sweep_projection
from cpe.access.genieacs.sweep.reader import FleetPart, FleetReader
from cpe.access.genieacs.sweep.unidentified import unidentified
from cpe.domain.errors import AccessError
from cpe.domain.sweep import Sweep, SweepPart
from cpe.settings import DiagnosisSettings, SweepSettings
from tasks import clients
from tasks.fleet import Judged
from tasks.policy import ONCE
from tasks.sweep import keep_part, tell

log = logging.getLogger("cpe.sweep")
Json = dict[str, Any]
REFRESHED: Final = "refreshed"
AT_ONCE = 20
ASK_S = 2_700.0
"""Within the task's own limit, which would end the whole sweep."""
LOOK_S = 300.0
"""For who was never asked who it is: one streamed read of the whole fleet's names."""
IDS_AT_ONCE = 40
"""A $in of 250 ids is where an NBI's 16 KiB of headers end; ours carry a long projection."""


@task(name="acs: refresh the doubtful", timeout_seconds=3600, **ONCE)
async def refresh_boxes(sweep: Sweep, judged: Judged) -> Json:
    """Ask the stale boxes that matter again and keep what they say as another part.

    Which: those that inform, whose readings are too old to judge, and whose PON or OLT shows
    trouble; then other stale ones. Up to half of the budget, more where there are fewer of those,
    goes to boxes whose names the ACS never read: a refresh asks for these too, and the map to the
    OLT's ONTs is there before the night it is needed. Never raises AccessError.
    """
    settings = SweepSettings()
    if await _was_refreshed(sweep):
        return {"asked": 0, "read": 0, "skipped": "already refreshed"}
    if is_quiet(settings):
        return {"asked": 0, "read": 0, "skipped": _quiet(settings)}
    from cpe.fleet.doubt import stale_that_matter  # noqa: PLC0415 - pandas

    total = settings.refresh_total
    stale = stale_that_matter(judged.conclusion, limit=total)
    wanted = shared_budget(stale, await _unidentified(total), total)
    if not wanted:
        return {"asked": 0, "read": 0, "skipped": "" if settings.refresh_total else "budget 0"}
    asked, answered, skipped = await _ask(wanted, settings)
    rows = await _read_again(sweep, answered) if answered else 0
    return {"asked": asked, "answered": len(answered), "read": rows, "skipped": skipped}


def shared_budget(stale: list[str], nameless: list[str], total: int) -> list[str]:
    """The boxes to ask, each once: the stale ones first, half of the places kept for the others.

    A stale box that is nameless too takes one place: a refresh asks for both.
    """
    for_stale = max(total - len(nameless), total - total // 2)
    return list(dict.fromkeys([*stale[:for_stale], *nameless, *stale[for_stale:]]))[:total]


async def _unidentified(limit: int) -> list[str]:
    if not limit:
        return []
    try:
        async with asyncio.timeout(LOOK_S):
            return await unidentified(clients.acs().nbi, limit=limit)
    except (AccessError, TimeoutError) as error:
        log.warning("acs: boxes without names not looked for: %s", error)
        return []


async def _was_refreshed(sweep: Sweep) -> bool:
    """Whether this sweep, killed since, has spent its budget already."""
    parts = await (await clients.store()).fleet().parts(sweep.id, "acs", with_data=False)
    return any(part.name == REFRESHED for part in parts)


def is_quiet(settings: SweepSettings, now: datetime | None = None) -> bool:
    """Whether boxes are to be left alone at this hour of the operator's day."""
    if not settings.quiet_hours:
        return False
    first, last = (int(part) for part in settings.quiet_hours.split("-"))
    hour = (now or datetime.now(ZoneInfo(settings.timezone))).hour
    return first <= hour < last if first <= last else hour >= first or hour < last


def _quiet(settings: SweepSettings) -> str:
    return f"quiet hours {settings.quiet_hours}"


async def _ask(wanted: list[str], settings: SweepSettings) -> tuple[int, list[str], str]:
    """Begin so many refreshes a second, until it is quiet or late.

    How many were begun, the ACS ids of the boxes that were read, why the others were not asked.
    """
    gate, answered = asyncio.Semaphore(AT_ONCE), list[str]()
    acs, limit_s = clients.acs(), DiagnosisSettings().freshness_s

    async def one(acs_id: str) -> None:
        async with gate:
            try:
                document = await acs.nbi.device(acs_id, lookup.identity_projection())
                whole = await lookup.read(acs.nbi, document) if document is not None else None
                if whole is None:
                    return
                seen = lookup.sighting(whole, now=acs.nbi.transport.now(), limit_s=limit_s)
                done = await acs.refresher.refresh(seen)
            except AccessError as error:
                log.info("%s not refreshed: %s", acs_id, error.message)
                return
            if done.outcome is TaskOutcome.EXECUTED:
                answered.append(acs_id)
                tell("refresh", len(answered), len(wanted))

    loop, asked, skipped = asyncio.get_running_loop(), 0, ""
    end = loop.time() + ASK_S
    async with asyncio.TaskGroup() as group:
        for acs_id in wanted:
            async with gate:  # a box's turn, not a place in a queue that may outlast the hour
                skipped = _quiet(settings) if is_quiet(settings) else ""
            if loop.time() >= end:
                skipped = "the time was used up"
            if skipped:
                break
            group.create_task(one(acs_id))
            asked += 1
            await asyncio.sleep(1 / settings.refresh_per_s)
    return asked, answered, skipped


async def _read_again(sweep: Sweep, acs_ids: list[str]) -> int:
    """Read the refreshed boxes as the sweep read all, into a part of their own."""
    from cpe.fleet import frames  # noqa: PLC0415 - pandas

    nbi, part = clients.acs().nbi, FleetPart()
    for start in range(0, len(acs_ids), IDS_AT_ONCE):
        chunk = acs_ids[start : start + IDS_AT_ONCE]
        try:
            documents = await nbi.devices(
                {"_id": {"$in": chunk}}, sweep_projection(), limit=len(chunk)
            )
        except AccessError as error:
            log.warning("acs: %d refreshed boxes not read again: %s", len(chunk), error.message)
            continue
        reader = FleetReader(
            now=nbi.transport.now(),
            limit_s=SweepSettings().freshness_s,
            skew_s=nbi.transport.clock_skew_s,
        )
        for document in documents:
            reader.read(document, part)
    if len(part):
        data = (
            frames.pack(part.boxes, frames.BOXES),
            frames.pack(part.radios, frames.RADIOS),
            frames.pack(part.nodes, frames.NODES),
        )
        kept = SweepPart("acs", REFRESHED, 0, len(part), whole=False, data=data)
        await keep_part(sweep.id, kept)
    return len(part)
