"""The diagnosis as a page a person reads: French first, English beside. Pure text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from cpe.answer.document import utc
from cpe.answer.picture import rx_picture
from cpe.domain.finding import Evidence, Finding, Status, Text
from cpe.domain.observation import to_judge
from cpe.domain.snapshot import Snapshot
from cpe.domain.telling import headlines, worth_telling
from cpe.domain.verdict import Code, SwapPermission, Verdict
from cpe.profiles.thresholds import Thresholds
from cpe.profiles.wording import Wording, age_text

BADGE: Final = {
    Status.OK: "✓",
    Status.DEGRADED: "!",
    Status.FAULT: "✗",
    Status.UNKNOWN: "?",
    Status.NOT_APPLICABLE: "–",
}
MAX_ROWS: Final = 40


def page(
    snapshot: Snapshot,
    findings: Sequence[Finding],
    verdict: Verdict,
    words: Wording,
    thresholds: Thresholds,
    not_kept: str = "",
) -> str:
    """The artifact: verdict, what to do, Rx power on its band, evidence, what is missing."""
    label = words.labels
    parts = [
        f"# {BADGE[verdict.status]} {_both(_headline(findings, verdict, words))}",
        _device(snapshot, label["device"].fill()),
        *_acs_notes(snapshot, words),
        f"**{_both(label['what_to_do'].fill())}**: {_both(words.actions[verdict.action].fill())}",
        f"**{_both(label['swap'].fill())}**: {_both(_swap(verdict.swap, words))}",
        *_because(findings, verdict),
        *_also(verdict, words),
        *_picture(snapshot, thresholds, label["rx_band"].fill()),
        f"## {_both(label['evidence'].fill())}",
        _table(findings, words),
        f"## {_both(label['could_not'].fill())}",
        _missing(findings, verdict, words),
        f"## {_both(label['sources'].fill())}",
        _sources(snapshot, words),
    ]
    if not_kept:
        parts.append(f"> ! {_both(label['kept_not'].fill(detail=not_kept))}")
    return "\n\n".join(part for part in parts if part) + "\n"


def _both(text: Text) -> str:
    return f"{text.fr} · *{text.en}*"


def _headline(findings: Sequence[Finding], verdict: Verdict, words: Wording) -> Text:
    keys = headlines(verdict.code, findings, verdict.because)
    told = [words.verdicts[key].fill() for key in keys]
    return Text(fr=" ".join(t.fr for t in told), en=" ".join(t.en for t in told))


def _swap(permission: SwapPermission, words: Wording) -> Text:
    return words.labels[f"swap_{permission.value}"].fill()


def _device(snapshot: Snapshot, label: Text) -> str:
    device = snapshot.device
    facts = [
        snapshot.request.serial,
        device.manufacturer,
        device.model,
        device.firmware,
        f"GPON {device.gpon_serial}" if device.gpon_serial else None,
    ]
    return f"**{_both(label)}**: {cell(' · '.join(f for f in facts if f))}"


def _acs_notes(snapshot: Snapshot, words: Wording) -> list[str]:
    """Tags and standing faults, as the ACS has them; nothing where there is none."""
    label, faults = words.labels, snapshot.device.acs_faults
    notes: list[str] = []
    if snapshot.device.tags:
        tags = " · ".join(f"`{cell(tag).replace('`', chr(39))}`" for tag in snapshot.device.tags)
        notes.append(f"**{_both(label['tags'].fill())}**: {tags}")
    if faults is None and snapshot.device.acs_id is not None:
        notes.append(f"? {_both(label['acs_faults_unknown'].fill())}")
    if faults:
        rows = (f"- `{cell(f.code)}` {cell(f.message)} ({utc(f.at) or '–'})" for f in faults)
        notes.append(f"! **{_both(label['acs_faults'].fill())}**\n\n{_lines(rows)}")
    return notes


def _because(findings: Sequence[Finding], verdict: Verdict) -> list[str]:
    told = worth_telling(verdict.code, findings, verdict.because)
    leading = [f for f in told if f.status in (Status.FAULT, Status.DEGRADED)]
    return ["\n".join(f"- {cell(_both(f.text))} `{f.rule}`" for f in leading)] if leading else []


def _also(verdict: Verdict, words: Wording) -> list[str]:
    if not verdict.also:
        return []
    texts = [_both(words.verdicts[code].fill()) for code in verdict.also]
    return [f"**{_both(words.labels['also'].fill())}**: " + " ; ".join(texts)]


def _picture(snapshot: Snapshot, thresholds: Thresholds, label: Text) -> list[str]:
    usable = to_judge(m for m in snapshot.measurements if m.name == "optical.rx_dbm")
    limits = thresholds.optical
    value = usable.number if usable is not None else None
    picture = rx_picture(value, limits.rx_min_dbm, limits.rx_max_dbm)
    return [f"## {_both(label)}", f"```\n{picture}\n```"]


def _table(findings: Sequence[Finding], words: Wording) -> str:
    label = words.labels
    heads = (label["reading"], label["actual"], label["expected"], label["source"], label["age"])
    lines = [
        "| | " + " | ".join(_both(head.fill()) for head in heads) + " |",
        "|---|---|---|---|---|---|",
    ]
    order = (Status.FAULT, Status.DEGRADED, Status.OK)
    told = [
        (finding, evidence)
        for status in order
        for finding in findings
        if finding.status is status
        for evidence in finding.evidence
    ]
    rows: dict[tuple[object, ...], str] = {}
    for finding, evidence in told:
        # Several rules rest on one reading: the worst of them tells of it.
        reading = (evidence.what, evidence.subject, evidence.actual, evidence.source)
        badge = BADGE[Status.OK] if evidence.fits else BADGE[finding.status]
        rows.setdefault(reading, f"| {badge} {_row(evidence, words)}")
    return "\n".join(lines + list(rows.values())[:MAX_ROWS])


def _row(evidence: Evidence, words: Wording) -> str:
    subject = f" · {cell(_either(words.subject(evidence.subject)))}" if evidence.subject else ""
    unit = f" {evidence.unit}" if evidence.unit and evidence.unit != "1" else ""
    cells = (
        f"{_both(words.quantity(evidence.what))}{subject}",
        f"{cell(_either(words.actual(evidence.actual)))}{unit}",
        cell(_either(words.expected(evidence.expected))),
        _either(words.source(evidence.source.value if evidence.source is not None else None)),
        "–" if evidence.age_s is None else _either(age_text(evidence.age_s)),
    )
    return "| " + " | ".join(cells) + " |"


def _either(text: Text) -> str:
    """Both where the words differ; a number is only written the French way."""
    return text.fr if text.fr.replace(",", ".") == text.en else f"{text.fr} · {text.en}"


def _missing(findings: Sequence[Finding], verdict: Verdict, words: Wording) -> str:
    unknown = [f for f in findings if f.status is Status.UNKNOWN]
    if not unknown and verdict.code is not Code.INCONCLUSIVE:
        return _both(words.labels["nothing_missing"].fill())
    return "\n".join(f"- {cell(_both(f.text))} `{f.rule}`" for f in unknown)


def _sources(snapshot: Snapshot, words: Wording) -> str:
    return _lines(
        f"- **{_either(words.source(s.name.value))}** : {_both(words.outcome(s.outcome.value))}"
        + (f", {s.duration_ms} ms" if s.duration_ms else "")
        + (f" : {cell(_either(words.detail(s.detail)))}" if s.detail else "")
        for s in snapshot.sources
    )


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(lines)


def cell(text: str) -> str:
    """Foreign text made harmless in markdown: no pipes, no HTML, no links, one line."""
    flat = " ".join(text.split())
    return re.sub(r"[|<>\[\]\\]", lambda m: _HARMLESS[m[0]], flat)


_HARMLESS: Final = {"|": "¦", "<": "‹", ">": "›", "[": "\\[", "]": "\\]", "\\": "\\\\"}
