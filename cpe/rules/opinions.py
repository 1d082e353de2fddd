"""Second opinions: the box's own QoE scores, and its two mouths, the ACS and its admin UI."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cpe.domain.finding import Evidence, Finding, Status, Text
from cpe.domain.observation import Measurement, Source
from cpe.profiles.wording import number_en, number_fr
from cpe.rules.advice import joined_texts
from cpe.rules.facts import Facts, evidence_of
from cpe.rules.stations import present

BANDS: Final = {"24": "2.4", "5": "5"}


@dataclass(frozen=True, slots=True)
class _Opinion:
    """The box's score of one thing and ours; `ours_is_bad` None when we could not say."""

    score: Measurement
    band: str
    ours_is_bad: bool | None


def device_scores_agree(facts: Facts) -> Finding:
    """The box scores its own WiFi from 0 to 5; where it contradicts our measures, that is named."""
    rule, limits = "qoe.device_scores_agree", facts.thresholds.qoe
    opinions = [
        _Opinion(score, band, judged(facts, band))
        for what, judged in _JUDGED.items()
        for suffix, band in BANDS.items()
        if (score := facts.reading(f"qoe.{what}_{suffix}")) is not None
    ]
    if not opinions:
        return facts.not_applicable(rule)
    evidence = [evidence_of(o.score, f"≥ {limits.score_good:g}") for o in opinions]
    against = [
        o
        for o in opinions
        if (o.ours_is_bad is False and o.score.number < limits.score_bad)
        or (o.ours_is_bad is True and o.score.number >= limits.score_good)
    ]
    if against:
        said = [
            facts.wording.labels["qoe_worse" if not o.ours_is_bad else "qoe_better"].fill(
                what=facts.wording.quantity(o.score.name), score=o.score.number
            )
            for o in against
        ]
        return facts.say(rule, Status.DEGRADED, "differ", evidence, what=joined_texts(said))
    if all(o.ours_is_bad is None for o in opinions):
        return facts.not_applicable(rule)
    worst = min(o.score.number for o in opinions)
    return facts.say(rule, Status.OK, "ok", evidence, worst=worst)


def _air_is_bad(facts: Facts, band: str) -> bool | None:
    limits = facts.thresholds.wifi
    told: list[bool] = []
    for radio in facts.subjects("radio"):
        where = facts.reading("wifi.band", radio)
        if (where.value if where is not None else radio.partition(":")[2]) != band:
            continue
        if (load := facts.reading("wifi.utilisation_pct", radio)) is not None:
            told.append(load.number > limits.utilisation_bad_pct)
        if (noise := facts.reading("wifi.noise_dbm", radio)) is not None:
            told.append(noise.number >= limits.noise_bad_dbm)
    return any(told) if told else None


def _coverage_is_bad(facts: Facts, band: str) -> bool | None:
    levels = [
        rssi.number
        for subject in present(facts)
        if (where := facts.reading("station.band", subject)) is not None
        and where.value == band
        and (rssi := facts.reading("station.rssi_dbm", subject)) is not None
    ]
    return min(levels) < facts.thresholds.client.rssi_bad_dbm if levels else None


_JUDGED: Final[dict[str, Callable[[Facts, str], bool | None]]] = {
    "air": _air_is_bad,
    "coverage": _coverage_is_bad,
}


def box_agrees_with_itself(facts: Facts) -> Finding:
    """What the box told the ACS against what its own admin UI shows; the fresher counts."""
    rule = "bridge.sources_agree"
    pairs = _pairs(facts)
    if not pairs:
        return facts.not_applicable(rule)
    apart = [pair for pair in pairs if _differ(*pair)]
    if not apart:
        agreed = [
            evidence_of(m, _within(t), fits=True) for acs, own, t in pairs for m in (acs, own)
        ]
        return facts.say(rule, Status.OK, "ok", agreed, count=len(pairs))
    evidence: list[Evidence] = []
    said: list[Text] = []
    for acs, own, tolerance in apart:
        chosen = facts.reading(acs.name, acs.subject)
        evidence += [evidence_of(m, _within(tolerance), fits=m is chosen) for m in (acs, own)]
        said.append(
            facts.wording.labels["sources_differ"].fill(
                what=facts.wording.quantity(acs.name),
                acs=_shown(acs),
                bridge=_shown(own),
                taken=chosen.source.value if chosen is not None else "–",
            )
        )
    return facts.say(rule, Status.DEGRADED, "differ", evidence, what=joined_texts(said[:4]))


def _pairs(facts: Facts) -> list[tuple[Measurement, Measurement, float]]:
    """(ACS's, admin UI's, tolerance) of every quantity that both gave."""
    found: list[tuple[Measurement, Measurement, float]] = []
    for own in facts.snapshot.measurements:
        tolerance = facts.thresholds.sources.tolerances.get(own.name)
        if own.source is not Source.BRIDGE or not own.usable or tolerance is None:
            continue
        for other in facts.all(own.name, own.subject):
            if other.source is Source.ACS and other.usable:
                found.append((other, own, tolerance))
    return found


def _differ(one: Measurement, other: Measurement, tolerance: float) -> bool:
    numbers = [m.value for m in (one, other) if isinstance(m.value, int | float)]
    if len(numbers) == 2 and not any(isinstance(n, bool) for n in numbers):
        return abs(one.number - other.number) > tolerance
    return one.value != other.value


def _within(tolerance: float) -> str:
    return f"± {tolerance:g}" if tolerance else "="


def _shown(measurement: Measurement) -> Text:
    unit = f" {measurement.unit}" if measurement.unit not in (None, "1") else ""
    value = measurement.value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Text(fr=str(value), en=str(value))
    return Text(fr=number_fr(value) + unit, en=number_en(value) + unit)
