"""A sweep on the terminal: coverage first, then what to act on."""

from __future__ import annotations

from typing import Any

from rich.markup import escape
from rich.table import Table

from cpe.answer.sweep_page import COVERAGE, contacts, not_judged
from cpe.profiles.sweep_words import said, sweep_words
from cpe.profiles.wording import number_en, number_fr, wording
from cpe.settings import DiagnosisSettings
from deployments.commands.console import out

Json = dict[str, Any]
SHOWN = 12


def show_sweep(answer: Json) -> None:
    """Print it in the operator's language."""
    console, covered = out(), answer["coverage"]
    colour = "green" if answer["state"] == "complete" else "yellow"
    console.print(
        f"[bold]{say('title')}[/bold] [{colour}]{say(answer['state'])}[/{colour}] "
        f"[dim]{answer['id'][:8]} · {answer['duration_ms'] / 1000:.1f} s[/dim]"
    )
    for reason in answer["reasons"]:
        console.print(f"  {_said(reason)}", markup=False, style="yellow")
    line = " · ".join(f"{covered[name]} {say(f'coverage_{name}')}" for name in COVERAGE)
    console.print(f"  {line}", markup=False)
    if standing := contacts(answer):
        counts = " ; ".join(f"{count} {say(f'coverage_{name}')}" for name, count in standing)
        console.print(f"  {say('contact')} : {counts}", markup=False)
    for one in covered["olts"]:
        if not one["whole"]:
            console.print(
                f"  OLT {one['olt']}: {_said(one['detail'])}", markup=False, style="yellow"
            )
    console.print(_verdicts(answer))
    if rules := [wording().titles[rule] for rule in not_judged(answer)]:
        titles = ", ".join(title.fr if _french() else title.en for title in rules)
        console.print(f"  {say('not_judged_short')} : {titles}", markup=False, style="dim")
    if answer["outages_withheld"]:
        console.print(f"  {answer['outages_withheld']} {say('withheld')}", style="yellow")
    for one in answer["outages"][:SHOWN]:
        console.print(
            f"  [red]●[/red] {say(one['kind'])} [bold]{escape(one['olt'])} {escape(one['pon'])}"
            f"[/bold] {one['down']}/{one['of']} {say('down')}"
        )
    for one in answer["fading_pons"][:SHOWN]:
        console.print(
            f"  [yellow]▼[/yellow] {say('fading_pon')} [bold]{escape(one['olt'])} "
            f"{escape(one['pon'])}[/bold] {one['siblings']}/{one['of']} {num(one['median_db'])} dB"
        )
    if answer["worst"]:
        console.print(_worst(answer["worst"][:SHOWN]))


def _verdicts(answer: Json) -> Table:
    changes = (answer["changes"] or {}).get("by_verdict", {})
    table = Table("Verdict", "n", say("new"), say("gone"))
    for code, count in sorted(answer["verdicts"].items(), key=lambda item: -item[1]):
        moved = changes.get(code, {"new": "–", "gone": "–"})
        table.add_row(say(f"verdict_{code}"), str(count), str(moved["new"]), str(moved["gone"]))
    return table


def _worst(boxes: list[Json]) -> Table:
    table = Table(say("box"), "Verdict", "Rx dBm", "OLT", "PON", say("model"), title=say("worst"))
    for box in boxes:
        table.add_row(
            escape(box["serial"] or "–"), say(f"verdict_{box['verdict']}"), num(box["rx_dbm"]),
            box["olt"] or "–", box["pon"] or "–", box["model"] or "–",
        )  # fmt: skip
    return table


def say(key: str) -> str:
    """The operator's word."""
    phrase = sweep_words().phrases[key]
    return phrase.fr if _french() else phrase.en


def _said(text: str) -> str:
    told = said(text)
    return told.fr if _french() else told.en


def _french() -> bool:
    return DiagnosisSettings().language == "fr"


def num(value: float | None) -> str:
    """A number as the language writes it."""
    if value is None:
        return "–"
    return number_fr(value) if _french() else number_en(value)
