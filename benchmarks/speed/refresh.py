"""A stale box whose connection request is answered: our refresh, with its proof, against the NBI.

The NBI's own answer time is that of the identical POST, sent by bare httpx.
"""

from __future__ import annotations

import math
from urllib.parse import quote

import httpx

from benchmarks.speed.lab import LabProcess
from benchmarks.speed.tally import Claim, Times
from cpe.access.genieacs.lookup import find
from cpe.access.genieacs.nbi import get_parameter_values
from cpe.access.genieacs.refresh import UNIQUE_KEY, Refresher, TaskOutcome
from cpe.domain.snapshot import AcsSighting
from cpe.settings import AcsSettings, DiagnosisSettings
from tasks import clients

LIMIT = 1.3
WARM_UP = 1


async def measure(lab: LabProcess, rounds: int) -> Claim:
    """By turns, each on a stale box of its own."""
    ours, bare = Times(), Times()
    refresher = clients.acs().refresher
    async with httpx.AsyncClient(base_url=lab.exports["CPE_ACS_URL"], timeout=30) as nbi:
        for _ in range(WARM_UP + rounds):
            await ours.take(refresh(refresher, await stale(lab)))
            await bare.take(post(nbi, await stale(lab)))
    for times in (ours, bare):
        times.drop(WARM_UP)
    return Claim(
        "refresh of a stale box / the NBI's answer to the same task",
        ours.median / bare.median,
        LIMIT,
        f"refresh {ours}, NBI {bare}, n={rounds}",
    )


async def stale(lab: LabProcess) -> AcsSighting:
    """A box the ACS has not read lately."""
    limit_s = DiagnosisSettings().freshness_s
    sighting = await find(clients.acs().nbi, lab.box(), limit_s=limit_s)
    assert sighting is not None
    assert not sighting.is_fresh
    return sighting


async def refresh(refresher: Refresher, sighting: AcsSighting) -> None:
    """POST, proof by leaf timestamps."""
    refreshed = await refresher.refresh(sighting)
    assert refreshed.outcome is TaskOutcome.EXECUTED, refreshed.detail


async def post(nbi: httpx.AsyncClient, sighting: AcsSighting) -> None:
    """The same task, and nothing but its answer."""
    bound_s = AcsSettings().refresh_s
    task = get_parameter_values(
        sighting.refresh_paths, unique_key=UNIQUE_KEY, expiry_s=math.ceil(bound_s) + 5
    )
    device = quote(sighting.device.acs_id or "", safe="")
    wait_ms = int((bound_s - 1.5) * 1000)
    path = f"/devices/{device}/tasks?timeout={wait_ms}&connection_request"
    answer = await nbi.post(path, json=task)
    assert answer.status_code == 200, answer.reason_phrase
