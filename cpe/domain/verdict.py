"""The fold: many findings, one verdict. Pure; what is said of it is `cpe.domain.telling`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cpe.domain.finding import Finding, Status, Text


class Code(StrEnum):
    """Why the connection is bad. See the verdict table of the design."""

    HEALTHY = "healthy"
    FIBRE_WEAK = "fibre_weak"
    FIBRE_OVERLOAD = "fibre_overload"
    FIBRE_CUT = "fibre_cut"
    PON_OUTAGE = "pon_outage"
    POWER_OFF = "power_off"
    WIFI_INTERFERENCE = "wifi_interference"
    MESH_BACKHAUL = "mesh_backhaul"
    CLIENT_DEVICE = "client_device"
    ACCESS_SLOW = "access_slow"
    MANAGEMENT_SILENT = "management_silent"
    HARDWARE_FAULT = "hardware_fault"
    INCONCLUSIVE = "inconclusive"
    NOT_FOUND = "not_found"


class Action(StrEnum):
    """What to do next."""

    NONE = "none"
    DISPATCH_FIBRE_TECH = "dispatch_fibre_tech"
    ESCALATE_NETWORK = "escalate_network"
    CHECK_POWER = "check_power"
    CHANGE_CHANNEL = "change_channel"
    MOVE_MESH_NODE = "move_mesh_node"
    ADVISE_CLIENT = "advise_client"
    RESTART_CPE = "restart_cpe"
    REPLACE = "replace"
    DIAGNOSTIC_SWAP = "diagnostic_swap"
    CHECK_SERIAL = "check_serial"


class SwapPermission(StrEnum):
    """What the swap guard lets through."""

    BLOCKED = "blocked"
    DIAGNOSTIC = "diagnostic"
    ALLOWED = "allowed"


CONSEQUENCES: Final[dict[Code, tuple[Action, SwapPermission]]] = {
    Code.HEALTHY: (Action.NONE, SwapPermission.BLOCKED),
    Code.FIBRE_WEAK: (Action.DISPATCH_FIBRE_TECH, SwapPermission.BLOCKED),
    Code.FIBRE_OVERLOAD: (Action.DISPATCH_FIBRE_TECH, SwapPermission.BLOCKED),
    Code.FIBRE_CUT: (Action.DISPATCH_FIBRE_TECH, SwapPermission.BLOCKED),
    Code.PON_OUTAGE: (Action.ESCALATE_NETWORK, SwapPermission.BLOCKED),
    Code.POWER_OFF: (Action.CHECK_POWER, SwapPermission.BLOCKED),
    Code.WIFI_INTERFERENCE: (Action.CHANGE_CHANNEL, SwapPermission.BLOCKED),
    Code.MESH_BACKHAUL: (Action.MOVE_MESH_NODE, SwapPermission.BLOCKED),
    Code.CLIENT_DEVICE: (Action.ADVISE_CLIENT, SwapPermission.BLOCKED),
    Code.ACCESS_SLOW: (Action.ESCALATE_NETWORK, SwapPermission.BLOCKED),
    Code.MANAGEMENT_SILENT: (Action.RESTART_CPE, SwapPermission.DIAGNOSTIC),
    Code.HARDWARE_FAULT: (Action.REPLACE, SwapPermission.ALLOWED),
    Code.INCONCLUSIVE: (Action.DIAGNOSTIC_SWAP, SwapPermission.DIAGNOSTIC),
    Code.NOT_FOUND: (Action.CHECK_SERIAL, SwapPermission.BLOCKED),
}

ORDER_OF_CAUSES: Final[tuple[Code, ...]] = (
    Code.PON_OUTAGE,
    Code.POWER_OFF,
    Code.FIBRE_CUT,
    Code.FIBRE_WEAK,
    Code.FIBRE_OVERLOAD,
    Code.HARDWARE_FAULT,
    Code.MANAGEMENT_SILENT,
    Code.ACCESS_SLOW,
    Code.MESH_BACKHAUL,
    Code.WIFI_INTERFERENCE,
    Code.CLIENT_DEVICE,
)


@dataclass(frozen=True, slots=True)
class NotEvaluable:
    """A rule that could not be judged, and why."""

    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """One cause leads; everything else that was seen is beside it."""

    code: Code
    status: Status
    action: Action
    swap: SwapPermission
    text: Text
    because: tuple[str, ...]
    also: tuple[Code, ...]
    not_evaluable: tuple[NotEvaluable, ...]


@dataclass(frozen=True, slots=True)
class Lead:
    """The fold's choice before it is worded."""

    code: Code
    status: Status
    because: tuple[str, ...]
    also: tuple[Code, ...]
    not_evaluable: tuple[NotEvaluable, ...]


def lead(findings: Sequence[Finding], *, required_for_healthy: frozenset[str]) -> Lead:
    """Choose the leading cause.

    `required_for_healthy` are the rule ids that must be OK (a degraded one counts, a missing
    one does not) before anything may be called healthy. Nothing is, either, beside a finding that
    is not evaluable and whose cause is INCONCLUSIVE: what was read there speaks against it.
    Degraded findings never lead.
    """
    unknown = tuple(NotEvaluable(f.rule, f.reason) for f in findings if f.status is Status.UNKNOWN)
    faults = [f for f in findings if f.status is Status.FAULT]
    causes = _causes(faults)
    if Code.NOT_FOUND in causes:
        return Lead(Code.NOT_FOUND, Status.UNKNOWN, _rules(faults, Code.NOT_FOUND), (), unknown)
    ranked = [code for code in ORDER_OF_CAUSES if code in causes]
    if ranked:
        first, rest = ranked[0], tuple(ranked[1:])
        return Lead(first, Status.FAULT, _rules(faults, first), rest, unknown)
    doubted = {f.rule for f in findings if _is_doubt(f)}
    if faults or doubted or not _healthy(findings, required_for_healthy):
        open_ = required_for_healthy | doubted
        because = tuple(f.rule for f in faults) or tuple(
            f.rule for f in findings if f.rule in open_ and f.status is Status.UNKNOWN
        )
        return Lead(Code.INCONCLUSIVE, Status.UNKNOWN, because, (), unknown)
    degraded = any(f.status is Status.DEGRADED for f in findings)
    held = tuple(f.rule for f in findings if f.rule in required_for_healthy)
    return Lead(Code.HEALTHY, Status.DEGRADED if degraded else Status.OK, held, (), unknown)


def _causes(faults: Iterable[Finding]) -> frozenset[Code]:
    return frozenset(Code(f.cause) for f in faults if f.cause is not None)


def _rules(faults: Iterable[Finding], code: Code) -> tuple[str, ...]:
    return tuple(f.rule for f in faults if f.cause == code)


def _is_doubt(finding: Finding) -> bool:
    return finding.status is Status.UNKNOWN and finding.cause == Code.INCONCLUSIVE


def _healthy(findings: Sequence[Finding], required: frozenset[str]) -> bool:
    good = {f.rule for f in findings if f.status in (Status.OK, Status.DEGRADED)}
    return required <= good
