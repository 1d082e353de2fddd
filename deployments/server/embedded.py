"""Prefect's server inside this process: a background thread with its own event loop."""

from __future__ import annotations

import atexit
import contextlib
import socket
import threading
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from cpe.domain.redaction import excerpt
from cpe.settings import home
from deployments.server import state

if TYPE_CHECKING:
    import uvicorn

START_TIMEOUT_S = 240.0
STOP_TIMEOUT_S = 15.0


class ServerStartError(RuntimeError):
    """The embedded server did not start; the message says why, without credentials."""


class EmbeddedServer:
    """A Prefect server on 127.0.0.1, on SQLite in `folder` or on the database of a plain URL.

    `port` 0 takes a free one. `light` is for one-shot commands: no UI, no scheduler, only what
    records runs; it doesn't announce itself to other commands. As a context manager (plain or
    async) it also points this process's Prefect client at itself.
    """

    def __init__(
        self,
        *,
        database_url: str | None = None,
        folder: Path | None = None,
        port: int = 0,
        light: bool = False,
    ) -> None:
        self._database_url = database_url
        self._folder = (folder or home() / "prefect").absolute()
        self._port = port
        self._light = light
        self._thread: threading.Thread | None = None
        self._server: uvicorn.Server | None = None
        self._failure: BaseException | None = None
        self._given_up = False
        self._settled = threading.Event()
        self._connection = contextlib.ExitStack()

    @property
    def api_url(self) -> str:
        """What PREFECT_API_URL is for this server; valid once started."""
        return f"http://127.0.0.1:{self._port}/api"

    @property
    def ui_url(self) -> str:
        """Where a person looks; valid once started, nothing there in light mode."""
        return f"http://127.0.0.1:{self._port}/"

    @property
    def folder(self) -> Path:
        """Prefect's home: database, results, leases."""
        return self._folder

    def start(self) -> None:
        """Return when the API answers. Raises ServerStartError, and is then stopped."""
        if self._thread is not None:
            raise ServerStartError("the server has been started already")
        listener = self._listen()
        self._settled.clear()
        self._failure, self._given_up = None, False
        # A daemon: an interpreter that ends without stop() is not held; atexit still stops it.
        self._thread = threading.Thread(
            target=self._host, args=(listener,), name="prefect-server", daemon=True
        )
        self._thread.start()
        atexit.register(self.stop)
        try:
            self._settled.wait(START_TIMEOUT_S)
        except BaseException:  # Ctrl-C
            self.stop()
            raise
        if self._server is None:
            failure = self._failure
            self.stop()
            reason = "no answer in time" if failure is None else _describe(failure)
            raise ServerStartError(f"Prefect's server did not start: {reason}") from failure
        if not self._light:
            state.announce(self.api_url)

    def stop(self) -> None:
        """Stop serving, flush the recorders, close the database. Safe to call again.

        Raises RuntimeError when the thread doesn't end in time. One that never got as far as to
        serve is a daemon that has kept nothing.
        """
        thread, self._thread = self._thread, None
        if thread is None:
            return
        atexit.unregister(self.stop)
        if not self._light:
            state.withdraw()
        self._given_up = True  # a server that is only now ready exits by itself
        if served := self._server is not None:
            self._server.should_exit = True
        thread.join(STOP_TIMEOUT_S)
        self._server = None
        if thread.is_alive() and served:
            raise RuntimeError("Prefect's server did not stop in time")

    def __enter__(self) -> Self:
        self.start()
        try:
            from deployments.server.client import connected  # noqa: PLC0415 # a second of Prefect

            self._connection.enter_context(connected(self.api_url, folder=self._folder))
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._connection.close()
        finally:
            self.stop()

    async def __aenter__(self) -> Self:
        # Settings are bound to this context, so this can't move to a thread; a command has
        # nothing else to do while its server starts.
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, trace)

    def _listen(self) -> socket.socket:
        # Bound here and handed over: nobody can take a free port between finding and using it.
        # The protocol is named because asyncio sets TCP_NODELAY only then; without it the body of
        # an answer waits 40 ms for the acknowledgement of its headers (5 such answers a flow run).
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", self._port))
        except OSError as error:
            listener.close()
            raise ServerStartError(f"port {self._port} is taken: {error.strerror}") from error
        self._port = int(listener.getsockname()[1])
        return listener

    def _host(self, listener: socket.socket) -> None:
        try:
            # Imported in the thread: `cpe --help` need not wait for seconds of Prefect.
            from deployments.server.database import choose_database  # noqa: PLC0415
            from deployments.server.hosting import serve  # noqa: PLC0415

            serve(
                listener,
                database=choose_database(self._database_url, self._folder),
                folder=self._folder,
                light=self._light,
                ready=self._on_ready,
            )
        except BaseException as error:  # noqa: BLE001 # a thread's error is reported by start()
            self._failure = error
        finally:
            listener.close()
            self._settled.set()

    def _on_ready(self, server: uvicorn.Server) -> None:
        self._server = server
        if self._given_up:
            server.should_exit = True
        self._settled.set()


def _describe(failure: BaseException) -> str:
    return f"{type(failure).__name__}: {excerpt(str(failure))}"
