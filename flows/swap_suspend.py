"""The swap's run goes to sleep with its form, and hears what was filled in when it wakes.

Prefect's own `asuspend_flow_run` shows the state before it keeps the form's schema (killed in
between, the run can never be resumed), remembers each form by a key for ever, and calls every
state Suspended. Here the schema is kept first, each sleep has a key of its own that is written
down with the swap, and the state's name says what is waited for.
"""

from __future__ import annotations

from typing import NoReturn
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.exceptions import Pause
from prefect.input import acreate_flow_run_input
from prefect.input.run_input import keyset_from_base_key
from prefect.logging import get_run_logger
from prefect.states import Paused
from prefect.utilities.engine import propose_state

from cpe.answer.swap_page import form_text
from cpe.domain.swap import WAITING, SwapState
from cpe.domain.swap_case import SwapCase, SwapFile
from cpe.domain.swap_errors import SwapRaceError, TransitionRefusedError
from cpe.profiles.swap_wording import swap_wording
from cpe.settings import ErpSettings
from flows import swap_say as say
from flows.swap_forms import BenchForm, OverrideForm, read_form
from flows.swap_request import BenchAnswer
from tasks import swap_book as book
from tasks import swap_runs as runs


async def hear(file: SwapFile, run_id: str) -> SwapFile:
    """Take what was filled into the last form, if it was; the swap as it is then.

    A form that came too late (somebody answered elsewhere) or cannot be read changes nothing; the
    run's log says so.
    """
    case = file.case
    if (key := _last_form(case)) is None:
        return file
    filled = await runs.response(run_id, key)
    if filled is None:
        return file
    log = get_run_logger()
    try:
        said = read_form(filled)
        if isinstance(said, BenchAnswer):
            heard = await say.answer(case.id, said)
        else:
            heard = await say.override(case.id, said)
    except (SwapRaceError, TransitionRefusedError, ValueError) as error:
        log.warning("the form was not taken: %s", error)
        heard = await book.load(case.id)
    await book.edited(case.id, lambda c: c.but(wait_key=None) if c.wait_key == case.wait_key else c)
    return await book.load(heard.case.id)


def _last_form(case: SwapCase) -> str | None:
    """The form that is shown, or that was when somebody answered elsewhere."""
    if case.state in WAITING:
        return case.wait_key
    return _key(case.wait) if case.wait else None


def _key(wait: int) -> str:
    return f"swap-wait-{wait}"


async def sleep(file: SwapFile, run_id: str) -> NoReturn:
    """Suspend the run with the form of what the swap waits for. Never returns.

    Raises Prefect's Pause; RuntimeError when the server does not let it sleep.
    """
    key = _key(file.case.wait + 1)
    case = await book.edited(file.case.id, lambda c: _asking(c, key))
    form = OverrideForm if case.state is SwapState.AWAITING_OVERRIDE else BenchForm
    keys = keyset_from_base_key(key)
    await form.asave(keys, flow_run_id=UUID(run_id))
    shown = form_text(await book.load(case.id), ErpSettings().time_zone)
    await acreate_flow_run_input(keys["description"], shown, flow_run_id=UUID(run_id))
    state = Paused(
        name=state_name(case),
        reschedule=True,
        pause_key=key,
        state_details={"run_input_keyset": keys},
    )
    async with get_client() as client:
        given = await propose_state(client, state, flow_run_id=UUID(run_id))
    if given.is_scheduled():
        # Somebody has the run taken up already, while it still ran: it leaves, and begins again.
        raise Pause(state=given)
    if not given.is_paused():
        raise RuntimeError(f"the run was not suspended: {given.name}")
    if (await book.load(case.id)).case.state not in WAITING:
        # Answered between our look and our sleep, when there was nothing to resume yet.
        await runs.take_up(run_id)
    raise Pause(state=given)


def state_name(case: SwapCase) -> str:
    """What a person reads in the list of runs."""
    return swap_wording().states[case.state.value].fill().fr


def _asking(case: SwapCase, key: str) -> SwapCase:
    return case.but(wait=case.wait + 1, wait_key=key)
