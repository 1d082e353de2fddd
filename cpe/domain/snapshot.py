"""Everything one diagnosis observed: the only input of the rules, and what is kept for replay."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from cpe.domain.observation import Measurement, Quality, Source, SourceReport
from cpe.domain.olt_clock import on_our_clock
from cpe.domain.speed import bounds_mbps

SNAPSHOT_SCHEMA: Final = "cpe.snapshot/1"


class FreshnessOutcome(StrEnum):
    """What became of the wish for readings at most `limit_s` old."""

    FRESH = "fresh"
    REFRESHED = "refreshed"
    QUEUED = "queued"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    NOT_FOUND = "not_found"


class OntState(StrEnum):
    """The ONT as the OLT sees it, its last-down cause folded in."""

    ONLINE = "online"
    LOS = "los"
    DYING_GASP = "dying_gasp"
    OFFLINE = "offline"
    UNKNOWN = "unknown"


class DownCause(StrEnum):
    """Why the OLT says the ONT went down last. FIBRE is any loss or corruption of light."""

    NONE = "none"
    FIBRE = "fibre"
    DYING_GASP = "dying_gasp"
    DEACTIVATED = "deactivated"
    RESET = "reset"
    AUTH_FAILED = "auth_failed"
    ROGUE = "rogue"
    OTHER = "other"
    UNKNOWN = "unknown"


SHUT: Final = (DownCause.DEACTIVATED, DownCause.AUTH_FAILED)
"""Kept off the network on purpose: no sign of the fibre's state, and not up before."""


@dataclass(frozen=True, slots=True)
class AcsFault:
    """A fault that stands at the ACS for a box, from a task or a preset that is not ours."""

    code: str
    message: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Device:
    """Who the box is. Every field may be unknown; `family` is the CPE profile that was used.

    `tags` and `acs_faults` as the ACS has them, None when it could not be asked.
    """

    acs_id: str | None = None
    serial: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    hardware: str | None = None
    firmware: str | None = None
    gpon_serial: str | None = None
    mac: str | None = None
    ip: str | None = None
    family: str | None = None
    tags: tuple[str, ...] | None = None
    acs_faults: tuple[AcsFault, ...] | None = None


@dataclass(frozen=True, slots=True)
class OtherBox:
    """Another device that carries the same serial in the ACS."""

    acs_id: str
    model: str | None
    last_inform: datetime | None


@dataclass(frozen=True, slots=True)
class Freshness:
    """`age_s`: age, when asked, of the oldest reading that had to be fresh, on the ACS clock.

    `outcome` is None only when the ACS could not be asked at all or none is configured;
    `box_answered` whether the box itself took part.
    """

    last_inform: datetime | None
    age_s: float | None
    limit_s: float
    outcome: FreshnessOutcome | None
    detail: str = ""
    box_answered: bool = False


@dataclass(frozen=True, slots=True)
class AcsSighting:
    """What the ACS knows of a box at `asked_at` (ACS clock), normalised by the family's profile.

    `refresh_paths` are the leaves to ask for when it is stale, `proof_paths` those of them whose
    new times prove that it was read, `leaf_times` their times now. `cannot_report` names the
    quantities that this family has no parameter for; `reachable_by_request` is false when the ACS
    has no connection request URL for the box.
    """

    device: Device
    asked_at: datetime
    last_inform: datetime | None
    last_boot: datetime | None
    measurements: tuple[Measurement, ...]
    oldest_age_s: float | None
    is_fresh: bool
    refresh_paths: tuple[str, ...] = ()
    proof_paths: tuple[str, ...] = ()
    leaf_times: dict[str, datetime] = field(default_factory=dict[str, datetime])
    others: tuple[OtherBox, ...] = ()
    cannot_report: tuple[str, ...] = ()
    reachable_by_request: bool = True
    tables_read: tuple[str, ...] = ()
    home_is_unknown: bool = False


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another ONT on the subject's PON, from the state-only walk. `cause`: why it is down."""

    index: str
    state: OntState
    down_at: datetime | None = None
    cause: DownCause | None = None


@dataclass(frozen=True, slots=True)
class OltSighting:
    """The ONT as an OLT reported it just now.

    `pon` and `ont` are as a network engineer says them (`0/1/3`, `12`). `neighbours` is None when
    the PON could not be walked (`neighbours_detail` says why); an empty tuple is a lone ONT.
    `verified` is false for a profile that no real device has confirmed. `technology` is what the
    names of its port tell (a key of technologies.yaml).
    """

    olt: str
    profile: str
    verified: bool
    pon: str
    ont: str
    index: str
    gpon_serial: str | None
    state: OntState
    cause: DownCause | None = None
    down_at: datetime | None = None
    measurements: tuple[Measurement, ...] = ()
    neighbours: tuple[Neighbour, ...] | None = None
    neighbours_detail: str = ""
    optics_detail: str = ""
    technology: str | None = None


@dataclass(frozen=True, slots=True)
class OltReport:
    """What asking the OLTs gave: the sighting, or who was asked and who could not be."""

    sighting: OltSighting | None
    asked: tuple[str, ...] = ()
    failed: dict[str, str] = field(default_factory=dict[str, str])
    detail: str = ""


@dataclass(frozen=True, slots=True)
class BridgeReport:
    """What the box's own admin UI gave. `detail` names what it did not give, and why.

    `lost` says that somebody else logged in half-way.
    """

    measurements: tuple[Measurement, ...]
    detail: str = ""
    lost: bool = False


@dataclass(frozen=True, slots=True)
class PastReading:
    """One number kept by an earlier diagnosis or sweep."""

    name: str
    subject: str
    value: float
    measured_at: datetime
    source: Source


@dataclass(frozen=True, slots=True)
class History:
    """What our store remembers of this box, newest first."""

    readings: tuple[PastReading, ...] = ()
    boots: tuple[datetime, ...] = ()
    firmwares: tuple[tuple[datetime, str], ...] = ()


@dataclass(frozen=True, slots=True)
class SpeedTest:
    """A TR-143 download by the ONT itself. `state` is the device's word, None when not run;
    `resolution_ms` the step of the times it was measured by, None when fine."""

    state: str | None = None
    download_mbps: float | None = None
    bytes: int | None = None
    duration_ms: int | None = None
    connections: int | None = None
    at: datetime | None = None
    detail: str = ""
    resolution_ms: int | None = None

    @property
    def bounds_mbps(self) -> tuple[float, float]:
        """The least and the most that `download_mbps` may be; raises TypeError without one."""
        if self.download_mbps is None:
            raise TypeError("there is no figure")
        bounds = bounds_mbps(self.bytes, self.duration_ms, self.resolution_ms)
        return (self.download_mbps, self.download_mbps) if bounds is None else bounds

    @property
    def measured_over(self) -> str:
        """One connection and several are two measurements; empty when there is no figure."""
        if self.download_mbps is None or self.connections is None:
            return ""
        return f"over {self.connections} connection{'s' if self.connections > 1 else ''}"


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked. Speeds in Mbit/s; `requested_by` is free text, shown and kept."""

    serial: str
    speedtest: bool = False
    measured_mbps: float | None = None
    plan_mbps: float | None = None
    requested_by: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One diagnosis' observations. `judged_at` is the clock of the rules, so replay is exact.

    `tables_read`: the tables whose rows are known to be all there are (see `AcsSighting`); empty in
    what was kept before this was recorded.
    """

    id: str
    request: Request
    requested_at: datetime
    judged_at: datetime
    device: Device
    freshness: Freshness
    measurements: tuple[Measurement, ...]
    sources: tuple[SourceReport, ...]
    acs_known: bool | None
    cannot_report: tuple[str, ...] = ()
    last_boot: datetime | None = None
    others: tuple[OtherBox, ...] = ()
    olt: OltReport | None = None
    history: History = field(default_factory=History)
    speedtest: SpeedTest | None = None
    tables_read: tuple[str, ...] = ()
    schema: str = SNAPSHOT_SCHEMA

    @property
    def admin_ui_spoke(self) -> bool:
        """Whether the box was read through its own admin UI."""
        return any(m.source is Source.BRIDGE for m in self.measurements)

    @property
    def box_has_spoken(self) -> bool:
        """The box took part after the OLT saw it go down, so it is not down.

        A refresh ends after the OLT was asked, and so does a read of its admin UI. Readings that
        were fresh already are up to a minute older than the OLT's answer, and a box that only
        refused to be read gave none: there a later last-down time says more than they do, if it
        can be of our clock.
        """
        fresh = self.freshness
        if self.admin_ui_spoke or fresh.outcome is FreshnessOutcome.REFRESHED:
            return True
        if not fresh.box_answered:
            return False
        said: list[datetime] = []
        if fresh.outcome is FreshnessOutcome.FRESH:
            said = [m.measured_at for m in self.measurements if _is_new(m) and m.measured_at]
        spoke_at = max(said, default=fresh.last_inform)
        sighting = self.olt.sighting if self.olt is not None else None
        told_at = sighting.down_at if sighting is not None else None
        down_at = on_our_clock(told_at, self.judged_at)
        return down_at is None or (spoke_at is not None and down_at <= spoke_at)


def _is_new(measurement: Measurement) -> bool:
    return measurement.source is Source.ACS and measurement.quality is Quality.OK
