"""A warm worker until SIGTERM or SIGINT: `python -m deployments.warm POOL [--limit N]`.

The loop runs beside the main thread: Prefect would otherwise answer SIGTERM by an exception in the
middle of whatever flow runs. PREFECT_API_URL says where the server is.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import contextvars
import logging
import os
import sys
import threading
from pathlib import Path
from typing import Final

import uvloop

from deployments.server.signals import stop_signals

PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
MAX_RSS_MB: Final = 1500
RSS_EVERY_S: Final = 15.0
DRAIN_S: Final = 20.0
"""For runs in flight when the worker is asked to stop; a diagnosis takes 0.3-15 s."""

_log = logging.getLogger("deployments.warm")


def main(arguments: list[str]) -> int:
    """0 when asked to stop, or when the process has grown and a new one should take over."""
    options = argparse.ArgumentParser(prog="deployments.warm", description=__doc__)
    options.add_argument("pool")
    options.add_argument("--limit", type=int, default=50, help="flow runs at once")
    options.add_argument("--max-rss-mb", type=int, default=MAX_RSS_MB)
    options.add_argument("--drain-s", type=float, default=DRAIN_S, help="for runs in flight")
    chosen = options.parse_args(arguments)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)
    # Off by default: Prefect's workers leave a wish to cancel to the run's own process.
    os.environ.setdefault("PREFECT_WORKER_ENABLE_CANCELLATION", "true")
    failed: list[BaseException] = []
    with stop_signals() as asked:
        ended = threading.Event()

        def life() -> None:
            try:
                contextvars.copy_context().run(_live, chosen, asked)
            except BaseException as error:  # noqa: BLE001 - told by the main thread
                failed.append(error)
            finally:
                ended.set()

        threading.Thread(target=life, name="worker-loop", daemon=True).start()
        ended.wait()
    if failed:
        _log.error("the worker ended", exc_info=failed[0])
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    # A flow's thread that was abandoned must not hold the process.
    os._exit(1 if failed else 0)


def _live(chosen: argparse.Namespace, asked: threading.Event) -> None:
    from deployments.server.client import connected  # noqa: PLC0415 - a second of Prefect

    logging.getLogger("prefect.task_runs").addFilter(_tells_something)
    with (
        connected(os.environ["PREFECT_API_URL"]),
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        runner.run(_serve(chosen, asked))


def _tells_something(line: logging.LogRecord) -> bool:
    """Not that a task run completed, which its state tells: five of a diagnosis's eight lines."""
    return line.getMessage() != "Finished in state Completed()"


async def _serve(chosen: argparse.Namespace, asked: threading.Event) -> None:
    from deployments.warm.client import SparingContext  # noqa: PLC0415
    from deployments.warm.warmth import close, warm_up  # noqa: PLC0415
    from deployments.warm.watchdog import Watchdog  # noqa: PLC0415
    from deployments.warm.worker import WarmWorker  # noqa: PLC0415

    stop = asyncio.Event()
    async with SparingContext() as context:
        worker = WarmWorker(chosen.pool, context.sparing, limit=chosen.limit)
        await warm_up(worker.catalogue, context.client, chosen.pool)
        watchdog = Watchdog(asyncio.get_running_loop())
        watchdog.start()
        life = asyncio.create_task(worker.serve(stop, drain_s=chosen.drain_s))
        watch = asyncio.create_task(_until(asked, stop, chosen.max_rss_mb))
        try:
            await life
        finally:
            watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watch
            watchdog.stop()
            await close()


async def _until(asked: threading.Event, stop: asyncio.Event, max_rss_mb: int) -> None:
    """Set `stop` when a signal came, or when the process has grown out of bounds."""
    loop = asyncio.get_running_loop()
    look_at = loop.time() + RSS_EVERY_S
    while not asked.is_set():
        await asyncio.sleep(0.1)
        if loop.time() > look_at:
            look_at = loop.time() + RSS_EVERY_S
            if (used := rss_mb()) > max_rss_mb:
                logging.getLogger("deployments.warm").warning(
                    "%d MB: a new worker takes over", used
                )
                break
    stop.set()


def rss_mb() -> int:
    """Resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * PAGE_BYTES // 1_000_000


if __name__ == "__main__":
    main(sys.argv[1:])
