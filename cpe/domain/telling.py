"""Of a verdict and its findings, what is told, and in which order. Pure; the words are data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cpe.domain.finding import Finding, Status
from cpe.domain.verdict import Code

SESSION: Final = "wan.session_is_up"
BEYOND_THE_BOX: Final = (
    Code.INCONCLUSIVE,
    Code.ACCESS_SLOW,
    Code.MESH_BACKHAUL,
    Code.WIFI_INTERFERENCE,
    Code.CLIENT_DEVICE,
)
"""What leaves a missing Internet session unexplained."""


def headlines(code: Code, findings: Sequence[Finding], because: Sequence[str]) -> tuple[str, ...]:
    """The keys of the sentences that say the verdict: never more than was measured or seen.

    No code speaks for a missing or doubtful Internet session; whatever else is wrong beyond the
    box comes after it.
    """
    status = {f.rule: f.status for f in findings}
    if code in BEYOND_THE_BOX and status.get(SESSION) is Status.FAULT:
        return ("no_session",) if code is Code.INCONCLUSIVE else ("no_session", code.value)
    if code is Code.INCONCLUSIVE:
        if SESSION in because and status.get(SESSION) is Status.UNKNOWN:
            return ("session_in_doubt",)
        seen = any(status.get(rule) is Status.FAULT for rule in because)
        return ("inconclusive_seen" if seen else code.value,)
    if code is not Code.HEALTHY:
        return (code.value,)
    if Status.DEGRADED in status.values():
        return ("healthy_watch",)
    if status.get("management.acs_reaches_box") is not Status.OK:
        return ("healthy_line",)
    air = (s for rule, s in status.items() if rule.startswith("wifi."))
    return (code.value if Status.OK in air else "healthy_no_wifi",)


def worth_telling(code: Code, findings: Sequence[Finding], because: Sequence[str]) -> list[Finding]:
    """The findings that the verdict's text tells, the one to see to first at the head.

    Beside the cause that leads these are the faults that no code speaks for: else nobody reads
    them. What the OLT and the ACS say of the same silence is no fault apart. Where no cause leads,
    what is to be watched is all there is to go by.
    """
    if code is Code.HEALTHY:
        return [f for f in findings if f.status is Status.DEGRADED]
    told = [f for f in findings if f.rule in because and f.status in (Status.FAULT, Status.UNKNOWN)]
    told += [f for f in findings if f.rule not in because and _is_apart(f)]
    if code is Code.INCONCLUSIVE:
        told += [f for f in findings if f.status is Status.DEGRADED]
    first = SESSION if code in BEYOND_THE_BOX else ""
    return sorted(told, key=lambda f: f.rule != first)


def _is_apart(finding: Finding) -> bool:
    apart = finding.rule.split(".", 1)[0] in ("wan", "speed", "client", "hardware")
    return apart and finding.status is Status.FAULT and finding.cause is None
