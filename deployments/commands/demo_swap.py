"""The demo's swap: a box on a weak fibre is swapped all the same, and the fault stays."""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any, Final

from rich.markup import escape

from cpe.profiles.swap_wording import swap_wording
from cpe.settings import DiagnosisSettings
from deployments.commands.console import out
from deployments.commands.show import short
from deployments.lab.serve import Lab

Json = dict[str, Any]
PACE: Final = {"CPE_SWAP_FOLLOW_UPS_S": "[2]", "CPE_SWAP_LEASE_S": "15"}
"""A follow-up after two seconds instead of half an hour; the week of the test stays a week."""
PATIENCE_S: Final = 45.0
OLD, NEW = "LAB0036", "SPARE01"
"""A customer of no stop of the tour, whose fibre is weak: no swap will help."""


def hasten() -> None:
    """Before the worker starts: it takes its environment from ours."""
    os.environ.update(PACE)


async def swap_with_follow_up(lab: Lab) -> bool:
    """Start, override, install, follow up, answer; whether it ended as it should."""
    from deployments.swaps import desk  # noqa: PLC0415 - under the server's settings

    began = time.monotonic()
    lab.set_scenario(OLD, "weak-fibre")
    out().print(
        "\n[bold]Un échange, de la porte au banc · A swap, from the door to the bench[/bold]"
    )
    swap = await desk.start(
        desk.SwapRequest(
            kind=desk.Kind.DIAGNOSTIC,
            old_serial=OLD,
            new_serial=NEW,
            requested_by="Luc (technicien)",
            reason="Le client dit que ça coupe",
        )
    )
    swap = await _until(swap["id"], "override", "test")
    _say(swap, f"garde : {_verdict(swap['diagnosis']['verdict'])}" if swap["diagnosis"] else "")
    if swap["waits_for"] == "override":
        said = desk.OverrideAnswer(
            decision=desk.Decision.OVERRIDE, by="Anne (chef d'équipe)", reason="Le client insiste"
        )
        await desk.override(swap["id"], said)
        swap = await _until(swap["id"], "test")
        _say(swap, swap["task"]["name"] if swap["task"] else "")
    lab.plant.install(OLD, NEW)
    swap = await _until_followed_up(swap["id"])
    for one in swap["follow_ups"]:
        if one["says"]:
            said_of = swap_wording().says[one["says"]].fill()
            _say(swap, f"{_verdict(one['verdict'])} — {said_of.of(DiagnosisSettings().language)}")
    answer = desk.BenchAnswer(result=desk.BenchResult.PASSED, by="Marc (entrepôt)")
    await desk.answer(swap["id"], answer)
    swap = await _until(swap["id"])
    _say(swap, f"{swap['old']['serial']} → {swap['old']['status']['after']}")
    out().print(f"  {swap['run']['url']}", markup=False, style="dim", soft_wrap=True)
    out().print(f"[dim]  {time.monotonic() - began:.0f} s[/dim]")
    return swap["outcome"] == "passed"


async def _until(swap_id: str, *wanted: str) -> Json:
    """The swap once it waits for that, or has ended. A run that is slow to come is not waited for:
    what it would do is done here, and it finds it done."""
    from deployments.swaps import desk  # noqa: PLC0415

    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        swap = await desk.wait(swap_id, within_s=1.0)
        if swap["waits_for"] in wanted or swap["closed_at"] is not None:
            return swap
    return await desk.drive(swap_id)


async def _until_followed_up(swap_id: str) -> Json:
    from deployments.swaps import desk  # noqa: PLC0415

    deadline = time.monotonic() + PATIENCE_S
    while True:
        swap = await desk.wait(swap_id, within_s=0)
        if all(one["done_at"] for one in swap["follow_ups"]) or time.monotonic() > deadline:
            return swap
        await asyncio.sleep(0.4)


def _verdict(code: str | None) -> str:
    return short(code, DiagnosisSettings().language) if code else "–"


def _say(swap: Json, more: str) -> None:
    language = DiagnosisSettings().language
    line = f"  {swap['old']['serial']} → {swap['new']['serial']} : {swap['text'][language]}"
    out().print(f"{escape(line)} [dim]{escape(more)}[/dim]", soft_wrap=True)
