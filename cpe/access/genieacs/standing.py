"""The faults that stand at the ACS for a box: what others' tasks and presets failed at."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Final

from cpe.access.genieacs.document import Document, parse_time
from cpe.access.genieacs.nbi import Nbi
from cpe.domain.errors import AccessError
from cpe.domain.redaction import excerpt
from cpe.domain.snapshot import AcsFault, AcsSighting

OURS: Final = "gigafibre-cpe-"
"""How the unique key of every task of ours begins."""
TASK: Final = "task_"
BOUND_S: Final = 1.0
"""Two reads of 3-10 ms; a proxy that lets them hang must not hold up a diagnosis."""


async def with_standing_faults(nbi: Nbi, sighting: AcsSighting) -> AcsSighting:
    """The sighting with the box's faults; they stay unknown when they cannot be read in time."""
    acs_id = sighting.device.acs_id or ""
    try:
        async with asyncio.timeout(BOUND_S):
            faults = await _standing_faults(nbi, acs_id)
    except (AccessError, TimeoutError):
        return sighting
    return replace(sighting, device=replace(sighting.device, acs_faults=faults))


async def _standing_faults(nbi: Nbi, acs_id: str) -> tuple[AcsFault, ...]:
    rows = await nbi.faults_of_device(acs_id)
    keys: dict[str, str] = {}
    if any(_channel(row).startswith(TASK) for row in rows):
        keys = await nbi.unique_keys(acs_id)
    ours = {f"{TASK}{task_id}" for task_id, key in keys.items() if key.startswith(OURS)}
    return tuple(
        AcsFault(
            code=excerpt(str(row.get("code", ""))),
            message=excerpt(str(row.get("message", ""))),
            at=parse_time(row.get("timestamp")),
        )
        for row in rows
        if _channel(row) not in ours
    )


def _channel(row: Document) -> str:
    return str(row.get("channel") or str(row.get("_id", "")).rpartition(":")[2])
