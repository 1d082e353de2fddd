"""Did the fault stay with the line or leave with the box? Pure.

The experiment: another box in the same place. The rules that led to the swap are looked up in the
diagnosis of the replacement; a rule that could not be judged there proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from cpe.domain.finding import Finding, Status
from cpe.domain.swap_case import DiagnosisRef
from cpe.domain.verdict import ORDER_OF_CAUSES, Verdict

_SPANS: Final = {"hardware.no_reboot_loop": timedelta(days=1)}
"""Rules that count over a time: before it is over a replacement that is fine proves nothing."""


class Says(StrEnum):
    """What a follow-up says about the removed unit."""

    STAYED = "stayed"
    """The fault is still there: the removed unit is exonerated."""
    LEFT = "left"
    """The fault is gone: the removed unit stays suspect."""
    NOT_COMPARABLE = "not_comparable"


@dataclass(frozen=True, slots=True)
class Comparison:
    """`why` holds one of the codes of the wording: `same_verdict same_rules rules_ok
    no_diagnosis nothing_was_wrong not_evaluable too_early`."""

    says: Says
    why: str
    rules: tuple[str, ...] = ()


def failed(verdict: Verdict, findings: Iterable[Finding]) -> tuple[str, ...]:
    """Of the rules that a verdict rests on, those that found a fault: only they can be looked up.

    What made a box healthy, or could not be evaluated, is nothing that stays or leaves; any other
    code rests on faults alone.
    """
    if verdict.code in ORDER_OF_CAUSES:
        return verdict.because
    faults = {f.rule for f in findings if f.status is Status.FAULT}
    return tuple(rule for rule in verdict.because if rule in faults)


def compare(
    before: DiagnosisRef | None,
    verdict: str | None,
    statuses: Mapping[str, Status],
    in_place: timedelta,
) -> Comparison:
    """`before` led to the swap; `verdict` and `statuses` (rule → status) are the replacement's.

    `in_place`: how long the replacement has been there.
    """
    if before is None or verdict is None:
        return Comparison(Says.NOT_COMPARABLE, "no_diagnosis")
    if not before.rules or before.verdict in ("healthy", "not_found"):
        return Comparison(Says.NOT_COMPARABLE, "nothing_was_wrong")
    if verdict == before.verdict != "inconclusive":
        return Comparison(Says.STAYED, "same_verdict", before.rules)
    still = tuple(rule for rule in before.rules if statuses.get(rule) is Status.FAULT)
    if still:
        return Comparison(Says.STAYED, "same_rules", still)
    unknown = tuple(rule for rule in before.rules if statuses.get(rule) is not Status.OK)
    if unknown:
        return Comparison(Says.NOT_COMPARABLE, "not_evaluable", unknown)
    early = tuple(rule for rule in before.rules if in_place < _SPANS.get(rule, timedelta()))
    if early:
        return Comparison(Says.NOT_COMPARABLE, "too_early", early)
    return Comparison(Says.LEFT, "rules_ok", before.rules)
