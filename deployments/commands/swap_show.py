"""A swap, a list of swaps and the ledger on the terminal."""

from __future__ import annotations

from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from cpe.answer.swap_report import GROUPS, percent
from cpe.profiles.swap_wording import swap_wording
from deployments.commands.show import short

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
        ("diagnosis", swap["diagnosis"] and short(swap["diagnosis"]["verdict"], language)),
        ("override", swap["override"] and f"{swap['override']['by']} : {_reason(swap)}"),
        ("deadline", swap["deadline"]),
        ("task", swap["task"] and f"{swap['task']['name']} ({swap['task']['priority']})"),
        ("answer", swap["answer"] and f"{_result(swap, language)}, {swap['answer']['by']}"),
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
            verdict = short(one["verdict"], language) if one["verdict"] else "–"
            console.print(f"  {one['name']} {verdict} : {said}", markup=False)
    _show_next(console, swap)
    if swap["run"]["url"]:
        console.print(f"  {swap['run']['url']}", markup=False, style="dim", soft_wrap=True)


def _result(swap: Json, language: str) -> str:
    return str(getattr(swap_wording().results[swap["answer"]["result"]].fill(), language))


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
            short(swap["diagnosis"]["verdict"], language) if swap["diagnosis"] else "–",
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
            by_verdict.add_row(short(verdict, language), _outcome(outcome, language), str(count))
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
        became = f"{short(one['verdict'] or '–', language)} → {_outcome(one['outcome'], language)}"
        line = f"! {one['by']} : {one['reason']} ({became})"
        console.print(line, markup=False)
    for one in report["overdue"]:
        line = f"⏰ {one['serial']} ({one['customer'] or '–'}) {one['days']:.1f} j"
        console.print(line, markup=False)


def _outcome(outcome: str | None, language: str) -> str:
    phrase = swap_wording().outcomes.get(outcome or "")
    return getattr(phrase.fill(), language) if phrase is not None else outcome or "–"


def _tally(tally: Json) -> tuple[str, ...]:
    counts = (str(tally[name]) for name in ("swaps", "tested", "no_fault"))
    return (escape(tally["name"]), *counts, percent(tally["rate"]))
