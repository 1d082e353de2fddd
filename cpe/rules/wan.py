"""The WAN session of the box."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cpe.domain.finding import Finding, Status, Text
from cpe.domain.observation import Measurement
from cpe.domain.wan import may_be_internet, names_internet
from cpe.rules.facts import Facts, evidence_of, joined

NO_ERROR: Final = ("", "ERROR_NONE")


def session_is_up(facts: Facts) -> Finding:
    """At least one enabled connection that may carry the Internet is connected.

    The ACS often has a connection of its own: that it is up says nothing of the customer's. Nor
    does one of unknown use, beside a dial-in that was refused.
    """
    rule = "wan.session_is_up"
    connections = facts.subjects("wan")
    if not connections:
        return facts.not_applicable(rule)
    enabled = [
        subject
        for subject in connections
        if (flag := facts.reading("wan.enabled", subject)) is None or flag.value is not False
    ]
    enabled = [s for s in enabled if _may_be_internet(facts, s)] or enabled
    states = [s for subject in enabled if (s := facts.reading("wan.status", subject)) is not None]
    up = [s for s in states if s.value == "connected"]
    errors = _errors(facts, [s.subject for s in states if s not in up])
    evidence = [evidence_of(s, "connected", fits=s in up) for s in states]
    evidence += [evidence_of(e, "ERROR_NONE", fits=False) for e in errors]
    named = _words(facts, "wan_error", errors)
    if up:
        if errors and not any(_names_internet(facts, s.subject) for s in up):
            return facts.say(rule, Status.DEGRADED, "up_beside", evidence, error=named)
        return facts.say(rule, Status.OK, "ok", [evidence_of(s, "connected") for s in up])
    if not states or len(states) < len(enabled):
        return facts.unknown_reading(rule, "wan.status", enabled)
    told = {"states": _words(facts, "wan", states)}
    if errors:
        return facts.say(rule, Status.FAULT, "down_error", evidence, error=named, **told)
    return facts.say(rule, Status.FAULT, "down", evidence, **told)


def line_serves(facts: Facts) -> bool:
    """The light is good and no Internet session is known to be missing: the rest is the home's."""
    return facts.line_is_good and session_is_up(facts).status is not Status.FAULT


def _errors(facts: Facts, subjects: Sequence[str]) -> list[Measurement]:
    """The last error of each, where it was read with the rest: an old one may be long mended."""
    told = (facts.reading("wan.last_error", subject) for subject in subjects)
    limit_s = facts.snapshot.freshness.limit_s
    return [
        m
        for m in told
        if m is not None and m.age_s is not None and m.age_s <= limit_s and m.value not in NO_ERROR
    ]


def _words(facts: Facts, kind: str, readings: Sequence[Measurement]) -> Text:
    words = [facts.word(kind, m.value) for m in readings]
    return Text(fr=joined(w.fr for w in words), en=joined(w.en for w in words))


def _may_be_internet(facts: Facts, subject: str) -> bool:
    service = facts.reading("wan.service", subject)
    return service is None or may_be_internet(service.value)


def _names_internet(facts: Facts, subject: str) -> bool:
    service = facts.reading("wan.service", subject)
    return service is not None and names_internet(service.value)
