"""What a worker does before its first run, so that no customer waits for it."""

from __future__ import annotations

import contextlib
import logging

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import WorkPoolFilter, WorkPoolFilterName

from cpe.domain.errors import AccessError, StoreError
from cpe.domain.redaction import excerpt
from deployments.warm.catalogue import CannotServeError, Catalogue
from tasks import clients

_log = logging.getLogger(__name__)


async def warm_up(catalogue: Catalogue, client: PrefectClient, pool: str) -> None:
    """Import the pool's flows, open our database and the ACS's connections. Fails at nothing."""
    with contextlib.suppress(AccessError):
        clients.acs()
    try:
        await clients.store()
    except StoreError as error:
        _log.warning("%s", error)
    try:
        deployments = await client.read_deployments(
            work_pool_filter=WorkPoolFilter(name=WorkPoolFilterName(any_=[pool]))
        )
    except Exception as error:  # noqa: BLE001 - the API is away; flows are imported when needed
        _log.warning("no deployments read: %s", excerpt(repr(error)))
        return
    for deployment in deployments:
        try:
            await catalogue.load(deployment.entrypoint or "")
        except CannotServeError as error:
            _log.warning("%s", error)


async def close() -> None:
    """Close what flows opened on this loop."""
    await clients.close_clients()
