"""A swap, a list of swaps and the ledger on the terminal."""

from __future__ import annotations

from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from cpe.answer.swap_report import GROUPS, percent
from cpe.profiles.swap_wording import swap_wording

Json = dict[str, Any]
COLOURS: Final = {
    "closed": "green",
    "refused": "red",
    "awaiting_override": "red",
    "overdue": "red",
    "awaiting_test": "yellow",
}


def show_one(console: Console, swap: Json, language: str) -> None:
    """Where it stands, both units, and what is to be done next."""
    words = swap_wording()
    kind = getattr(words.kinds[swap["kind"]].fill(), language)
    console.print(f"[bold]{swap['id']}[/bold]  {kind} · {_state(swap, language)}", soft_wrap=True)
    for label in ("old", "new"):
        unit = swap[label]
        status = unit["status"]
        after = f" → {status['after']}" if status["after"] else ""
        named = getattr(words.labels[label].fill(), language)
        line = f"  {named} {unit['serial']} ({unit['equipment']}) : {status['before']}{after}"
        console.print(line, markup=False, highlight=False)
    facts = [
        ("customer", swap["customer"]),
        ("technician", swap["requested_by"]),
        ("diagnosis", swap["diagnosis"] and swap["diagnosis"]["verdict"]),
        ("override", swap["override"] and f"{swap['override']['by']} : {_reason(swap)}"),
        ("deadline", swap["deadline"]),
        ("task", swap["task"] and f"{swap['task']['name']} ({swap['task']['priority']})"),
        ("answer", swap["answer"] and f"{swap['answer']['result']}, {swap['answer']['by']}"),
        ("problem", swap["problem"]),
        *(("differences", text) for text in swap["differences"]),
    ]
    for label, value in facts:
        if value:
            named = getattr(words.labels[label].fill(), language)
            console.print(f"  {named} : {value}", markup=False, soft_wrap=True)
    for one in swap["follow_ups"]:
        if one["says"]:
            said = getattr(words.says[one["says"]].fill(), language)
            console.print(f"  {one['name']} {one['verdict']} : {said}", markup=False)
    _show_next(console, swap)
    if swap["run"]["url"]:
        console.print(f"  {swap['run']['url']}", markup=False, style="dim", soft_wrap=True)


def _reason(swap: Json) -> str:
    return str(swap["override"]["reason"])


def _show_next(console: Console, swap: Json) -> None:
    commands = {
        "override": f"cpe swap override {swap['id'][:8]} --by NOM --reason MOTIF  (ou --give-up)",
        "test": f"cpe swap answer {swap['id'][:8]} passed|failed|returned|not_tested --by NOM",
    }
    if swap["waits_for"] in commands:
        console.print(f"  → {commands[swap['waits_for']]}", markup=False, soft_wrap=True)


def show_many(console: Console, swaps: list[Json], language: str) -> None:
    """One line a swap."""
    french = language == "fr"
    heads = ("Id", "Genre", "État", "Boîtes", "Client", "Verdict", "Technicien", "Échéance")
    if not french:
        heads = ("Id", "Kind", "State", "Units", "Customer", "Verdict", "Technician", "Deadline")
    # On 80 columns texts give way: ids and serials are what the next command takes.
    columns = [
        Column(h, no_wrap=h in ("Id", "Échéance", "Deadline"), overflow="fold") for h in heads
    ]
    table = Table(*columns, box=None, pad_edge=False)
    for swap in swaps:
        problem = " ⚠" if swap["problem"] or swap["differences"] else ""
        table.add_row(
            swap["id"][:8],
            getattr(swap_wording().kinds[swap["kind"]].fill(), language),
            f"{_state(swap, language)}{problem}",
            escape(f"{swap['old']['serial']} → {swap['new']['serial']}"),
            escape(swap["customer"] or "–"),
            swap["diagnosis"]["verdict"] if swap["diagnosis"] else "–",
            escape(swap["requested_by"]),
            (swap["deadline"] or "–")[:10],
        )
    console.print(table)


def _state(swap: Json, language: str) -> str:
    colour = COLOURS.get(swap["state"], "cyan")
    return f"[{colour}]{swap['text'][language]}[/{colour}]"


def show_report(console: Console, report: Json, language: str) -> None:
    """The ledger: verdict × outcome, then the rates of each group, overrides, what is late."""
    french = language == "fr"
    by_verdict = Table(
        "Verdict", "Issue" if french else "Outcome", "Échanges" if french else "Swaps"
    )
    for verdict, outcomes in report["by_verdict"].items():
        for outcome, count in outcomes.items():
            by_verdict.add_row(verdict, outcome, str(count))
    console.print(by_verdict)
    heads = ("Par", "Nom", "Échanges", "Testés", "Sans défaut", "Taux")
    if not french:
        heads = ("By", "Name", "Swaps", "Tested", "No fault", "Rate")
    rates = Table(*heads)
    for group in GROUPS:
        for tally in report[f"by_{group}"]:
            rates.add_row(group, *_tally(tally))
    rates.add_row("total", *_tally(report["total"]))
    console.print(rates)
    for one in report["overrides"]:
        line = f"! {one['by']} : {one['reason']} ({one['verdict']} → {one['outcome']})"
        console.print(line, markup=False)
    for one in report["overdue"]:
        line = f"⏰ {one['serial']} ({one['customer'] or '–'}) {one['days']:.1f} j"
        console.print(line, markup=False)


def _tally(tally: Json) -> tuple[str, ...]:
    counts = (str(tally[name]) for name in ("swaps", "tested", "no_fault"))
    return (escape(tally["name"]), *counts, percent(tally["rate"]))
