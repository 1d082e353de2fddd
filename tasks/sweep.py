"""The reads of a sweep: one stream of the ACS, one walk of each OLT, the equipment list.

Each keeps what it read as it goes, so that a sweep that is killed goes on where it was.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import Final

from prefect import task
from pydantic import ValidationError

from cpe.access.erpnext.stock import every_unit
from cpe.access.genieacs.nbi import Nbi
from cpe.access.genieacs.sweep.stream import FleetRead
from cpe.access.olt.engine import running_engine
from cpe.access.olt.fleet_table import OltTable
from cpe.access.olt.fleet_walk import FleetWalk
from cpe.access.olt.index_cache import IndexEntry
from cpe.access.olt.inventory import OltTarget, load_inventory
from cpe.domain.errors import AccessError, NotSupportedError, StoreError
from cpe.domain.redaction import excerpt
from cpe.domain.sweep import Sweep, SweepPart, SweepState
from cpe.settings import AcsSettings, OltSettings, SweepSettings
from tasks import clients
from tasks.policy import ONCE
from tasks.reader_process import WORTH_IT_FROM, PackedPart, read_apart, read_here
from tasks.slots import olt_legs

log = logging.getLogger("cpe.sweep")
BEAT_S: Final = 15.0
KEEP_TRIES: Final = 4

notice: ContextVar[Callable[[str, int, int | None], None] | None] = ContextVar(
    "notice", default=None
)
"""Told (what, rows so far, rows expected) as reading goes on, for people who wait."""


def tell(what: str, rows: int, expected: int | None = None) -> None:
    """Tell whoever listens how far reading is."""
    if (listener := notice.get()) is not None:
        listener(what, rows, expected)


@task(name="store: begin sweep", timeout_seconds=60, **ONCE)
async def begin_sweep(sweep_id: str, requested_by: str, flow_run_id: str | None) -> Sweep:
    """This sweep, or the one that was killed lately, to be gone on with. Raises StoreError."""
    now = datetime.now(UTC)
    memory = await clients.store()
    sweep = Sweep(
        sweep_id, now, SweepState.RUNNING, requested_by=requested_by, flow_run_id=flow_run_id
    )
    after = now - timedelta(seconds=SweepSettings().resume_s)
    return await memory.fleet().begin(sweep, after=after, owner=_owner(), is_dead=_is_dead)


def _owner() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def _is_dead(owner: str) -> bool:
    """Whether a process of this machine is known to be gone; of another nobody can tell."""
    host, _, pid = owner.rpartition(":")
    if host != socket.gethostname() or not pid.isdigit():
        return False
    if int(pid) == os.getpid():
        return True  # a sweep of our own that ended without a word
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


async def keep_beating(sweep_id: str) -> None:
    """Tell every few seconds that this sweep is alive, until cancelled."""
    while True:
        await asyncio.sleep(BEAT_S)
        with contextlib.suppress(StoreError):
            await (await clients.store()).fleet().beat(sweep_id)


@task(name="acs: read fleet", timeout_seconds=3600, **ONCE)
async def read_acs_fleet(sweep_id: str) -> FleetRead:
    """Every box of the ACS in one stream, kept part by part. Raises StoreError only.

    Goes on after the last box that was kept; a stream that breaks off is gone on with. A fleet that
    is large is read in a process of its own.
    """
    fleet = (await clients.store()).fleet()
    parts = await fleet.parts(sweep_id, "acs", with_data=False)
    kept = [part for part in parts if not part.name]  # what was refreshed is no part of the stream
    if kept and kept[-1].whole:
        return FleetRead(sum(p.rows for p in kept), whole=True, detail=kept[-1].detail)
    position = kept[-1].position + 1 if kept else 0
    before = sum(part.rows for part in kept)
    rows, last_key = before, kept[-1].last_key if kept else ""

    async def keep(part: PackedPart) -> None:
        nonlocal position, rows, last_key
        await keep_part(
            sweep_id,
            SweepPart(
                "acs", "", position, part.rows, whole=False, data=part.data, last_key=part.last_id
            ),
        )
        position, rows, last_key = position + 1, rows + part.rows, part.last_id
        tell("acs", rows, None if part.left is None else rows + part.left)

    try:
        nbi = clients.acs().nbi
    except NotSupportedError as error:
        return FleetRead(before, detail=error.message)
    is_large = await _count(nbi) - before >= WORTH_IT_FROM
    read = await (read_apart if is_large else read_here)(last_key, keep)
    end = SweepPart(
        "acs", "", position, 0, whole=read.whole, last_key=last_key, detail=excerpt(read.detail)
    )
    await keep_part(sweep_id, end)
    read.rows += before
    if read.detail:
        log.warning("acs: %d boxes read, then: %s", read.rows, read.detail)
    return read


async def _count(nbi: Nbi) -> int:
    """How many boxes the ACS says it has; 0 when it does not say: reading will tell why."""
    try:
        return await nbi.count() or 0
    except AccessError:
        return 0


@task(name="olt: walk", task_run_name="olt: walk {olt}", timeout_seconds=7500, **ONCE)
async def walk_olt(sweep_id: str, olt: str) -> SweepPart:
    """Every ONT of one OLT. Never raises for the OLT: the part says why it is not whole.

    Raises StoreError; ProfileError when the inventory no longer names the OLT.
    """
    from cpe.fleet import frames  # noqa: PLC0415

    target = next(t for t in inventory() if t.name == olt)
    walk = FleetWalk(target, await running_engine(), deadline_s=SweepSettings().walk_s)
    turns = olt_legs(olt)  # a diagnosis that wants the OLT gets in between
    try:
        table = await walk.read(turns)
    except AccessError as error:
        part = SweepPart("olt", olt, 0, 0, whole=False, detail=excerpt(error.message))
    except TimeoutError:
        part = SweepPart("olt", olt, 0, 0, whole=False, detail="no answer in time")
    else:
        data = (frames.pack(table.columns, frames.ONTS),)
        part = SweepPart(
            "olt", olt, 0, len(table), whole=table.complete, data=data, detail=excerpt(table.detail)
        )
        await _remember(table)
    finally:
        await turns.aclose()
    earlier = None if part.whole else await _walked_further(sweep_id, part)
    if earlier is None:
        await keep_part(sweep_id, part)
    tell(f"olt {olt}", part.rows)
    if not part.whole:
        log.warning("olt %s: %d rows read, then: %s", olt, part.rows, part.detail)
    return earlier or part


async def _walked_further(sweep_id: str, part: SweepPart) -> SweepPart | None:
    """What an earlier try of this sweep read of the OLT, when that is more."""
    parts = await (await clients.store()).fleet().parts(sweep_id, "olt", with_data=False)
    return next((p for p in parts if p.name == part.name and p.rows > part.rows), None)


async def _remember(table: OltTable) -> None:
    """Feed the index that spares a diagnosis the walk; a hint, not worth failing for."""
    now, columns = datetime.now(UTC), table.columns
    entries = [
        IndexEntry(table.olt, serial, index, now)
        for serial, index in zip(columns["gpon_serial"], columns["ont_index"], strict=True)
        if serial
    ]
    if not entries:  # rows known by another name: that they have no serial empties no index
        return
    try:
        index = (await clients.store()).ont_index()
        await index.remember(table.olt, entries, complete=table.complete)
    except StoreError as error:
        log.warning("olt %s: the index was not kept: %s", table.olt, error)


def inventory() -> tuple[OltTarget, ...]:
    """The configured OLTs; none when none are. Raises ProfileError."""
    path = OltSettings().path
    return load_inventory(path) if path is not None else ()


def acs_is_configured() -> bool:
    """Whether an ACS is to be expected to answer; a setting that cannot be used is one too."""
    try:
        return AcsSettings().url is not None
    except ValidationError:
        return True


@task(name="erp: read equipment", timeout_seconds=900, **ONCE)
async def read_erp_equipment(sweep_id: str) -> SweepPart | None:
    """The equipment list; None when no ERPNext is configured. Raises StoreError only."""
    from cpe.fleet import frames  # noqa: PLC0415

    try:
        erp = clients.erp()
    except NotSupportedError as error:
        log.info("erp: %s", error.message)
        return None
    try:
        columns = await every_unit(erp.frappe, erp.names)
    except AccessError as error:
        log.warning("erp: %s", error.message)
        part = SweepPart("erp", "", 0, 0, whole=False, detail=excerpt(error.message))
    else:
        data = (frames.pack(columns, frames.EQUIPMENT),)
        part = SweepPart("erp", "", 0, len(columns["serial"]), whole=True, data=data)
    await keep_part(sweep_id, part)
    return part


async def keep_part(sweep_id: str, part: SweepPart) -> None:
    """Keep what was read; a database that is busy for a while is asked again. Raises StoreError."""
    fleet = (await clients.store()).fleet()
    for left in reversed(range(KEEP_TRIES)):
        try:
            await fleet.keep_part(sweep_id, part)
        except StoreError:
            if not left:
                raise
            await asyncio.sleep(1.0)
        else:
            return
