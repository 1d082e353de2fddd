"""Point this process's Prefect client at a server, whether or not Prefect was imported before."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import prefect.context
from prefect.events.worker import EventsWorker
from prefect.logging.handlers import APILogWorker
from prefect.settings import temporary_settings
from prefect.utilities.asyncutils import run_coro_as_sync

from deployments.server.environment import ui_url
from deployments.server.retention import CLIENT_RETENTION


@contextlib.contextmanager
def connected(api_url: str, *, folder: Path | None = None) -> Iterator[None]:
    """Flows and clients in this process use `api_url` for the length of the block.

    Also seen by other threads of the process. `folder` becomes Prefect's home (results are kept
    there); None leaves it. On leaving, logs and events on their way are delivered first.
    """
    updates: dict[str, object] = {
        "api.url": api_url,
        "ui_url": ui_url(api_url),
        **CLIENT_RETENTION,
    }
    if folder is not None:
        updates["home"] = folder
        updates["results.local_storage_path"] = folder / "storage"
    with temporary_settings(updates=updates):  # pyright: ignore[reportArgumentType]
        # temporary_settings is bound to this context; threads and tasks made before it read the
        # process-wide one. Prefect's own test harness does the same.
        context = prefect.context.get_settings_context()
        with (
            prefect.context._temporary_global_settings_context(context),  # pyright: ignore[reportPrivateUsage]
            # A flow run with a name of its own makes two of these otherwise, each on the event
            # loop for 35 ms: it reads the authorities of TLS, for a plain http:// address too.
            prefect.context.SyncClientContext() as held,
        ):
            # And each asks it where results go: on the event loop, 8 ms a time.
            held.client.read_server_default_result_storage = cache(
                held.client.read_server_default_result_storage
            )
            try:
                yield
            finally:
                run_coro_as_sync(_drain())


async def _drain() -> None:
    """Deliver what the client's log and event threads still hold, then end them."""
    with contextlib.suppress(RuntimeError):  # raised when the log worker was never started
        logs = APILogWorker.instance().drain()
        if inspect.isawaitable(logs):
            await logs
    events = EventsWorker.drain_all()
    if inspect.isawaitable(events):
        await events
