"""One kept diagnosis as rows: the diagnosis itself and what is projected from it. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from cpe.domain.errors import StoreError
from cpe.domain.memory import Identity, KeptDiagnosis
from cpe.domain.observation import Measurement, Scalar, to_judge
from cpe.domain.serials import gpon_serial, mac_address
from cpe.domain.snapshot import OltSighting, Snapshot
from cpe.store import codec
from cpe.store.canonical import Json
from cpe.store.scrub import scrub

Row = dict[str, Any]
T = TypeVar("T")


def without_secrets(kept: KeptDiagnosis) -> KeptDiagnosis:
    """The diagnosis as it may be written: what looks like a secret is `***` everywhere.

    Raises StoreError when a part is not of its declared type, or its id not the snapshot's.
    """
    if kept.id != kept.snapshot.id:
        raise StoreError(f"diagnosis {kept.id} holds the snapshot of {kept.snapshot.id}")
    return replace(
        kept,
        snapshot=_scrubbed(kept.snapshot, codec.encode_snapshot, codec.decode_snapshot),
        findings=_scrubbed(kept.findings, codec.encode_findings, codec.decode_findings),
        verdict=_scrubbed(kept.verdict, codec.encode_verdict, codec.decode_verdict),
        document=_scrubbed(kept.document, codec.encode_document, codec.decode_document),
    )


def _scrubbed(part: T, encode: Callable[[T], Json], decode: Callable[[Json], T]) -> T:
    """Itself when it hides nothing, which is nearly always: decoding is half of the cost."""
    told = encode(part)
    clean = scrub(told)
    return part if clean == told else decode(clean)


def diagnosis_row(kept: KeptDiagnosis) -> Row:
    snapshot, device = kept.snapshot, kept.snapshot.device
    return {
        "id": kept.id,
        "serial": device.serial or snapshot.request.serial,
        "asked": snapshot.request.serial,
        "acs_id": device.acs_id,
        "gpon_serial": known_gpon_serial(snapshot),
        "model": device.model,
        "firmware": device.firmware,
        "requested_at": snapshot.requested_at,
        "finished_at": kept.finished_at,
        "duration_ms": kept.duration_ms,
        "verdict_code": kept.verdict.code.value,
        "verdict_status": kept.verdict.status.value,
        "rx_dbm": _rx_dbm(snapshot),
        "freshness_outcome": snapshot.freshness.outcome and snapshot.freshness.outcome.value,
        "requested_by": snapshot.request.requested_by,
        "ruleset": kept.ruleset,
        "flow_run_id": kept.flow_run_id,
        "snapshot": codec.encode_snapshot(snapshot),
        "findings": codec.encode_findings(kept.findings),
        "verdict": codec.encode_verdict(kept.verdict),
        "document": codec.encode_document(kept.document),
    }


def kept_diagnosis(row: Row) -> KeptDiagnosis:
    """Inverse of `diagnosis_row`. Raises StoreError when this code can't read it."""
    trees: dict[str, Json] = {
        name: row[name] for name in ("snapshot", "findings", "verdict", "document")
    }
    return KeptDiagnosis(
        id=row["id"],
        snapshot=codec.decode_snapshot(trees["snapshot"]),
        findings=codec.decode_findings(trees["findings"]),
        verdict=codec.decode_verdict(trees["verdict"]),
        ruleset=row["ruleset"],
        document=codec.decode_document(trees["document"]),
        finished_at=row["finished_at"],
        duration_ms=row["duration_ms"],
        flow_run_id=row["flow_run_id"],
    )


def measurement_rows(kept: KeptDiagnosis) -> list[Row]:
    return [
        {
            "diagnosis_id": kept.id,
            "position": position,
            "name": measurement.name,
            "subject": measurement.subject,
            "value_num": _number(measurement.value),
            "value_text": _text(measurement.value),
            "unit": measurement.unit,
            "quality": measurement.quality.value,
            "source": measurement.source.value,
            "measured_at": measurement.measured_at,
        }
        for position, measurement in enumerate(all_measurements(kept.snapshot))
    ]


def finding_rows(kept: KeptDiagnosis) -> list[Row]:
    return [
        {
            "diagnosis_id": kept.id,
            "position": position,
            "rule": finding.rule,
            "status": finding.status.value,
            "cause": finding.cause,
        }
        for position, finding in enumerate(kept.findings)
    ]


def boot_row(snapshot: Snapshot) -> Row | None:
    """The box's last boot; None when nobody told it, or whose it is."""
    box = snapshot.device.acs_id or snapshot.device.serial
    if box is None or snapshot.last_boot is None:
        return None
    return {
        "box": box,
        "booted_at": snapshot.last_boot,
        "seen_at": snapshot.judged_at,
        "firmware": snapshot.device.firmware,
    }


def learned_identity(snapshot: Snapshot) -> Identity | None:
    """What the diagnosis taught about who the box is; None when it has no lasting name, or when
    neither the ACS nor an OLT saw it: what was typed or remembered teaches nothing."""
    device = snapshot.device
    gpon = known_gpon_serial(snapshot)
    seen = device.acs_id is not None or _sighting(snapshot) is not None
    if not seen or (device.acs_id is None and gpon is None):
        return None
    known = Identity(
        tr069_serial=device.serial,
        acs_id=device.acs_id,
        gpon_serial=gpon,
        mac=mac_address(device.mac) if device.mac else None,
        model=device.model,
        last_seen=snapshot.judged_at,
        source="diagnosis",
    )
    sighting = _sighting(snapshot)
    if sighting is None or gpon is None or sighting.gpon_serial != gpon:
        return known
    return replace(
        known,
        olt=sighting.olt,
        pon=sighting.pon,
        ont=sighting.ont,
        ont_index=sighting.index,
    )


def all_measurements(snapshot: Snapshot) -> tuple[Measurement, ...]:
    """The snapshot's readings and those that are only in the OLT's sighting, each once."""
    sighting = _sighting(snapshot)
    of_olt = sighting.measurements if sighting else ()
    return tuple(dict.fromkeys((*snapshot.measurements, *of_olt)))


def known_gpon_serial(snapshot: Snapshot) -> str | None:
    """Canonical GPON serial: what the box says of itself, else what the OLT calls it."""
    sighting = _sighting(snapshot)
    told = snapshot.device.gpon_serial or (sighting.gpon_serial if sighting else None)
    return gpon_serial(told) if told else None


def _sighting(snapshot: Snapshot) -> OltSighting | None:
    return snapshot.olt.sighting if snapshot.olt else None


def _rx_dbm(snapshot: Snapshot) -> float | None:
    """The reading that `opticalStatus` shows."""
    chosen = to_judge(m for m in all_measurements(snapshot) if m.name == "optical.rx_dbm")
    return _number(chosen.value) if chosen is not None else None


def _number(value: Scalar) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _text(value: Scalar) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or _number(value) is not None:
        return None
    return str(value)
