"""Workers as children of ours, warm or stock."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence

from cpe.settings import home
from deployments.server.child import STOP_TIMEOUT_S, ChildProcess
from deployments.server.deploy import ensure_pool

WARM_STOP_TIMEOUT_S = 32.0
"""A warm worker lets the runs in flight end first (deployments/warm/worker.py)."""


def start_warm_worker(pool: str, api_url: str, *, limit: int | None = None) -> ChildProcess:
    """Keep a warm worker on the pool, which is made when it is missing: see `_start`."""
    module = ["deployments.warm", pool]
    if limit is not None:
        module += ["--limit", str(limit)]
    return _start(module, pool, api_url, stop_timeout_s=WARM_STOP_TIMEOUT_S)


def start_process_worker(pool: str, api_url: str, *, niceness: int = 0) -> ChildProcess:
    """Keep Prefect's stock process worker on the pool, which is made when missing: see `_start`.

    Its flow runs are as nice to other processes as it is.
    """
    name = f"{pool}-{socket.gethostname()}-{os.getpid()}"
    module = ["--nice", str(niceness)] if niceness else []
    module += ["prefect", "worker", "start", "--type", "process", "--pool", pool]
    module += ["--install-policy", "never", "--name", name]
    return _start(module, pool, api_url)


def _start(
    module: Sequence[str], pool: str, api_url: str, *, stop_timeout_s: float = STOP_TIMEOUT_S
) -> ChildProcess:
    """Run the module until the result is stopped.

    Output goes, redacted, to `home()/logs/worker-POOL.log` (3 files of 5 MB at most).
    """
    ensure_pool(api_url, pool)
    log_file = home() / "logs" / f"worker-{pool}.log"
    worker = ChildProcess(
        module, f"worker-{pool}", api_url, log_file, stop_timeout_s=stop_timeout_s
    )
    worker.start()
    return worker
