"""Prefect's app behind uvicorn. Importing this imports Prefect's server: see hosting.py."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable

import uvicorn
import uvloop
from fastapi import FastAPI
from prefect.server.api import server as prefect_server
from prefect.server.utilities.messaging.memory import Topic

from deployments.server.csp import ContentSecurityPolicy
from deployments.server.database import Database
from deployments.server.sqlite import database_interface

CLOSE_CONNECTIONS_S = 2
"""uvicorn cancels what is still open then: the UI's and workers' websockets never end by
themselves."""
SETTLE_S = 2.0
BACKLOG = 2048


def run_app(
    listener: socket.socket,
    database: Database,
    *,
    light: bool,
    started: Callable[[uvicorn.Server], None],
) -> None:
    """Serve on `listener` until the server that `started` was given is told to exit."""
    with database_interface(database):
        # ignore_cache: Prefect's cache would hand a stopped server's app to the next one.
        app = prefect_server.create_app(ephemeral=light, ignore_cache=True)
        try:
            # 240-280 ms of CPU a flow run, 300-380 with asyncio's loop and h11 (one pair, noisy).
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(_run(app, listener, started))
        finally:
            _forget(app)


async def _run(
    app: FastAPI, listener: socket.socket, started: Callable[[uvicorn.Server], None]
) -> None:
    config = uvicorn.Config(
        ContentSecurityPolicy(app),
        # We run the lifespan ourselves: uvicorn logs its failure and swallows the reason.
        lifespan="off",
        log_config=None,
        access_log=False,
        # uvicorn's default websocket protocol warns of its own deprecation with websockets 14+.
        ws="websockets-sansio",
        timeout_graceful_shutdown=CLOSE_CONNECTIONS_S,
    )
    server = uvicorn.Server(config)
    async with app.router.lifespan_context(app):
        # From here on a client that connects is kept waiting, not refused, until uvicorn accepts.
        listener.listen(BACKLOG)
        started(server)
        await server.serve(sockets=[listener])
        await _settle()


async def _settle() -> None:
    """Let the recorders take what was published: they drop their queue when they are stopped."""
    deadline = time.monotonic() + SETTLE_S
    while time.monotonic() < deadline:
        waiting = [
            queue.qsize()
            for topic in Topic._topics.values()  # pyright: ignore[reportPrivateUsage]
            for subscription in topic._subscriptions  # pyright: ignore[reportPrivateUsage]
            for queue in (subscription._queue, subscription._retry)  # pyright: ignore[reportPrivateUsage]
        ]
        if not any(waiting):
            break
        await asyncio.sleep(0.02)
    await asyncio.sleep(0)


def _forget(app: FastAPI) -> None:
    """Drop the app from Prefect's process-wide caches, which would keep every app ever made."""
    prefect_server.LIFESPAN_RAN_FOR_APP.discard(app)
    prefect_server.APP_CACHE.clear()
    prefect_server.API_APP_CACHE.clear()
