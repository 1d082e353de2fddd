"""Disk is bounded: what is older than CPE_KEEP_DAYS goes, every night.

Tasks that runs which were cut off left at the ACS go as well.
"""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.logging import get_run_logger
from prefect.states import Completed

from cpe.domain.errors import StoreError
from cpe.settings import StoreSettings
from flows.conduct import as_task_run
from flows.final_state import put_off
from tasks.tidying import clear_acs_leftovers, prune_results, prune_store


@flow(
    name="tidy-up",
    flow_run_name="tidy up",
    description=__doc__,
    timeout_seconds=3600,
    persist_result=False,
)
async def tidy_up() -> Any:
    """Efface les diagnostics et résultats trop vieux · Deletes diagnoses and results too old.

    Prefect's own history is vacuumed by its server; a swap that waits loses nothing, for its
    truth is in our tables, which this leaves alone.
    """
    keep_days = StoreSettings().keep_days
    files = await prune_results(keep_days)
    cleared = await clear_acs_leftovers()
    try:
        diagnoses = await as_task_run(prune_store, keep_days)
    except (StoreError, TimeoutError) as error:
        get_run_logger().warning("result files deleted: %d; database: %s", files, error)
        return put_off(error)
    said = f"{diagnoses} diagnostics, {files} résultats effacés · deleted (> {keep_days} d)"
    if cleared is not None and cleared.seen:
        said += f" · ACS : {cleared.removed}/{cleared.seen} tâches oubliées · left tasks removed"
    return Completed(name="Tidied", message=said)
