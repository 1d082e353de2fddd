"""A child process of ours: watched, restarted, logged, ended with us."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from cpe.domain.redaction import redact
from deployments.server.environment import client_environment

QUERY_S = 0.5
"""How often a stock worker asks for runs; Prefect's 10 s would be most of a phone call."""
LOG_BYTES = 5_000_000
LOG_FILES = 3
STOP_TIMEOUT_S = 10.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
LIVED_LONG_S = 60.0
"""A child that lived this long died of something new: the pause starts small again."""

_log = logging.getLogger(__name__)


class UnwritableError(RuntimeError):
    """A file that a child needs cannot be written; the message names it."""


class ChildProcess:
    """A module of ours or another's that is kept running until `stop()`."""

    def __init__(
        self,
        module: Sequence[str],
        name: str,
        api_url: str,
        log_file: Path,
        *,
        stop_timeout_s: float = STOP_TIMEOUT_S,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.log_file = log_file
        self.starts = 0
        self._module = module
        self._environment = environment or {}
        self._stop_timeout_s = stop_timeout_s
        self._api_url = api_url
        self._stopping = threading.Event()
        self._child: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self._handler: RotatingFileHandler
        self._thread = threading.Thread(target=self._keep_running, name=name, daemon=True)

    @property
    def pid(self) -> int | None:
        """Of the child that runs now; None between two lives."""
        child = self._child
        return None if child is None or child.poll() is not None else child.pid

    def start(self) -> None:
        """Start once; returns at once, the child is ready some seconds later.

        Raises UnwritableError, and then there is no child.
        """
        try:
            self.log_file.parent.mkdir(parents=True, exist_ok=True)
            self._handler = RotatingFileHandler(
                self.log_file, maxBytes=LOG_BYTES, backupCount=LOG_FILES - 1, encoding="utf-8"
            )
        except OSError as error:
            raise UnwritableError(f"{self.log_file} cannot be written: {error.strerror}") from error
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end and wait; it and its children are killed when they don't."""
        self._stopping.set()
        with self._lock:
            child = self._child
            if child is not None and child.poll() is None:
                child.terminate()
        if child is not None:
            try:
                child.wait(self._stop_timeout_s)
            except subprocess.TimeoutExpired:
                _log.warning("%s did not end in %.0f s: killed", self.name, self._stop_timeout_s)
            # What is left of its group: flow runs that outlived their worker.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        if self._thread.is_alive():
            self._thread.join(STOP_TIMEOUT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _keep_running(self) -> None:
        pause_s = FIRST_PAUSE_S
        with contextlib.closing(self._handler) as handler:
            while not self._stopping.is_set():
                began = time.monotonic()
                try:
                    code: object = self._live_once(handler)
                except OSError as error:  # no memory or no process to be had, for now
                    code = error.strerror
                if self._stopping.is_set():
                    return
                lived_s = time.monotonic() - began
                pause_s = FIRST_PAUSE_S if lived_s > LIVED_LONG_S else pause_s
                if code == 0 and lived_s > LIVED_LONG_S:  # it asked for a new one
                    continue
                _log.error("%s ended (%s), again in %.0f s", self.name, code, pause_s)
                self._stopping.wait(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _live_once(self, handler: RotatingFileHandler) -> int:
        with self._lock:
            if self._stopping.is_set():
                return 0
            self._child = child = self._spawn()
        self.starts += 1
        with child:  # closes the leash and the output
            if child.stdout is not None:
                _copy(child.stdout, handler)
            return child.wait()

    def _spawn(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "deployments.server.leash", *self._module]
        environment = {
            **os.environ,
            **client_environment(self._api_url),
            "PREFECT_WORKER_QUERY_SECONDS": str(QUERY_S),
            "NO_COLOR": "1",
            "PYTHONUNBUFFERED": "1",
            **self._environment,
        }
        return subprocess.Popen(  # noqa: S603 # our own interpreter, no shell, no foreign input
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            # Its own group: Ctrl-C in our terminal is ours to answer, and flow runs die with it.
            start_new_session=True,
        )


def _copy(lines: IO[str], handler: RotatingFileHandler) -> None:
    for line in lines:
        text = redact(line.rstrip("\n"))
        handler.handle(logging.LogRecord("worker", logging.INFO, "", 0, text, None, None))
