"""A worker for runs that nobody waits for: started when one is due, ended when none has been.

An idle stock worker holds 130 MB and polls; a sweep runs once a night.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Self

import httpx
from prefect.exceptions import PrefectException

from deployments.server.child import ChildProcess, UnwritableError
from deployments.server.deploy import BATCH_POOL, ensure_pool
from deployments.server.worker import start_process_worker

LOOK_S: Final = 5.0
IDLE_S: Final = 300.0
NICENESS: Final = 10
"""On two cores a diagnosis beside a sweep of 100,000 boxes took 2.6 times as long as in quiet."""
_FOR_NOW: Final = (httpx.HTTPError, PrefectException, UnwritableError, ValueError)
"""The server is away, or the disk is full: the next look tries again."""
_STARTED: Final = ["PENDING", "RUNNING", "CANCELLING"]

_log = logging.getLogger(__name__)


class BatchWorker:
    """Watches the pool from a thread; a stock worker serves it while there is something to do."""

    def __init__(
        self,
        api_url: str,
        pool: str = BATCH_POOL,
        *,
        look_s: float = LOOK_S,
        idle_s: float = IDLE_S,
    ) -> None:
        self._api_url, self._pool = api_url, pool
        self._look_s, self._idle_s = look_s, idle_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="batch-worker", daemon=True)
        self.worker: ChildProcess | None = None

    def __enter__(self) -> Self:
        ensure_pool(self._api_url, self._pool)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping.set()
        self._thread.join()

    def _watch(self) -> None:
        needed_at = time.monotonic()
        # trust_env: a proxy of the machine must not answer for our loopback server.
        with httpx.Client(base_url=self._api_url, timeout=10, trust_env=False) as api:
            while not self._stopping.wait(self._look_s):
                try:
                    needed = self._has_work(api)
                    if needed and self.worker is None:
                        self.worker = start_process_worker(
                            self._pool, self._api_url, niceness=NICENESS
                        )
                except _FOR_NOW as error:
                    _log.warning("pool %s: %s", self._pool, type(error).__name__)
                    continue
                if needed:
                    needed_at = time.monotonic()
                elif self.worker is not None and time.monotonic() - needed_at > self._idle_s:
                    self._end_worker()
        self._end_worker()

    def _has_work(self, api: httpx.Client) -> bool:
        now = datetime.now(UTC).isoformat()
        due: dict[str, Any] = {
            "state": {"type": {"any_": ["SCHEDULED"]}},
            "next_scheduled_start_time": {"before_": now},
        }
        begun = {"state": {"type": {"any_": _STARTED}}}
        return any(self._count(api, wanted) for wanted in (due, begun))

    def _count(self, api: httpx.Client, wanted: dict[str, Any]) -> int:
        body = {"flow_runs": wanted, "work_pools": {"name": {"any_": [self._pool]}}}
        return int(api.post("/flow_runs/count", json=body).raise_for_status().json())

    def _end_worker(self) -> None:
        worker, self.worker = self.worker, None
        if worker is not None:
            worker.stop()
