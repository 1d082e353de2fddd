"""`cpe diagnose`: run the flow, print the answer, exit as the design says."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cpe.domain.errors import InputRefusedError, ProfileError
from cpe.domain.serials import parse_serial
from cpe.settings import DiagnosisSettings
from deployments.commands.console import complain, out, print_json
from deployments.commands.exits import BAD_INPUT, DONE, NOT_FOUND, REFUSED, UNREACHABLE
from deployments.commands.orchestra import hush_task_failures, prefect_api, quiet_console
from deployments.commands.progress import Progress
from deployments.commands.whoami import whoami

AT_ONCE: Final = 4
RECORD_S: Final = 10.0
"""How long a verdict that was reached waits for its run to end: the keeping takes 20-60 ms, a busy
database 5 s."""
ANSWERED: Final = frozenset({"ok", "stale"})
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked besides the serials. Speeds in Mbit/s."""

    as_json: bool = False
    speedtest: bool = False
    measured_mbps: float | None = None
    plan_mbps: float | None = None


def run(serials: Sequence[str], options: Options) -> int:
    """Diagnose in the order asked; the exit code is the worst."""
    wanted: list[str] = []
    for text in serials:
        try:
            wanted.append(parse_serial(text))
        except InputRefusedError as error:
            complain(f"{text[:80]!r}: {error}")
            return BAD_INPUT
    try:
        _check_settings()
    except ProfileError as error:
        complain(" ".join(str(error).split()))
        return BAD_INPUT
    telling = [Progress(serial, DiagnosisSettings().language) for serial in wanted]
    for progress in telling:
        progress.begun()
    quiet_console()
    with prefect_api() as api_url:
        return asyncio.run(_all(wanted, telling, options, api_url))


def _check_settings() -> None:
    from cpe.access.olt.inventory import load_inventory  # noqa: PLC0415
    from cpe.profiles.check import check_profiles  # noqa: PLC0415
    from cpe.profiles.thresholds import load_thresholds  # noqa: PLC0415
    from cpe.settings import (  # noqa: PLC0415
        AcsSettings,
        BridgeSettings,
        OltSettings,
        StoreSettings,
    )

    for settings in (AcsSettings, BridgeSettings, StoreSettings):
        settings()
    check_profiles()
    load_thresholds(DiagnosisSettings().rules)
    if (path := OltSettings().path) is not None:
        load_inventory(path)


async def _all(
    serials: list[str], telling: list[Progress], options: Options, api_url: str | None
) -> int:
    from tasks.clients import close_clients  # noqa: PLC0415

    gate = asyncio.Semaphore(AT_ONCE)

    async def one(serial: str, told: Progress) -> Json:
        async with gate:
            clock = asyncio.create_task(told.keep_telling())
            try:
                return await _diagnose(serial, told, options, through_prefect=api_url is not None)
            finally:
                clock.cancel()

    pending = [asyncio.create_task(one(*pair)) for pair in zip(serials, telling, strict=True)]
    worst = DONE
    try:
        for task in pending:
            answer = await task
            if options.as_json:
                print_json(answer)
            else:
                _show(answer)
            worst = max(worst, exit_code(answer))
    finally:
        await close_clients()
    if worst in (UNREACHABLE, REFUSED):
        complain("nothing answered that could have told more: `cpe doctor` says why")
    return worst


async def _diagnose(
    serial: str, told: Progress, options: Options, *, through_prefect: bool
) -> Json:
    from flows.conduct import answered, progress, witness  # noqa: PLC0415
    from flows.request import DiagnosisRequest  # noqa: PLC0415

    request = DiagnosisRequest(
        serial=serial,
        speedtest=options.speedtest,
        measured_mbps=options.measured_mbps,
        plan_mbps=options.plan_mbps,
        requested_by=whoami(),
    )
    reached: list[Json] = []
    verdict = asyncio.Event()

    def note(answer: Json) -> None:
        reached.append(answer)
        verdict.set()

    witness.set(note)
    progress.set(told.step)
    answered.set(told.answered)
    if not through_prefect:
        return await _without_prefect(request)
    from flows.direct import diagnose_here  # noqa: PLC0415

    hush_task_failures()
    try:
        return await _recorded(diagnose_here(request), verdict)
    except Exception as error:  # noqa: BLE001 - whatever Prefect's API did, a customer waits
        said = f"{type(error).__name__}: {error}"
        if reached:
            complain(f"{serial}: verdict reached, but the run was not recorded: {said}")
            return reached[-1]
        complain(f"{serial}: the run failed before a verdict, going on without Prefect: {said}")
    return await _without_prefect(request)


async def _recorded(run: Awaitable[Json], verdict: asyncio.Event) -> Json:
    """The run's result. Raises TimeoutError when Prefect does not let it end after its verdict."""
    running, reached = asyncio.ensure_future(run), asyncio.ensure_future(verdict.wait())
    try:
        await asyncio.wait({running, reached}, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait({running}, timeout=RECORD_S)
        if running.done():
            return running.result()
    finally:
        reached.cancel()
        running.cancel()
    raise TimeoutError(f"its API did not take it within {RECORD_S:g} s")


async def _without_prefect(request: Any) -> Json:
    from flows.conduct import as_function, diagnose, keep  # noqa: PLC0415

    run: dict[str, str | None] = {"flow_run_id": None, "url": None}
    reached = await diagnose(request.to_domain(), str(uuid.uuid4()), run, as_function)
    if lost := await keep(reached, as_function):
        complain(f"{request.serial}: verdict reached, but not kept: {lost}")
    return reached.answer


def exit_code(answer: Json) -> int:
    """3 nothing knows the serial, 4 no source could be reached, 5 all refused us, else 0."""
    if answer["verdict"]["code"] == "not_found":
        return NOT_FOUND
    outcomes = {s["name"]: s["outcome"] for s in answer["sources"] if s["name"] in ("acs", "olt")}
    if any(outcome in ANSWERED for outcome in outcomes.values()):
        return DONE
    known = answer["device"]["acs_id"] is not None
    if known:
        return DONE
    if outcomes.get("acs") == "refused":
        return REFUSED
    return UNREACHABLE


def _show(answer: Json) -> None:
    from deployments.commands.show import show_answer  # noqa: PLC0415

    show_answer(out(), answer, DiagnosisSettings().language)
