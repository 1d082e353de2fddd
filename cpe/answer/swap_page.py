"""The swap as a page, and the form's introduction: French first, English beside. Pure text."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from cpe.answer.markdown import cell
from cpe.answer.swap_document import standing
from cpe.domain.finding import Text
from cpe.domain.swap import SwapState
from cpe.domain.swap_case import FollowUp, SwapCase, SwapFile
from cpe.profiles.swap_wording import SwapWording, both, swap_wording

NONE: Final = "–"


def swap_page(file: SwapFile, zone: str) -> str:
    """The artifact: where it stands, who and what, the follow-ups, every effect and move."""
    case, words = file.case, swap_wording()
    parts = [
        f"# {both(_title(case))}",
        _facts(file, words, zone),
        *_warnings(case, words),
        *_follow_ups(file, words, zone),
        *_effects(file, words, zone),
        *_history(file, words, zone),
        f"`{case.id}`",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def form_text(file: SwapFile, zone: str) -> str:
    """What stands above the form: what is asked, the case in short, what the follow-ups say."""
    case, words = file.case, swap_wording()
    blocked = case.state is SwapState.AWAITING_OVERRIDE
    asked = words.labels["form_override" if blocked else "form_test"].fill()
    parts = [
        f"**{asked.fr}**  \n*{asked.en}*",
        _facts(file, words, zone),
        *_follow_ups(file, words, zone),
    ]
    return "\n\n".join(part for part in parts if part)


def run_name(case: SwapCase, zone: str) -> str:
    """`LAB0001 → SPARE01 · En test au banc, échéance 2026-12-04`: read in the list of runs."""
    said = standing(case).fr
    if case.state in (SwapState.AWAITING_TEST, SwapState.OVERDUE) and case.deadline is not None:
        day = at_site(case.deadline, zone)[:10]
        said += f", {swap_wording().texts['until'].fill(date=day).fr}"
    return f"{case.old.serial} → {case.new.serial} · {said}"


def at_site(moment: datetime, zone: str) -> str:
    """`2026-12-04 09:30` where the people are."""
    return moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")


def _title(case: SwapCase) -> Text:
    kind, said = swap_wording().kinds[case.kind.value].fill(), standing(case)
    return Text(f"{kind.fr} : {said.fr}", f"{kind.en}: {said.en}")


def _facts(file: SwapFile, words: SwapWording, zone: str) -> str:
    case = file.case
    rows: list[tuple[str, str]] = [
        ("old", f"{case.old.serial} ({case.old.equipment})"),
        ("new", f"{case.new.serial} ({case.new.equipment})"),
        ("customer", case.customer or NONE),
        ("technician", case.requested_by),
    ]
    if case.reason:
        rows.append(("complaint", case.reason))
    if case.diagnosis is not None:
        rows.append(("diagnosis", f"{case.diagnosis.verdict} ({case.diagnosis.id[:8]})"))
    if case.guard is not None:
        permission = both(words.permissions[case.guard.permission.value].fill())
        rows.append(("guard", f"{permission} {case.guard.detail}".rstrip()))
    if case.override is not None:
        label = "override" if case.override.granted else "given_up"
        rows.append((label, f"{case.override.by} : {case.override.reason}"))
    if case.deadline is not None and case.kind.value == "swap_diagnostic":
        rows.append(("deadline", at_site(case.deadline, zone)))
    if case.task is not None:
        rows.append(("task", f"{case.task.name} ({case.task.priority})"))
    if case.answer is not None:
        result = both(words.results[case.answer.result.value].fill())
        rows.append(("answer", f"{result}, {case.answer.by}. {case.answer.remarks}".rstrip()))
    labelled = (f"- **{both(words.labels[name].fill())}** : {cell(value)}" for name, value in rows)
    return "\n".join(labelled)


def _warnings(case: SwapCase, words: SwapWording) -> list[str]:
    lines = [
        f"> ! **{both(words.labels[label].fill())}** : {cell(text)}"
        for label, texts in (
            ("problem", [case.problem] if case.problem else []),
            ("differences", list(case.differences)),
        )
        for text in texts
    ]
    return ["\n".join(lines)] if lines else []


def _follow_ups(file: SwapFile, words: SwapWording, zone: str) -> list[str]:
    if not file.follow_ups:
        return []
    lines = [f"**{both(words.labels['follow_ups'].fill())}**", ""]
    lines += [f"- **{one.name}** : {_follow_up(one, words, zone)}" for one in file.follow_ups]
    return ["\n".join(lines)]


def _follow_up(one: FollowUp, words: SwapWording, zone: str) -> str:
    if one.done_at is None or one.says is None:
        return both(words.labels["planned"].fill(date=at_site(one.due_at, zone)))
    said = both(words.says[one.says].fill())
    why = both(words.whys[one.why].fill()) if one.why in words.whys else cell(one.why)
    return f"{one.verdict or NONE} — {said} ({why})"


def _effects(file: SwapFile, words: SwapWording, zone: str) -> list[str]:
    if not file.steps:
        return []
    heads = " | ".join(
        both(words.labels[name].fill()) for name in ("step", "who", "when", "before", "after")
    )
    rows = [
        "| "
        + " | ".join(
            (
                step.step,
                cell(step.actor),
                at_site(step.at, zone) if step.at is not None else "…",
                _shown(step.before),
                _shown(step.after),
            )
        )
        + " |"
        for step in file.steps
    ]
    table = "\n".join([f"| {heads} |", "|---|---|---|---|---|", *rows])
    return [f"## {both(words.labels['effects'].fill())}", table]


def _history(file: SwapFile, words: SwapWording, zone: str) -> list[str]:
    rows = [
        f"- {at_site(move.at, zone)} **{both(words.states[move.became].fill())}**, "
        f"{cell(move.actor)}" + (f" : {cell(move.detail)}" if move.detail else "")
        for move in file.transitions
    ]
    return [f"## {both(words.labels['history'].fill())}", "\n".join(rows)]


def _shown(fields: dict[str, object] | None) -> str:
    if not fields:
        return NONE
    return cell(", ".join(f"{name} = {value or NONE}" for name, value in fields.items()))
