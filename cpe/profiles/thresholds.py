"""Thresholds as data. A file that is not physical, or out of order, does not load."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cpe.domain.errors import ProfileError
from cpe.profiles.loading import check, read_yaml
from cpe.profiles.quantities import FOLDER, quantities
from cpe.profiles.technology import technologies

SHIPPED: Final = FOLDER / "thresholds.yaml"
BASELINE_MIN: Final = 3
"""Past readings below which a box has no median of its own."""
UNHEARD_DBM: Final = -15.0
"""Below this no OLT hears an ONT (sensitivity −28 dBm behind the least loss of class B+, 13 dB;
−32 behind 17 of C+): who reads less than that while the box is online reads no laser."""

OpticalDbm = Annotated[float, Field(ge=-45, le=10)]
LaserDbm = Annotated[float, Field(ge=-10, le=15)]
RadioDbm = Annotated[float, Field(ge=-110, le=0)]
Percent = Annotated[float, Field(ge=0, le=100)]
Share = Annotated[float, Field(gt=0, le=1)]
Mbps = Annotated[float, Field(gt=0, le=100_000)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _ordered(**pairs: tuple[float, float]) -> None:
    for name, (low, high) in pairs.items():
        if not low < high:
            raise ValueError(f"{name}: {low} must be below {high}")


class TechnologyLimits(_Section):
    """What a PON technology has otherwise than GPON; None where nothing differs."""

    rx_max_dbm: OpticalDbm | None = None
    olt_rx_min_dbm: OpticalDbm | None = None
    olt_rx_max_dbm: OpticalDbm | None = None
    tx_min_dbm: LaserDbm | None = None
    tx_max_dbm: LaserDbm | None = None


Band = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Bands:
    """`inner` is good, outside `outer` is bad, both ends being inside; between them nobody knows.
    They are one where a single limit applies."""

    inner: Band
    outer: Band

    @property
    def is_one(self) -> bool:
        """Whether one limit applies, so that only the reading's resolution leaves a doubt."""
        return self.inner == self.outer

    def holds(self, value: float, half_step: float = 0.0) -> bool | None:
        """Whether a reading that may be `half_step` off is inside; None when that is not told."""
        least, most = value - half_step, value + half_step
        if self.inner[0] <= least and most <= self.inner[1]:
            return True
        return False if most < self.outer[0] or least > self.outer[1] else None


class Optical(_Section):
    """Optical power in dBm, differences in dB."""

    rx_min_dbm: OpticalDbm
    rx_max_dbm: OpticalDbm
    rx_drop_db: Annotated[float, Field(gt=0, le=20)]
    olt_rx_min_dbm: OpticalDbm
    olt_rx_max_dbm: OpticalDbm
    tx_min_dbm: LaserDbm
    tx_max_dbm: LaserDbm
    disagreement_db: Annotated[float, Field(gt=0, le=20)]
    errors_per_minute: Annotated[float, Field(gt=0)]
    technologies: dict[str, TechnologyLimits]

    @model_validator(mode="after")
    def _in_order(self) -> Optical:
        _ordered(
            rx_dbm=(self.rx_min_dbm, self.rx_max_dbm),
            olt_rx_dbm=(self.olt_rx_min_dbm, self.olt_rx_max_dbm),
            tx_dbm=(self.tx_min_dbm, self.tx_max_dbm),
        )
        if set(self.technologies) != set(technologies()):
            raise ValueError(f"technologies: they are {', '.join(technologies())}")
        for name in self.technologies:
            for what, band in (("rx", self.rx_band(name)), ("tx", self._of(name, "tx"))):
                _ordered(**{f"technologies.{name}.{what}": band})
            _ordered(**{f"technologies.{name}.olt_rx": self._of(name, "olt_rx")})
        return self

    def rx_band(self, technology: str | None) -> Band:
        """The operator's target for the ONT's Rx power, and the technology's overload, in dBm."""
        own = self.technologies[technology].rx_max_dbm if technology is not None else None
        return self.rx_min_dbm, self.rx_max_dbm if own is None else own

    def class_bands(self, quantity: Literal["tx", "olt_rx"], technology: str | None) -> Bands:
        """The technology's own range; of an unknown one what fits each, and what fits any."""
        names = [technology] if technology is not None else list(self.technologies)
        lows, highs = zip(*(self._of(name, quantity) for name in names), strict=True)
        return Bands((max(lows), min(highs)), (min(lows), max(highs)))

    def _of(self, technology: str, quantity: Literal["tx", "olt_rx"]) -> Band:
        own = self.technologies[technology]
        low, high = f"{quantity}_min_dbm", f"{quantity}_max_dbm"
        told = getattr(own, low), getattr(own, high)
        return (
            getattr(self, low) if told[0] is None else told[0],
            getattr(self, high) if told[1] is None else told[1],
        )


class Hardware(_Section):
    """What counts as evidence against the box itself."""

    temperature_max_c: Annotated[float, Field(ge=40, le=120)]
    reboots_per_day: Annotated[int, Field(ge=2, le=100)]


class Wifi(_Section):
    """Radio air: utilisation %, noise dBm by band, error share %."""

    utilisation_watch_pct: Percent
    utilisation_bad_pct: Percent
    noise_watch_dbm: dict[str, RadioDbm]
    noise_bad_dbm: RadioDbm
    errors_watch_pct: Percent
    errors_bad_pct: Percent
    errors_min_packets: Annotated[int, Field(ge=1)]

    @model_validator(mode="after")
    def _in_order(self) -> Wifi:
        _ordered(
            utilisation_pct=(self.utilisation_watch_pct, self.utilisation_bad_pct),
            errors_pct=(self.errors_watch_pct, self.errors_bad_pct),
        )
        if set(self.noise_watch_dbm) != {"2.4", "5", "6"}:
            raise ValueError("noise_watch_dbm: the bands are 2.4, 5 and 6")
        for band, watch in self.noise_watch_dbm.items():
            _ordered(**{f"noise_watch_dbm.{band}": (watch, self.noise_bad_dbm)})
        return self


class Client(_Section):
    """Stations: RSSI dBm, SNR dB, retries %."""

    rssi_watch_dbm: RadioDbm
    rssi_bad_dbm: RadioDbm
    snr_watch_db: Annotated[float, Field(ge=0, le=90)]
    snr_bad_db: Annotated[float, Field(ge=0, le=90)]
    retries_watch_pct: Percent
    retries_bad_pct: Percent

    @model_validator(mode="after")
    def _in_order(self) -> Client:
        _ordered(
            rssi_dbm=(self.rssi_bad_dbm, self.rssi_watch_dbm),
            snr_db=(self.snr_bad_db, self.snr_watch_db),
            retries_pct=(self.retries_watch_pct, self.retries_bad_pct),
        )
        return self


class Mesh(_Section):
    """Backhaul of satellites."""

    rssi_watch_dbm: RadioDbm
    rssi_bad_dbm: RadioDbm
    utilisation_watch_pct: Percent
    utilisation_bad_pct: Percent
    rate_min_mbps: Mbps
    rate_plan_mbps: Mbps

    @model_validator(mode="after")
    def _in_order(self) -> Mesh:
        _ordered(
            rssi_dbm=(self.rssi_bad_dbm, self.rssi_watch_dbm),
            utilisation_pct=(self.utilisation_watch_pct, self.utilisation_bad_pct),
        )
        return self


class Qoe(_Section):
    """The box's own scores: below `score_bad` it complains, from `score_good` on it is content."""

    score_bad: Annotated[float, Field(ge=0, le=5)]
    score_good: Annotated[float, Field(ge=0, le=5)]

    @model_validator(mode="after")
    def _in_order(self) -> Qoe:
        _ordered(score=(self.score_bad, self.score_good))
        return self


class Sources(_Section):
    """By quantity, how far two sources of one box may differ, in its unit."""

    tolerances: dict[str, Annotated[float, Field(ge=0)]]

    @model_validator(mode="after")
    def _known(self) -> Sources:
        if strange := set(self.tolerances) - set(quantities()):
            raise ValueError(f"tolerances: no quantity {', '.join(sorted(strange))}")
        return self


class Line(_Section):
    """When neighbours turn one dead ONT into an outage."""

    outage_min_down: Annotated[int, Field(ge=1)]
    outage_min_share: Share
    outage_window_s: Annotated[float, Field(gt=0)]
    churned_days: Annotated[float, Field(gt=0)]


class Speed(_Section):
    """When a speed test is slow."""

    slow_share_of_plan: Share
    slow_mbps: Mbps
    customer_share: Share


class Fleet(_Section):
    """What only a sweep judges: many boxes, many days. Never part of a diagnosis."""

    pon_drop_db: Annotated[float, Field(gt=0, le=20)]
    pon_siblings: Annotated[int, Field(ge=2)]
    baseline_days: tuple[int, int, int]
    baseline_readings: Annotated[int, Field(ge=2)]
    trend_readings: Annotated[int, Field(ge=3)]
    silent_after_s: Annotated[float, Field(gt=0)]
    flaps_per_week: Annotated[int, Field(ge=2)]
    boots_per_week: Annotated[int, Field(ge=2)]
    firmware_min_boxes: Annotated[int, Field(ge=1)]
    firmware_rare_share: Share
    firmware_fault_ratio: Annotated[float, Field(gt=1)]
    coverage_min_pct: Percent
    short_answer_share: Share
    informing_min_share: Share
    never_seen_days: Annotated[int, Field(ge=1)]

    @model_validator(mode="after")
    def _in_order(self) -> Fleet:
        short, middle, long = self.baseline_days
        if not 1 <= short < middle < long <= 60:
            raise ValueError("baseline_days: three rising numbers of days, at most 60")
        return self


class Thresholds(_Section):
    """All of them."""

    version: Annotated[str, Field(pattern=r"^[\w.\-]{1,32}$")]
    optical: Optical
    hardware: Hardware
    wifi: Wifi
    client: Client
    mesh: Mesh
    qoe: Qoe
    sources: Sources
    line: Line
    speed: Speed
    fleet: Fleet

    @property
    def ruleset(self) -> str:
        """Version and content hash: two files with one name are not one ruleset.

        What only a sweep judges is left out: it changes no diagnosis.
        """
        content = json.dumps(self.model_dump(mode="json", exclude={"fleet"}), sort_keys=True)
        return f"{self.version}+{hashlib.sha256(content.encode()).hexdigest()[:8]}"


def load_thresholds(path: Path | None = None) -> Thresholds:
    """The shipped thresholds with the keys of `path` laid over. Raises ProfileError."""
    if path is None:
        return _shipped()
    base = cast("dict[str, Any]", read_yaml(SHIPPED))
    changes = read_yaml(path)
    if not isinstance(changes, dict):
        raise ProfileError(f"{path}: thresholds are a mapping of sections")
    for section, values in cast("dict[str, Any]", changes).items():
        if isinstance(values, dict) and isinstance(base.get(section), dict):
            base[section] = {**base[section], **values}
        else:
            base[section] = values
    return check(Thresholds, base, path)


@cache
def _shipped() -> Thresholds:
    return check(Thresholds, read_yaml(SHIPPED), SHIPPED)
