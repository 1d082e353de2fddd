"""The OLT's slot for the legs of a walk: others get in between, no event is kept of it."""

from __future__ import annotations

import asyncio

import pytest
from prefect import flow, task
from prefect.client.orchestration import get_client

from tasks.slots import limit_name, olt_legs, olt_slot

pytestmark = pytest.mark.prefect


async def test_a_diagnosis_gets_the_olt_between_two_legs_and_the_slot_is_free_after(
    prefect_server,
):
    seen = []

    walking = asyncio.Event()

    @task
    async def walk():
        legs = olt_legs("olt-legs")
        try:
            while "diagnosis" not in seen:  # as long as it takes, which is one leg or a few
                await anext(legs)
                seen.append("leg")
                walking.set()
                await asyncio.sleep(0.2)
        finally:
            await legs.aclose()

    @task
    async def diagnose():
        await walking.wait()
        async with olt_slot("olt-legs"):
            seen.append("diagnosis")

    @flow
    async def both():
        await asyncio.gather(walk(), diagnose())

    await both()
    assert "diagnosis" in seen[1:]
    async with get_client() as client:
        limit = await client.read_global_concurrency_limit_by_name(limit_name("olt-legs"))
    assert (limit.limit, limit.active_slots) == (1, 0)
