"""One sweep in a process of its own, as `cpe sweep` runs it: times, peak memory, growth; as JSON.

python -m benchmarks.speed.sweep_child [plain|prefect]
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import time
import uuid
from pathlib import Path

BATCH = ("fleet: judge", "store: keep fleet", "store: finish sweep")


def main() -> int:
    from deployments.commands.orchestra import quiet_console  # noqa: PLC0415

    quiet_console()
    done = _through_prefect() if sys.argv[1:] == ["prefect"] else asyncio.run(_plain())
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**done, "peak_mb": peak_mb}))
    return 0


async def _plain() -> dict[str, float]:
    from flows.sweep import sweep  # noqa: PLC0415
    from flows.sweep_request import SweepRequest  # noqa: PLC0415
    from tasks.clients import close_clients  # noqa: PLC0415

    batch_s = 0.0

    async def step(task, *args):
        nonlocal batch_s
        began = time.perf_counter()
        try:
            return await task.fn(*args)
        finally:
            if task.name in BATCH:
                batch_s += time.perf_counter() - began

    began, cpu = time.perf_counter(), time.process_time()
    run = {"flow_run_id": None, "url": None}
    request = SweepRequest(refresh=False, worst=0)
    swept = await sweep(request, str(uuid.uuid4()), run, step)
    took_s = time.perf_counter() - began
    await close_clients()
    covered = swept.answer["coverage"]
    return {
        "total_s": took_s,
        "batch_s": batch_s,
        "cpu_s": time.process_time() - cpu,
        "boxes": covered["seen"],
        "complete": swept.answer["state"] == "complete",
    }


def _through_prefect() -> dict[str, float]:
    """The flow on the embedded server; by how much its database grew."""
    from deployments.server.embedded import EmbeddedServer  # noqa: PLC0415

    folder = Path(os.environ["CPE_HOME"]) / "prefect-server"
    with EmbeddedServer(folder=folder):
        pass  # migrated, nothing in it yet
    before = _size(folder)
    with EmbeddedServer(folder=folder):
        from flows.sweep_fleet import sweep_fleet  # noqa: PLC0415
        from flows.sweep_request import SweepRequest  # noqa: PLC0415

        async def run() -> tuple[float, dict]:
            from tasks.clients import close_clients  # noqa: PLC0415

            began = time.perf_counter()
            answer = await sweep_fleet(SweepRequest(refresh=False, worst=0))
            took_s = time.perf_counter() - began
            await close_clients()
            return took_s, answer

        took_s, answer = asyncio.run(run())
        time.sleep(5)  # its recorders write in batches
    return {
        "total_s": took_s,
        "boxes": answer["coverage"]["seen"],
        "complete": answer["state"] == "complete",
        "grown_mb": (_size(folder) - before) / 1e6,
    }


def _size(folder: Path) -> int:
    """Of Prefect's database, write-ahead log included, once it is all in the file."""
    import sqlite3  # noqa: PLC0415

    [file] = [f for f in folder.rglob("*.db") if f.is_file()]
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        free = connection.execute("PRAGMA freelist_count").fetchone()[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    connection.close()
    return (pages - free) * size


if __name__ == "__main__":
    raise SystemExit(main())
