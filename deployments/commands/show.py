"""A diagnosis on a terminal, in the operator's language."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from cpe.answer.picture import rx_picture
from cpe.profiles.thresholds import load_thresholds
from cpe.profiles.wording import wording
from cpe.settings import DiagnosisSettings

COLOURS: Final = {"ok": "green", "degraded": "yellow", "fault": "red", "unknown": "magenta"}
MARKS: Final = {"ok": "✓", "degraded": "!", "fault": "✗", "unknown": "?", "not_applicable": "–"}
Json = dict[str, Any]


def show_answer(console: Console, answer: Json, language: str) -> None:
    """Verdict first, then why, the evidence, and what could not be evaluated."""
    verdict, device = answer["verdict"], answer["device"]
    colour = COLOURS[verdict["status"]]
    who = " · ".join(
        str(part)
        for part in (answer["serial"], device["model"], device["firmware"], device["gpon_serial"])
        if part
    )
    console.print(
        Panel(
            f"[bold]{escape(verdict['text'][language])}[/bold]\n[dim]{escape(who)}[/dim]",
            title=f"[{colour}]{verdict['code']}[/{colour}]",
            subtitle=f"{verdict['action']} · swap {verdict['swap']}",
            border_style=colour,
        )
    )
    _rx(console, answer)
    console.print(_evidence(answer, language))
    words = wording().labels
    unknown = [f for f in answer["findings"] if f["status"] == "unknown"]
    if unknown:
        console.print(f"[magenta]{words['could_not'].fill().of(language)}[/magenta]")
        for finding in unknown:
            console.print(f"  ? {finding['rule']}: {escape(finding['text'][language])}")
    console.print(_sources(answer, language))
    if answer["run"]["url"]:
        console.print(f"[dim]{answer['id']} · {answer['run']['url']}[/dim]", soft_wrap=True)
    else:
        console.print(f"[dim]{answer['id']}[/dim]")


def _rx(console: Console, answer: Json) -> None:
    limits = load_thresholds(DiagnosisSettings().rules).optical
    picture = rx_picture(answer["opticalStatus"]["rx_dbm"], limits.rx_min_dbm, limits.rx_max_dbm)
    console.print(picture, markup=False)


def _evidence(answer: Json, language: str) -> Table:
    words = wording().labels
    table = Table(box=None, pad_edge=False)
    for key in ("reading", "actual", "expected", "source", "age"):
        table.add_column(words[key].fill().of(language))
    rows: dict[tuple[object, ...], tuple[str, ...]] = {}
    for status in ("fault", "degraded", "ok"):
        for finding in (f for f in answer["findings"] if f["status"] == status):
            for item in finding["evidence"]:
                told = tell(item, language)
                shade = "ok" if item["fits"] else status
                cells = (
                    f"[{COLOURS[shade]}]{MARKS[shade]}[/{COLOURS[shade]}] {escape(told.what)}"
                    f" [dim]{escape(item['subject'])}[/dim]",
                    escape(told.actual),
                    escape(told.expected),
                    item["source"] or "–",
                    "–" if item["age_s"] is None else f"{item['age_s']:.0f} s",
                )
                # Several rules rest on one reading: the worst of them tells of it.
                reading = (item["what"], item["subject"], item["actual"], item["source"])
                rows.setdefault(reading, cells)
    for cells in rows.values():
        table.add_row(*cells)
    return table


class Told(NamedTuple):
    """A piece of evidence in people's words."""

    what: str
    actual: str
    expected: str


def tell(item: Json, language: str) -> Told:
    """What was read and what should have been."""
    words = wording()
    unit = item["unit"] if item["unit"] not in (None, "1") else ""
    return Told(
        words.quantity(item["what"]).of(language),
        f"{words.actual(item['actual']).of(language)} {unit}".strip(),
        words.expected(item["expected"]).of(language),
    )


def _sources(answer: Json, language: str) -> str:
    outcome = wording().outcome
    return "  ".join(
        f"[dim]{s['name']}[/dim] {outcome(s['outcome']).of(language)} "
        f"[dim]{s['duration_ms']} ms[/dim]"
        for s in answer["sources"]
    )
