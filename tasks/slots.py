"""One conversation at a time with each OLT, whoever asks: this process, then every process."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final
from uuid import UUID
from weakref import WeakKeyDictionary

import httpx
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.responses import ConcurrencyLimitWithLeaseResponse
from prefect.concurrency.asyncio import ConcurrencySlotAcquisitionError, concurrency
from prefect.context import TaskRunContext

log = logging.getLogger("cpe.olt")
SLOTS_PER_OLT: Final = 1
LEASE_S: Final = 60.0
LOCKED_PAUSE_S: Final = 0.5
RELEASE_S: Final = 2.0
"""A release takes 10-30 ms; Prefect's client would go on trying for 20 s."""

TROUBLE: Final = (httpx.HTTPError, ConcurrencySlotAcquisitionError)
"""Prefect's, not the OLT's: a customer's diagnosis does not fail for it."""

_locks: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, asyncio.Lock]] = WeakKeyDictionary()


def limit_name(olt: str) -> str:
    """The global concurrency limit of an OLT; Prefect refuses / % & > < in names."""
    return f"olt:{re.sub(r'[/%&<>]', '-', olt)}"


@asynccontextmanager
async def olt_slot(olt: str) -> AsyncGenerator[None]:
    """Hold the OLT's slot. Outside a Prefect run only this process is held to it.

    Strict: a limit that does not exist is created, never skipped.
    """
    lock = _locks.setdefault(asyncio.get_running_loop(), {}).setdefault(olt, asyncio.Lock())
    async with lock:
        if TaskRunContext.get() is None:
            yield
            return
        async with _prefect_slot(limit_name(olt)):
            yield


@asynccontextmanager
async def _prefect_slot(name: str) -> AsyncGenerator[None]:
    """The slot of all processes; this process's turn must do while Prefect's API gives none."""
    async with contextlib.AsyncExitStack() as held:
        try:
            release = await _acquire(name)
        except TROUBLE as error:
            _say_alone(name, error)
        else:
            held.push_async_callback(_let_go, name, release)
        yield


async def _acquire(name: str) -> contextlib.AsyncExitStack:
    """Raises TROUBLE."""
    stack = contextlib.AsyncExitStack()
    try:
        await stack.enter_async_context(_slot(name))
    except ConcurrencySlotAcquisitionError as error:
        if isinstance(error.__cause__, httpx.TransportError):
            raise error.__cause__ from None
        await create_limit(name)
        await stack.enter_async_context(_slot(name))
    return stack


def _slot(name: str) -> AbstractAsyncContextManager[None]:
    return concurrency(
        name,
        occupy=1,
        strict=True,
        lease_duration=LEASE_S,
        raise_on_lease_renewal_failure=False,  # strict alone would end the reading of the OLT
    )


def _say_alone(name: str, error: Exception) -> None:
    cause = type(error.__cause__ or error).__name__
    log.warning("%s: no slot from Prefect (%s), only this process waits its turn", name, cause)


async def _let_go(name: str, held: contextlib.AsyncExitStack) -> None:
    """Release; what Prefect's API does not hear of ends with the lease."""
    try:
        async with asyncio.timeout(RELEASE_S):
            await held.aclose()
    except (httpx.HTTPError, TimeoutError):
        log.warning("%s: not released, it is free again in %.0f s", name, LEASE_S)


async def create_limit(name: str) -> None:
    """Create or correct a global concurrency limit."""
    async with get_client() as client:
        await client.upsert_global_concurrency_limit_by_name(name, SLOTS_PER_OLT)


async def olt_legs(olt: str) -> AsyncGenerator[None]:
    """The same slot for one leg of a long walk after another, given back in between.

    Prefect keeps two events of each `concurrency` block, 4.5 kB each: hundreds of legs a night
    would be most of what a sweep leaves in its database. The client's own calls leave none.
    """
    lock = _locks.setdefault(asyncio.get_running_loop(), {}).setdefault(olt, asyncio.Lock())
    name = limit_name(olt)
    async with contextlib.AsyncExitStack() as stack:
        client = None
        if TaskRunContext.get() is not None:
            client = await stack.enter_async_context(get_client())
        while True:
            async with lock:
                lease = await _lease(client, name) if client is not None else None
                try:
                    yield
                finally:
                    if client is not None and lease is not None:
                        await _end_lease(client, lease, name)


async def _lease(client: PrefectClient, name: str) -> UUID | None:
    """Wait for the slot; None while Prefect's API gives none: this process's turn must do then."""
    while True:
        try:
            answer = await client.increment_concurrency_slots_with_lease(
                [name], SLOTS_PER_OLT, "concurrency", LEASE_S
            )
            held = ConcurrencyLimitWithLeaseResponse.model_validate(answer.json())
            if held.limits:
                return held.lease_id
            await create_limit(name)
        except httpx.HTTPError as error:
            if not _is_taken(error):
                _say_alone(name, error)
                return None
            await asyncio.sleep(LOCKED_PAUSE_S)


def _is_taken(error: httpx.HTTPError) -> bool:
    return (
        isinstance(error, httpx.HTTPStatusError)
        and error.response.status_code == httpx.codes.LOCKED
    )


async def _end_lease(client: PrefectClient, lease: UUID, name: str) -> None:
    """Release; what Prefect's API does not hear of ends with the lease."""
    try:
        async with asyncio.timeout(RELEASE_S):
            await client.release_concurrency_slots_with_lease(lease)
    except (httpx.HTTPError, TimeoutError):
        log.warning("%s: not released, it is free again in %.0f s", name, LEASE_S)
