"""Small flows for the server's own tests."""

from __future__ import annotations

from prefect import flow, task
from prefect.cache_policies import NO_CACHE


@task(cache_policy=NO_CACHE)
async def double(number: int) -> int:
    return 2 * number


@flow(name="small")
async def small(number: int = 1) -> int:
    """Doubles a number twice."""
    return await double(await double(number))
