"""What Prefect adds to a diagnosis of a fresh box, against a flow that does nothing.

(through Prefect - plain functions) / (an empty flow with as many empty tasks).
"""

from __future__ import annotations

import asyncio

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId

from benchmarks.speed.empty_flow import TASKS, empty_flow
from benchmarks.speed.lab import LabProcess
from benchmarks.speed.runs import plain, through_prefect
from benchmarks.speed.tally import Claim, Times
from cpe.domain.snapshot import FreshnessOutcome

LIMIT = 1.25
WARM_UP = 2
SETTLE_S = 1.05
"""After a flow run: its task runs are recorded in batches, up to 1 s later (BATCHED), by the same
CPU. Nobody waits for that, and it must not fall on whoever's turn is next."""
FRESH = FreshnessOutcome.FRESH


async def measure(lab: LabProcess, server: str, rounds: int) -> Claim:
    """Each round all three, the flows in changing order, on a box of its own."""
    boxes = [lab.box("healthy") for _ in range(WARM_UP + rounds)]
    through, functions, empty = Times(), Times(), Times()
    run_id = ""
    for number, box in enumerate(boxes):
        for turn in (number, number + 1):
            if turn % 2:
                run_id = (await through.take(through_prefect(box, FRESH)))["id"]
            else:
                await empty.take(empty_flow())
            await asyncio.sleep(SETTLE_S)
        await functions.take(plain(box, FRESH))
    for times in (through, functions, empty):
        times.drop(WARM_UP)
    tasks = await task_runs(run_id)
    assert tasks == TASKS, f"the diagnosis has {tasks} task runs, the empty flow {TASKS}"
    added = through.median - functions.median
    return Claim(
        f"added by Prefect on {server}, fresh box / empty flow of {TASKS} tasks",
        added / empty.median,
        LIMIT,
        f"through {through}, plain {functions}, added {added:.0f} ms, empty {empty}, n={rounds}",
    )


async def task_runs(flow_run_id: str) -> int:
    """How many task runs the server recorded for a flow run."""
    wanted = FlowRunFilter(id=FlowRunFilterId(any_=[flow_run_id]))
    async with get_client() as client:
        return len(await client.read_task_runs(flow_run_filter=wanted))
