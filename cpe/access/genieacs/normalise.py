"""A device document and its family's profile become measurements in our units."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cpe.access.genieacs.document import Document, Leaf, column_path, instances, leaf_at
from cpe.domain.observation import Measurement, Quality, Scalar, Source
from cpe.profiles.cpe_profile import Candidate, Candidates, CpeProfile, Table
from cpe.profiles.quantities import Kind, Need, Quantity, quantities
from cpe.profiles.scalar import read_scalar

TWO_CLOCKS_S: Final = 5.0
"""NBI and CWMP may run on two hosts; a leaf further ahead of the NBI's clock has no known age."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One quantity's winning candidate, and every leaf that could have held it.

    `unread` are the patterns of candidates that would have been preferred and that the ACS does
    not have: what won may be a placeholder beside a truth that nobody asked for yet.
    """

    measurement: Measurement
    need: Need
    paths: tuple[str, ...]
    unread: tuple[str, ...] = ()

    @property
    def settled(self) -> bool:
        """Whether the ACS holds what the box would say: a value, or the preferred placeholder."""
        quality = self.measurement.quality
        if quality is Quality.NOT_READ:
            return False
        return quality in (Quality.OK, Quality.STALE) or not self.unread


@dataclass(frozen=True, slots=True)
class _Clock:
    now: datetime
    limit_s: float


def normalise(
    document: Document, profile: CpeProfile, *, now: datetime, limit_s: float
) -> tuple[Reading, ...]:
    """Every quantity of the profile that the document knows, or should know, a reading each.

    `now` is the ACS's clock. The first candidate that is readable, plausible and at most
    `limit_s` old wins; else the first readable one; else the first that exists and says why not.
    Where two tables describe one row, their candidates form one ranked list.
    """
    clock = _Clock(now, limit_s)
    found: dict[tuple[str, str], Reading] = {}
    for name, candidates in profile.quantities.items():
        leaves = [(c, leaf) for c in candidates for leaf in _leaves(document, c.path)]
        found[name, ""] = _reading(name, "", leaves, clock)
    for table in profile.tables:
        for row, subject in _rows(document, table):
            for name, candidates in table.columns.items():
                leaves = list(_column_leaves(document, row, candidates))
                if not leaves:
                    continue
                reading = _reading(name, subject, leaves, clock)
                key = (name, subject)
                found[key] = _better(found[key], reading) if key in found else reading
    return tuple(found.values())


def _leaves(document: Document, pattern: str) -> list[Leaf | None]:
    """The leaves of a pattern in instance order; one None when the ACS has none."""
    found = (leaf_at(document, path) for path in instances(document, pattern))
    return [leaf for leaf in found if leaf is not None] or [None]


def _rows(document: Document, table: Table) -> Iterator[tuple[str, str]]:
    taken: dict[str, int] = {}
    for row in instances(document, table.rows):
        if not all(_where(document, row, column, rx) for column, rx in table.where.items()):
            continue
        if any(_where(document, row, column, rx) for column, rx in table.unless.items()):
            continue
        key = _row_key(document, row, table)
        if key is None:
            yield row, f"{table.name}:{row}"
            continue
        taken[key] = taken.get(key, 0) + 1
        suffix = f"#{taken[key]}" if taken[key] > 1 else ""
        yield row, f"{table.name}:{key}{suffix}"


def _where(document: Document, row: str, column: str, pattern: str) -> bool:
    path = column_path(document, row, column)
    leaf = leaf_at(document, path) if path else None
    return leaf is not None and leaf.value is not None and bool(re.match(pattern, str(leaf.value)))


def _row_key(document: Document, row: str, table: Table) -> str | None:
    if table.key is None:
        return None
    quantity = quantities()[table.key]
    for candidate in table.columns[table.key]:
        path = column_path(document, row, candidate.path)
        leaf = leaf_at(document, path) if path else None
        if leaf is None:
            continue
        value, quality, _ = _value(leaf, candidate, quantity)
        if quality is Quality.OK and isinstance(value, str) and value:
            return value
    return None


def _column_leaves(
    document: Document, row: str, candidates: Candidates
) -> Iterator[tuple[Candidate, Leaf | None]]:
    for candidate in candidates:
        path = column_path(document, row, candidate.path)
        if path is not None and (leaf := leaf_at(document, path)) is not None:
            yield candidate, leaf


def _reading(
    name: str,
    subject: str,
    leaves: list[tuple[Candidate, Leaf | None]],
    clock: _Clock,
) -> Reading:
    quantity = quantities()[name]
    tried = [
        (_measure(name, subject, candidate, leaf, quantity, clock), number)
        for number, (candidate, leaf) in enumerate(leaves)
        if leaf is not None
    ]
    paths = tuple(dict.fromkeys(leaf.path for _, leaf in leaves if leaf is not None))
    if not paths:
        paths = tuple(dict.fromkeys(c.path for c, _ in leaves))
    if tried:
        best, number = min(tried, key=lambda item: _rank(item[0]))
        unread = tuple(c.path for c, leaf in leaves[:number] if leaf is None or not leaf.read)
        return Reading(best, quantity.need, paths, unread)
    missing = Measurement(
        name=name, subject=subject, value=None, unit=quantity.unit, raw=None,
        path=leaves[0][0].path, conversion=None, source=Source.ACS, measured_at=None, age_s=None,
        quality=Quality.NOT_READ, note="the ACS has no such parameter",
    )  # fmt: skip
    return Reading(missing, quantity.need, paths)


RANKS: Final = {
    Quality.OK: 0,
    Quality.STALE: 1,
    Quality.IMPLAUSIBLE: 2,
    Quality.UNPARSABLE: 2,
    Quality.UNKNOWN_VALUE: 2,
    Quality.SENTINEL: 3,
    Quality.NOT_READ: 4,
}


def _rank(measurement: Measurement) -> int:
    return RANKS[measurement.quality]


def _better(first: Reading, second: Reading) -> Reading:
    best = min((first.measurement, second.measurement), key=_rank)
    return Reading(best, first.need, tuple(dict.fromkeys(first.paths + second.paths)))


def _measure(
    name: str,
    subject: str,
    candidate: Candidate,
    leaf: Leaf,
    quantity: Quantity,
    clock: _Clock,
) -> Measurement:
    value, quality, note = _value(leaf, candidate, quantity)
    age_s = _age_s(leaf, clock)
    measurement = Measurement(
        name=name,
        subject=subject,
        value=value,
        unit=quantity.unit,
        raw=leaf.value,
        path=leaf.path,
        conversion=candidate.conversion if quantity.kind is Kind.NUMBER else None,
        source=Source.ACS,
        measured_at=leaf.timestamp,
        age_s=age_s,
        quality=quality,
        note=note or candidate.note,
        resolution=candidate.resolution,
    )
    if quantity.need is Need.JUDGED:
        return measurement.stale_after(clock.limit_s)
    return measurement


def _age_s(leaf: Leaf, clock: _Clock) -> float | None:
    """Rounded up, so that no age passes for less; None for a time that is yet to come."""
    if leaf.timestamp is None:
        return None
    return known_age_s((clock.now - leaf.timestamp).total_seconds())


def known_age_s(age_s: float) -> float | None:
    """An age as it is told and judged: rounded up to 0.1 s, unknown when too far ahead."""
    return None if age_s < -TWO_CLOCKS_S else max(0.0, math.ceil(round(age_s * 10, 4)) / 10)


def _value(leaf: Leaf, candidate: Candidate, quantity: Quantity) -> tuple[Scalar, Quality, str]:
    if leaf.value is None or leaf.timestamp is None:
        return None, Quality.NOT_READ, "the ACS never read it"
    return read_scalar(leaf.value, candidate, quantity)


def stale_needs(readings: tuple[Reading, ...], limit_s: float) -> tuple[float | None, bool]:
    """(age of the oldest reading that has to be fresh, whether all of them are).

    A judged reading the ACS holds has to be fresh. Rx power has to be there at all: when no
    candidate was ever read, or only a placeholder beside a better one that was not, the age is
    unknown and nothing is fresh.
    """
    judged = [r.measurement for r in readings if r.need is Need.JUDGED]
    held = [m for m in judged if m.quality is not Quality.NOT_READ]
    ages = [m.age_s for m in held if m.age_s is not None]
    rx_known = any(r.settled for r in readings if r.measurement.name == "optical.rx_dbm")
    fresh = rx_known and all(m.age_s is not None and m.age_s <= limit_s for m in held)
    return (max(ages, default=None) if rx_known else None), fresh
