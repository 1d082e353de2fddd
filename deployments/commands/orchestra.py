"""A Prefect API to run flows on: the configured one, a running one of ours, or a brief own one."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Iterator

from deployments.commands.console import complain
from deployments.server.embedded import EmbeddedServer, ServerStartError
from deployments.server.environment import prefect_database
from deployments.server.state import find_running_server, is_healthy


def quiet_console() -> None:
    """Prefect's run logs go to the API; the console keeps warnings. Before Prefect is imported."""
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "ERROR")
    os.environ.setdefault("PREFECT_LOGGING_EXTRA_LOGGERS", "cpe")
    os.environ.setdefault("DO_NOT_TRACK", "1")  # else Prefect's notice stands between our lines
    logging.captureWarnings(capture=True)


def hush_task_failures() -> None:
    """A source that failed is told by the answer; its traceback is for the UI, not the terminal."""
    handlers = [*logging.getLogger().handlers, *logging.getLogger("prefect").handlers]
    for handler in handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.addFilter(_for_people)


def _for_people(record: logging.LogRecord) -> bool:
    # A brief server that is stopped while it writes says so with a traceback, and writes again.
    interrupted = record.exc_info and record.exc_info[0] is asyncio.CancelledError
    return record.name != "prefect.task_runs" and not interrupted


def refusal(api_url: str) -> str:
    """What is wrong when Prefect's API does not know us."""
    return f"PREFECT_API_URL {api_url} refuses us: check PREFECT_API_AUTH_STRING (user:password)"


@contextlib.contextmanager
def prefect_api() -> Iterator[str | None]:
    """Point Prefect's client at an API for the block; its URL, or None when there is none.

    A configured API that does not answer is said, and the caller goes on without Prefect.
    """
    configured = os.environ.get("PREFECT_API_URL")
    if configured:
        if not is_healthy(configured):
            complain(f"PREFECT_API_URL {configured} does not answer: going on without Prefect")
            yield None
            return
        yield configured
        return
    from deployments.server.client import connected  # noqa: PLC0415 - a second of Prefect

    if (running := find_running_server()) is not None:
        with connected(running):
            yield running
        return
    server = EmbeddedServer(light=True, database_url=prefect_database())
    try:
        server.__enter__()
    except ServerStartError as error:
        complain(f"{error}: going on without Prefect")
        yield None
        return
    from flows.links import has_ui  # noqa: PLC0415 - a second of Prefect

    token = has_ui.set(False)
    try:
        yield server.api_url
    finally:
        has_ui.reset(token)
        server.__exit__(None, None, None)
