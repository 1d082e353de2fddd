"""The air: utilisation, noise and errors per band."""

from __future__ import annotations

from cpe.domain.finding import Evidence, Finding, Status
from cpe.domain.observation import Measurement
from cpe.domain.verdict import Code
from cpe.rules.advice import air_advice
from cpe.rules.facts import Facts, evidence_of
from cpe.rules.hardware import band_of
from cpe.rules.optical import earlier


def channel_is_free(facts: Facts) -> Finding:
    """The busiest channel's utilisation."""
    rule, limits = "wifi.channel_is_free", facts.thresholds.wifi
    missing = _missing(facts, rule, "wifi.utilisation_pct")
    if missing is not None:
        return missing
    readings = _usable(facts, "wifi.utilisation_pct")
    worst = max(readings, key=lambda m: m.number)
    evidence = [
        evidence_of(
            m,
            f"≤ {limits.utilisation_bad_pct:g}",
            fits=m.number <= limits.utilisation_bad_pct,
        )
        for m in readings
    ]
    channel = facts.reading("wifi.channel", worst.subject)
    params: dict[str, object] = {
        "worst": worst.number,
        "band": band_of(facts, worst.subject),
        "channel": channel.value if channel is not None else "?",
    }
    if worst.number > limits.utilisation_bad_pct:
        case, params["high"] = "busy", limits.utilisation_bad_pct
        if (advice := air_advice(facts, worst.subject)) is not None:
            case, params["advice"] = "busy_move", advice
        return facts.say(rule, Status.FAULT, case, evidence, Code.WIFI_INTERFERENCE, **params)
    if worst.number >= limits.utilisation_watch_pct:
        return facts.say(rule, Status.DEGRADED, "watch", evidence, **params)
    on = _switched_on(facts)
    if gap := facts.unread_part(rule, "wifi.utilisation_pct", on, band_of, evidence):
        return gap
    return facts.say(rule, Status.OK, "ok", evidence, worst=worst.number)


def noise_is_low(facts: Facts) -> Finding:
    """Noise floor; a placeholder is not measured, never very noisy."""
    rule, limits = "wifi.noise_is_low", facts.thresholds.wifi
    missing = _missing(facts, rule, "wifi.noise_dbm")
    if missing is not None:
        return missing
    readings = _usable(facts, "wifi.noise_dbm")
    worst = max(readings, key=lambda m: m.number - _noise_watch(facts, m))
    watch = _noise_watch(facts, worst)
    evidence = [
        evidence_of(
            m,
            f"≤ {_noise_watch(facts, m):g}".replace("-", "−"),
            fits=m.number <= _noise_watch(facts, m),
        )
        for m in readings
    ]
    params: dict[str, object] = {"worst": worst.number, "band": band_of(facts, worst.subject)}
    if worst.number >= limits.noise_bad_dbm:
        case = "noisy"
        if (advice := air_advice(facts, worst.subject)) is not None:
            case, params["advice"] = "noisy_move", advice
        return facts.say(rule, Status.FAULT, case, evidence, Code.WIFI_INTERFERENCE, **params)
    if worst.number > watch:
        return facts.say(rule, Status.DEGRADED, "watch", evidence, high=watch, **params)
    if gap := facts.unread_part(rule, "wifi.noise_dbm", _switched_on(facts), band_of, evidence):
        return gap
    return facts.say(rule, Status.OK, "ok", evidence, worst=worst.number)


def _noise_watch(facts: Facts, noise: Measurement) -> float:
    by_band = facts.thresholds.wifi.noise_watch_dbm
    band = facts.reading("wifi.band", noise.subject)
    known = by_band.get(str(band.value)) if band is not None else None
    return known if known is not None else max(by_band.values())


def errors_are_few(facts: Facts) -> Finding:
    """Errors as a share of the packets between two readings, per band and direction."""
    rule, limits = "wifi.errors_are_few", facts.thresholds.wifi
    missing = _missing(facts, rule, "wifi.errors_received", "wifi.errors_sent")
    if missing is not None:
        return missing
    shares: list[tuple[float, Measurement]] = []
    reason = "one_reading"
    for way in ("received", "sent"):
        for errors in _usable(facts, f"wifi.errors_{way}"):
            packets = facts.reading(f"wifi.packets_{way}", errors.subject)
            share, why = _share(facts, errors, packets, limits.errors_min_packets)
            if share is not None:
                shares.append((share, errors))
            else:
                reason = why
    if not shares:
        return facts.unknown(rule, reason)
    worst, errors = max(shares, key=lambda item: item[0])
    evidence = [_share_evidence(share, m, limits.errors_bad_pct) for share, m in shares]
    params: dict[str, object] = {"worst": worst, "band": band_of(facts, errors.subject)}
    if worst > limits.errors_bad_pct:
        return facts.say(
            rule,
            Status.FAULT,
            "many",
            evidence,
            Code.WIFI_INTERFERENCE,
            high=limits.errors_bad_pct,
            **params,
        )
    if worst >= limits.errors_watch_pct:
        return facts.say(rule, Status.DEGRADED, "watch", evidence, **params)
    return facts.say(rule, Status.OK, "ok", evidence, worst=worst)


def _share(
    facts: Facts, errors: Measurement, packets: Measurement | None, least: int
) -> tuple[float | None, str]:
    """Errors in per cent of errors and packets since the last reading, or why not."""
    if packets is None:
        return None, "no_source"
    errors_before, packets_before = earlier(facts, errors), earlier(facts, packets)
    if errors_before is None or packets_before is None:
        return None, "one_reading"
    errors_grown = errors.number - errors_before.value
    packets_grown = packets.number - packets_before.value
    if errors_grown < 0 or packets_grown < 0:
        return None, "counter_reset"
    total = errors_grown + packets_grown
    if total < least:
        return None, "few_packets"
    return round(100 * errors_grown / total, 1), ""


def _share_evidence(share: float, errors: Measurement, high: float) -> Evidence:
    return Evidence(
        what=f"{errors.name}.share",
        actual=share,
        expected=f"≤ {high:g}",
        unit="%",
        source=errors.source,
        age_s=errors.age_s,
        path=errors.path,
        subject=errors.subject,
        measured_at=errors.measured_at,
        fits=share <= high,
    )


def _missing(facts: Facts, rule: str, *names: str) -> Finding | None:
    """A finding when nothing can be judged: the family cannot report it, no radio is on, or it
    was not read."""
    if facts.cannot_be_reported(*names):
        return facts.not_applicable(rule)
    if any(_usable(facts, name) for name in names):
        return None
    on = _switched_on(facts)
    if not on and facts.subjects("radio"):
        return facts.not_applicable(rule)
    nobodys = [m for name in names for m in facts.usable(name, "unplaced")]
    if nobodys:
        return facts.unknown(rule, "which_radio", [evidence_of(m, "–") for m in nobodys])
    return facts.unknown_reading(rule, names[0], on)


def _usable(facts: Facts, name: str) -> list[Measurement]:
    """The usable readings of the radios that are on."""
    readings = (facts.reading(name, subject) for subject in _switched_on(facts))
    return [m for m in readings if m is not None]


def _switched_on(facts: Facts) -> list[str]:
    """A radio that is off keeps its last figures, and they are read again with the others."""
    flags = {s: facts.reading("wifi.enabled", s) for s in facts.subjects("radio")}
    return [s for s, flag in flags.items() if flag is None or flag.value is not False]
