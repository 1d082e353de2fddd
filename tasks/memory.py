"""Conversations with our own database."""

from __future__ import annotations

from datetime import UTC, datetime

from prefect import task

from cpe.domain.errors import StoreError
from cpe.domain.memory import KeptDiagnosis, Recall
from cpe.settings import HubSettings
from tasks import clients
from tasks.policy import ONCE
from tasks.steps import take_steps


@task(
    name="store: recall device", task_run_name="store: recall {serial}", timeout_seconds=10, **ONCE
)
async def recall_device(serial: str) -> Recall:
    """Who the box is and what was measured before. Raises StoreError."""
    memory = await clients.store()
    return await memory.recall(serial, now=datetime.now(UTC))


async def kept_already(diagnosis_id: str) -> KeptDiagnosis | None:
    """The diagnosis of that id, if it is kept; None too when our database does not answer."""
    try:
        return await (await clients.store()).load(diagnosis_id)
    except StoreError:
        return None


@task(name="store: keep diagnosis", task_run_name="store: keep", timeout_seconds=20, **ONCE)
async def keep_diagnosis(kept: KeptDiagnosis) -> None:
    """Keep a diagnosis, idempotent by its id. Raises StoreError."""
    # With the last steps: whoever watches takes the answer for the last thing told.
    steps = await take_steps(kept.id)
    memory = await clients.store()
    await memory.keep(kept, steps=steps, call_back=HubSettings.current().calls_back)
