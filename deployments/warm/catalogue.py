"""The flows this process knows, by deployment. A deployment is asked for again after a while."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final
from uuid import UUID

from prefect import Flow
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.responses import DeploymentResponse
from prefect.flows import load_flow_from_entrypoint

from cpe.domain.redaction import redact

TRUSTED_S: Final = 30.0
"""A deployment that is registered anew with another entrypoint is seen this late at most."""


class CannotServeError(Exception):
    """This worker cannot run a deployment; the message tells whoever reads the run why."""


class Catalogue:
    """Deployments read from the API, flows imported once and kept."""

    def __init__(self, client: PrefectClient) -> None:
        self._client = client
        self._deployments: dict[UUID, tuple[float, DeploymentResponse]] = {}
        self._flows: dict[str, Flow[Any, Any]] = {}

    async def flow(self, deployment_id: UUID | None) -> Flow[Any, Any]:
        """The flow of a deployment. Raises CannotServeError."""
        if deployment_id is None:
            raise CannotServeError("a run without a deployment has no flow to load")
        deployment = await self._deployment(deployment_id)
        if deployment.pull_steps:
            raise CannotServeError(
                f"deployment {deployment.name} has pull steps: only a process worker runs them"
            )
        if not deployment.entrypoint:
            raise CannotServeError(f"deployment {deployment.name} names no entrypoint")
        return await self.load(deployment.entrypoint)

    async def load(self, entrypoint: str) -> Flow[Any, Any]:
        """The flow of an entrypoint, imported at first use. Raises CannotServeError."""
        if (known := self._flows.get(entrypoint)) is not None:
            return known
        try:
            # In a thread: importing a flow's libraries takes seconds, and others are running.
            flow = await asyncio.to_thread(
                load_flow_from_entrypoint, entrypoint, use_placeholder_flow=False
            )
        except (Exception, SystemExit) as error:  # a module of somebody else may raise anything
            said = redact(f"{type(error).__name__}: {error}")
            raise CannotServeError(f"{entrypoint} cannot be loaded: {said}") from error
        if flow.isgenerator:
            raise CannotServeError(f"{entrypoint} is a generator: only a process worker runs it")
        self._flows[entrypoint] = flow
        return flow

    async def _deployment(self, deployment_id: UUID) -> DeploymentResponse:
        read_at, known = self._deployments.get(deployment_id, (0.0, None))
        if known is None or time.monotonic() - read_at > TRUSTED_S:
            known = await self._client.read_deployment(deployment_id)
            self._deployments[deployment_id] = (time.monotonic(), known)
        return known
