"""What the server's thread does: take the start lock, set the server's settings, run the app.

Prefect's server is imported in there, under its settings: some of its defaults are read at import.
The process may have imported and configured Prefect's client long before.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from prefect.context import SettingsContext, get_settings_context

from deployments.server.database import Database, SchemaStamp
from deployments.server.lock import file_lock
from deployments.server.settings import default_settings, required_settings

if TYPE_CHECKING:
    import uvicorn

LOCK_TIMEOUT_S = 180.0
"""A first start migrates for 5–25 s on two cores; the one behind it waits that long."""


def serve(
    listener: socket.socket,
    *,
    database: Database,
    folder: Path,
    light: bool,
    ready: Callable[[uvicorn.Server], None],
) -> None:
    """Serve until the server that `ready` was given is told to exit. Runs in its own thread."""
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as start_lock:
        start_lock.enter_context(file_lock(folder / "start.lock", timeout_s=LOCK_TIMEOUT_S))
        stamp = SchemaStamp(database)

        def started(server: uvicorn.Server) -> None:
            stamp.write()
            start_lock.close()
            ready(server)

        required = required_settings(
            folder=folder,
            database_url=database.url,
            port=int(listener.getsockname()[1]),
            light=light,
            migrate=not stamp.is_current(),
        )
        with _settings(required, default_settings(folder=folder, light=light)):
            from deployments.server.app import run_app  # noqa: PLC0415 # under these settings

            run_app(listener, database, light=light, started=started)


@contextlib.contextmanager
def _settings(required: dict[str, object], defaults: dict[str, object]) -> Iterator[None]:
    """The server's settings, for this thread and every task and thread it makes."""
    outer = get_settings_context()
    settings = outer.settings.copy_with_update(
        updates=required,  # pyright: ignore[reportArgumentType]
        set_defaults=defaults,  # pyright: ignore[reportArgumentType]
    )
    with SettingsContext(profile=outer.profile, settings=settings):
        yield
