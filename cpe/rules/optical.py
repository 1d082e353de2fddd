"""Optical power and errors, as the box and the OLT measure them."""

from __future__ import annotations

from dataclasses import replace
from statistics import median

from cpe.domain.finding import Evidence, Finding, Status
from cpe.domain.observation import Measurement, Source
from cpe.domain.snapshot import PastReading
from cpe.domain.verdict import Code
from cpe.profiles.thresholds import BASELINE_MIN, UNHEARD_DBM, Bands
from cpe.rules.facts import DOWN, Facts, between, evidence_of, half_step, holds

ERROR_COUNTERS = ("optical.errors_sent", "optical.errors_received", "optical.errors_fec")
MIN_APART_S = 30.0


def rx_power_in_band(facts: Facts) -> Finding:
    """ONT Rx power inside the operator's target; both ends are inside."""
    rule = "optical.rx_power_in_band"
    rx = facts.rx
    if rx is None:
        return facts.unknown_reading(rule, "optical.rx_dbm")
    low, high = facts.rx_bands.inner
    evidence = [evidence_of(rx, between(low, high))]
    params = {"rx": rx.number, "low": low}
    if holds(facts.rx_bands, rx) is None:
        return in_doubt(facts, rule, rx, facts.rx_bands, evidence)
    if rx.number < low:
        return facts.say(rule, Status.FAULT, "weak", evidence, Code.FIBRE_WEAK, **params)
    if rx.number > high:
        return facts.say(
            rule, Status.FAULT, "overload", evidence, Code.FIBRE_OVERLOAD, rx=rx.number, high=high
        )
    return facts.say(rule, Status.OK, "ok", evidence, high=high, **params)


def in_doubt(
    facts: Facts, rule: str, reading: Measurement, bands: Bands, evidence: list[Evidence]
) -> Finding:
    """Not evaluable: the reading is too coarse, or which limit applies is not known."""
    if bands.is_one:
        limit = min(bands.inner, key=lambda end: abs(end - reading.number))
        params = {"step": reading.resolution or 0.0, "unit": reading.unit or "", "limit": limit}
        return facts.unknown(rule, "coarse", evidence, **params)
    if facts.technology.said:
        return facts.unknown(rule, "technology_said", evidence, said=facts.technology.said)
    return facts.unknown(rule, "technology", evidence)


def rx_power_is_steady(facts: Facts) -> Finding:
    """A drop against the box's own median is a connector or a bend before it is a threshold."""
    rule = "optical.rx_power_is_steady"
    rx = facts.reading("optical.rx_dbm")
    if rx is None:
        return facts.unknown_reading(rule, "optical.rx_dbm")
    past = [
        r.value
        for r in facts.snapshot.history.readings
        if r.name == "optical.rx_dbm" and r.source is rx.source
    ]
    if len(past) < BASELINE_MIN:
        return facts.unknown(rule, "one_reading")
    usual = median(past)
    delta, half = rx.number - usual, half_step(rx)
    drop = facts.thresholds.optical.rx_drop_db
    evidence = [evidence_of(rx, f"≥ {usual - drop:.2f}".replace("-", "−"))]
    if delta - half <= -drop < delta + half:
        limit = -drop
        params = {"step": rx.resolution or 0.0, "unit": "dB", "limit": limit}
        return facts.unknown(rule, "coarse", evidence, **params)
    if delta <= -drop:
        return facts.say(
            rule, Status.DEGRADED, "dropped", evidence, delta=round(-delta, 2), median=usual
        )
    return facts.say(rule, Status.OK, "ok", evidence, delta=round(delta, 2))


def sources_agree(facts: Facts) -> Finding:
    """The box and its OLT read the same light; a large difference means one of them is wrong."""
    rule = "optical.sources_agree"
    acs = facts.from_source("optical.rx_dbm", Source.ACS)
    olt = facts.from_source("optical.rx_dbm", Source.OLT)
    if acs is None or olt is None:
        return facts.not_applicable(rule)
    delta = round(abs(acs.number - olt.number), 2)
    half = half_step(acs) + half_step(olt)
    limit = facts.thresholds.optical.disagreement_db
    evidence = [evidence_of(acs, f"± {limit:g} dB"), evidence_of(olt, f"± {limit:g} dB")]
    if delta - half <= limit < delta + half:
        step = max(acs.resolution or 0.0, olt.resolution or 0.0)
        return facts.unknown(rule, "coarse", evidence, step=step, unit="dB", limit=limit)
    if delta > limit:
        return facts.say(
            rule, Status.DEGRADED, "differ", evidence, acs=acs.number, olt=olt.number, delta=delta
        )
    return facts.say(rule, Status.OK, "ok", evidence, delta=delta)


def olt_rx_in_band(facts: Facts) -> Finding:
    """What the OLT receives of the ONT: the upstream path."""
    rule = "optical.olt_rx_in_band"
    sighting = facts.sighting
    rx = facts.reading("optical.olt_rx_dbm")
    if rx is None:
        if sighting is None:
            return facts.not_applicable(rule)
        if sighting.state in DOWN:
            return facts.unknown(rule, "ont_down")
        return facts.unknown_reading(rule, "optical.olt_rx_dbm")
    bands = facts.thresholds.optical.class_bands("olt_rx", facts.technology.name)
    low, high = bands.inner
    evidence = [evidence_of(rx, between(low, high))]
    if holds(bands, rx) is None:
        return in_doubt(facts, rule, rx, bands, evidence)
    if holds(bands, rx) is False:
        return facts.say(rule, Status.DEGRADED, "out", evidence, rx=rx.number, low=low, high=high)
    return facts.say(rule, Status.OK, "ok", evidence, rx=rx.number)


def tx_power_in_class(facts: Facts) -> Finding:
    """A laser out of its technology's class while it receives well is the box's own fault."""
    rule = "optical.tx_power_in_class"
    tx = facts.reading("optical.tx_dbm")
    if tx is None:
        return facts.unknown_reading(rule, "optical.tx_dbm")
    bands = facts.thresholds.optical.class_bands("tx", facts.technology.name)
    low, high = bands.outer
    evidence = [evidence_of(tx, between(low, high))]
    if tx.number < UNHEARD_DBM:
        return facts.unknown(rule, "implausible", evidence, raw=tx.raw)
    in_class = holds(bands, tx)
    if in_class is None:
        return in_doubt(facts, rule, tx, bands, evidence)
    if in_class:
        return facts.say(rule, Status.OK, "ok", evidence, tx=tx.number)
    params = {"tx": tx.number, "low": low, "high": high}
    if facts.line_is_good:
        return facts.say(rule, Status.FAULT, "out", evidence, Code.HARDWARE_FAULT, **params)
    return facts.say(rule, Status.DEGRADED, "out_rx_unsure", evidence, **params)


def errors_are_steady(facts: Facts) -> Finding:
    """Error counters judged by their growth between two readings, never by their height."""
    rule = "optical.errors_are_steady"
    rates = [
        (growth_per_minute(now, before), now)
        for name in ERROR_COUNTERS
        if (now := facts.reading(name)) is not None and (before := earlier(facts, now)) is not None
    ]
    grown = [(rate, now) for rate, now in rates if rate is not None]
    if not grown:
        if rates:
            return facts.unknown(rule, "counter_reset")
        if any(facts.reading(name) is not None for name in ERROR_COUNTERS):
            return facts.unknown(rule, "one_reading")
        return facts.not_applicable(rule)
    limit = facts.thresholds.optical.errors_per_minute
    worst, _ = max(grown, key=lambda item: item[0])
    evidence = [_rate_evidence(rate, now, limit) for rate, now in grown]
    if worst > limit:
        return facts.say(rule, Status.DEGRADED, "growing", evidence, rate=round(worst, 1))
    return facts.say(rule, Status.OK, "ok", evidence, rate=round(worst, 1))


def _rate_evidence(rate: float, now: Measurement, limit: float) -> Evidence:
    return replace(
        evidence_of(now, f"≤ {limit:g}", fits=rate <= limit),
        what=f"{now.name}.rate", actual=round(rate, 1), unit="/min",
    )  # fmt: skip


def earlier(facts: Facts, now: Measurement) -> PastReading | None:
    """The newest kept reading of the same counter that is far enough back to compare."""
    if now.measured_at is None:
        return None
    for past in facts.snapshot.history.readings:
        same = past.name == now.name and past.subject == now.subject
        if same and (now.measured_at - past.measured_at).total_seconds() >= MIN_APART_S:
            return past
    return None


def growth_per_minute(now: Measurement, before: PastReading) -> float | None:
    """Counts a minute between two readings; None when the counter went backwards."""
    if now.measured_at is None or now.number < before.value:
        return None
    minutes = (now.measured_at - before.measured_at).total_seconds() / 60
    return (now.number - before.value) / minutes if minutes > 0 else None
