"""What is remembered between diagnoses: who a box is, what was found, what was measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from cpe.domain.finding import Finding, Status
from cpe.domain.snapshot import FreshnessOutcome, History, Snapshot
from cpe.domain.verdict import Code, Verdict


@dataclass(frozen=True, slots=True)
class Identity:
    """One box under all its names, and where it was last seen on an OLT.

    `gpon_serial` and `mac` are canonical. `pon` and `ont` are as a network engineer says them,
    `ont_index` is the dotted SNMP suffix; the four location fields belong together and are None
    when no OLT ever showed the box. `equipment` is the ERPNext document's name. `source` says who
    taught it last (`diagnosis`, `sweep`, `erp`). Unknown names are None, never empty text.
    """

    last_seen: datetime
    source: str
    tr069_serial: str | None = None
    acs_id: str | None = None
    gpon_serial: str | None = None
    mac: str | None = None
    olt: str | None = None
    pon: str | None = None
    ont: str | None = None
    ont_index: str | None = None
    equipment: str | None = None
    model: str | None = None
    first_seen: datetime | None = None


@dataclass(frozen=True, slots=True)
class IdentityConflict:
    """One GPON serial that more than one box claims, the box seen last first."""

    gpon_serial: str
    boxes: tuple[Identity, ...]


@dataclass(frozen=True, slots=True)
class Recall:
    """What is known of a serial before anything is asked. `identity` None: never met."""

    identity: Identity | None = None
    history: History = field(default_factory=History)


@dataclass(frozen=True, slots=True)
class KeptDiagnosis:
    """One diagnosis as it is kept. `document` is the answer (`cpe.diagnosis/1`), a JSON object;
    `ruleset` names the rules and thresholds that judged; `id` is the snapshot's."""

    id: str
    snapshot: Snapshot
    findings: tuple[Finding, ...]
    verdict: Verdict
    ruleset: str
    document: dict[str, object]
    finished_at: datetime
    duration_ms: int
    flow_run_id: str | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """One line of a box's past. `serial` is the box's own, else the one that was asked for;
    `rx_dbm` is None when no reading was fit to judge."""

    id: str
    serial: str
    acs_id: str | None
    gpon_serial: str | None
    model: str | None
    firmware: str | None
    requested_at: datetime
    finished_at: datetime
    duration_ms: int
    verdict_code: Code
    verdict_status: Status
    rx_dbm: float | None
    freshness_outcome: FreshnessOutcome | None
    requested_by: str
    ruleset: str
    flow_run_id: str | None
