"""Satellites and their backhaul."""

from __future__ import annotations

from collections.abc import Sequence

from cpe.domain.finding import Evidence, Finding, Status
from cpe.domain.observation import Measurement
from cpe.domain.serials import same_address
from cpe.domain.verdict import Code
from cpe.rules.advice import node_name, upstream_of
from cpe.rules.facts import Facts, evidence_of, joined


def satellites(facts: Facts) -> list[str]:
    """Mesh nodes other than the box itself; a lone node is the box where nobody knows its MAC."""
    nodes, own = facts.subjects("node"), facts.snapshot.device.mac
    if len(nodes) == 1 and own is None and facts.reading("node.is_controller", nodes[0]) is None:
        return []
    boxes = _boxes(facts, nodes, own)
    return [node for node in nodes if node not in boxes]


def _boxes(facts: Facts, nodes: Sequence[str], own_mac: str | None) -> list[str]:
    """The box among the nodes: who says it is the controller, else who carries the box's MAC, else
    the first, of those that do not say that they are not."""
    told = {n: c.value for n in nodes if (c := facts.reading("node.is_controller", n)) is not None}
    if controllers := [n for n, controls in told.items() if controls is True]:
        return controllers
    open_ = [n for n in nodes if n not in told]
    macs = {n: m for n in open_ if (m := facts.reading("node.mac", n)) is not None}
    same = [n for n, m in macs.items() if same_address(m.value, own_mac)]
    return same or [n for n in open_ if n == nodes[0]]


def _no_satellites(facts: Facts, rule: str, name: str) -> Finding:
    """A mesh of the box alone has no satellite; of a list that nobody read nothing is known."""
    if facts.subjects("node"):
        return facts.not_applicable(rule)
    return facts.no_rows(rule, "node", name)


def nodes_are_active(facts: Facts) -> Finding:
    """A satellite that is known and not there."""
    rule = "mesh.nodes_are_active"
    nodes = satellites(facts)
    if not nodes:
        return _no_satellites(facts, rule, "node.active")
    readings = _readings(facts, nodes, "node.active")
    if not readings:
        return facts.unknown_reading(rule, "node.active", nodes)
    down = [m for m in readings if m.value is False]
    evidence = [evidence_of(m, "true", fits=m.value is True) for m in readings]
    if down:
        return facts.say(
            rule, Status.FAULT, "down", evidence, Code.MESH_BACKHAUL, names=_names(facts, down)
        )
    if gap := facts.unread_part(rule, "node.active", nodes, node_name, evidence):
        return gap
    return facts.say(rule, Status.OK, "ok", evidence, count=len(readings))


def backhaul_signal_is_good(facts: Facts) -> Finding:
    """Signal of the wireless backhauls."""
    rule, limits = "mesh.backhaul_signal_is_good", facts.thresholds.mesh
    nodes = wireless(facts)
    if not nodes:
        return _no_satellites(facts, rule, "node.backhaul_rssi_dbm")
    readings = _readings(facts, nodes, "node.backhaul_rssi_dbm")
    if not readings:
        return facts.unknown_reading(rule, "node.backhaul_rssi_dbm", nodes)
    low = limits.rssi_bad_dbm
    worst = min(readings, key=lambda m: m.number)
    expected = f"≥ {low:g}".replace("-", "−")
    evidence = [evidence_of(m, expected, fits=m.number >= low) for m in readings]
    if worst.number < low:
        bad = [m for m in readings if m.number < low]
        return _fault(facts, rule, "weak", evidence, worst, bad, low=low)
    if worst.number < limits.rssi_watch_dbm:
        watched = [m for m in readings if m.number < limits.rssi_watch_dbm]
        return facts.say(
            rule, Status.DEGRADED, "watch", evidence, names=_names(facts, watched),
            worst=worst.number,
        )  # fmt: skip
    if gap := facts.unread_part(rule, "node.backhaul_rssi_dbm", nodes, node_name, evidence):
        return gap
    return facts.say(rule, Status.OK, "ok", evidence, worst=worst.number)


def backhaul_has_room(facts: Facts) -> Finding:
    """Load of the backhauls."""
    rule, limits = "mesh.backhaul_has_room", facts.thresholds.mesh
    nodes = [n for n in satellites(facts) if is_up(facts, n)]
    if not nodes:
        return _no_satellites(facts, rule, "node.backhaul_utilisation_pct")
    readings = _readings(facts, nodes, "node.backhaul_utilisation_pct")
    if not readings:
        return facts.unknown_reading(rule, "node.backhaul_utilisation_pct", nodes)
    high = limits.utilisation_bad_pct
    worst = max(readings, key=lambda m: m.number)
    evidence = [evidence_of(m, f"≤ {high:g}", fits=m.number <= high) for m in readings]
    if worst.number > high:
        bad = [m for m in readings if m.number > high]
        return _fault(facts, rule, "overloaded", evidence, worst, bad, high=high)
    if worst.number >= limits.utilisation_watch_pct:
        return facts.say(
            rule, Status.DEGRADED, "watch", evidence, names=_names(facts, [worst]),
            worst=worst.number,
        )  # fmt: skip
    if gap := facts.unread_part(rule, "node.backhaul_utilisation_pct", nodes, node_name, evidence):
        return gap
    return facts.say(rule, Status.OK, "ok", evidence, worst=worst.number)


def backhaul_is_fast_enough(facts: Facts) -> Finding:
    """PHY rate against the plan; a 2.4 GHz backhaul is worth a word by itself."""
    rule, limits = "mesh.backhaul_is_fast_enough", facts.thresholds.mesh
    nodes = wireless(facts)
    if not nodes:
        return _no_satellites(facts, rule, "node.backhaul_rate_mbps")
    on_2g = [m for m in _readings(facts, nodes, "node.backhaul_band") if m.value == "2.4"]
    readings = _readings(facts, nodes, "node.backhaul_rate_mbps")
    plan = facts.snapshot.request.plan_mbps
    needed = plan / 2 if plan is not None else 0.0
    if plan is not None and readings:
        if plan > limits.rate_plan_mbps:
            needed = max(needed, limits.rate_min_mbps)
        slow = [m for m in readings if m.number < needed]
        if slow:
            evidence = [evidence_of(m, f"≥ {needed:g}", fits=m.number >= needed) for m in readings]
            worst = min(slow, key=lambda m: m.number)
            return _fault(facts, rule, "slow", evidence, worst, slow, low=needed)
    if on_2g:
        evidence = [evidence_of(m, "5 GHz") for m in on_2g]
        return facts.say(rule, Status.DEGRADED, "on_2g", evidence, names=_names(facts, on_2g))
    if not readings:
        return facts.unknown_reading(rule, "node.backhaul_rate_mbps", nodes)
    if plan is None:
        return facts.unknown(rule, "no_plan", [evidence_of(m, "–") for m in readings])
    evidence = [evidence_of(m, f"≥ {needed:g}", fits=True) for m in readings]
    if gap := facts.unread_part(rule, "node.backhaul_rate_mbps", nodes, node_name, evidence):
        return gap
    return facts.say(rule, Status.OK, "ok", evidence, worst=min(m.number for m in readings))


def _fault(
    facts: Facts,
    rule: str,
    case: str,
    evidence: Sequence[Evidence],
    worst: Measurement,
    bad: Sequence[Measurement],
    **params: object,
) -> Finding:
    """A bad backhaul, and what to move the node closer to where the mesh is known.

    Load and rate follow from a weak signal: the move is then said once, with the signal.
    """
    params |= {"names": _names(facts, bad), "worst": worst.number}
    said = case != "weak" and _is_weak(facts, worst.subject)
    if not said and (upstream := upstream_of(facts, worst.subject)) is not None:
        move = node_name(facts, worst.subject)
        case, params = f"{case}_move", {**params, "move": move, "upstream": upstream}
    return facts.say(rule, Status.FAULT, case, evidence, Code.MESH_BACKHAUL, **params)


def _is_weak(facts: Facts, node: str) -> bool:
    rssi = facts.reading("node.backhaul_rssi_dbm", node)
    return rssi is not None and rssi.number < facts.thresholds.mesh.rssi_bad_dbm


def is_up(facts: Facts, node: str) -> bool:
    active = facts.reading("node.active", node)
    return active is None or active.value is not False


def wireless(facts: Facts) -> list[str]:
    """Satellites that are up and not known to be wired."""
    wired = ("ethernet", "pon", "moca", "ghn", "hpna", "homeplug", "upa")
    kept: list[str] = []
    for node in satellites(facts):
        kind = facts.reading("node.backhaul_type", node)
        if is_up(facts, node) and (kind is None or kind.value not in wired):
            kept.append(node)
    return kept


def _readings(facts: Facts, nodes: Sequence[str], name: str) -> list[Measurement]:
    readings = (facts.reading(name, node) for node in nodes)
    return [m for m in readings if m is not None]


def _names(facts: Facts, readings: Sequence[Measurement]) -> str:
    return joined(node_name(facts, m.subject) for m in readings)
