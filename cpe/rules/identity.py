"""Is this serial known, and to one box only?"""

from __future__ import annotations

from cpe.domain.finding import Evidence, Finding, Status
from cpe.domain.observation import Source
from cpe.domain.verdict import Code
from cpe.rules.facts import Facts, joined


def serial_is_known(facts: Facts) -> Finding:
    """Not found is proved only when every configured system, ACS and OLTs, answered no."""
    rule = "identity.serial_is_known"
    snapshot = facts.snapshot
    if snapshot.acs_known:
        return facts.say(rule, Status.OK, "ok", [_judged(facts)], system="ACS")
    if (seen := facts.sighting) is not None:
        named = Evidence("serial", seen.gpon_serial, "known", None, Source.OLT, 0.0, fits=True)
        return facts.say(rule, Status.OK, "ok", [named], system=seen.olt)
    report = snapshot.olt
    asked = report.asked if report is not None else ()
    without_acs = snapshot.acs_known is None
    if without_acs and not (asked and facts.acs_silence == "acs_not_configured"):
        return facts.unknown(rule, facts.acs_silence)
    if report is not None and report.failed:
        return facts.unknown(rule, "olt_failed", detail=joined(sorted(report.failed)))
    serial = snapshot.request.serial
    source = Source.OLT if without_acs else Source.ACS
    evidence = Evidence("serial", serial, "known", None, source, 0.0, fits=False)
    case = "no_olt" if without_acs else "nowhere"
    return facts.say(
        rule,
        Status.FAULT,
        case if asked else "no_olt_asked",
        [evidence],
        Code.NOT_FOUND,
        serial=serial,
        **({"olts": joined(asked)} if asked else {}),
    )


def serial_is_unique(facts: Facts) -> Finding:
    """Two boxes with one serial: the latest Inform is judged, the other is named."""
    rule = "identity.serial_is_unique"
    snapshot = facts.snapshot
    if not snapshot.acs_known:
        return facts.not_applicable(rule)
    if not snapshot.others:
        return facts.say(rule, Status.OK, "ok", [_judged(facts)])
    evidence = [
        Evidence(
            "acs.device", other.acs_id, "one device", None, Source.ACS, 0.0,
            measured_at=other.last_inform, fits=False,
        )
        for other in snapshot.others
    ]  # fmt: skip
    return facts.say(
        rule,
        Status.DEGRADED,
        "double",
        evidence,
        count=len(snapshot.others) + 1,
        chosen=snapshot.device.acs_id or "?",
        others=joined(other.acs_id for other in snapshot.others),
    )


def _judged(facts: Facts) -> Evidence:
    """The device that is judged, as the ACS names it."""
    acs_id = facts.snapshot.device.acs_id
    return Evidence("acs.device", acs_id, "one device", None, Source.ACS, 0.0, fits=True)
