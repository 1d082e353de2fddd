"""A sweep for the Prefect UI: one page of markdown and three tables, French with English beside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from cpe.profiles.sweep_words import said, sweep_words
from cpe.profiles.wording import wording

Answer = Mapping[str, Any]
Row = dict[str, Any]
SHOWN: Final = 25
COVERAGE: Final = (
    "expected", "seen", "fresh", "stale", "unreachable", "not_evaluable", "unseen",
)  # fmt: skip
"""The counts that are shown everywhere, each under `coverage_…`."""


def coverage_rows(answer: Answer) -> list[Row]:
    """What was expected, and what became of it."""
    covered = answer["coverage"]
    rows: list[Row] = [{"": words(f"coverage_{name}"), "n": covered[name]} for name in COVERAGE]
    rows += [{"": f"→ {words(f'coverage_{name}')}", "n": count} for name, count in contacts(answer)]
    acs = covered["acs"]
    if acs["configured"]:
        how = _said(acs["detail"]) or words("whole" if acs["whole"] else "not_whole")
        rows.append({"": "ACS", "n": acs["rows"], "…": how})
    rows += [
        {"": f"OLT {one['olt']}", "n": one["rows"], "…": _said(one["detail"]) or words("not_whole")}
        for one in covered["olts"]
        if not one["whole"]
    ]
    return rows


def contacts(answer: Answer) -> list[tuple[str, int]]:
    """Where the expected boxes stand, each counted once: (word, count), none where it is 0.

    The words are shown under `coverage_…` too. Empty for a sweep kept before they were counted.
    """
    return [(name, n) for name, n in answer["coverage"].get("contact", {}).items() if n]


def worst_rows(answer: Answer) -> list[Row]:
    """The boxes to look at first."""
    return [
        {
            "Boîte · Box": box["serial"],
            "Verdict": verdict(box["verdict"]),
            "Rx dBm": box["rx_dbm"],
            "OLT": box["olt"],
            "PON": box["pon"],
            "Modèle · Model": box["model"],
        }
        for box in answer["worst"][:SHOWN]
    ]


def pon_rows(answer: Answer) -> list[Row]:
    """PONs that are out, then those that fade, then the weakest."""
    rows: list[Row] = [
        {
            "PON": f"{one['olt']} {one['pon']}",
            "Quoi · What": words(one["kind"]),
            "n": f"{one['down']}/{one['of']}",
        }
        for one in answer["outages"][:SHOWN]
    ]
    rows += [
        {
            "PON": f"{one['olt']} {one['pon']}",
            "Quoi · What": words("fading_pon"),
            "n": f"{one['siblings']}/{one['of']}",
            "dB": one["median_db"],
        }
        for one in answer["fading_pons"][:SHOWN]
    ]
    weakest = sorted(
        (p for p in answer["pons"] if p["weak"]), key=lambda p: (-p["weak"], p["olt"], p["pon"])
    )
    rows += [
        {
            "PON": f"{one['olt']} {one['pon']}",
            "Quoi · What": words("weak"),
            "n": f"{one['weak']}/{one['boxes']}",
            "dBm": one["rx_median_dbm"],
        }
        for one in weakest[:SHOWN]
    ]
    return rows


def page(answer: Answer) -> str:
    """The summary an engineer reads first."""
    return "\n".join(_lines(answer))


def _lines(answer: Answer) -> Iterator[str]:
    covered = answer["coverage"]
    yield f"# {words('title')} — {words(answer['state'])}"
    yield ""
    for reason in answer["reasons"]:
        yield f"> **{words('incomplete')}** : {_plain(_said(reason))}"
    yield ""
    yield (
        f"**{covered['seen']} / {covered['expected']}** {words('coverage_seen')} · "
        f"**{covered['evaluable']}** {words('coverage_evaluable')} · "
        f"**{covered['not_evaluable']}** {words('coverage_not_evaluable')}"
    )
    if standing := contacts(answer):
        yield ""
        counts = (f"**{count}** {words(f'coverage_{name}')}" for name, count in standing)
        yield f"{words('contact')} : {' ; '.join(counts)}"
    yield ""
    yield "| Verdict | n |"
    yield "|---|---:|"
    for code, count in sorted(answer["verdicts"].items(), key=lambda item: -item[1]):
        yield f"| {verdict(code)} | {count} |"
    yield ""
    if left := not_judged(answer):
        titles = ", ".join(wording().titles[rule].fr for rule in left)
        yield f"{words('not_judged_short')} : {titles}."
        yield ""
    if partly := covered.get("partly_read"):
        yield f"{words('list_partly_read')} : **{partly}**"
        yield ""
    yield from _incidents(answer)
    acted = answer["acted"]
    yield f"{words('diagnoses')} : {acted['diagnoses']['started']} · "
    yield f"{words('refreshed')} : {acted['refreshed'].get('read', 0)}"
    if answer["run"].get("url"):
        yield f"\n[{words('run')}]({answer['run']['url']})"


def _incidents(answer: Answer) -> Iterator[str]:
    outages: Sequence[Row] = answer["outages"]
    if answer["outages_withheld"]:
        yield f"> {answer['outages_withheld']} {words('withheld')}"
        yield ""
    for one in outages[:SHOWN]:
        yield (
            f"- **{words(one['kind'])}** — {one['olt']} {one['pon']} : "
            f"{one['down']}/{one['of']} {words('down')}"
        )
    for one in answer["fading_pons"][:SHOWN]:
        yield (
            f"- **{words('fading_pon')}** — {one['olt']} {one['pon']} : "
            f"{one['siblings']}/{one['of']}, {one['median_db']} dB"
        )
    yield ""


def words(key: str) -> str:
    """« français · *English* »."""
    phrase = sweep_words().phrases[key]
    return phrase.fr if phrase.fr == phrase.en else f"{phrase.fr} · {phrase.en}"


def verdict(code: str) -> str:
    """A verdict in both languages."""
    return words(f"verdict_{code}")


def not_judged(answer: Answer) -> list[str]:
    """The rules that a healthy box was not judged by, though nobody has to ask for them.

    A speed test, a plan or a wished serial is asked case by case: that is no gap of a sweep.
    """
    return [rule for rule, why in answer.get("not_judged", {}).items() if why != "asked"]


def _said(text: str) -> str:
    told = said(text)
    return told.fr if told.fr == told.en else f"{told.fr} · {told.en}"


def _plain(text: str) -> str:
    return text.replace("|", "/").replace("\n", " ").replace("<", "‹").replace(">", "›")
