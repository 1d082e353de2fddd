"""What a rule may look at, and the few words it needs to answer: findings, evidence, reasons."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from cpe.domain.finding import Evidence, Finding, Status, Text
from cpe.domain.observation import Measurement, Outcome, Quality, Scalar, Source, to_judge
from cpe.domain.snapshot import OltSighting, OntState, Snapshot
from cpe.domain.verdict import Code
from cpe.profiles.quantities import COARSE, placeholders_of, quantities
from cpe.profiles.technology import Technology, technology_of
from cpe.profiles.thresholds import Bands, Thresholds
from cpe.profiles.wording import Wording, age_text

DOWN: Final = frozenset({OntState.LOS, OntState.DYING_GASP, OntState.OFFLINE})

_REASON_OF: Final = {
    Quality.STALE: "stale",
    Quality.SENTINEL: "sentinel",
    Quality.IMPLAUSIBLE: "implausible",
    Quality.UNPARSABLE: "unparsable",
    Quality.UNKNOWN_VALUE: "unknown_value",
    Quality.NOT_READ: "not_read",
}


@dataclass(frozen=True)
class Facts:
    """A snapshot with the thresholds it is judged by. Pure: no clock, no I/O."""

    snapshot: Snapshot
    thresholds: Thresholds
    wording: Wording

    @cached_property
    def _by_name(self) -> dict[tuple[str, str], list[Measurement]]:
        index: dict[tuple[str, str], list[Measurement]] = {}
        for measurement in map(without_placeholder, self.snapshot.measurements):
            index.setdefault((measurement.name, measurement.subject), []).append(measurement)
        return index

    def all(self, name: str, subject: str = "") -> Sequence[Measurement]:
        """Every source's reading of a quantity."""
        return self._by_name.get((name, subject), [])

    def reading(self, name: str, subject: str = "") -> Measurement | None:
        """The reading to judge (see `to_judge`). None when there is none."""
        return to_judge(self.all(name, subject))

    def from_source(self, name: str, source: Source) -> Measurement | None:
        """The usable reading of one source."""
        return next((m for m in self.all(name) if m.usable and m.source is source), None)

    def subjects(self, kind: str) -> list[str]:
        """The instances of a kind (`radio`, `station`, `node`, `wan`), in order of appearance."""
        prefix = f"{kind}:"
        seen = (m.subject for m in self.snapshot.measurements if m.subject.startswith(prefix))
        return list(dict.fromkeys(seen))

    def usable(self, name: str, kind: str) -> list[Measurement]:
        """The usable readings of a quantity over all instances of a kind."""
        readings = (self.reading(name, subject) for subject in self.subjects(kind))
        return [m for m in readings if m is not None]

    @property
    def sighting(self) -> OltSighting | None:
        """The ONT as an OLT saw it."""
        return self.snapshot.olt.sighting if self.snapshot.olt is not None else None

    @property
    def acs_is_down(self) -> bool:
        """Whether the ACS itself could not be asked (not merely the box).

        REFUSED is the ACS's word to us only while it has said nothing else: later it is the box's.
        """
        failing = {Outcome.UNREACHABLE, Outcome.ERROR, Outcome.BUSY}
        if self.snapshot.acs_known is None:
            failing.add(Outcome.REFUSED)
        return any(s.name is Source.ACS and s.outcome in failing for s in self.snapshot.sources)

    @property
    def acs_silence(self) -> str:
        """The reason (a key of the wording) why the ACS said nothing."""
        outcomes = [s.outcome for s in self.snapshot.sources if s.name is Source.ACS]
        if Outcome.SKIPPED in outcomes:
            return "acs_not_configured"
        return "acs_refused" if Outcome.REFUSED in outcomes else "acs_down"

    @cached_property
    def technology(self) -> Technology:
        """The PON technology, as far as it is told without contradiction."""
        return technology_of(self.snapshot)

    @property
    def rx_bands(self) -> Bands:
        """What Rx power has to be inside of."""
        band = self.thresholds.optical.rx_band(self.technology.name)
        return Bands(band, band)

    @cached_property
    def rx(self) -> Measurement | None:
        """The Rx power to judge: the most trusted source's; but where that is too coarse to tell
        on which side of the limit it is, another's that does."""
        trusted = self.reading("optical.rx_dbm")
        if trusted is None or holds(self.rx_bands, trusted) is not None:
            return trusted
        others = (m for m in self.all("optical.rx_dbm") if m.usable)
        return next((m for m in others if holds(self.rx_bands, m) is not None), trusted)

    @property
    def line_is_good(self) -> bool:
        """Whether Rx power is known and surely inside its band."""
        return self.rx is not None and holds(self.rx_bands, self.rx) is True

    # --- answers ---

    def say(
        self,
        rule: str,
        status: Status,
        case: str,
        evidence: Iterable[Evidence] = (),
        cause: Code | None = None,
        /,
        **params: object,
    ) -> Finding:
        """A finding in the operator's words."""
        text = self.wording.rules[rule][case].fill(**params)
        return Finding(rule, status, text, tuple(evidence), cause.value if cause else None)

    def unknown(
        self, rule: str, reason: str, evidence: Iterable[Evidence] = (), /, **params: object
    ) -> Finding:
        """Not evaluable, and why."""
        why = self.wording.reasons[reason].fill(**params)
        what = self.wording.titles[rule].fill()
        text = self.wording.labels["not_evaluable"].fill(what=what, reason=why)
        return Finding(rule, Status.UNKNOWN, text, tuple(evidence), None, why.en)

    def unknown_reading(self, rule: str, name: str, subjects: Sequence[str] = ("",)) -> Finding:
        """Not evaluable because this quantity has no usable reading: the nearest reason."""
        held = [m for subject in subjects for m in self.all(name, subject)]
        if not held:
            return self.unknown(rule, "no_source")
        nearest = min(held, key=lambda m: list(_REASON_OF).index(_quality(m)))
        evidence = [evidence_of(m, self._readable) for m in held]
        return self.unknown(
            rule, _REASON_OF[_quality(nearest)], evidence, **_reason_params(nearest)
        )

    @property
    def _readable(self) -> str:
        return f"readable, ≤ {self.snapshot.freshness.limit_s:g} s"

    def unread_part(
        self,
        rule: str,
        name: str,
        subjects: Iterable[str],
        called: Callable[[Facts, str], Text | str],
        evidence: Iterable[Evidence],
        /,
    ) -> Finding | None:
        """Not evaluable while one of several instances is: those that were read are good, but the
        others may be what the customer complains of. None when there is a reading of each.
        """
        gaps = [m for s in subjects if self.reading(name, s) is None for m in self.all(name, s)[:1]]
        if not gaps:
            return None
        nearest = min(gaps, key=lambda m: list(_REASON_OF).index(_quality(m)))
        why = self.wording.reasons[_REASON_OF[_quality(nearest)]].fill(**_reason_params(nearest))
        which = [called(self, m.subject) for m in gaps]
        named = Text(
            fr=joined(w.fr if isinstance(w, Text) else w for w in which),
            en=joined(w.en if isinstance(w, Text) else w for w in which),
        )
        rows = [*evidence, *(evidence_of(m, self._readable) for m in gaps)]
        return self.unknown(rule, "partly", rows, which=named, why=why)

    def olt_failed(self, rule: str, failed: Mapping[str, str]) -> Finding:
        """Not evaluable because OLTs could not be asked."""
        told = "; ".join(f"{olt}: {why}" for olt, why in sorted(failed.items()))
        return self.unknown(rule, "olt_failed", detail=self.wording.detail(told))

    def word(self, kind: str, value: Scalar) -> Text:
        """What people call a value of a kind (`state`, `cause`, `wan`, `outcome`)."""
        phrase = self.wording.labels.get(f"{kind}_{value}")
        return phrase.fill() if phrase is not None else Text(str(value), str(value))

    def no_rows(self, rule: str, kind: str, *names: str) -> Finding:
        """Of no rows of a kind there is nothing to judge only where the list was read and is
        empty, or the family is known not to report any of these quantities.
        """
        if kind in self.snapshot.tables_read or self.cannot_be_reported(*names):
            return self.not_applicable(rule)
        return self.unknown(rule, "table_not_read")

    def cannot_be_reported(self, *names: str) -> bool:
        """Whether the family is known to have no parameter for any of these quantities."""
        return bool(names) and all(name in self.snapshot.cannot_report for name in names)

    def not_applicable(self, rule: str) -> Finding:
        """The rule has nothing to judge here."""
        phrase = self.wording.labels["not_applicable"]
        return Finding(rule, Status.NOT_APPLICABLE, phrase.fill())


def half_step(measurement: Measurement) -> float:
    """How far the truth may be from a coarse reading, in its unit; 0 of a fine one: the limits
    are told in tenths."""
    step = measurement.resolution
    return step / 2 if step is not None and step >= COARSE else 0.0


def holds(bands: Bands, measurement: Measurement) -> bool | None:
    """Whether the reading is inside; None when its resolution or the limits leave that open."""
    return bands.holds(measurement.number, half_step(measurement))


def without_placeholder(measurement: Measurement) -> Measurement:
    """The reading, marked when its value stands for "no reading", whoever sent it."""
    quantity = placeholders_of(measurement.name)
    value = measurement.value
    if not measurement.usable or quantity is None or not isinstance(value, int | float):
        return measurement
    if quantity.is_placeholder(value, measurement.resolution):
        return replace(measurement, value=None, quality=Quality.SENTINEL)
    if measurement.name in quantities() and not quantity.is_detectable(value):
        return replace(measurement, value=None, quality=Quality.IMPLAUSIBLE)
    return measurement


def _quality(measurement: Measurement) -> Quality:
    return Quality.NOT_READ if measurement.quality is Quality.OK else measurement.quality


def _reason_params(measurement: Measurement) -> dict[str, object]:
    if measurement.quality is Quality.STALE:
        return {"age": age_text(measurement.age_s)}
    if measurement.quality in (Quality.NOT_READ, Quality.OK):
        return {}
    return {"raw": measurement.raw}


def evidence_of(measurement: Measurement, expected: str, *, fits: bool | None = None) -> Evidence:
    """The evidence row of a reading."""
    return Evidence(
        what=measurement.name,
        actual=measurement.value if measurement.usable else measurement.raw,
        expected=expected,
        unit=measurement.unit if measurement.usable else None,
        source=measurement.source,
        age_s=measurement.age_s,
        path=measurement.path,
        subject=measurement.subject,
        measured_at=measurement.measured_at,
        fits=fits,
    )


def between(low: float, high: float) -> str:
    """`−25..−8`, both inside."""
    return f"{low:g}..{high:g}".replace("-", "−")


def joined(parts: Iterable[str]) -> str:
    """Names for a sentence."""
    return ", ".join(dict.fromkeys(parts))


_RANGE: Final = re.compile(r"(\d{1,3})(?:-(\d{1,3}))?")


def possible_channels(facts: Facts, radio: str) -> frozenset[int]:
    """The channels that a box may use, of `1-11` or `36,40,44` as TR-181 writes them."""
    reading = facts.reading("wifi.possible_channels", radio)
    found: set[int] = set()
    for part in str(reading.value).split(",") if reading is not None else ():
        if match := _RANGE.fullmatch(part.strip()):
            first, last = int(match[1]), int(match[2] or match[1])
            found |= set(range(first, min(last, 253) + 1))
    return frozenset(found)
