"""What the routes work with: one of each for a hub process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Self

from fastapi import Depends, Request

from cpe.store.repository import Store
from deployments.hub.diagnoser import Diagnoser
from deployments.hub.documents import Documents
from deployments.hub.metrics import Metrics
from deployments.hub.prefect_api import PrefectApi
from deployments.hub.swap_desk import SwapDesk
from deployments.hub.watch import Watcher


@dataclass(frozen=True, slots=True)
class Services:
    """Everything behind the routes."""

    store: Store
    prefect: PrefectApi
    watcher: Watcher
    diagnoser: Diagnoser
    documents: Documents
    metrics: Metrics
    desk: SwapDesk
    freshness_s: float

    @classmethod
    def assemble(
        cls, store: Store, prefect: PrefectApi, desk: SwapDesk, *, freshness_s: float
    ) -> Self:
        """All on one database and one Prefect server. They do nothing before `running`."""
        watcher = Watcher(store, prefect)
        return cls(
            store=store,
            prefect=prefect,
            watcher=watcher,
            diagnoser=Diagnoser(store, prefect, watcher),
            documents=Documents(store),
            metrics=Metrics(store, prefect, desk),
            desk=desk,
            freshness_s=freshness_s,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Watch while the block runs; close everything after it."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.store.close)
            stack.push_async_callback(self.prefect.close)
            await stack.enter_async_context(self.watcher.running())
            stack.push_async_callback(self.diagnoser.close)
            yield


async def _services(request: Request) -> Services:  # not in a thread: 0.2 ms a request
    services: Services = request.app.state.services
    return services


Hub = Annotated[Services, Depends(_services)]
