"""What a diagnosis still lacks, or has twice and differently, that an admin UI may tell."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from cpe.domain.finding import Status
from cpe.domain.snapshot import Snapshot
from cpe.profiles.thresholds import Thresholds
from cpe.profiles.wording import wording
from cpe.rules.facts import Facts
from cpe.rules.mesh import wireless
from cpe.rules.optical import sources_agree
from cpe.rules.stations import present

log = logging.getLogger(__name__)
_SUBJECTS = {"station.rssi_dbm": present, "node.backhaul_rssi_dbm": wireless}
"""Quantities of which every instance is needed, and which instances those are."""
_TABLES = {"station.": "node", "node.": "node", "wan.": "wan", "wifi.": "radio"}
"""The kind of row that is there when a table was read at all: a box is a mesh node itself."""


def lacking(snapshot: Snapshot, thresholds: Thresholds, names: Iterable[str]) -> frozenset[str]:
    """Those of the quantities that nobody gave in a state to be judged, or that contradict."""
    facts = Facts(snapshot, thresholds, wording())
    found = {name for name in names if _lacks(facts, name)}
    if _contradicts(facts):
        found.add("optical.rx_dbm")
    return frozenset(found)


def _contradicts(facts: Facts) -> bool:
    try:
        return sources_agree(facts).status is Status.DEGRADED
    except (ArithmeticError, LookupError, TypeError, ValueError):
        log.exception("rule optical.sources_agree crashed on snapshot %s", facts.snapshot.id)
        return False  # our bug; the judgement will name it


def _lacks(facts: Facts, name: str) -> bool:
    kind = next((kind for prefix, kind in _TABLES.items() if name.startswith(prefix)), None)
    if kind is None:
        return facts.reading(name) is None
    if not facts.subjects(kind):
        return True
    if (instances := _SUBJECTS.get(name)) is not None:
        return any(facts.reading(name, subject) is None for subject in instances(facts))
    return not facts.usable(name, kind)
