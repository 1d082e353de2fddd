"""What is kept of a sweep: the sweep itself, the parts it was read in, its boxes' days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class SweepState(StrEnum):
    """RUNNING may be gone on with; INCOMPLETE ended with too little seen to conclude outages."""

    RUNNING = "running"
    COMPLETE = "complete"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True)
class Sweep:
    """One sweep. `coverage` and `summary` are JSON objects, empty while it runs."""

    id: str
    started_at: datetime
    state: SweepState
    finished_at: datetime | None = None
    ruleset: str = ""
    flow_run_id: str | None = None
    requested_by: str = ""
    coverage: Mapping[str, Any] = field(default_factory=dict[str, Any])
    summary: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class SweepPart:
    """Something a sweep read, packed. `kind` is `acs`, `olt` or `erp`, `name` which of them.

    `whole` says that the source's answer ended with this part as it should; `last_key` is where
    reading goes on after it.
    """

    kind: str
    name: str
    position: int
    rows: int
    whole: bool
    data: tuple[bytes, ...] = ()
    last_key: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """One day, or the mean of one week, of one box. dBm; None is not measured."""

    at: datetime
    days: int
    rx_dbm: float | None
    olt_rx_dbm: float | None
    verdict: str | None = None


@dataclass(frozen=True, slots=True)
class FleetBox:
    """One box as the last sweep that saw it left it."""

    key: str
    serial: str | None
    gpon_serial: str | None
    model: str | None
    firmware: str | None
    olt: str | None
    pon: str | None
    ont: str | None
    state: str | None
    verdict: str
    rx_dbm: float | None
    olt_rx_dbm: float | None
    delta_db: float | None
    score: float
    seen_at: datetime
    last_inform: datetime | None
