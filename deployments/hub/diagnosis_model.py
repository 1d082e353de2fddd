"""The answer `cpe.diagnosis/1` as OpenAPI describes it: what the ops app is written against.

Answers are sent as they are kept, not through these models; the contract tests hold the two
together.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

Value = bool | int | float | str | None


class Texts(BaseModel):
    """For people, in both languages."""

    fr: str
    en: str


class AcsFault(BaseModel):
    """A fault that stands at the ACS for the box."""

    code: str
    message: str
    at: datetime | None


class Device(BaseModel):
    """Who the box is. `tags`, `acs_faults`: null when the ACS could not say."""

    acs_id: str | None
    manufacturer: str | None
    model: str | None
    hardware: str | None
    firmware: str | None
    gpon_serial: str | None
    ip: str | None
    technology: str | None = None
    """Null when it is not known, and in answers from before it was asked."""
    tags: list[str] | None = None
    acs_faults: list[AcsFault] | None = None


class Freshness(BaseModel):
    """How fresh the box's readings were. Seconds on the ACS's clock."""

    last_inform: datetime | None
    age_s: float | None
    limit_s: float
    outcome: Literal["fresh", "refreshed", "queued", "unreachable", "refused", "not_found"] | None


class Wan(BaseModel):
    """The WAN connection in use."""

    status: str | None
    connection: str | None
    ip: str | None
    uptime_s: float | None


class LanPort(BaseModel):
    """An Ethernet port."""

    port: str
    status: str | None
    mbps: float | None


class Interface(BaseModel):
    """Connections of the box."""

    wan: Wan
    lan: list[LanPort]


class OpticalStatus(BaseModel):
    """Light at the box, in dBm; only readings fresh enough to judge."""

    rx_dbm: float | None
    tx_dbm: float | None
    olt_rx_dbm: float | None
    state: Literal["online", "los", "dying_gasp", "offline", "unknown"]
    source: Literal["acs", "bridge", "olt"] | None


class Radio(BaseModel):
    """One WiFi radio."""

    band: Value
    channel: Value
    utilisation_pct: float | None
    noise_dbm: float | None
    enabled: Value
    status: Value


class Client(BaseModel):
    """One device on the WiFi."""

    mac: str | None
    band: Value
    rssi_dbm: float | None
    rate_mbps: float | None


class Wifi(BaseModel):
    """Radios and the devices on them."""

    radios: list[Radio]
    clients: list[Client]


class Backhaul(BaseModel):
    """How a mesh node reaches the box."""

    type: str | None
    rssi_dbm: float | None
    rate_mbps: float | None
    utilisation_pct: float | None


class Node(BaseModel):
    """A mesh node; a lone box is a mesh of one."""

    mac: str | None
    name: str | None
    role: Literal["controller", "satellite"] | None
    backhaul: Backhaul
    active: Value


class Mesh(BaseModel):
    """All mesh nodes."""

    nodes: list[Node]


class SpeedTest(BaseModel):
    """The box's own speed test (TR-143) and the customer's figure."""

    state: str | None
    download_mbps: float | None
    bytes: int | None
    duration_ms: float | None
    connections: int | None
    measured_mbps: float | None
    at: datetime | None


class Source(BaseModel):
    """How a source fared."""

    name: Literal["acs", "olt", "bridge", "speedtest", "history"]
    outcome: Literal[
        "ok", "stale", "unreachable", "refused", "busy", "unsupported", "skipped", "error"
    ]
    duration_ms: float
    detail: str


class Measurement(BaseModel):
    """One reading. `raw` and `conversion` tell what `value` was made of."""

    name: str
    subject: str
    value: Value
    unit: str | None
    raw: Value
    path: str | None
    conversion: str | None
    source: str
    measured_at: datetime | None
    age_s: float | None
    quality: str
    note: str | None


class Evidence(BaseModel):
    """What was read, and what was expected."""

    what: str
    subject: str
    actual: Value
    expected: str
    unit: str | None
    source: str | None
    path: str | None
    measured_at: datetime | None
    age_s: float | None
    fits: bool | None


class Finding(BaseModel):
    """What one rule found."""

    rule: str
    status: Literal["ok", "degraded", "fault", "unknown", "not_applicable"]
    text: Texts
    evidence: list[Evidence]


class NotEvaluable(BaseModel):
    """A rule that could not be judged, and why."""

    rule: str
    reason: str


class Verdict(BaseModel):
    """One cause, what to do, and whether a swap is allowed."""

    code: str
    status: Literal["ok", "degraded", "fault", "unknown"]
    action: str
    swap: Literal["allowed", "diagnostic", "blocked"]
    text: Texts
    because: list[str]
    also: list[str]
    not_evaluable: list[NotEvaluable]


class RunOfDiagnosis(BaseModel):
    """The Prefect run that made it."""

    flow_run_id: str | None
    url: str | None


class Diagnosis(BaseModel):
    """`cpe.diagnosis/1`. A missing reading is null, never 0; times are ISO-8601 UTC."""

    schema_: Literal["cpe.diagnosis/1"] = Field(alias="schema")
    id: str
    serial: str
    requested_at: datetime
    finished_at: datetime
    duration_ms: int
    device: Device
    freshness: Freshness
    interface: Interface
    opticalStatus: OpticalStatus  # noqa: N815 - the ops app's name
    wifi: Wifi
    mesh: Mesh
    speedtest: SpeedTest | None
    sources: list[Source]
    measurements: list[Measurement]
    findings: list[Finding]
    verdict: Verdict
    ruleset: str
    run: RunOfDiagnosis
