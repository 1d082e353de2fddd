"""From the answer `cpe.sweep/1` to the HTML file that an engineer opens every morning."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from cpe.answer.sweep_html import charts
from cpe.answer.sweep_page import contacts, not_judged
from cpe.profiles.sweep_words import said, sweep_words
from cpe.profiles.wording import number_en, number_fr, wording

FOLDER: Final = Path(__file__).parent
TIMEZONE: Final = "America/Montreal"
LISTS: Final = (
    "weak", "overloaded", "cut", "no_power", "silent", "not_in_acs", "unreachable", "hardware",
    "reboot_loops", "rebooting", "flapping", "congested", "bad_backhauls", "long_down",
    "partly_read",
)  # fmt: skip
STOCK: Final = (
    "informing_in_stock", "informing_in_diagnosis", "active_never_seen", "gpon_serial_twice",
)  # fmt: skip
SHOWN: Final = 40
FADES: Final = 30
FEW: Final = 6


def report(answer: Mapping[str, Any], *, timezone: str = TIMEZONE) -> str:
    """One self-contained page, French with English beside. Every foreign text is escaped."""
    sources = {**answer["stock"], **answer}
    lists = [
        (name, sources[name])
        for name in (*LISTS, *STOCK)
        if name in sources and (name in LISTS or answer["stock"]["configured"])
    ]
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            a=answer,
            lists=lists,
            shown=SHOWN,
            zone=ZoneInfo(timezone),
            histogram=charts.histogram(answer["rx"]),
            maps=charts.pon_maps(answer),
            legend=charts.legend(),
            shares=charts.coverage_bar(answer["coverage"]),
            fades=[(row, charts.spark(row, answer["rx"]["low_dbm"])) for row in _fades(answer)],
            charts=charts,
            not_read=not_judged(answer),
            contacts=contacts(answer),
        )
    )


def _fades(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Those that fade alone; of the siblings of a PON, which is named above, a few."""
    alone = [row for row in answer["fading"] if not row["shared"]]
    shared = [row for row in answer["fading"] if row["shared"]]
    return [*alone[:FADES], *shared[:FEW]]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    filters = cast("dict[str, Any]", environment.filters)  # pyright: ignore[reportUnknownMemberType]
    filters |= {"w": both, "fr": french, "n": grouped, "db": decibels, "at": moment}
    filters |= {"rule": rule_title, "said": both_said}
    return environment


def both(key: str) -> Markup:
    """`français <span class=en>English</span>`."""
    phrase = sweep_words().phrases[key]
    if phrase.fr == phrase.en:
        return escape(phrase.fr)
    return Markup('{} <span class="en" lang="en">{}</span>').format(phrase.fr, phrase.en)


def both_said(text: str) -> Markup:
    """A reason in both languages, as far as it is known."""
    told = said(text)
    if told.fr == told.en:
        return escape(told.fr)
    return Markup('{} <span class="en" lang="en">{}</span>').format(told.fr, told.en)


def french(key: str) -> str:
    """The French word alone."""
    return sweep_words().phrases[key].fr


def rule_title(rule: str) -> str:
    """What people call a rule, in French as in a diagnosis."""
    return wording().titles[rule].fr


def grouped(number: float | None) -> str:
    """12 345, with a thin space; a dash for what is not known."""
    return "–" if number is None else f"{number:,.0f}".replace(",", "\u202f")


def decibels(number: float | None) -> Markup:
    """−27,3 in French; English readers see the point in the tooltip."""
    if number is None:
        return Markup("–")
    return Markup('<span title="{}">{}</span>').format(number_en(number), number_fr(number))


def moment(value: str | float | None, zone: ZoneInfo) -> str:
    """A time in the operator's zone."""
    if value is None:
        return "–"
    at = (
        datetime.fromisoformat(value)
        if isinstance(value, str)
        else datetime.fromtimestamp(value, zone)
    )
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M")
