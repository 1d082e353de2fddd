"""Conversations with the OLTs."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from prefect import task

from cpe.access.olt.index_cache import MemoryIndexCache, OntIndexCache
from cpe.access.olt.inventory import load_inventory
from cpe.access.olt.report import ask_olts
from cpe.domain.errors import StoreError
from cpe.domain.snapshot import OltReport
from cpe.settings import OltSettings
from tasks import clients
from tasks.policy import ONCE
from tasks.slots import olt_slot

log = logging.getLogger("cpe.olt")
NO_INVENTORY: Final = "CPE_OLTS is not set"


@task(name="olt: read ont", task_run_name="olt: read {serial}", timeout_seconds=60, **ONCE)
async def read_olt_ont(serial: str, wanted: Sequence[str]) -> OltReport:
    """The ONT as its OLT sees it now, its optics and its PON's neighbours.

    `serial` names the run; `wanted` are canonical GPON serials, the most trusted first. A dead
    OLT is part of the report. Raises ProfileError when the inventory is wrong.
    """
    settings = OltSettings.current()
    if settings.path is None:
        return OltReport(sighting=None, detail=NO_INVENTORY)
    targets = load_inventory(settings.path)
    log.info("asking %d OLTs for %s as %s", len(targets), serial, ", ".join(wanted) or "-")
    return await ask_olts(
        targets,
        wanted,
        cache=await _cache(),
        deadline_s=settings.lookup_s,
        slot=olt_slot,
    )


async def _cache() -> OntIndexCache:
    try:
        return (await clients.store()).ont_index()
    except StoreError:
        return MemoryIndexCache()
