"""One reading and how it came to be, or why there is none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

Scalar = str | int | float | bool | None


class Quality(StrEnum):
    """Whether a reading can be judged. Everything but OK is not evaluable and says why."""

    OK = "ok"
    STALE = "stale"
    SENTINEL = "sentinel"
    IMPLAUSIBLE = "implausible"
    UNPARSABLE = "unparsable"
    UNKNOWN_VALUE = "unknown_value"
    NOT_READ = "not_read"


class Source(StrEnum):
    """Who told us."""

    ACS = "acs"
    OLT = "olt"
    BRIDGE = "bridge"
    SPEEDTEST = "speedtest"
    HISTORY = "history"


class Outcome(StrEnum):
    """How a source fared in one diagnosis."""

    OK = "ok"
    STALE = "stale"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    BUSY = "busy"
    UNSUPPORTED = "unsupported"
    SKIPPED = "skipped"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Measurement:
    """A quantity of one subject as one source gave it.

    `name` is `area.quantity_unit` (`optical.rx_dbm`); `subject` tells instances apart
    (`radio:1`, `station:AA:BB:..`), empty for the box itself. `value` is None unless the raw
    value was readable; `quality` says why. `path` is a TR-069 path or an OID, `conversion` a
    name of `cpe.domain.units` (None for text). `age_s` counts on the source's clock, when read.
    `resolution` is the raw step in the value's unit (1.0 for whole dBm), None when fine.
    """

    name: str
    value: Scalar
    unit: str | None
    raw: Scalar
    path: str
    conversion: str | None
    source: Source
    measured_at: datetime | None
    age_s: float | None
    subject: str = ""
    quality: Quality = Quality.OK
    note: str = ""
    resolution: float | None = None

    @property
    def usable(self) -> bool:
        """Readable, plausible and fresh enough to judge."""
        return self.quality is Quality.OK and self.value is not None

    @property
    def number(self) -> float:
        """The value as a number. Raises TypeError when it is not one (a bug in a rule)."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            raise TypeError(f"{self.name} is not a number: {self.value!r}")
        return float(self.value)

    def stale_after(self, limit_s: float) -> Measurement:
        """This reading marked STALE when it is older than `limit_s` or its age is unknown."""
        if self.quality is Quality.OK and (self.age_s is None or self.age_s > limit_s):
            return replace(self, quality=Quality.STALE)
        return self


TRUST: Final = (Source.ACS, Source.BRIDGE, Source.OLT)
"""Whose reading is taken when several are fresh: the box's own first."""
TWO_CLOCKS_S: Final = 5.0
"""The ACS's clock and ours may differ by so much; nearer readings are equally fresh."""


def to_judge(readings: Iterable[Measurement]) -> Measurement | None:
    """Of one quantity's readings the one that counts; None when none can be judged.

    The most trusted source's; but of what the box said twice, to the ACS and on its own admin UI,
    the fresher.
    """
    usable = sorted((m for m in readings if m.usable), key=lambda m: TRUST.index(m.source))
    if not usable:
        return None
    first = usable[0]
    own = next((m for m in usable if m.source is Source.BRIDGE), first)
    if first.source is Source.ACS and own is not first and _is_fresher(own, first):
        return own
    return first


def _is_fresher(one: Measurement, other: Measurement) -> bool:
    if one.measured_at is None or other.measured_at is None:
        return False
    return (one.measured_at - other.measured_at).total_seconds() > TWO_CLOCKS_S


@dataclass(frozen=True, slots=True)
class SourceReport:
    """One line of the answer's `sources`: how a source fared, in words a person can act on."""

    name: Source
    outcome: Outcome
    duration_ms: int
    detail: str


MISSING: Final = None
