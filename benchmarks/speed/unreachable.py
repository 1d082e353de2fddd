"""Boxes that do not answer: from the start of the flow run to the verdict, the slowest of all.

The verdict is there when the witness is told; the run then still keeps and reports it.
"""

from __future__ import annotations

import asyncio
import time

from benchmarks.speed.lab import LabProcess
from benchmarks.speed.runs import through_prefect
from benchmarks.speed.tally import Claim, Times
from flows.conduct import witness

LIMIT_S = 4.0
SCENARIOS = {
    "fibre-cut": "fibre_cut",
    "power-off": "power_off",
    "silent": "management_silent",
}


async def measure(lab: LabProcess, rounds: int) -> list[Claim]:
    """The three at once in each round: they mostly wait, and together they wait longer.

    The first round finds the OLTs' index empty and walks.
    """
    verdicts = {scenario: Times() for scenario in SCENARIOS}
    runs = {scenario: Times() for scenario in SCENARIOS}

    async def one(scenario: str, serial: str) -> None:
        started = time.perf_counter()
        witness.set(lambda _: verdicts[scenario].since(started))
        answer = await runs[scenario].take(through_prefect(serial))
        assert answer["verdict"]["code"] == SCENARIOS[scenario], answer["verdict"]

    for _ in range(rounds):
        boxes = {scenario: lab.box(scenario) for scenario in SCENARIOS}
        await asyncio.gather(*(one(scenario, box) for scenario, box in boxes.items()))
        for box in boxes.values():
            lab.befall(box, "healthy-stale")
    return [
        Claim(
            f"unreachable box ({scenario}), verdict after the start, slowest",
            max(verdicts[scenario].ms) / 1000,
            LIMIT_S,
            f"verdict {verdicts[scenario]}, whole run {runs[scenario]}, n={rounds}",
            unit=" s",
        )
        for scenario in SCENARIOS
    ]
