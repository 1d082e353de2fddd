"""Looking after swaps that nobody looks after: dead runs, missed deadlines, missed follow-ups.

It asks our own table and Prefect's API, never a worker: it works for any kind of worker, and for
swaps that were opened while Prefect was away.
"""

from __future__ import annotations

import logging
from collections import Counter
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId

from cpe.domain import swap_moves as moves
from cpe.domain.errors import AccessError, StoreError
from cpe.domain.swap import OPEN, UNDER_TEST
from cpe.domain.swap_case import SwapCase, SwapFile
from cpe.domain.swap_errors import SwapError
from cpe.domain.swap_orphans import Care, RunSeen, care
from flows.conduct import Step
from flows.links import flow_run_url
from flows.swap_alarms import ring
from flows.swap_follow_ups import follow_up
from flows.swap_show import show
from tasks import swap_book as book
from tasks import swap_runs as runs
from tasks.swap_clock import now

log: Final = logging.getLogger("cpe.swap")
FOLLOW_UPS_AT_ONCE: Final = 3
"""A diagnosis may take a minute; the next sweep does the others."""
LATE_S: Final = 120.0
"""The companion run is given so long to do it itself."""


async def sweep(step: Step) -> Counter[str]:
    """One round; how often what was done. One swap's trouble does not keep the others waiting.

    Raises StoreError, RunsUnavailableError.
    """
    did: Counter[str] = Counter()
    swaps = await book.book()
    files = await swaps.found(states=OPEN)
    seen = await _runs_of(files)
    for file in files:
        driven = await swaps.driven_until(file.case.id)
        run = seen.get(file.case.flow_run_id or "")
        what = care(file.case, driven, run, now(), book.pace())
        if what is Care.NOTHING and run is not None and await _unheard(file.case, run):
            what = Care.TAKE_UP
        if what is not Care.NOTHING:
            await look_after(file.case, what, ended=run is not None)
            did[what.value] += 1
        elif file.case.state in UNDER_TEST and await _rung(file.case, step):
            did["alarm"] += 1
    did["follow_up"] += await _missed_follow_ups(step)
    return +did


async def look_after(case: SwapCase, what: Care, *, ended: bool) -> None:
    """Have the swap carried again. Raises RunsUnavailableError, StoreError."""
    if what is Care.TAKE_UP and case.flow_run_id is not None:
        log.warning("swap %s: its run %s is taken up again", case.id, case.flow_run_id)
        if ended:
            # A pause before the next time, which doubles; forgotten as soon as the swap moves.
            await book.edited(case.id, lambda c: moves.stuck(c, now(), c.problem))
        await runs.take_up(case.flow_run_id)
        return
    log.warning("swap %s: it is given a run", case.id)
    await give_run(case)


async def give_run(case: SwapCase) -> SwapCase:
    """A run of its own for a swap that has none; the same one when asked twice."""
    number = case.runs + 1
    run = await runs.create(
        runs.SWAP,
        {"request": request_of(case)},
        key=f"{runs.TAG}{case.id}/run-{number}",
        tags=[f"{runs.TAG}{case.id}"],
    )
    run_id = str(run.id)
    return await book.edited(
        case.id,
        lambda c: (
            c
            if c.flow_run_id == run_id
            else c.but(flow_run_id=run_id, run_url=flow_run_url(run_id), runs=number, wait_key=None)
        ),
    )


def request_of(case: SwapCase) -> dict[str, Any]:
    """What the swap was asked with, as its flow's parameter."""
    return {
        "kind": case.kind.value,
        "old_serial": case.old.serial,
        "new_serial": case.new.serial,
        "requested_by": case.requested_by,
        "reason": case.reason,
        "diagnosis_id": case.named_diagnosis,
        "customer": case.customer,
    }


async def _runs_of(files: list[SwapFile]) -> dict[str, RunSeen]:
    wanted = [UUID(f.case.flow_run_id) for f in files if f.case.flow_run_id]
    found: dict[str, RunSeen] = {}
    with runs.heard():
        async with get_client() as client:
            for start in range(0, len(wanted), 100):
                some = FlowRunFilter(id=FlowRunFilterId(any_=wanted[start : start + 100]))
                for run in await client.read_flow_runs(flow_run_filter=some):
                    if run.state is not None:
                        seen = RunSeen(run.state.type.value, run.state.timestamp)
                        found[str(run.id)] = seen
    return found


async def _unheard(case: SwapCase, run: RunSeen) -> bool:
    """Whether the form was filled in and the run sleeps all the same: its state was renamed at the
    very moment at which it was resumed."""
    if run.state != "PAUSED" or case.flow_run_id is None or case.wait_key is None:
        return False
    return await runs.response(case.flow_run_id, case.wait_key) is not None


async def _rung(case: SwapCase, step: Step) -> bool:
    try:
        if await ring(case.id, step) is None:
            return False
    except (AccessError, SwapError, TimeoutError) as error:
        log.warning("swap %s: nobody was told yet: %s", case.id, error)
        return False
    await show(case.id, asleep=True)
    return True


async def _missed_follow_ups(step: Step) -> int:
    swaps = await book.book()
    missed = await swaps.follow_ups_due(now() - timedelta(seconds=LATE_S))
    done = 0
    for swap_id, name in missed[:FOLLOW_UPS_AT_ONCE]:
        try:
            if await follow_up(swap_id, name, step, None) is not None:
                await show(swap_id, asleep=True)
                done += 1
        except (AccessError, StoreError, SwapError, TimeoutError) as error:
            log.warning("swap %s: follow-up %s failed: %s", swap_id, name, error)
    return done
