"""Collects what each source gave during one diagnosis, and closes it into a snapshot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from cpe.domain.memory import Identity, Recall
from cpe.domain.observation import Measurement, Outcome, Source, SourceReport
from cpe.domain.serials import gpon_serial
from cpe.domain.snapshot import (
    AcsFault,
    AcsSighting,
    BridgeReport,
    Device,
    Freshness,
    FreshnessOutcome,
    History,
    OltReport,
    Request,
    Snapshot,
    SpeedTest,
)


@dataclass(slots=True)
class Casebook:
    """One diagnosis in the making. `acs_known` is None while nobody could say."""

    id: str
    request: Request
    requested_at: datetime
    limit_s: float
    acs_known: bool | None = None
    sighting: AcsSighting | None = None
    acs_faults: tuple[AcsFault, ...] | None = None
    age_when_asked_s: float | None = None
    freshness: FreshnessOutcome | None = None
    freshness_detail: str = ""
    box_answered: bool = False
    olt: OltReport | None = None
    bridge: BridgeReport | None = None
    recall: Recall = field(default_factory=Recall)
    speedtest: SpeedTest | None = None
    sources: dict[Source, SourceReport] = field(default_factory=dict[Source, SourceReport])
    on_note: Callable[[SourceReport], None] | None = None
    """Called with each report as it is noted."""

    def note(self, source: Source, outcome: Outcome, duration_ms: float, detail: str = "") -> None:
        """How a source fared; the last word counts."""
        report = SourceReport(source, outcome, round(duration_ms), detail)
        self.sources[source] = report
        if self.on_note is not None:
            self.on_note(report)

    def found(self, sighting: AcsSighting) -> None:
        """The ACS knows the box."""
        self.acs_known = True
        self.sighting = sighting
        self.acs_faults = sighting.device.acs_faults
        self.age_when_asked_s = sighting.oldest_age_s
        if sighting.is_fresh:
            self.settle(FreshnessOutcome.FRESH, box_answered=True)

    def settle(self, outcome: FreshnessOutcome, detail: str = "", *, box_answered: bool) -> None:
        """What became of freshness."""
        self.freshness = outcome
        self.freshness_detail = detail
        self.box_answered = box_answered

    @property
    def remembered_serial(self) -> str | None:
        """The TR-069 serial the box is remembered by, when it was asked for by another name.

        After a bootstrap the ACS has the Inform alone: no GPON serial and no MAC to be found by.
        """
        serial = self.recall.identity.tr069_serial if self.recall.identity is not None else None
        return serial if serial and serial.upper() != self.request.serial.upper() else None

    @property
    def needs_refresh(self) -> bool:
        """The ACS knows the box, but what it knows is too old, or nothing of the home."""
        acs = self.sighting
        return acs is not None and (not acs.is_fresh or acs.home_is_unknown)

    @property
    def lacks_optics(self) -> bool:
        """No Rx power that could be judged."""
        readings = self.sighting.measurements if self.sighting is not None else ()
        return not any(m.name == "optical.rx_dbm" and m.usable for m in readings)

    def gpon_serials(self) -> tuple[str, ...]:
        """By what names an OLT may know the box, the most trusted first."""
        identity = self.recall.identity
        names = (
            self.sighting.device.gpon_serial if self.sighting is not None else None,
            identity.gpon_serial if identity is not None else None,
            gpon_serial(self.request.serial),
        )
        return tuple(dict.fromkeys(name for name in names if name))

    def close(self, judged_at: datetime) -> Snapshot:
        """Everything observed, ready to be judged at `judged_at`."""
        acs = self.sighting
        return Snapshot(
            id=self.id,
            request=self.request,
            requested_at=self.requested_at,
            judged_at=judged_at,
            device=self._device(),
            freshness=Freshness(
                last_inform=acs.last_inform if acs is not None else None,
                age_s=self.age_when_asked_s,
                limit_s=self.limit_s,
                outcome=self.freshness,
                detail=self.freshness_detail,
                box_answered=self.box_answered,
            ),
            measurements=self._measurements(),
            sources=tuple(self.sources[s] for s in Source if s in self.sources),
            acs_known=self.acs_known,
            cannot_report=acs.cannot_report if acs is not None else (),
            last_boot=acs.last_boot if acs is not None else None,
            others=acs.others if acs is not None else (),
            olt=self.olt,
            history=self._history(),
            speedtest=self.speedtest,
            tables_read=acs.tables_read if acs is not None else (),
        )

    def _measurements(self) -> tuple[Measurement, ...]:
        acs = self.sighting.measurements if self.sighting is not None else ()
        seen = self.olt.sighting if self.olt is not None else None
        own = self.bridge.measurements if self.bridge is not None else ()
        return (*acs, *(seen.measurements if seen is not None else ()), *own)

    def _history(self) -> History:
        return self.recall.history

    def _device(self) -> Device:
        device = self.sighting.device if self.sighting is not None else Device()
        seen = self.olt.sighting if self.olt is not None else None
        identity = self.recall.identity or _NOBODY
        return replace(
            device,
            acs_faults=self.acs_faults,
            serial=device.serial or identity.tr069_serial,
            model=device.model or identity.model,
            mac=device.mac or identity.mac,
            gpon_serial=device.gpon_serial
            or (seen.gpon_serial if seen is not None else None)
            or identity.gpon_serial
            or (gpon_serial(self.request.serial) if device.serial is None else None),
        )


_NOBODY = Identity(last_seen=datetime.min, source="")  # noqa: DTZ901 - never read
