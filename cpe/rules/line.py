"""What the OLT says of the line: light, power, the neighbours on the PON."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cpe.domain.finding import Evidence, Finding, Status, Text
from cpe.domain.observation import Source
from cpe.domain.olt_clock import latest
from cpe.domain.snapshot import SHUT, DownCause, Neighbour, OltSighting, OntState
from cpe.domain.verdict import Code
from cpe.rules.facts import DOWN, Facts


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Of the neighbours that were up when the subject went down (`of`), how many went with it."""

    down: int
    of: int


def neighbourhood(facts: Facts, sighting: OltSighting) -> Neighbourhood | None:
    """The count of the design's outage rule; None when the neighbours could not be read.

    The subject is not among them. A neighbour down for more than `churned_days`, or by the
    operator's own will, counts neither way: by our clock, unless what the OLT tells cannot be of
    it (a subject that informed since it went down, times of the year 2000 or of tomorrow); then by
    the newest time of its own. Where the OLT tells times, one that went down outside
    the window does not go with it, and one that went down before was not up.
    """
    if sighting.neighbours is None:
        return None
    limits = facts.thresholds.line
    window = timedelta(seconds=limits.outage_window_s)
    churned = _olt_time(facts, sighting) - timedelta(days=limits.churned_days)
    down = of = 0
    for neighbour in sighting.neighbours:
        went_with, was_up = _counts(neighbour, sighting, window)
        if _is_down(neighbour) and neighbour.down_at and neighbour.down_at < churned:
            continue
        down += went_with
        of += was_up
    return Neighbourhood(down, of)


def _olt_time(facts: Facts, sighting: OltSighting) -> datetime:
    """What time it is on the OLT's clock, for the ages of the neighbours' last-down times."""
    now, informed = facts.snapshot.judged_at, facts.snapshot.freshness.last_inform
    long_ago = now - timedelta(days=facts.thresholds.line.churned_days)
    own = sighting.down_at if sighting.state in DOWN else None
    contradicted = own is not None and informed is not None and own < long_ago <= informed
    others = (n.down_at for n in sighting.neighbours or () if _is_down(n))
    return latest((own, *others), now, contradicted=contradicted)


def _is_down(neighbour: Neighbour) -> bool:
    return neighbour.state in DOWN


def _counts(neighbour: Neighbour, subject: OltSighting, window: timedelta) -> tuple[bool, bool]:
    """(went down with the subject, was up until then)."""
    if neighbour.state is OntState.ONLINE:
        return False, True
    if not _is_down(neighbour) or neighbour.cause in SHUT:
        return False, False
    if subject.state not in DOWN or subject.down_at is None or neighbour.down_at is None:
        return True, True
    apart = neighbour.down_at - subject.down_at
    if abs(apart) <= window:
        return True, True
    return False, apart > timedelta(0)


def is_outage(facts: Facts, count: Neighbourhood | None) -> bool:
    """At least so many, and at least such a share of those that were up."""
    limits = facts.thresholds.line
    return (
        count is not None
        and count.down >= limits.outage_min_down
        and count.down >= limits.outage_min_share * count.of
    )


def ont_has_light(facts: Facts) -> Finding:
    """LOS for this ONT alone is a cut drop; with its neighbours it is the PON's matter."""
    rule = "line.ont_has_light"
    sighting = facts.sighting
    if sighting is None:
        return _without_olt(facts, rule)
    if sighting.state is OntState.UNKNOWN:
        return _unknown_state(facts, rule)
    if sighting.state is OntState.DYING_GASP:
        return facts.not_applicable(rule)
    if sighting.state is OntState.OFFLINE and not facts.snapshot.box_has_spoken:
        return facts.unknown(rule, "ont_down", [_state_evidence(sighting)])
    if sighting.state is not OntState.LOS:
        return facts.say(rule, Status.OK, "ok", [_state_evidence(sighting)])
    if facts.snapshot.box_has_spoken:
        return facts.say(
            rule, Status.DEGRADED, "contradicted", [_state_evidence(sighting)], olt=sighting.olt
        )
    count = neighbourhood(facts, sighting)
    if is_outage(facts, count):
        return facts.say(
            rule, Status.FAULT, "outage", [_state_evidence(sighting)], olt=sighting.olt
        )
    params: dict[str, object] = {"olt": sighting.olt, "pon": sighting.pon}
    case = "los"
    if count is None:
        case = "los_neighbours_unknown"
    elif count.down:
        case = "los_with_some"
        params |= {"down": count.down, "of": count.of}
    evidence = [_state_evidence(sighting)]
    return facts.say(rule, Status.FAULT, case, evidence, Code.FIBRE_CUT, **params)


def ont_has_power(facts: Facts) -> Finding:
    """A dying gasp is power, whatever else is seen; with the neighbours down, an area power cut."""
    rule = "line.ont_has_power"
    sighting = facts.sighting
    if sighting is None:
        return _without_olt(facts, rule)
    if sighting.state is OntState.UNKNOWN:
        return _unknown_state(facts, rule)
    evidence = [_state_evidence(sighting, "not dying_gasp")]
    if sighting.state is not OntState.DYING_GASP:
        return facts.say(rule, Status.OK, "ok", evidence)
    if facts.snapshot.box_has_spoken:
        return facts.say(rule, Status.DEGRADED, "contradicted", evidence, olt=sighting.olt)
    count = neighbourhood(facts, sighting)
    if count is not None and is_outage(facts, count):
        return facts.say(rule, Status.FAULT, "area", evidence, Code.POWER_OFF, down=count.down)
    return facts.say(rule, Status.FAULT, "gasp", evidence, Code.POWER_OFF, olt=sighting.olt)


def pon_is_up(facts: Facts) -> Finding:
    """The neighbours are down too: the network, not this home."""
    rule, limits = "line.pon_is_up", facts.thresholds.line
    sighting = facts.sighting
    if sighting is None:
        return _without_olt(facts, rule)
    count = neighbourhood(facts, sighting)
    if count is None:
        detail = facts.wording.detail(sighting.neighbours_detail or "?")
        return facts.unknown(rule, "neighbours", detail=detail)
    if not count.of:
        return _without_neighbours(facts, rule, sighting)
    share = f"{count.down}/{count.of}"
    few = f"< {limits.outage_min_down} / < {100 * limits.outage_min_share:g} %"
    evidence = [Evidence("line.neighbours_down", share, few, None, Source.OLT, 0.0)]
    params: dict[str, object] = {"pon": sighting.pon, "down": count.down, "of": count.of}
    if is_outage(facts, count):
        return _outage(facts, rule, sighting, evidence, params)
    if sighting.state in DOWN and count.down >= limits.outage_min_share * count.of:
        return facts.say(rule, Status.DEGRADED, "few", evidence, **params)
    return facts.say(rule, Status.OK, "ok", evidence, **params)


def _outage(
    facts: Facts,
    rule: str,
    sighting: OltSighting,
    evidence: list[Evidence],
    params: dict[str, object],
) -> Finding:
    """An outage is this ONT's cause only when the ONT is down for no reason of its own."""
    if sighting.state is OntState.ONLINE or facts.snapshot.box_has_spoken:
        return facts.say(rule, Status.DEGRADED, "others_down", evidence, **params)
    if sighting.state is OntState.DYING_GASP or sighting.cause is DownCause.DEACTIVATED:
        return facts.say(rule, Status.DEGRADED, "outage", evidence, **params)
    if sighting.state is OntState.UNKNOWN:
        return _unknown_state(facts, rule)
    return facts.say(rule, Status.FAULT, "outage", evidence, Code.PON_OUTAGE, **params)


def ont_is_active(facts: Facts) -> Finding:
    """Down for a reason that is neither light nor power: deactivated, authentication, unknown."""
    rule = "line.ont_is_active"
    sighting = facts.sighting
    if sighting is None:
        return _without_olt(facts, rule)
    if sighting.state is OntState.UNKNOWN:
        return _unknown_state(facts, rule)
    if sighting.state is not OntState.OFFLINE:
        return facts.say(rule, Status.OK, "ok", [_state_evidence(sighting, "not offline")])
    if facts.snapshot.box_has_spoken:
        return facts.say(
            rule,
            Status.DEGRADED,
            "contradicted",
            [_state_evidence(sighting, "not offline")],
            olt=sighting.olt,
        )
    if sighting.cause is DownCause.DEACTIVATED:
        return facts.say(
            rule,
            Status.FAULT,
            "deactivated",
            [_state_evidence(sighting, "not offline")],
            olt=sighting.olt,
        )
    known = sighting.cause if sighting.cause is not None else DownCause.UNKNOWN
    cause = facts.word("cause", known)
    return facts.say(
        rule,
        Status.FAULT,
        "offline",
        [_state_evidence(sighting, "not offline")],
        olt=sighting.olt,
        cause=cause,
    )


def ont_is_not_rogue(facts: Facts) -> Finding:
    """A rogue ONT harms its whole PON: hardware, at once."""
    rule = "hardware.ont_is_not_rogue"
    sighting = facts.sighting
    if sighting is None:
        return facts.not_applicable(rule)
    if sighting.cause is DownCause.ROGUE and sighting.state in DOWN:
        if facts.snapshot.box_has_spoken:
            return facts.say(
                rule,
                Status.DEGRADED,
                "contradicted",
                [_state_evidence(sighting, "not rogue")],
                olt=sighting.olt,
            )
        return facts.say(
            rule,
            Status.FAULT,
            "rogue",
            [_state_evidence(sighting, "not rogue")],
            Code.HARDWARE_FAULT,
            olt=sighting.olt,
        )
    return facts.say(rule, Status.OK, "ok", [_state_evidence(sighting, "not rogue")])


def _without_neighbours(facts: Facts, rule: str, sighting: OltSighting) -> Finding:
    """A lone ONT proves nothing about its PON; neighbours without a known state neither."""
    states = [n.state for n in sighting.neighbours or ()]
    if OntState.UNKNOWN in states:
        detail = Text(f"{len(states)} d'état inconnu", f"{len(states)} of unknown state")
        return facts.unknown(rule, "neighbours", detail=detail)
    return facts.not_applicable(rule)


def _state_evidence(sighting: OltSighting, enough: str = "online") -> Evidence:
    """`enough`: what a rule is content with of an ONT that is not even online."""
    wanted = "online" if sighting.state is OntState.ONLINE else enough
    down = sighting.state in DOWN  # of an ONT that is up the last cause is history
    cause = f" ({sighting.cause.value})" if down and sighting.cause is not None else ""
    return Evidence(
        "line.ont_state", f"{sighting.state.value}{cause}", wanted, None, Source.OLT, 0.0,
        measured_at=sighting.down_at if down else None,
    )  # fmt: skip


def _unknown_state(facts: Facts, rule: str) -> Finding:
    raw = next((m.raw for m in facts.all("line.ont_state")), "?")
    return facts.unknown(rule, "olt_unknown_state", raw=raw)


def _without_olt(facts: Facts, rule: str) -> Finding:
    """With the box answering, nobody needs the OLT; otherwise its silence is named."""
    report = facts.snapshot.olt
    if facts.snapshot.freshness.box_answered and (report is None or not report.failed):
        return facts.not_applicable(rule)
    if report is not None and report.failed:
        return facts.olt_failed(rule, report.failed)
    asked = report is not None and report.asked
    return facts.unknown(rule, "olt_knows_it_not" if asked else "olt_not_asked")
