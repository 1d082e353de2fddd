"""A stale box that answers: the whole diagnosis through Prefect against the plain functions."""

from __future__ import annotations

from benchmarks.speed.lab import LabProcess
from benchmarks.speed.runs import plain, through_prefect
from benchmarks.speed.tally import Claim, Times
from cpe.domain.snapshot import FreshnessOutcome

LIMIT = 1.6
WARM_UP = 1
ANSWERED = FreshnessOutcome.REFRESHED


async def measure(lab: LabProcess, rounds: int) -> Claim:
    """A box is stale once: each turn has its own. Both mostly wait for it, so neither settles."""
    through, functions = Times(), Times()
    for _ in range(WARM_UP + rounds):
        await through.take(through_prefect(lab.box(), ANSWERED))
        await functions.take(plain(lab.box(), ANSWERED))
    for times in (through, functions):
        times.drop(WARM_UP)
    return Claim(
        "stale box that answers, through Prefect / plain functions",
        through.median / functions.median,
        LIMIT,
        f"through {through}, plain {functions}, n={rounds}",
    )
