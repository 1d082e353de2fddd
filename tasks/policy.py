"""What every task shares: retry by meaning, no caching, no results on disk."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final

from prefect import Task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.exceptions import MissingContextError
from prefect.logging import get_run_logger

from cpe.domain.errors import AccessError


async def retry_transient(_task: Task[..., Any], _run: TaskRun, state: State) -> bool:
    """Whether trying again can help: our own exceptions say so, anything else is a bug."""
    result = await state.aresult(raise_on_failure=False)
    return isinstance(result, AccessError) and result.transient


def teller() -> Callable[[str], None]:
    """Writes into the run's log, where people watch it; outside a run into ours."""
    try:
        return get_run_logger().info
    except MissingContextError:
        return logging.getLogger("cpe.tasks").info


READ: Final[dict[str, Any]] = {
    "cache_policy": NO_CACHE,
    "persist_result": False,
    "retries": 1,
    "retry_delay_seconds": 0.2,
    "retry_condition_fn": retry_transient,
}
"""A read of an outside system: tried once more when the failure is passing."""

ONCE: Final[dict[str, Any]] = {"cache_policy": NO_CACHE, "persist_result": False}
"""A conversation that bounds and repeats itself, or must not be repeated."""
