"""A flow that does nothing, in the shape of a diagnosis of a fresh box.

Two tasks at once, then one more, under the policies and result settings of the real ones,
and nothing else: no name of its own, no parameter, no report.
"""

from __future__ import annotations

import asyncio

from prefect import flow, task

from tasks.policy import ONCE, READ

TASKS = 3


@task(**ONCE)
async def nothing() -> None:
    """An empty task under the policy of most of ours."""


@task(**READ)
async def nothing_read() -> None:
    """An empty task under the policy of a read."""


@flow(persist_result=True, result_serializer="json", timeout_seconds=300)
async def empty_flow() -> None:
    """As many empty task runs as the diagnosis has, side by side where it has them so."""
    await asyncio.gather(nothing(), nothing_read())
    await nothing()
