"""`cpe demo`: a plant, a server, workers, the hub, and a tour of faulty customers."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from rich.markup import escape

from cpe.access.bridge.find import find_browser, remedy
from cpe.domain.errors import NotConfiguredError
from cpe.profiles.wording import wording
from cpe.settings import DiagnosisSettings, home
from deployments.commands.console import complain, labelled, out
from deployments.commands.demo_swap import hasten, swap_with_follow_up
from deployments.commands.exits import DONE, UNREACHABLE
from deployments.commands.folders import is_ours_to_write
from deployments.commands.orchestra import quiet_console
from deployments.commands.show import (
    COLOURS,
    MARKS,
    not_evaluable,
    short,
    swap_permission,
    tell,
)
from deployments.commands.up import free_or_any, free_port
from deployments.hub.hosting import hosted_hub
from deployments.lab.scenarios import Stop
from deployments.lab.serve import running_lab
from deployments.lab.web_server import write_private
from deployments.server.batch import BatchWorker
from deployments.server.child import UnwritableError
from deployments.server.deploy import POOL, DeployError, register_deployments
from deployments.server.embedded import EmbeddedServer, ServerStartError
from deployments.server.worker import start_warm_worker

Json = dict[str, Any]
WRONG_VERDICT = 1
NOT_OF_THE_LAB = (
    "CPE_ACS_TOKEN",
    "CPE_RULES",
    "CPE_PROFILES",
    "CPE_FRESHNESS_S",
    "CPE_BRIDGE_SERVICE",
    "CPE_BRIDGE_BROWSER",
    "CPE_HUB_TOKENS",
    "CPE_HUB_CALLBACK_URL",
)
OF_THE_OPERATOR = ("CPE_ERP_", "CPE_SWAP_")
"""What the operator's own ERPNext calls things is not what the lab's does."""


def run(*, once: bool, devices: int, port: int, hub_port: int) -> int:
    """0 when every verdict of the tour is the planted one."""
    quiet_console()
    try:
        return asyncio.run(_demo(once=once, devices=devices, port=port, hub_port=hub_port))
    except (ServerStartError, DeployError, UnwritableError) as error:
        complain(str(error))
        return UNREACHABLE


async def _demo(*, once: bool, devices: int, port: int, hub_port: int) -> int:
    console, folder = out(), home() / "demo"
    if not is_ours_to_write(folder):
        return UNREACHABLE
    started = time.monotonic()
    async with AsyncExitStack() as stack:
        lab = await stack.enter_async_context(running_lab(devices=devices, folder=folder))
        exports = {**lab.exports(), "CPE_DATABASE_URL": f"sqlite:///{folder / 'cpe.db'}"}
        _enter_lab(exports)
        hasten()
        console.print(f"[dim]lab: {devices} CPE, {len(lab.agents)} OLT, ERP[/dim]")
        _say_without_browser()
        server = EmbeddedServer(port=free_or_any(port), folder=folder / "prefect")
        await stack.enter_async_context(server)
        console.print(f"[dim]Prefect {server.ui_url} ({time.monotonic() - started:.0f} s)[/dim]")
        await asyncio.to_thread(register_deployments, server.api_url)
        worker = stack.enter_context(start_warm_worker(POOL, server.api_url))
        stack.enter_context(BatchWorker(server.api_url))
        hub = stack.enter_context(hosted_hub(server.api_url, port=free_port(hub_port)))
        wrong = await _tour(lab.tour())
        wrong += not await swap_with_follow_up(lab)
        environment = _write_environment(folder, exports)
        console.print(
            f"\nPrefect UI   {server.ui_url}\n"
            f"Formulaire   diagnose-cpe / on-demand → Run → Custom run\n"
            f"Hub          {hub.url}/devices/LAB0001\n"
            f"Jeton        {hub.tokens_file} (demandé par la page · the page asks for it)\n"
            f"Terminal     set -a; . {environment}; cpe diagnose LAB0001; cpe swap list\n"
            f"Worker       {worker.log_file}",
            markup=False,
            soft_wrap=True,
        )
        if not once:
            await _until_asked()
        await _close()
    return WRONG_VERDICT if wrong else DONE


def _enter_lab(exports: dict[str, str]) -> None:
    """This process and its worker see the lab and nothing of the operator's systems."""
    for name in [*NOT_OF_THE_LAB, *(n for n in os.environ if n.startswith(OF_THE_OPERATOR))]:
        os.environ.pop(name, None)
    os.environ.update(exports)


def _say_without_browser() -> None:
    """One line when no Chromium is there to open the boxes' own admin pages."""
    try:
        find_browser(None)
    except NotConfiguredError:
        words = wording().labels["no_browser"].fill(command=remedy())
        said = words.of(DiagnosisSettings().language)
        out().print(f"! {said}", markup=False, style="yellow", soft_wrap=True)


def _write_environment(folder: Path, exports: dict[str, str]) -> Path:
    file = folder / "lab.env"
    write_private(file, "".join(f"{name}='{value}'\n" for name, value in exports.items()))
    return file


async def _tour(stops: list[Stop]) -> int:
    """Diagnose every stop, one after the other, as a CSR would; how many verdicts were wrong."""
    from flows.direct import diagnose_here  # noqa: PLC0415 - under the server's settings
    from flows.request import DiagnosisRequest  # noqa: PLC0415

    wrong = 0
    for stop in stops:
        answer = await diagnose_here(DiagnosisRequest(serial=stop.serial, requested_by="demo"))
        as_planted = answer["verdict"]["code"] == stop.expected
        wrong += not as_planted
        _print_stop(stop, answer, as_planted=as_planted)
    return wrong


def _print_stop(stop: Stop, answer: Json, *, as_planted: bool) -> None:
    console, language = out(), DiagnosisSettings().language
    verdict = answer["verdict"]
    colour = COLOURS[verdict["status"]]
    mark = "[green]✓[/green]" if as_planted else f"[red]✗ {stop.expected}[/red]"
    console.print(
        f"\n{mark} [bold]{escape(stop.serial)}[/bold] [dim]{stop.scenario}[/dim] → "
        f"[{colour}]{verdict['code']}[/{colour}] · {short(verdict['code'], language)} · "
        f"{swap_permission(verdict, language)} [dim]{answer['duration_ms']} ms[/dim]",
        soft_wrap=True,
    )
    wraps_itself = not console.is_terminal  # a terminal gets whole words, a file whole lines
    console.print(f"  {verdict['text'][language]}", markup=False, soft_wrap=wraps_itself)
    because = [f for f in answer["findings"] if f["rule"] in verdict["because"]]
    lines: dict[str, None] = {}
    for finding in because:
        for item in finding["evidence"][:4]:
            told = tell(item, language)
            mark = MARKS["ok"] if item["fits"] else MARKS[finding["status"]]
            expected = wording().labels["expected"].fill().of(language).lower()
            wanted = f"({expected} {told.expected}, {told.source})"
            words = (mark, told.what, told.subject, "=", told.actual, wanted)
            lines[" ".join(word for word in words if word)] = None
    for line in lines:
        console.print(f"  {line}", markup=False, style="dim", soft_wrap=True)
    if missing := not_evaluable(verdict, language):
        label = wording().labels["could_not"].fill().of(language)
        told_missing = labelled(label, missing, language)
        console.print(f"  ? {told_missing}", markup=False, style="dim", soft_wrap=True)
    console.print(f"  {answer['run']['url']}", markup=False, style="dim", soft_wrap=True)


async def _until_asked() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    out().print("Ctrl-C pour arrêter · to stop")
    await stop.wait()


async def _close() -> None:
    from tasks.clients import close_clients  # noqa: PLC0415

    await close_clients()
