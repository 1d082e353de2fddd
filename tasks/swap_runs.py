"""Conversations with the Prefect server about the runs that carry swaps.

Nothing here is the truth of a swap: when Prefect is away, what failed is done later by the sweep.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import httpx
from prefect.artifacts import acreate_markdown_artifact
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import ArtifactCreate
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.responses import SetStateStatus
from prefect.context import FlowRunContext, TaskRunContext
from prefect.events import emit_event
from prefect.exceptions import ObjectNotFound, PrefectException, PrefectHTTPStatusError
from prefect.input import acreate_flow_run_input, aread_flow_run_input
from prefect.input.run_input import keyset_from_base_key
from prefect.settings import get_current_settings
from prefect.states import Paused, Scheduled

SWAP: Final = "swap-equipment/at-the-door"
DEADLINE: Final = "remind-swap/at-its-time"
FOLLOW_UP: Final = "follow-up-swap/at-its-time"
TAG: Final = "swap:"


class RunsUnavailableError(Exception):
    """The Prefect server did not answer, or not as it should; the message says why."""


@contextlib.contextmanager
def heard() -> Generator[None]:
    """What Prefect's client raises, as RunsUnavailableError.

    Without an API to talk to, Prefect's client would start a server of its own.
    """
    if not get_current_settings().api.url:
        raise RunsUnavailableError("no Prefect server is configured")
    try:
        yield
    except PrefectHTTPStatusError as error:
        raise RunsUnavailableError(f"Prefect: HTTP {error.response.status_code}") from error
    except (httpx.HTTPError, PrefectException, RuntimeError) as error:
        raise RunsUnavailableError(f"Prefect: {type(error).__name__}") from error


async def create(
    deployment: str,
    parameters: Mapping[str, Any],
    *,
    key: str,
    tags: Sequence[str] = (),
    at: datetime | None = None,
    name: str | None = None,
) -> FlowRun:
    """A run of a deployment, now or at its time; the same `key` is the same run."""
    with heard():
        async with get_client() as client:
            found = await client.read_deployment_by_name(deployment)
            return await client.create_flow_run_from_deployment(
                found.id,
                parameters=dict(parameters),
                state=Scheduled(scheduled_time=at) if at is not None else Scheduled(),
                idempotency_key=key,
                tags=list(tags),
                name=name,
            )


async def read(run_id: str) -> FlowRun | None:
    """The run, None when the server knows none of that id."""
    with heard():
        async with get_client() as client:
            try:
                return await client.read_flow_run(UUID(run_id))
            except ObjectNotFound:
                return None


async def resume(run_id: str, said: Mapping[str, Any]) -> str:
    """Resume a suspended run with its form filled in; what stood in the way, empty when nothing."""
    with heard():
        async with get_client() as client:
            result = await client.resume_flow_run(UUID(run_id), run_input=dict(said))
    if result.status == SetStateStatus.ACCEPT:
        return ""
    return str(getattr(result.details, "reason", None) or result.status.value)


async def take_up(run_id: str) -> None:
    """Have a run that died, or sleeps without need, executed again from its top.

    Forced: a run that ended, hangs in Running since its process was killed, or is suspended with a
    form nobody needs any more.
    """
    with heard():
        async with get_client() as client:
            state = Scheduled(name="Resuming")
            await client.set_flow_run_state(UUID(run_id), state, force=True)


async def rename(run_id: str, name: str) -> None:
    """The run's name is where people read how far the swap is."""
    with heard():
        async with get_client() as client:
            await client.update_flow_run(UUID(run_id), name=name)


async def rename_state(run_id: str, name: str) -> None:
    """Another name for the state of a suspended run; its form stays as it is."""
    with heard():
        async with get_client() as client:
            run = await client.read_flow_run(UUID(run_id))
            if run.state is None or not run.state.is_paused() or run.state.name == name:
                return
            details = run.state.state_details
            state = Paused(
                name=name,
                reschedule=True,
                pause_key=details.pause_key,
                state_details={"run_input_keyset": details.run_input_keyset},
            )
            await client.set_flow_run_state(UUID(run_id), state, force=True)


async def response(run_id: str, wait_key: str) -> dict[str, Any] | None:
    """What was filled into the form of that key, None while nothing was."""
    with heard():
        keys = keyset_from_base_key(wait_key)
        found = await aread_flow_run_input(keys["response"], flow_run_id=UUID(run_id))
    return dict(found) if isinstance(found, dict) else None


async def introduce(run_id: str, wait_key: str, text: str) -> None:
    """What stands above the form of that key, in place of what stood there."""
    key = keyset_from_base_key(wait_key)["description"]
    with heard():
        async with get_client() as client:
            await _forget(client, UUID(run_id), key)
            await acreate_flow_run_input(key=key, value=text, flow_run_id=UUID(run_id))


async def _forget(client: PrefectClient, run_id: UUID, key: str) -> None:
    with contextlib.suppress(ObjectNotFound):
        try:
            await client.delete_flow_run_input(run_id, key)
        except PrefectHTTPStatusError as error:
            if error.response.status_code != httpx.codes.NOT_FOUND:
                raise


def emit(what: str, swap_id: str, run_id: str | None, payload: Mapping[str, Any]) -> None:
    """An event `cpe.swap.<what>` for Prefect's automations; none without a server."""
    if not get_current_settings().api.url:
        return
    related = []
    if run_id is not None:
        run = f"prefect.flow-run.{run_id}"
        related = [{"prefect.resource.id": run, "prefect.resource.role": "swap"}]
    emit_event(
        f"cpe.swap.{what}",
        resource={"prefect.resource.id": f"cpe.swap.{swap_id}"},
        related=related,
        payload=dict(payload),
    )


async def publish(key: str, markdown: str, description: str) -> None:
    """Post a page as an artifact; Prefect keeps the versions per key."""
    with heard():
        if FlowRunContext.get() is not None or TaskRunContext.get() is not None:
            await acreate_markdown_artifact(markdown=markdown, key=key, description=description)
            return
        # At the desk there is no run, and Prefect's helper will not do without one for ever.
        page = ArtifactCreate(key=key, type="markdown", description=description, data=markdown)
        async with get_client() as client:
            await client.create_artifact(page)
