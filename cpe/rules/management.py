"""Is the box alive, and does the ACS reach it?"""

from __future__ import annotations

from cpe.domain.finding import Evidence, Finding, Status
from cpe.domain.observation import Source
from cpe.domain.snapshot import FreshnessOutcome, OntState
from cpe.domain.verdict import Code
from cpe.rules.facts import DOWN, Facts


def box_is_online(facts: Facts) -> Finding:
    """The box answered the ACS, or an OLT sees it online."""
    rule = "management.box_is_online"
    sighting = facts.sighting
    if sighting is not None and sighting.state is OntState.ONLINE:
        return facts.say(rule, Status.OK, "olt", [_state(facts)], olt=sighting.olt)
    if facts.snapshot.admin_ui_spoke and not facts.snapshot.freshness.box_answered:
        return facts.say(rule, Status.OK, "bridge", _own_word(facts))
    if facts.snapshot.box_has_spoken:
        return facts.say(rule, Status.OK, "acs", [_freshness(facts)])
    if sighting is not None and sighting.state in DOWN:
        state = facts.word("state", sighting.state)
        return facts.say(rule, Status.FAULT, "down", [_state(facts)], olt=sighting.olt, state=state)
    if facts.snapshot.freshness.box_answered:
        return facts.say(rule, Status.OK, "acs", [_freshness(facts)])
    if facts.acs_is_down:
        return facts.unknown(rule, facts.acs_silence)
    return _olt_unknown(facts, rule)


def acs_reaches_box(facts: Facts) -> Finding:
    """OLT says online while the ACS, itself up, cannot reach the box: management is silent."""
    rule = "management.acs_reaches_box"
    snapshot, sighting = facts.snapshot, facts.sighting
    if facts.acs_is_down or snapshot.acs_known is None:
        return facts.unknown(rule, facts.acs_silence)
    fresh = snapshot.freshness
    if fresh.box_answered:
        if fresh.outcome == "refused":
            return facts.say(rule, Status.DEGRADED, "no_reading", [_freshness(facts)])
        return facts.say(rule, Status.OK, "ok", [_freshness(facts)])
    if facts.snapshot.admin_ui_spoke:
        evidence = [*_own_word(facts), _freshness(facts)]
    elif sighting is None or sighting.state is OntState.UNKNOWN:
        return _olt_unknown(facts, rule)
    elif sighting.state in DOWN:
        return facts.say(rule, Status.NOT_APPLICABLE, "explained", [_state(facts)])
    else:
        evidence = [_state(facts), _freshness(facts)]
    if not snapshot.acs_known:
        return facts.say(rule, Status.FAULT, "unknown_to_acs", evidence, Code.MANAGEMENT_SILENT)
    outcome = facts.word("outcome", fresh.outcome or FreshnessOutcome.UNREACHABLE)
    return facts.say(
        rule, Status.FAULT, "silent", evidence, Code.MANAGEMENT_SILENT, outcome=outcome
    )


def _olt_unknown(facts: Facts, rule: str) -> Finding:
    report, sighting = facts.snapshot.olt, facts.sighting
    if sighting is not None:
        raw = next((m.raw for m in facts.all("line.ont_state")), "?")
        return facts.unknown(rule, "olt_unknown_state", [_state(facts)], raw=raw)
    if report is not None and report.failed:
        return facts.olt_failed(rule, report.failed)
    asked = report is not None and report.asked
    return facts.unknown(rule, "olt_knows_it_not" if asked else "olt_not_asked")


def _own_word(facts: Facts) -> list[Evidence]:
    """How much was read on the box's own admin UI: it is alive."""
    read = [m for m in facts.snapshot.measurements if m.source is Source.BRIDGE]
    newest = max((m.measured_at for m in read if m.measured_at is not None), default=None)
    return [
        Evidence(
            "bridge.readings", len(read), "≥ 1", None, Source.BRIDGE, 0.0, measured_at=newest,
            fits=True,
        )
    ]  # fmt: skip


def _state(facts: Facts) -> Evidence:
    sighting = facts.sighting
    state = sighting.state.value if sighting is not None else None
    return Evidence(
        "line.ont_state", state, "online", None, Source.OLT, 0.0, fits=state == "online"
    )


def _freshness(facts: Facts) -> Evidence:
    fresh = facts.snapshot.freshness
    outcome = fresh.outcome.value if fresh.outcome is not None else None
    age_s = 0.0 if fresh.outcome is FreshnessOutcome.REFRESHED else fresh.age_s
    return Evidence(
        "freshness.outcome", outcome, "fresh or refreshed", None, Source.ACS, age_s,
        measured_at=fresh.last_inform, fits=outcome in ("fresh", "refreshed"),
    )  # fmt: skip
