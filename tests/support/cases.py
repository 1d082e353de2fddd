"""Snapshots for rule tests, said in few words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from cpe.domain.observation import Measurement, Outcome, Quality, Source, SourceReport
from cpe.domain.snapshot import (
    Device,
    Freshness,
    FreshnessOutcome,
    History,
    Neighbour,
    OltReport,
    OltSighting,
    OntState,
    PastReading,
    Request,
    Snapshot,
)
from cpe.profiles.quantities import quantities
from cpe.profiles.thresholds import load_thresholds
from cpe.profiles.wording import wording
from cpe.rules.facts import Facts

NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)


def reading(
    name: str,
    value: Any,
    subject: str = "",
    *,
    source: Source = Source.ACS,
    age_s: float | None = 2.0,
    quality: Quality = Quality.OK,
    resolution: float | None = None,
) -> Measurement:
    """A measurement; `value` is also its raw value, and is hidden when it cannot be judged."""
    known = quantities().get(name)
    readable = quality in (Quality.OK, Quality.STALE)
    return Measurement(
        name=name,
        subject=subject,
        value=value if readable else None,
        unit=known.unit if known is not None else None,
        raw=value,
        path=f"Device.{name}",
        conversion="identity",
        source=source,
        measured_at=None if age_s is None else NOW - timedelta(seconds=age_s),
        age_s=age_s,
        quality=quality,
        resolution=resolution,
    )


def sighting(state: OntState = OntState.ONLINE, **changes: Any) -> OltSighting:
    """An ONT on PON 0/1/0 of olt-a with four neighbours online."""
    fields: dict[str, Any] = {
        "olt": "olt-a",
        "profile": "huawei",
        "verified": True,
        "pon": "0/1/0",
        "ont": "7",
        "index": "4194312192.7",
        "gpon_serial": "TPLGB4D00744",
        "state": state,
        "neighbours": neighbours(up=4),
    }
    return OltSighting(**{**fields, **changes})


def neighbours(
    *, up: int = 0, down: int = 0, down_at: datetime | None = None, state: OntState = OntState.LOS
) -> tuple[Neighbour, ...]:
    """So many neighbours online, and so many down since `down_at`."""
    online = [Neighbour(f"u{i}", OntState.ONLINE) for i in range(up)]
    offline = [Neighbour(f"d{i}", state, down_at) for i in range(down)]
    return (*online, *offline)


def past(name: str, values: Iterable[float], subject: str = "", step_s: float = 600) -> tuple:
    """Past readings, newest first, `step_s` apart, the newest `step_s` ago."""
    return tuple(
        PastReading(name, subject, value, NOW - timedelta(seconds=step_s * (i + 1)), Source.ACS)
        for i, value in enumerate(values)
    )


GOOD = (
    reading("optical.rx_dbm", -18.5),
    reading("optical.tx_dbm", 2.1),
    reading("optical.temperature_c", 48.0),
    reading("device.uptime_s", 90_000),
    reading("wan.status", "connected", "wan:1"),
)


def snapshot(
    *extra: Measurement,
    without: Iterable[str] = (),
    outcome: FreshnessOutcome | None = FreshnessOutcome.FRESH,
    answered: bool = True,
    acs_known: bool | None = True,
    olt: OltSighting | None = None,
    report: OltReport | None = None,
    history: History | None = None,
    request: Request | None = None,
    acs: Outcome = Outcome.OK,
    **changes: Any,
) -> Snapshot:
    """A healthy box, with `extra` readings in place of the good ones of the same name."""
    replaced = {(m.name, m.subject) for m in extra} | {(name, "") for name in without}
    kept = [m for m in GOOD if (m.name, m.subject) not in replaced and m.name not in without]
    if olt is not None:
        report = OltReport(sighting=olt, asked=(olt.olt,))
    fields: dict[str, Any] = {
        "id": "11111111-1111-4111-8111-111111111111",
        "request": request or Request(serial="22275A7009001"),
        "requested_at": NOW - timedelta(seconds=1),
        "judged_at": NOW,
        "device": Device(acs_id="X", model="XX230v", mac="1C:61:B4:D0:07:45", firmware="1.0"),
        "freshness": Freshness(NOW, 2.0, 60.0, outcome, "no answer", answered),
        "measurements": (*kept, *extra) if acs_known else tuple(extra),
        "sources": (SourceReport(Source.ACS, acs, 5, ""),),
        "acs_known": acs_known,
        "olt": report,
        "history": history or History(),
    }
    return Snapshot(**{**fields, **changes})


def facts(shot: Snapshot) -> Facts:
    """The snapshot under the shipped thresholds and words."""
    return Facts(shot, load_thresholds(), wording())
