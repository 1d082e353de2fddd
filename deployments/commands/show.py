"""A diagnosis on a terminal, in the operator's language."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from cpe.answer.picture import rx_picture
from cpe.profiles.sweep_words import sweep_words
from cpe.profiles.thresholds import load_thresholds
from cpe.profiles.wording import age_text, number_en, number_fr, wording
from cpe.settings import DiagnosisSettings
from deployments.commands.console import labelled

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
    named = short(verdict["code"], language)
    console.print(
        Panel(
            f"[bold]{escape(verdict['text'][language])}[/bold]\n[dim]{escape(who)}[/dim]",
            title=f"[{colour}]{MARKS[verdict['status']]} {named}[/{colour}]",
            subtitle=swap_permission(verdict, language),
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
            console.print(f"  ? {finding['text'][language]}", markup=False)
    for line in _sources(answer, language):
        console.print(line, markup=False, style="dim")
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
                    f" [dim]{escape(told.subject)}[/dim]",
                    escape(told.actual),
                    escape(told.expected),
                    told.source,
                    "–" if item["age_s"] is None else age_text(item["age_s"]).of(language),
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
    subject: str
    actual: str
    expected: str
    source: str


def tell(item: Json, language: str) -> Told:
    """What was read and what should have been."""
    words = wording()
    unit = item["unit"] if item["unit"] not in (None, "1") else ""
    return Told(
        words.quantity(item["what"]).of(language),
        words.subject(item["subject"]).of(language),
        f"{words.actual(item['actual']).of(language)} {unit}".strip(),
        words.expected(item["expected"]).of(language),
        words.source(item["source"]).of(language),
    )


def short(code: str, language: str) -> str:
    """A verdict's code in a few words, as tables name it."""
    phrase = sweep_words().phrases.get(f"verdict_{code}")
    if phrase is None:
        return code  # kept by another version
    return phrase.fr if language == "fr" else phrase.en


def swap_permission(verdict: Json, language: str) -> str:
    """Whether the box may be swapped: « Échange de la boîte : bloqué »."""
    labels = wording().labels
    label = labels["swap"].fill().of(language)
    said = labels[f"swap_{verdict['swap']}"].fill().of(language)
    return labelled(label, said, language)


def not_evaluable(verdict: Json, language: str) -> str:
    """What could not be evaluated, by the titles that the page has; empty when nothing."""
    titles = wording().titles
    told = [titles[item["rule"]].fill().of(language) for item in verdict["not_evaluable"]]
    return ", ".join(dict.fromkeys(told))


def _sources(answer: Json, language: str) -> list[str]:
    """One line a source: how it fared, how long it took and, when it gave nothing, why."""
    words, number = wording(), number_fr if language == "fr" else number_en
    lines: list[str] = []
    for source in answer["sources"]:
        said = [words.outcome(source["outcome"]).of(language)]
        if source["duration_ms"]:
            said.append(f"{number(round(source['duration_ms'] / 1000, 1))} s")
        if source["detail"] and source["outcome"] != "ok":
            said.append(words.detail(source["detail"]).of(language))
        lines.append(
            labelled(words.source(source["name"]).of(language), " · ".join(said), language)
        )
    return lines
