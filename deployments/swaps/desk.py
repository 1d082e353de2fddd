"""The desk where swaps are asked for: the `cpe swap` command and the hub's HTTP API call it.

The contract
------------
Every function is a coroutine, safe on a loop that serves others, and gives the JSON document
`cpe.swap/1` (`cpe.answer.swap_document` lists its fields) as a plain dict, or raises one of

- `SwapRefusedError`      → 409/422; `.reason` is a code (`cpe.domain.swap_errors.REASONS`),
                            `.accepted` what would have passed. Nothing was written.
- `SwapNotFoundError`     → 404.
- `SwapRaceError`         → 409; somebody else was first, `.winner` is `{by, result, at}`.
- `SwapUnavailableError`  → 503; ERPNext or our database did not answer. Nothing was written, and
                            trying again can help.

All four are `SwapError`, and `str()` of each is one line for people. The request models
(`SwapRequest`, `BenchAnswer`, `OverrideAnswer`) are pydantic and raise ValidationError (→ 422) for
what may not be sent. Ids may be given as a prefix of at least 6 characters.

`start` returns as soon as the swap is opened and its run is created: the guard may still be
diagnosing (`state` `requested`). Poll `show`, or `wait` until the swap waits for a person or has
ended. A swap that the guard stopped is `awaiting_override`, not an error.

The truth is our table plus ERPNext. The Prefect run only carries it: an answer is first written
down (one wins), then the run is resumed; when Prefect is away, the sweep resumes it later, and
`drive` does at once what can be done without it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid4, uuid5

from cpe.answer.swap_document import swap_document
from cpe.answer.swap_report import report_document
from cpe.domain.errors import AccessError, InputRefusedError, StoreError
from cpe.domain.serials import parse_serial
from cpe.domain.swap import ENDED, OPEN, WAITING, Kind, SwapState
from cpe.domain.swap_case import BenchResult, SwapFile
from cpe.domain.swap_errors import (
    SwapError,
    SwapNotFoundError,
    SwapRaceError,
    SwapRefusedError,
    SwapUnavailableError,
    TransitionRefusedError,
)
from cpe.domain.swap_ledger import ledger
from cpe.domain.swap_orphans import Care
from flows import swap_say as say
from flows.conduct import as_function
from flows.swap_drive import SwapBusyError, SwapStuckError, advance
from flows.swap_forms import filled_bench, filled_override
from flows.swap_open import opened, to_be_returned, unavailable
from flows.swap_planning import wake
from flows.swap_request import BenchAnswer, Decision, OverrideAnswer, SwapRequest
from flows.swap_show import show as show_in_prefect
from flows.swap_sweep import give_run, look_after
from tasks import swap_book as book
from tasks.swap_clock import now
from tasks.swap_runs import RunsUnavailableError
from tasks.swap_runs import read as read_run

Json = dict[str, Any]
log: Final = logging.getLogger("cpe.swap")
POLL_S: Final = 0.4


async def start(request: SwapRequest, *, key: str | None = None) -> Json:
    """Open a swap and start its run.

    `key` (an Idempotency-Key header) makes asking twice one swap. A `retour_de_diagnostic` finds
    the open diagnostic swap of the two units and ends it, like `give_back`.
    """
    async with _at_the_desk():
        if request.kind is Kind.RETURN:
            waiting = await to_be_returned(request, as_function)
            return await give_back(waiting.case.id, by=request.requested_by, remarks=request.reason)
        swap_id = str(uuid4() if key is None else uuid5(NAMESPACE_URL, f"swap-key/{key}"))
        file = await opened(request, swap_id, as_function, run_id=None, run_url=None)
        if file.case.flow_run_id is None:
            try:
                await give_run(file.case)
            except RunsUnavailableError as error:
                log.warning("swap %s: it has no run yet: %s", swap_id, error)
        return await _document(swap_id)


async def answer(swap_id: str, said: BenchAnswer) -> Json:
    """The bench result. `not_tested` keeps the swap waiting."""
    async with _at_the_desk():
        file = await say.answer(swap_id, said)
        await _heard(file, filled_bench(said))
        return await _document(file.case.id)


async def give_back(swap_id: str, *, by: str, remarks: str = "") -> Json:
    """The removed unit went back to the customer: `retour_de_diagnostic`."""
    said = BenchAnswer(result=BenchResult.RETURNED, by=by, remarks=remarks)
    return await answer(swap_id, said)


async def override(swap_id: str, said: OverrideAnswer) -> Json:
    """A named person lets a stopped swap through, or gives it up."""
    async with _at_the_desk():
        file = await say.override(swap_id, said)
        await _heard(file, filled_override(said))
        return await _document(file.case.id)


async def resume(swap_id: str) -> Json:
    """Take up a swap whose run died, now; one that is being driven is left alone.

    Raises SwapUnavailableError when Prefect is away (`drive` does without it).
    """
    async with _at_the_desk():
        case = (await book.load(swap_id)).case
        until = await (await book.book()).driven_until(case.id)
        if case.state not in ENDED and (until is None or until <= now()):
            try:
                run = await read_run(case.flow_run_id) if case.flow_run_id else None
                dead = run is None or run.state is None or run.state.is_completed()
                asleep = run is not None and run.state is not None and run.state.is_paused()
                if dead or not (asleep and case.state in WAITING):
                    await look_after(case, Care.CREATE if dead else Care.TAKE_UP, ended=False)
            except RunsUnavailableError as error:
                raise unavailable(str(error)) from error
        return await _document(case.id)


async def drive(swap_id: str) -> Json:
    """Take the swap as far as it goes here and now, without a run; a later run finds it so."""
    async with _at_the_desk():
        file = await book.load(swap_id)
        with contextlib.suppress(SwapBusyError, SwapStuckError):
            file = await advance(file.case.id, as_function)
        return await _document(file.case.id)


async def show(swap_id: str) -> Json | None:
    """The swap, None when nobody knows it."""
    async with _at_the_desk():
        try:
            return await _document(swap_id)
        except SwapNotFoundError:
            return None


async def wait(swap_id: str, *, within_s: float = 60.0) -> Json:
    """The swap once it waits for a person or has ended, or as it is after `within_s`."""
    deadline = asyncio.get_running_loop().time() + within_s
    while True:
        async with _at_the_desk():
            found = await _document(swap_id)
        settled = found["waits_for"] is not None or found["closed_at"] is not None
        if settled or asyncio.get_running_loop().time() >= deadline:
            return found
        await asyncio.sleep(POLL_S)


async def listed(
    *, state: str | None = None, serial: str | None = None, limit: int = 50
) -> list[Json]:
    """Swaps, newest first. `state`: a state, `open` for those that have not ended, None for all.

    Raises SwapRefusedError for a state that does not exist, InputRefusedError for a bad serial.
    """
    states = None if state is None else OPEN if state == "open" else _state(state)
    wanted = parse_serial(serial) if serial is not None else None
    async with _at_the_desk():
        found = await (await book.book()).found(states=states, serial=wanted, limit=limit)
    return [swap_document(file) for file in found]


async def report(*, days: int | None = None) -> Json:
    """The no-fault-found ledger (`cpe.swap-report/1`) of the swaps opened in the last `days`."""
    at = now()
    since = at - timedelta(days=days) if days is not None else None
    async with _at_the_desk():
        found = await (await book.book()).found(since=since)
    return report_document(ledger(found, at), at=at, since=since)


async def _document(swap_id: str) -> Json:
    return swap_document(await book.load(swap_id))


async def _heard(file: SwapFile, filled: dict[str, str]) -> None:
    """The run goes on, or its page and form say what was said."""
    if not await wake(file, filled) and file.case.state in WAITING:
        await show_in_prefect(file.case.id, asleep=True)


def _state(text: str) -> tuple[SwapState, ...]:
    try:
        return (SwapState(text),)
    except ValueError:
        known = tuple(state.value for state in SwapState)
        raise SwapRefusedError(
            f"état inconnu · unknown state: {text!r}", reason="not_accepted", accepted=known
        ) from None


@contextlib.asynccontextmanager
async def _at_the_desk() -> AsyncGenerator[None]:
    """Only the family of errors of the contract leaves."""
    try:
        yield
    except StoreError as error:
        if "more than one swap" in str(error):
            raise SwapNotFoundError(str(error)) from error
        raise unavailable(str(error)) from error
    except AccessError as error:
        raise unavailable(str(error)) from error


__all__ = [
    "BenchAnswer", "BenchResult", "Decision", "InputRefusedError", "Json", "Kind",
    "OverrideAnswer", "SwapError",
    "SwapNotFoundError", "SwapRaceError", "SwapRefusedError", "SwapRequest",
    "SwapUnavailableError", "TransitionRefusedError", "answer", "drive", "give_back", "listed",
    "override", "report", "resume", "show", "start", "wait",
]  # fmt: skip
