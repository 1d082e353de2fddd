"""The customer's WiFi devices: one that is bad among good ones is the device, not the box."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

from cpe.domain.finding import Finding, Status, Text
from cpe.domain.observation import Measurement
from cpe.domain.verdict import Code
from cpe.rules.advice import station_advice, station_name
from cpe.rules.facts import Facts, evidence_of, joined
from cpe.rules.wan import line_serves

RETRIES: Final = "station.retries_pct"


@dataclass(frozen=True, slots=True)
class _Scale:
    """Which side of two limits is bad for a quantity."""

    watch: float
    bad: float
    higher_is_worse: bool

    def is_bad(self, value: float) -> bool:
        return value > self.bad if self.higher_is_worse else value < self.bad

    def is_watched(self, value: float) -> bool:
        return value >= self.watch if self.higher_is_worse else value < self.watch

    def worst(self, readings: Sequence[Measurement]) -> Measurement:
        pick = max if self.higher_is_worse else min
        return pick(readings, key=lambda m: m.number)


def signal_is_good(facts: Facts) -> Finding:
    """RSSI of every associated station."""
    limits = facts.thresholds.client
    scale = _Scale(limits.rssi_watch_dbm, limits.rssi_bad_dbm, higher_is_worse=False)
    return _judge(facts, "client.signal_is_good", "station.rssi_dbm", scale)


def snr_is_good(facts: Facts) -> Finding:
    """RSSI above the noise floor, for boxes that tell a station's noise."""
    rule, limits = "client.snr_is_good", facts.thresholds.client
    told = {m.subject: m for m in facts.usable("station.noise_dbm", "station")}
    readings = [
        replace(rssi, name="station.snr_db", value=rssi.number - noise.number, unit="dB",
                raw=None, conversion="rssi_dbm - noise_dbm", resolution=None)
        for rssi in facts.usable("station.rssi_dbm", "station")
        if (noise := told.get(rssi.subject)) is not None and _is_active(facts, rssi.subject)
    ]  # fmt: skip
    if not readings:
        return _nothing_to_judge(facts, rule, "station.noise_dbm")
    scale = _Scale(limits.snr_watch_db, limits.snr_bad_db, higher_is_worse=False)
    return _compare(facts, rule, readings, scale)


def retries_are_few(facts: Facts) -> Finding:
    """Retransmissions among a station's last 100 packets, or among all since it came."""
    limits = facts.thresholds.client
    scale = _Scale(limits.retries_watch_pct, limits.retries_bad_pct, higher_is_worse=True)
    return _judge(facts, "client.retries_are_few", RETRIES, scale)


def _counted(facts: Facts, *, without: Collection[str]) -> list[Measurement]:
    """Retries of stations that only have counters: their share since the device came."""
    found: list[Measurement] = []
    for again in facts.usable("station.retransmitted", "station"):
        sent = facts.reading("station.packets_sent", again.subject)
        least = facts.thresholds.wifi.errors_min_packets
        if again.subject not in without and sent is not None and sent.number >= least:
            share = min(100.0, round(100 * again.number / sent.number, 1))
            found.append(replace(again, name=RETRIES, value=share, unit="%"))
    return found


def _judge(facts: Facts, rule: str, name: str, scale: _Scale) -> Finding:
    held = facts.usable(name, "station")
    if name == RETRIES:
        held += _counted(facts, without={m.subject for m in held})
    readings = [m for m in held if _is_active(facts, m.subject)]
    if not readings:
        return _nothing_to_judge(facts, rule, name)
    finding = _compare(facts, rule, readings, scale)
    if finding.status is not Status.OK:
        return finding
    unread = [s for s in present(facts) if s not in {m.subject for m in readings}]
    return facts.unread_part(rule, name, unread, station_name, finding.evidence) or finding


def _nothing_to_judge(facts: Facts, rule: str, name: str) -> Finding:
    """Why no device's reading can be judged. That nobody reads a quantity is no proof that the
    box has none."""
    subjects = facts.subjects("station")
    if not subjects:
        return facts.no_rows(rule, "station", name)
    if facts.cannot_be_reported(name):
        return facts.not_applicable(rule)
    here = present(facts)
    if not here:
        return facts.unknown(rule, "no_stations")
    counter = "station.retransmitted"
    counted = name == RETRIES and any(facts.all(counter, s) for s in here)
    return facts.unknown_reading(rule, counter if counted else name, here)


def _compare(facts: Facts, rule: str, readings: Sequence[Measurement], scale: _Scale) -> Finding:
    """The bad ones among the stations: one, all, or so many that it is none of them."""
    worst = scale.worst(readings)
    sign = "≤" if scale.higher_is_worse else "≥"
    expected = f"{sign} {scale.bad:g}".replace("-", "−")
    evidence = [evidence_of(m, expected, fits=not scale.is_bad(m.number)) for m in readings]
    bad = [m for m in readings if scale.is_bad(m.number)]
    params: dict[str, object]
    if not bad:
        if not scale.is_watched(worst.number):
            params = {"worst": worst.number}
            if worst.name == "station.rssi_dbm":
                params = {"count": len(readings)}
            return facts.say(rule, Status.OK, "ok", evidence, **params)
        watched = [m for m in readings if scale.is_watched(m.number)]
        return facts.say(
            rule, Status.DEGRADED, "watch", evidence, names=_names(facts, watched),
            worst=worst.number,
        )  # fmt: skip
    # Bad for most is the air, the place or the box: a fault whose cause is not proved.
    if _is_most(bad, readings):
        return facts.say(
            rule, Status.FAULT, "coverage", evidence, count=len(bad), worst=worst.number
        )
    for band, here in _by_band(facts, readings).items():
        if _is_most(weak := [m for m in here if m in bad], here):
            return facts.say(
                rule, Status.FAULT, "coverage_band", evidence, count=len(weak),
                worst=scale.worst(weak).number, band=Text(fr=band.replace(".", ","), en=band),
            )  # fmt: skip
    case = "alone" if len(readings) == 1 else "one"
    params = {"names": _names(facts, bad), "worst": worst.number}
    if (advice := station_advice(facts, bad)) is not None:
        case, params["advice"] = f"{case}_move", advice
    blamed = line_serves(facts)
    cause = Code.CLIENT_DEVICE if blamed else None
    status = Status.FAULT if blamed else Status.DEGRADED
    return facts.say(rule, status, case, evidence, cause, **params)


def _is_most(bad: Sequence[Measurement], of: Sequence[Measurement]) -> bool:
    return len(bad) > 1 and 2 * len(bad) > len(of)


def _by_band(facts: Facts, readings: Sequence[Measurement]) -> dict[str, list[Measurement]]:
    """The stations whose band is known: each is compared with those that hear the same radio."""
    found: dict[str, list[Measurement]] = {}
    for m in readings:
        if (band := facts.reading("station.band", m.subject)) is not None:
            found.setdefault(str(band.value), []).append(m)
    return dict(sorted(found.items()))


def present(facts: Facts) -> list[str]:
    """The stations that are not known to be gone."""
    return [s for s in facts.subjects("station") if _is_active(facts, s)]


def _is_active(facts: Facts, subject: str) -> bool:
    active = facts.reading("station.active", subject)
    return active is None or active.value is not False


def _names(facts: Facts, readings: Sequence[Measurement]) -> str:
    return joined(station_name(facts, m.subject) for m in readings)
