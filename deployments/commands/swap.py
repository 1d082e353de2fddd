"""`cpe swap …`: ask at the desk, print the swap, exit as the design says."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any, Final

from pydantic import ValidationError

from cpe.domain.errors import InputRefusedError
from cpe.domain.swap_errors import (
    SwapError,
    SwapNotFoundError,
    SwapRaceError,
    SwapRefusedError,
    SwapUnavailableError,
    TransitionRefusedError,
)
from cpe.profiles.check import check_profiles
from cpe.profiles.loading import describe
from cpe.settings import DiagnosisSettings, ErpSettings, StoreSettings, SwapSettings
from deployments.commands.console import complain, out, print_json
from deployments.commands.exits import BAD_INPUT, DONE, NOT_FOUND, REFUSED, UNREACHABLE
from deployments.commands.orchestra import quiet_console
from deployments.commands.swap_show import show_many, show_one, show_report
from deployments.commands.whoami import whoami

Json = dict[str, Any]
WAIT_S: Final = 180.0
UNKNOWN: Final = ("unknown_serial", "no_diagnostic_swap")


def start(fields: Json, *, as_json: bool) -> int:
    """Open a swap, then follow it until a person has the next word. 5 when the guard stopped it."""

    async def ask() -> Json:
        from deployments.swaps import desk  # noqa: PLC0415 - a second of Prefect

        asked = {**fields, "requested_by": fields["requested_by"] or whoami()}
        opened = await desk.start(desk.SwapRequest(**asked))
        return await _carried(opened)

    return _run(ask, as_json=as_json)


def answer(swap_id: str, fields: Json, *, as_json: bool) -> int:
    """The bench result."""

    async def ask() -> Json:
        from deployments.swaps import desk  # noqa: PLC0415

        return await _carried(await desk.answer(swap_id, desk.BenchAnswer(**fields)))

    return _run(ask, as_json=as_json)


def give_back(swap_id: str, fields: Json, *, as_json: bool) -> int:
    """The removed unit went back to the customer."""
    return answer(swap_id, {**fields, "result": "returned"}, as_json=as_json)


def override(swap_id: str, fields: Json, *, as_json: bool) -> int:
    """A named person lets a stopped swap through, or gives it up."""

    async def ask() -> Json:
        from deployments.swaps import desk  # noqa: PLC0415

        return await _carried(await desk.override(swap_id, desk.OverrideAnswer(**fields)))

    return _run(ask, as_json=as_json)


def resume(swap_id: str, *, as_json: bool) -> int:
    """Take up a swap whose run died."""

    async def ask() -> Json:
        from deployments.swaps import desk  # noqa: PLC0415

        try:
            return await _carried(await desk.resume(swap_id))
        except SwapUnavailableError:
            return await desk.drive(swap_id)

    return _run(ask, as_json=as_json)


def show(swap_id: str, *, as_json: bool) -> int:
    """Print one swap whole."""

    async def ask() -> Json | None:
        from deployments.swaps import desk  # noqa: PLC0415

        return await desk.show(swap_id)

    return _run(ask, as_json=as_json, only_looks=True)


def listed(state: str | None, serial: str | None, limit: int, *, as_json: bool) -> int:
    """Print swaps, newest first, one document a line."""

    async def ask() -> list[Json]:
        from deployments.swaps import desk  # noqa: PLC0415

        return await desk.listed(state=state, serial=serial, limit=limit)

    return _run(ask, as_json=as_json, only_looks=True)


def report(days: int | None, *, as_json: bool) -> int:
    """Print the no-fault-found ledger."""

    async def ask() -> Json:
        from deployments.swaps import desk  # noqa: PLC0415

        return await desk.report(days=days)

    return _run(ask, as_json=as_json, only_looks=True)


async def _carried(opened: Json) -> Json:
    """Wait for the swap's run; without Prefect, or without a worker, do here what can be done."""
    from deployments.swaps import desk  # noqa: PLC0415

    swap_id = opened["id"]
    if _settled(opened):
        return opened
    if opened["run"]["flow_run_id"] is None or not _has_prefect():
        return await desk.drive(swap_id)
    return await desk.wait(swap_id, within_s=WAIT_S)


def _settled(swap: Json) -> bool:
    return swap["waits_for"] is not None or swap["closed_at"] is not None


def _has_prefect() -> bool:
    from prefect.settings import get_current_settings  # noqa: PLC0415

    return bool(get_current_settings().api.url)


def _run(ask: Callable[[], Awaitable[Any]], *, as_json: bool, only_looks: bool = False) -> int:
    quiet_console()
    for settings in (ErpSettings, StoreSettings, SwapSettings):
        settings()  # a mistake is bad input, before anything is asked
    if not only_looks:
        check_profiles()
    try:
        found = _asked(ask, only_looks=only_looks)
    except ValidationError as error:
        complain(describe(error))
        return BAD_INPUT
    except InputRefusedError as error:
        complain(str(error))
        return BAD_INPUT
    except SwapError as error:
        return _refused(error, as_json=as_json)
    if found is None:
        complain("aucun échange de cet identifiant · no swap of that id")
        return NOT_FOUND
    _print(found, as_json=as_json)
    stopped = isinstance(found, dict) and not only_looks and _was_stopped(found)
    return REFUSED if stopped else DONE


def _asked(ask: Callable[[], Awaitable[Any]], *, only_looks: bool) -> Any:
    """Ask, with Prefect's client pointed at a running server when there is one."""
    from contextlib import ExitStack  # noqa: PLC0415

    from deployments.server.state import find_running_server, is_healthy  # noqa: PLC0415

    with ExitStack() as stack:
        configured = os.environ.get("PREFECT_API_URL")
        if configured and not is_healthy(configured):
            complain(f"PREFECT_API_URL {configured} does not answer: going on without Prefect")
            os.environ.pop("PREFECT_API_URL")
        elif not configured and not only_looks and (running := find_running_server()):
            from deployments.server.client import connected  # noqa: PLC0415

            stack.enter_context(connected(running))
        return asyncio.run(_closing(ask))


async def _closing(ask: Callable[[], Awaitable[Any]]) -> Any:
    from tasks.clients import close_clients  # noqa: PLC0415

    try:
        return await ask()
    finally:
        await close_clients()


def _was_stopped(swap: Json) -> bool:
    return swap["state"] in ("awaiting_override", "refused")


def _refused(error: SwapError, *, as_json: bool) -> int:
    complain(str(error))
    if isinstance(error, SwapNotFoundError):
        return NOT_FOUND
    if isinstance(error, SwapRefusedError):
        if error.accepted and not isinstance(error, TransitionRefusedError):  # it says so itself
            complain(f"accepté · accepted: {', '.join(error.accepted)}")
        if as_json:
            print_json(
                {"refused": error.reason, "message": str(error), "accepted": list(error.accepted)}
            )
        if error.reason in UNKNOWN:
            return NOT_FOUND
        return UNREACHABLE if error.reason == "not_configured" else REFUSED
    if isinstance(error, SwapRaceError):
        if as_json:
            print_json({"refused": "race", "message": str(error), "winner": error.winner})
        return REFUSED
    return UNREACHABLE


def _print(found: Any, *, as_json: bool) -> None:
    language = DiagnosisSettings().language
    if as_json:
        for document in found if isinstance(found, list) else [found]:
            print_json(document)
    elif isinstance(found, list):
        show_many(out(), found, language)
    elif found["schema"].startswith("cpe.swap-report/"):
        show_report(out(), found, language)
    else:
        show_one(out(), found, language)
