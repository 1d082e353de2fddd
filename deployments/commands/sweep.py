"""`cpe sweep`: sweep the fleet, print what it found, write the report and the exports."""

from __future__ import annotations

import asyncio
import getpass
import os
import uuid
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cpe.domain.errors import AlreadyRunningError, ProfileError, StoreError
from deployments.commands.console import complain, err, print_json
from deployments.commands.exits import BAD_INPUT, DONE, REFUSED, UNREACHABLE
from deployments.commands.orchestra import hush_task_failures, prefect_api, quiet_console

Json = dict[str, Any]
EXPORTS = (".csv", ".parquet")


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked. `export` is a CSV or Parquet file."""

    as_json: bool = False
    report: Path | None = None
    export: Path | None = None
    worst: int | None = None
    refresh: bool = True


def run(options: Options) -> int:
    """0 done, also when the sweep is incomplete; 4 when no source could be read at all."""
    if said := _unusable(options):
        complain(said)
        return BAD_INPUT
    quiet_console()
    try:
        _check_settings()
    except ProfileError as error:
        complain(" ".join(str(error).split()))
        return BAD_INPUT
    try:
        with prefect_api() as api_url:
            return asyncio.run(_sweep(options, through_prefect=api_url is not None))
    except AlreadyRunningError as error:
        complain(str(error))
        return REFUSED
    except StoreError as error:
        complain(str(error))
        return UNREACHABLE


def _unusable(options: Options) -> str:
    if options.export is not None and options.export.suffix not in EXPORTS:
        return f"--export: {options.export.name} must end with {' or '.join(EXPORTS)}"
    for file in (options.report, options.export):
        if file is None:
            continue
        if not file.absolute().parent.is_dir():
            return f"{file}: there is no such folder"
        if file.is_dir():
            return f"{file}: is a folder"
        if not os.access(file if file.exists() else file.absolute().parent, os.W_OK):
            return f"{file}: cannot be written"
    return ""


def _check_settings() -> None:
    from cpe.profiles.check import check_profiles  # noqa: PLC0415
    from cpe.profiles.thresholds import load_thresholds  # noqa: PLC0415
    from cpe.settings import DiagnosisSettings, StoreSettings, SweepSettings  # noqa: PLC0415
    from tasks.sweep import inventory  # noqa: PLC0415

    SweepSettings()
    StoreSettings()
    check_profiles()
    load_thresholds(DiagnosisSettings().rules)
    inventory()


async def _sweep(options: Options, *, through_prefect: bool) -> int:
    from flows.sweep_request import SweepRequest  # noqa: PLC0415
    from tasks.clients import close_clients  # noqa: PLC0415
    from tasks.sweep import notice  # noqa: PLC0415

    request = SweepRequest(worst=options.worst, refresh=options.refresh, requested_by=_who())
    if err().is_terminal:
        notice.set(_show_progress)
    try:
        answer, judged = await (_recorded(request) if through_prefect else _plain(request))
    finally:
        await close_clients()
    return _tell(answer, judged, options)


async def _recorded(request: Any) -> tuple[Json, Any]:
    from flows.sweep import witness  # noqa: PLC0415
    from flows.sweep_fleet import sweep_fleet  # noqa: PLC0415

    hush_task_failures()
    reached: list[Any] = []
    witness.set(reached.append)
    run: Awaitable[Json] = sweep_fleet(request)
    try:
        answer = await run
    except (StoreError, ProfileError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever Prefect's API did, the sweep is kept
        said = f"{type(error).__name__}: {error}"
        if not reached:
            complain(f"the run failed before its end, going on without Prefect: {said}")
            return await _plain(request)
        complain(f"the sweep ended, but its run was not recorded: {said}")
        return reached[-1].answer, reached[-1].judged
    return answer, reached[-1].judged


async def _plain(request: Any) -> tuple[Json, Any]:
    from flows.conduct import as_function  # noqa: PLC0415
    from flows.sweep import sweep  # noqa: PLC0415

    nowhere: dict[str, str | None] = {"flow_run_id": None, "url": None}
    swept = await sweep(request, str(uuid.uuid4()), nowhere, as_function)
    return swept.answer, swept.judged


def _tell(answer: Json, judged: Any, options: Options) -> int:
    from deployments.commands.sweep_show import show_sweep  # noqa: PLC0415

    if options.as_json:
        print_json(answer)
    else:
        show_sweep(answer)
    try:
        _write(answer, judged, options)
    except OSError as error:
        complain(f"the sweep ended, but {error.filename or 'a file'}: {error.strerror or error}")
        return UNREACHABLE
    return DONE if answer["coverage"]["seen"] else UNREACHABLE


def _write(answer: Json, judged: Any, options: Options) -> None:
    """The files that were asked for. Raises OSError."""
    if options.report is not None:
        from cpe.answer.sweep_html import report  # noqa: PLC0415
        from cpe.settings import SweepSettings  # noqa: PLC0415

        html = report(answer, timezone=SweepSettings().timezone)
        options.report.write_text(html, encoding="utf-8")
    if options.export is not None:
        _export(judged, options.export)


def _export(judged: Any, file: Path) -> None:
    """One line a box: names, places, powers, verdict, a status a rule."""
    from cpe.fleet.export import table  # noqa: PLC0415

    frame = table(judged.conclusion.rows)
    if file.suffix == ".csv":
        frame.to_csv(file, index=False)
    else:
        frame.to_parquet(file, index=False)


def _show_progress(what: str, rows: int, expected: int | None) -> None:
    of = f" / {expected}" if expected else ""
    err().print(f"[dim]{what}: {rows}{of} …[/dim]")


def _who() -> str:
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return "cli"
