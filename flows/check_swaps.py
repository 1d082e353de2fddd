"""Do ERPNext and the ACS say of waiting swaps what we say? And what does the ledger say?"""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.artifacts import acreate_table_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed

from cpe.answer.swap_report import report_rows
from cpe.domain.swap_ledger import ledger
from flows.conduct import as_task_run
from flows.final_state import IN_THE_WAY, LATER, put_off
from flows.swap_check import look_for_removed_units, reconcile
from flows.swap_show import show
from tasks import swap_book as book
from tasks.swap_clock import now


@flow(
    name="check-swaps",
    flow_run_name="rapprochement des échanges",
    description=__doc__,
    timeout_seconds=900,
)
async def check_swaps() -> Any:
    """Rapproche les échanges d'ERPNext, publie le registre · Reconciles swaps, posts the ledger."""
    try:
        return await _check()
    except IN_THE_WAY as error:
        return put_off(error, LATER)


async def _check() -> State[Any]:
    differing = await reconcile(as_task_run)
    seen = await look_for_removed_units(as_task_run)
    for swap_id in {*differing, *seen}:
        await show(swap_id, asleep=True)
    rows = [
        {"Échange · Swap": swap_id, "Différence · Difference": text}
        for swap_id, texts in differing.items()
        for text in texts
    ]
    await acreate_table_artifact(
        rows, key="swap-differences", description="ERPNext ≠ échanges · swaps"
    )
    found = ledger(await (await book.book()).found(), now())
    await acreate_table_artifact(
        report_rows(found),
        key="swap-ledger",
        description="Échanges sans défaut trouvé · No-fault-found ledger",
    )
    name = "Différences" if differing else ("Boîte aperçue" if seen else "Conforme")
    return Completed(name=name, message=f"{len(differing)} / {len(seen)}")
