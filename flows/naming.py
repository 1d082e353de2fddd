"""The name under which people find a diagnosis among the runs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Final
from uuid import UUID

import httpx
from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext
from prefect.exceptions import PrefectException
from prefect.logging import get_run_logger
from prefect.runtime import flow_run

from flows.unwind import end_all

NAME_S: Final = 5.0


@contextlib.asynccontextmanager
async def named(name: str) -> AsyncGenerator[None]:
    """The run gets its name while the block does its work.

    The flow's own `flow_run_name` would ask Prefect's API before anything else, 11 ms of a
    diagnosis of 150 ms, also for a run that has its name. A run that cannot be named goes on.
    """
    if flow_run.name == name:
        yield
        return
    naming = asyncio.create_task(_rename(str(flow_run.id), name))
    try:
        yield
        await naming
    finally:
        await end_all(naming)


async def _rename(run_id: str, name: str) -> None:
    try:
        async with asyncio.timeout(NAME_S), get_client() as client:
            await client.set_flow_run_name(UUID(run_id), name)
        if (here := FlowRunContext.get()) is not None and here.flow_run is not None:
            here.flow_run.name = name  # for whoever asks `prefect.runtime` later in the run
    except (httpx.HTTPError, PrefectException, TimeoutError) as error:
        get_run_logger().warning("the run could not be named %s: %s", name, type(error).__name__)
