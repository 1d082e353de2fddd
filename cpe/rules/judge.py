"""Snapshot and thresholds in, findings and verdict out. The same input gives the same bytes."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cpe.domain import verdict as verdict_module
from cpe.domain.finding import Finding, Text
from cpe.domain.snapshot import Snapshot
from cpe.domain.telling import headlines, worth_telling
from cpe.domain.verdict import CONSEQUENCES, Lead, Verdict, lead
from cpe.profiles.quantities import FOLDER
from cpe.profiles.thresholds import Thresholds
from cpe.profiles.wording import FILE as WORDS
from cpe.profiles.wording import Wording, wording
from cpe.rules.catalogue import RULES, Rule, required_for_healthy
from cpe.rules.facts import Facts
from cpe.rules.hardware import boots_in_a_day

log = logging.getLogger(__name__)
_BESIDE = ("boots", "observation", "serials", "snapshot", "telling", "verdict", "wan")
"""What in the domain makes a verdict, beside the rules."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the rules made of a snapshot, and by which ruleset."""

    findings: tuple[Finding, ...]
    verdict: Verdict
    ruleset: str


def judge(snapshot: Snapshot, thresholds: Thresholds, words: Wording | None = None) -> Judgement:
    """Run every rule and fold the findings.

    A rule that crashes is our bug: its finding is UNKNOWN and says so, never FAULT, and the
    error is logged; the other rules still count.
    """
    facts = Facts(snapshot, thresholds, words or wording())
    findings = tuple(_run(name, rule, facts) for name, rule in RULES)
    chosen = lead(findings, required_for_healthy=required_for_healthy(snapshot))
    verdict = _word(chosen, findings, facts.wording)
    return Judgement(findings, verdict, f"{thresholds.ruleset}.{code_hash()}")


@cache
def code_hash() -> str:
    """Of everything but the thresholds that makes a verdict: the rules, the fold, the words.

    A verdict kept under an equal ruleset replays to equal bytes; under another one it may differ.
    """
    rules = Path(__file__).parent
    domain = Path(verdict_module.__file__).parent
    beside = [domain / f"{name}.py" for name in _BESIDE]
    files = [*sorted(rules.glob("*.py")), *beside, *sorted(FOLDER.glob("channels.*")), WORDS]
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()[:8]


def only_an_olt_can_tell(snapshot: Snapshot, thresholds: Thresholds) -> bool:
    """Whether boots pile up, so that it takes the OLT's word on power to say why."""
    boots = boots_in_a_day(Facts(snapshot, thresholds, wording()))
    return len(boots) >= thresholds.hardware.reboots_per_day


def _run(name: str, rule: Rule, facts: Facts) -> Finding:
    try:
        return rule(facts)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        log.exception("rule %s crashed on snapshot %s", name, facts.snapshot.id)
        return facts.unknown(name, "rule_failed", detail=type(error).__name__)


def _word(chosen: Lead, findings: tuple[Finding, ...], words: Wording) -> Verdict:
    action, swap = CONSEQUENCES[chosen.code]
    heads = headlines(chosen.code, findings, chosen.because)
    leading = worth_telling(chosen.code, findings, chosen.because)
    parts = [
        *(words.verdicts[key].fill() for key in heads),
        *(f.text for f in leading),
        words.actions[action].fill(),
    ]
    text = Text(fr=" ".join(t.fr for t in parts), en=" ".join(t.en for t in parts))
    return Verdict(
        code=chosen.code,
        status=chosen.status,
        action=action,
        swap=swap,
        text=text,
        because=chosen.because,
        also=chosen.also,
        not_evaluable=chosen.not_evaluable,
    )
