"""What is old goes: rows of our database, results that Prefect never deletes by itself, tasks that
earlier runs left at the ACS."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path

from prefect import task
from prefect.settings import get_current_settings

from cpe.access.genieacs.leftovers import Cleared, clear_all_leftovers
from cpe.domain.errors import AccessError, NotSupportedError
from tasks import clients
from tasks.policy import ONCE, teller

DAY_S = 86_400


@task(
    name="store: prune",
    task_run_name="store: prune after {keep_days} d",
    timeout_seconds=900,
    **ONCE,
)
async def prune_store(keep_days: int) -> int:
    """Delete diagnoses asked for longer ago than that; how many. Raises StoreError."""
    memory = await clients.store()
    return await memory.prune(keep_days=keep_days, now=datetime.now(UTC))


@task(
    name="prefect: prune results",
    task_run_name="prefect: prune results after {keep_days} d",
    timeout_seconds=900,
    **ONCE,
)
async def prune_results(keep_days: int) -> int:
    """Delete result files of this machine last written longer ago than that; how many."""
    folder = get_current_settings().results.local_storage_path
    return await asyncio.to_thread(prune_files, folder, older_than_s=keep_days * DAY_S)


@task(name="acs: clear leftovers", timeout_seconds=900, **ONCE)
async def clear_acs_leftovers() -> Cleared | None:
    """Remove what runs that were cut off left queued at the ACS.

    None when there is no ACS, or when it did not answer to the end: the log says why.
    """
    try:
        return await clear_all_leftovers(clients.acs().nbi)
    except NotSupportedError:
        return None
    except AccessError as error:
        teller()(f"tasks of earlier runs are left at the ACS until tomorrow: {error}")
        return None


def prune_files(folder: Path, *, older_than_s: float) -> int:
    """Delete regular files below `folder` by their modification time; links are left alone.

    A file that somebody else deletes meanwhile, or may not be deleted, does not count.
    """
    limit = time.time() - older_than_s
    gone = 0
    for path in folder.rglob("*"):
        try:
            if path.is_symlink() or not path.is_file() or path.stat().st_mtime >= limit:
                continue
            path.unlink()
        except OSError:
            continue
        gone += 1
    return gone
