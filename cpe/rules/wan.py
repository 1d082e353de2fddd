"""The WAN session of the box."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from cpe.domain.finding import Evidence, Finding, Status, Text
from cpe.domain.observation import Measurement
from cpe.domain.verdict import Code
from cpe.domain.wan import NO_ADDRESS, Session, Use, sessions
from cpe.rules.facts import Facts, evidence_of, joined

RULE: Final = "wan.session_is_up"
NO_ERROR: Final = ("", "ERROR_NONE")
IPV6_IS_ON: Final = frozenset({"true", "1", "connected"})


def session_is_up(facts: Facts) -> Finding:
    """A connection that is known to carry the Internet is connected.

    The ACS often has a connection of its own: that it is up says nothing of the customer's. One of
    unknown use is doubt: it proves nothing while another is down that may be the Internet's.
    """
    found = sessions(facts.subjects, facts.reading, facts.snapshot.freshness.limit_s)
    if not found:
        if facts.snapshot.acs_known and "wan.status" not in facts.snapshot.cannot_report:
            return facts.unknown(RULE, "wan_not_read")
        return facts.not_applicable(RULE)
    enabled = [s for s in found if s.enabled]
    if named := [s for s in enabled if s.use is Use.INTERNET]:
        return _internet(facts, named, [s for s in enabled if s not in named])
    if any(s.use is Use.INTERNET for s in found) or not enabled:
        flags = (facts.reading("wan.enabled", row) for s in found for row in s.rows)
        evidence = [evidence_of(f, "true", fits=f.value is True) for f in flags if f is not None]
        return facts.say(RULE, Status.FAULT, "disabled", evidence)
    if unnamed := [s for s in enabled if s.use is Use.UNKNOWN]:
        return _unnamed(facts, unnamed)
    return facts.unknown(RULE, "wan_other_use", _evidence(enabled), names=_called(facts, enabled))


def line_serves(facts: Facts) -> bool:
    """The light is good and no Internet session is known or feared to be missing: the rest is the
    home's."""
    session = session_is_up(facts)
    feared = session.status is Status.FAULT or session.cause == Code.INCONCLUSIVE
    return facts.line_is_good and not feared


def _internet(facts: Facts, named: Sequence[Session], rest: Sequence[Session]) -> Finding:
    """By the sessions that are known to be for the Internet: the others have no say."""
    down = [s for s in named if s.is_down]
    up = [s for s in named if s.is_up]
    routed = [s for s in up if not s.bridged]
    evidence = _evidence(named)
    if not up and len(down) < len(named):
        unread = [s.row for s in named if not s.is_down]
        finding = facts.unknown_reading(RULE, "wan.status", unread)
        return _doubt(finding) if down or _speaks_against(facts, rest) else finding
    if not routed and any(s.bridged for s in named):
        return _feared(
            facts.unknown(RULE, "wan_bridged", evidence, names=_called(facts, named)), down
        )
    if not up:
        return _no_session(facts, down, [s for s in rest if s.is_up])
    if all(_lacks_address(facts, s) for s in routed):
        return _doubt(facts.unknown(RULE, "wan_no_address", evidence, up=_called(facts, routed)))
    if errors := _errors(facts, down):
        evidence += [evidence_of(e, "ERROR_NONE", fits=False) for e in errors]
        if not any(s.has_default_route or _has_address(facts, s) for s in routed):
            return _contradiction(facts, routed, down, evidence)
        error = _words(facts, "wan_error", errors)
        return facts.say(RULE, Status.DEGRADED, "up_beside", evidence, error=error)
    return facts.say(RULE, Status.OK, "ok", _evidence(routed))


def _unnamed(facts: Facts, unnamed: Sequence[Session]) -> Finding:
    """By sessions of unknown use: one of them, perhaps, is the Internet's."""
    up = [s for s in unnamed if s.is_up]
    down = [s for s in unnamed if s.is_down]
    evidence = _evidence(unnamed)
    if not up:
        if len(down) == len(unnamed):
            return _no_session(facts, down, [])
        unread = [s.row for s in unnamed if not s.is_down]
        return _feared(facts.unknown_reading(RULE, "wan.status", unread), down)
    if down:
        return _contradiction(facts, up, down, evidence)
    if all(_lacks_address(facts, s) for s in up):
        return _doubt(facts.unknown(RULE, "wan_no_address", evidence, up=_called(facts, up)))
    if len(up) < len(unnamed):
        unread = [s.row for s in unnamed if not s.is_up]
        return facts.unknown_reading(RULE, "wan.status", unread)
    if not any(_passes_for_internet(facts, s) for s in up):
        return facts.unknown(RULE, "wan_unknown_use", evidence, up=_called(facts, up))
    return facts.say(RULE, Status.OK, "ok", evidence)


def _speaks_against(facts: Facts, rest: Sequence[Session]) -> bool:
    """Whether what was read of unnamed sessions would be against an Internet session."""
    unnamed = [s for s in rest if s.use is Use.UNKNOWN]
    if not unnamed:
        return False
    finding = _unnamed(facts, unnamed)
    return finding.status is Status.FAULT or finding.cause is not None


def _passes_for_internet(facts: Facts, session: Session) -> bool:
    """Whether an unnamed session, all being up, is taken for the customer's: no service list says
    something that we do not know, and it is more than an interface that is up."""
    if session.bridged or any(facts.reading("wan.service", row) for row in session.rows):
        return False
    return ".IP.Interface." not in session.row or _has_address(facts, session)


def _no_session(facts: Facts, down: Sequence[Session], others: Sequence[Session]) -> Finding:
    errors = _errors(facts, down)
    evidence = _evidence([*down, *others])
    evidence += [evidence_of(e, "ERROR_NONE", fits=False) for e in errors]
    case = f"{'internet_' if others else ''}down{'_error' if errors else ''}"
    params: dict[str, object] = {"states": _states(facts, down)}
    if errors:
        params["error"] = _words(facts, "wan_error", errors)
    if others:
        params["others"] = _called(facts, others)
    return facts.say(RULE, Status.FAULT, case, evidence, **params)


def _contradiction(
    facts: Facts, up: Sequence[Session], down: Sequence[Session], evidence: Sequence[Evidence]
) -> Finding:
    states, errors = _states(facts, down), _errors(facts, down)
    names = _called(facts, down)
    why = _words(facts, "wan_error", errors) if errors else None
    words = Text(
        fr=f"{names} : {states.fr}" + (f", {why.fr}" if why else ""),
        en=f"{names}: {states.en}" + (f", {why.en}" if why else ""),
    )
    return _doubt(
        facts.unknown(RULE, "wan_contradiction", evidence, up=_called(facts, up), down=words)
    )


def _feared(finding: Finding, down: Sequence[Session]) -> Finding:
    """Doubt when a session that may be the Internet's was read as down."""
    return _doubt(finding) if down else finding


def _doubt(finding: Finding) -> Finding:
    """Not evaluable, and nothing is healthy beside it."""
    return replace(finding, cause=Code.INCONCLUSIVE.value)


def _errors(facts: Facts, of: Iterable[Session]) -> list[Measurement]:
    """The last error of each, where it was read with the rest: an old one may be long mended."""
    read = (facts.reading("wan.last_error", row) for s in of for row in s.rows)
    return [m for m in read if m is not None and _is_new(facts, m) and m.value not in NO_ERROR]


def _addresses(facts: Facts, session: Session) -> list[str]:
    read = (facts.reading("wan.ip", row) for row in session.rows)
    return [str(m.value).strip() for m in read if m is not None and _is_new(facts, m)]


def _has_address(facts: Facts, session: Session) -> bool:
    return any(address not in NO_ADDRESS for address in _addresses(facts, session))


def _lacks_address(facts: Facts, session: Session) -> bool:
    """Whether it says that it has no IPv4 address, and nothing says that it speaks IPv6 alone."""
    if session.bridged or not _addresses(facts, session) or _has_address(facts, session):
        return False
    read = (facts.reading("wan.ipv6", row) for row in session.rows)
    return not any(m is not None and str(m.value).lower() in IPV6_IS_ON for m in read)


def _is_new(facts: Facts, reading: Measurement) -> bool:
    return reading.age_s is not None and reading.age_s <= facts.snapshot.freshness.limit_s


def _evidence(of: Iterable[Session]) -> list[Evidence]:
    states = (state for session in of for state in session.states)
    return [evidence_of(s, "connected", fits=s.value == "connected") for s in states]


def _states(facts: Facts, of: Iterable[Session]) -> Text:
    return _words(facts, "wan", [s for session in of for s in session.states])


def _words(facts: Facts, kind: str, readings: Sequence[Measurement]) -> Text:
    words = [facts.word(kind, m.value) for m in readings]
    return Text(fr=joined(w.fr for w in words), en=joined(w.en for w in words))


def _called(facts: Facts, of: Iterable[Session]) -> str:
    """The connections by name, service and instance: what a technician finds in the box."""
    return joined(_name(facts, session) for session in of)


def _name(facts: Facts, session: Session) -> str:
    read = [
        facts.reading(name, row)
        for row in reversed(session.rows)
        for name in ("wan.name", "wan.service")
    ]
    words = [str(m.value) for m in read if m is not None and str(m.value).strip()]
    tail = ".".join(session.row.removeprefix("wan:").split(".")[-3:])
    return f"{words[0]} ({tail})" if words else tail
