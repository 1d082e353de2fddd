"""Diagnoses to keep: small, real-looking, everything overridable."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from cpe.domain.finding import Evidence, Finding, Status, Text
from cpe.domain.memory import Identity, KeptDiagnosis
from cpe.domain.observation import Measurement, Outcome, Quality, Source, SourceReport
from cpe.domain.snapshot import (
    Device,
    Freshness,
    FreshnessOutcome,
    OltReport,
    OltSighting,
    OntState,
    Request,
    Snapshot,
)
from cpe.domain.verdict import Action, Code, NotEvaluable, SwapPermission, Verdict

NOON = datetime(2025, 3, 4, 12, 0, 0, 123456, tzinfo=UTC)
SERIAL = "22275A7000123"
ACS_ID = f"1C61B4-XX230v-{SERIAL}"
GPON = "TPLGB4D00744"
MAC = "1C:61:B4:D0:07:45"


def reading(name="optical.rx_dbm", value=-21.5, **changes) -> Measurement:
    return Measurement(
        **{
            "name": name,
            "value": value,
            "unit": "dBm",
            "raw": "-21500",
            "path": "Device.Optical.Interface.1.OpticalSignalLevel",
            "conversion": "milli",
            "source": Source.ACS,
            "measured_at": NOON,
            "age_s": 4.0,
            **changes,
        }
    )


def box(**changes) -> Device:
    return Device(
        **{
            "acs_id": ACS_ID,
            "serial": SERIAL,
            "manufacturer": "TP-Link",
            "model": "XX230v",
            "firmware": "1.2.0",
            "gpon_serial": GPON,
            "mac": MAC,
            **changes,
        }
    )


def sighting(**changes) -> OltReport:
    return OltReport(
        sighting=OltSighting(
            **{
                "olt": "olt-nord",
                "profile": "huawei",
                "verified": True,
                "pon": "0/1/3",
                "ont": "12",
                "index": "4194320384.12",
                "gpon_serial": GPON,
                "state": OntState.ONLINE,
                **changes,
            }
        ),
        asked=("olt-nord",),
    )


def snapshot(**changes) -> Snapshot:
    at = changes.pop("at", NOON)
    return Snapshot(
        **{
            "id": str(uuid.uuid4()),
            "request": Request(serial=SERIAL, requested_by="Amélie"),
            "requested_at": at,
            "judged_at": at + timedelta(seconds=2),
            "device": box(),
            "freshness": Freshness(at, 4.0, 60.0, FreshnessOutcome.FRESH),
            "measurements": (reading(measured_at=at),),
            "sources": (SourceReport(Source.ACS, Outcome.OK, 120, "lu en 120 ms"),),
            "acs_known": True,
            **changes,
        }
    )


def kept(seen: Snapshot | None = None, **changes) -> KeptDiagnosis:
    seen = seen or snapshot()
    return KeptDiagnosis(
        **{
            "id": seen.id,
            "snapshot": seen,
            "findings": (finding(),),
            "verdict": verdict(),
            "ruleset": "2025.03",
            "document": {"schema": "cpe.diagnosis/1", "id": seen.id, "opticalStatus": None},
            "finished_at": seen.requested_at + timedelta(seconds=3),
            "duration_ms": 3000,
            "flow_run_id": "0196a5f0-0000-7000-8000-000000000001",
            **changes,
        }
    )


def finding(**changes) -> Finding:
    return Finding(
        **{
            "rule": "optical.rx_power_in_band",
            "status": Status.OK,
            "text": Text("Puissance reçue −21,5 dBm", "Received power −21.5 dBm"),
            "evidence": (
                Evidence("rx_dbm", -21.5, "-25 … -8", "dBm", Source.ACS, 4.0, measured_at=NOON),
            ),
            **changes,
        }
    )


def verdict(**changes) -> Verdict:
    return Verdict(
        **{
            "code": Code.HEALTHY,
            "status": Status.OK,
            "action": Action.NONE,
            "swap": SwapPermission.BLOCKED,
            "text": Text("Tout va bien", "All is well"),
            "because": ("optical.rx_power_in_band",),
            "also": (),
            "not_evaluable": (NotEvaluable("wifi.noise_is_low", "never read"),),
            **changes,
        }
    )


def identity(**changes) -> Identity:
    return Identity(
        **{
            "last_seen": NOON,
            "source": "sweep",
            "tr069_serial": SERIAL,
            "acs_id": ACS_ID,
            "gpon_serial": GPON,
            **changes,
        }
    )


STALE = Quality.STALE
