"""One swap, from the door to the day the removed unit is tested: one run that sleeps in between.

When it wakes it begins again here, at its top: the swap's own record says how far it is.
"""

from __future__ import annotations

from typing import Any, Final

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed

from cpe.answer.swap_document import standing, swap_document
from cpe.domain.swap import WAITING, Kind
from cpe.domain.swap_case import BenchResult, SwapFile
from cpe.domain.swap_errors import SwapRaceError, SwapRefusedError, SwapUnavailableError
from cpe.profiles.swap_wording import swap_wording
from flows import swap_say as say
from flows.conduct import as_task_run
from flows.final_state import IN_THE_WAY, LATER, put_off
from flows.links import flow_run_url
from flows.swap_drive import SwapStuckError, advance
from flows.swap_open import opened, to_be_returned
from flows.swap_planning import plan_visits, wake
from flows.swap_request import BenchAnswer, SwapRequest
from flows.swap_show import artifact_key, show
from flows.swap_suspend import hear, sleep
from tasks import swap_book as book
from tasks import swap_runs as runs

NOT_OPENED: Final = "Pas ouvert"
"""A system did not answer at the door: nothing was written, and the form may be sent again."""


@flow(
    name="swap-equipment",
    flow_run_name="{request.old_serial} → {request.new_serial}",
    description=__doc__,
    persist_result=True,
    result_serializer="json",
    validate_parameters=True,
)
async def swap_equipment(request: SwapRequest) -> Any:
    """Échange une boîte · Swaps a box.

    Returns the swap `cpe.swap/1`; the run's final state is named after its outcome.

    Args:
        request: L'échange · The swap.
    """
    try:
        return await _swap(request, str(flow_run.id))
    except IN_THE_WAY as error:  # what is in the way stands with the swap; the round takes it up
        return put_off(error, LATER)


async def _swap(request: SwapRequest, run_id: str) -> State[Any]:
    try:
        if request.kind is Kind.RETURN:
            return await _returned(request)
        swap_id = swap_of(run_id, flow_run.tags)
        file = await opened(
            request, swap_id, as_task_run, run_id=run_id, run_url=flow_run_url(run_id)
        )
    except SwapRefusedError as error:
        return await _refused(run_id, error)
    except SwapUnavailableError as error:
        return put_off(error, NOT_OPENED)
    await _carry(file, run_id)
    file = await hear(file, run_id)
    file = await _as_far_as_it_goes(file.case.id)
    await plan_visits(file)
    await show(file.case.id)
    if file.case.state in WAITING:
        await sleep(file, run_id)
    return _ended(file)


def swap_of(run_id: str, tags: list[str]) -> str:
    """Which swap a run carries: the one its tag names, else its own, started from the form."""
    named = [tag.removeprefix(runs.TAG) for tag in tags or () if tag.startswith(runs.TAG)]
    return named[0] if named else run_id


async def _as_far_as_it_goes(swap_id: str) -> SwapFile:
    try:
        return await advance(swap_id, as_task_run)
    except SwapStuckError:
        await show(swap_id)  # says what is in the way; the sweep tries again
        raise


async def _carry(file: SwapFile, run_id: str) -> None:
    """Note whose run carries the swap now."""
    url = flow_run_url(run_id)
    if file.case.flow_run_id != run_id:
        await book.edited(
            file.case.id,
            lambda c: c.but(flow_run_id=run_id, run_url=url, runs=c.runs + 1, wait_key=None),
        )


async def _returned(request: SwapRequest) -> State[Any]:
    """A retour_de_diagnostic ends the diagnostic swap of the two units, in that swap's own run."""
    file = await to_be_returned(request, as_task_run)
    said = BenchAnswer(result=BenchResult.RETURNED, by=request.requested_by, remarks=request.reason)
    try:
        file = await say.answer(file.case.id, said)
    except SwapRaceError as error:
        raise SwapRefusedError(str(error), reason="not_accepted") from error
    await wake(file)
    name = swap_wording().kinds[Kind.RETURN.value].fill().fr
    return Completed(name=name, message=file.case.run_url, data=swap_document(file))


async def _refused(run_id: str, error: SwapRefusedError) -> State[Any]:
    accepted = f"\n\n→ {', '.join(error.accepted)}" if error.accepted else ""
    await runs.publish(artifact_key(run_id), f"# {error.message}{accepted}\n", error.reason)
    name = swap_wording().states["refused"].fill().fr
    data = {"refused": error.reason, "message": error.message, "accepted": list(error.accepted)}
    return Completed(name=name, message=error.message, data=data)


def _ended(file: SwapFile) -> State[Any]:
    said = standing(file.case)
    return Completed(name=said.fr, message=file.case.problem or said.en, data=swap_document(file))
