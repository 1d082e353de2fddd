"""Judging a sweep and keeping what it found: our database and pure frames, nobody outside."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from prefect import task

from cpe.domain.sweep import Sweep
from cpe.profiles.thresholds import Thresholds, load_thresholds
from cpe.settings import DiagnosisSettings
from tasks import clients
from tasks.policy import ONCE

log = logging.getLogger("cpe.sweep")
KNOWN_DAYS = 30
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Judged:
    """A sweep's conclusion and what was known before it (pandas; never kept as a result)."""

    conclusion: Any
    known: Any
    now: float
    ruleset: str


@task(name="fleet: judge", timeout_seconds=1800, **ONCE)
async def judge_fleet(sweep: Sweep, olts_asked: Sequence[str], acs_configured: bool) -> Judged:
    """Join what was read with what was known and judge it. Raises StoreError."""
    from cpe.fleet.compare import Pasts, compare  # noqa: PLC0415
    from cpe.fleet.conclude import conclude, join_frames, known_frame  # noqa: PLC0415
    from cpe.fleet.history import Album  # noqa: PLC0415 - pandas
    from cpe.fleet.load import doubt_clocks, load_frames, mistrust, sources_of  # noqa: PLC0415

    fleet = (await clients.store()).fleet()
    now, thresholds = datetime.now(UTC), _thresholds()
    today, span = int(now.timestamp() // DAY_S), thresholds.fleet.baseline_days[-1]
    acs = await fleet.parts(sweep.id, "acs")
    olts = await fleet.parts(sweep.id, "olt")
    erp = await fleet.parts(sweep.id, "erp")
    known = [
        known_frame(chunk)
        async for chunk in fleet.known_boxes(seen_after=now - timedelta(days=KNOWN_DAYS))
    ]
    boots = await fleet.recent_boots(since=now - timedelta(days=1))
    frames = await asyncio.to_thread(
        load_frames, acs, olts, erp, known, [(box, at.timestamp()) for box, at in boots]
    )
    del known
    sources, reads = sources_of(
        frames, acs, olts, now=now.timestamp(), acs_configured=acs_configured,
        olts_asked=olts_asked, thresholds=thresholds,
    )  # fmt: skip
    frames = doubt_clocks(mistrust(frames, reads, olts), now.timestamp(), thresholds.line)
    del acs, olts, erp
    known_before = frames.known
    joined = await asyncio.to_thread(join_frames, frames, sources, thresholds)
    del frames
    album, pasts = Album(joined.fleet, known_before, span, today=today), list[Any]()
    for column in ("rx_cdbm", "ont_rx_cdbm", "olt_rx_cdbm"):
        past = album.empty()
        async for day in fleet.past_days(today=today, days=span, column=column):
            album.lay(past, day)
        pasts.append(past)
    told = Pasts(
        *pasts,
        downs=await fleet.events_of_week(today=today, column="down_at"),
        boots=await fleet.events_of_week(today=today, column="boot_at"),
    )
    compared = await asyncio.to_thread(compare, joined, told, thresholds)
    del album, pasts, past, told  # a month of readings: a twentieth of a sweep's memory
    conclusion = await asyncio.to_thread(conclude, joined, compared, reads, thresholds)
    return Judged(conclusion, known_before, now.timestamp(), thresholds.ruleset)


@task(name="store: keep fleet", timeout_seconds=1800, **ONCE)
async def keep_fleet(judged: Judged) -> int:
    """Keep every box, its day, its boot and its names; how many names were new. Idempotent."""
    from cpe.fleet import rows as lines  # noqa: PLC0415 - pandas

    fleet = (await clients.store()).fleet()
    rows, known, now = judged.conclusion.rows, judged.known, judged.now
    learned = 0
    for chunk, before in lines.chunks(rows, known):
        await fleet.keep_boxes(lines.box_rows(chunk, before, now))
        ids = await fleet.box_ids(chunk["key"].tolist())
        await fleet.keep_days(lines.day_rows(chunk, before, ids, now))
        await fleet.keep_boots(lines.boot_rows(chunk, before, now))
        learned += await fleet.learn_changed(lines.identities(chunk, now))
    await fleet.thin_out(today=int(now // DAY_S))
    return learned


@task(name="store: finish sweep", timeout_seconds=120, **ONCE)
async def finish_sweep(sweep: Sweep) -> None:
    """Keep how the sweep ended. Raises StoreError."""
    await (await clients.store()).fleet().finish(sweep)


def _thresholds() -> Thresholds:
    return load_thresholds(DiagnosisSettings().rules)
