"""The consolidated answer `cpe.diagnosis/1`, made of a snapshot and its judgement."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from cpe.domain.finding import Evidence, Finding
from cpe.domain.observation import Measurement, Scalar, to_judge
from cpe.domain.serials import same_address
from cpe.domain.snapshot import OntState, Snapshot
from cpe.domain.verdict import Verdict
from cpe.domain.wan import NO_ADDRESS, Session, Use, sessions
from cpe.profiles.technology import technology_of

SCHEMA: Final = "cpe.diagnosis/1"

Json = dict[str, Any]


def document(
    snapshot: Snapshot,
    findings: Iterable[Finding],
    verdict: Verdict,
    ruleset: str,
    *,
    finished_at: datetime,
    run: Mapping[str, str | None] | None = None,
) -> Json:
    """The JSON answer. A missing reading is None, never 0; times are ISO-8601 UTC."""
    readings = _Readings(snapshot)
    duration = finished_at - snapshot.requested_at
    fresh = snapshot.freshness
    return {
        "schema": SCHEMA,
        "id": snapshot.id,
        "serial": snapshot.request.serial,
        "requested_at": utc(snapshot.requested_at),
        "finished_at": utc(finished_at),
        "duration_ms": round(duration.total_seconds() * 1000),
        "device": {
            "acs_id": snapshot.device.acs_id,
            "manufacturer": snapshot.device.manufacturer,
            "model": snapshot.device.model,
            "hardware": snapshot.device.hardware,
            "firmware": snapshot.device.firmware,
            "gpon_serial": snapshot.device.gpon_serial,
            "ip": snapshot.device.ip,
            "technology": technology_of(snapshot).name,
            "tags": list(tags) if (tags := snapshot.device.tags) is not None else None,
            "acs_faults": _acs_faults(snapshot),
        },
        "freshness": {
            "last_inform": utc(fresh.last_inform),
            "age_s": fresh.age_s,
            "limit_s": fresh.limit_s,
            "outcome": fresh.outcome.value if fresh.outcome is not None else None,
        },
        "interface": readings.interface(),
        "opticalStatus": readings.optical(),
        "wifi": readings.wifi(),
        "mesh": readings.mesh(),
        "speedtest": _speedtest(snapshot),
        "sources": [
            {
                "name": source.name.value,
                "outcome": source.outcome.value,
                "duration_ms": source.duration_ms,
                "detail": source.detail,
            }
            for source in snapshot.sources
        ],
        "measurements": [_measurement(m) for m in snapshot.measurements],
        "findings": [_finding(f) for f in findings],
        "verdict": {
            "code": verdict.code.value,
            "status": verdict.status.value,
            "action": verdict.action.value,
            "swap": verdict.swap.value,
            "text": {"fr": verdict.text.fr, "en": verdict.text.en},
            "because": list(verdict.because),
            "also": [code.value for code in verdict.also],
            "not_evaluable": [
                {"rule": item.rule, "reason": item.reason} for item in verdict.not_evaluable
            ],
        },
        "ruleset": ruleset,
        "run": dict(run) if run is not None else {"flow_run_id": None, "url": None},
    }


def utc(moment: datetime | None) -> str | None:
    """ISO-8601 UTC with milliseconds and Z."""
    if moment is None:
        return None
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


class _Readings:
    """The blocks that the ops app shows, folded from the flat measurements."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._index: dict[tuple[str, str], list[Measurement]] = {}
        for measurement in snapshot.measurements:
            self._index.setdefault((measurement.name, measurement.subject), []).append(measurement)

    def _best(self, name: str, subject: str = "") -> Measurement | None:
        return to_judge(self._index.get((name, subject), []))

    def _value(self, name: str, subject: str = "") -> Scalar:
        best = self._best(name, subject)
        return best.value if best is not None else None

    def _subjects(self, kind: str) -> list[str]:
        prefix = f"{kind}:"
        found = (m.subject for m in self._snapshot.measurements if m.subject.startswith(prefix))
        return list(dict.fromkeys(found))

    def optical(self) -> Json:
        """Light at the box. Only readings fresh enough to judge."""
        rx = self._best("optical.rx_dbm")
        report = self._snapshot.olt
        sighting = report.sighting if report is not None else None
        if sighting is not None and not self._snapshot.box_has_spoken:
            state = sighting.state
        elif self._snapshot.admin_ui_spoke or self._snapshot.freshness.box_answered:
            state = OntState.ONLINE
        else:
            state = OntState.UNKNOWN
        return {
            "rx_dbm": rx.value if rx is not None else None,
            "tx_dbm": self._value("optical.tx_dbm"),
            "olt_rx_dbm": self._value("optical.olt_rx_dbm"),
            "state": state.value,
            "source": rx.source.value if rx is not None else None,
        }

    def interface(self) -> Json:
        """The WAN connection in use and the LAN ports."""
        return {"wan": self._wan(), "lan": [self._port(s) for s in self._subjects("lan")]}

    def _wan(self) -> Json:
        limit_s = self._snapshot.freshness.limit_s
        found = sessions(self._subjects, self._best, limit_s)
        address = self._snapshot.device.ip
        if not found:
            return {"status": None, "connection": None, "ip": address, "uptime_s": None}
        used = min(found, key=self._wan_rank)
        said = [self._best("wan.ip", row) for row in used.rows]
        own = (_address(m.value) for m in said if m is not None)
        down = next((s.value for s in used.states if s.value != "connected"), None)
        up = next((s.value for s in used.states), None)
        return {
            "status": down if used.is_down else up,
            "connection": self._first("wan.connection", used)
            or ("ppp" if "PPP" in used.row else "ip"),
            "ip": next((a for a in own if a is not None), None if used.is_down else address),
            "uptime_s": self._first("wan.uptime_s", used),
        }

    def _first(self, name: str, session: Session) -> Scalar:
        return next((v for row in session.rows if (v := self._value(name, row)) is not None), None)

    def _wan_rank(self, session: Session) -> tuple[bool, int, bool, bool]:
        """The customer's before the ACS's own, connected ones first, then the box's address. Of
        unknown use the one that is down first: another that is up may be anything."""
        uses = (Use.INTERNET, Use.UNKNOWN, Use.OTHER)
        address = self._snapshot.device.ip
        is_the_boxs = any(self._value("wan.ip", row) == address for row in session.rows)
        late = not session.is_down if session.use is Use.UNKNOWN else not session.is_up
        return not session.enabled, uses.index(session.use), late, not is_the_boxs

    def _port(self, subject: str) -> Json:
        return {
            "port": re.split(r"[.:]", subject)[-1],
            "status": self._value("lan.status", subject),
            "mbps": self._value("lan.rate_mbps", subject),
        }

    def wifi(self) -> Json:
        """Radios and the devices on them."""
        return {
            "radios": [
                {
                    "band": self._value("wifi.band", s),
                    "channel": self._value("wifi.channel", s),
                    "utilisation_pct": self._value("wifi.utilisation_pct", s),
                    "noise_dbm": self._value("wifi.noise_dbm", s),
                    "enabled": self._value("wifi.enabled", s),
                    "status": self._value("wifi.status", s),
                }
                for s in self._subjects("radio")
            ],
            "clients": [
                {
                    "mac": self._value("station.mac", s),
                    "band": self._value("station.band", s),
                    "rssi_dbm": self._value("station.rssi_dbm", s),
                    "rate_mbps": self._value("station.rate_mbps", s),
                }
                for s in self._subjects("station")
            ],
        }

    def mesh(self) -> Json:
        """Every mesh node and its backhaul; a lone box is a mesh of one."""
        return {
            "nodes": [
                {
                    "mac": self._value("node.mac", s),
                    "name": self._value("node.name", s),
                    "role": self._role(s),
                    "backhaul": {
                        "type": self._value("node.backhaul_type", s),
                        "rssi_dbm": self._value("node.backhaul_rssi_dbm", s),
                        "rate_mbps": self._value("node.backhaul_rate_mbps", s),
                        "utilisation_pct": self._value("node.backhaul_utilisation_pct", s),
                    },
                    "active": self._value("node.active", s),
                }
                for s in self._subjects("node")
            ]
        }

    def _role(self, subject: str) -> str | None:
        controller = self._value("node.is_controller", subject)
        if isinstance(controller, bool):
            return "controller" if controller else "satellite"
        if self._value("node.backhaul_type", subject) == "none":
            return "controller"  # TR-181: BackhaulLinkType None is the controller's
        own = self._snapshot.device.mac
        mac = self._value("node.mac", subject)
        if own is None or mac is None:
            return None
        return "controller" if same_address(mac, own) else "satellite"


def _address(value: Scalar) -> str | None:
    return None if value is None or value in NO_ADDRESS else str(value)


def _acs_faults(snapshot: Snapshot) -> list[Json] | None:
    """None when nobody could say; an empty list is none."""
    faults = snapshot.device.acs_faults
    if faults is None:
        return None
    return [{"code": f.code, "message": f.message, "at": utc(f.at)} for f in faults]


def _speedtest(snapshot: Snapshot) -> Json | None:
    test, request = snapshot.speedtest, snapshot.request
    if test is None and request.measured_mbps is None:
        return None
    return {
        "state": test.state if test is not None else None,
        "download_mbps": test.download_mbps if test is not None else None,
        "bytes": test.bytes if test is not None else None,
        "duration_ms": test.duration_ms if test is not None else None,
        "connections": test.connections if test is not None else None,
        "measured_mbps": request.measured_mbps,
        "at": utc(test.at) if test is not None else None,
    }


def _measurement(m: Measurement) -> Json:
    return {
        "name": m.name,
        "subject": m.subject,
        "value": m.value,
        "unit": m.unit,
        "raw": m.raw,
        "path": m.path,
        "conversion": m.conversion,
        "source": m.source.value,
        "measured_at": utc(m.measured_at),
        "age_s": m.age_s,
        "quality": m.quality.value,
        "note": m.note,
    }


def _finding(f: Finding) -> Json:
    return {
        "rule": f.rule,
        "status": f.status.value,
        "text": {"fr": f.text.fr, "en": f.text.en},
        "evidence": [_evidence(e) for e in f.evidence],
    }


def _evidence(e: Evidence) -> Json:
    return {
        "what": e.what,
        "subject": e.subject,
        "actual": e.actual,
        "expected": e.expected,
        "unit": e.unit,
        "source": e.source.value if e.source is not None else None,
        "path": e.path,
        "measured_at": utc(e.measured_at),
        "age_s": e.age_s,
        "fits": e.fits,
    }
