"""A device document and its family's profile become measurements in our units."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from cpe.access.genieacs.document import (
    Document,
    Leaf,
    column_path,
    instances,
    leaf_at,
    referred,
    text_at,
)
from cpe.access.same_thing import (
    OF_THE_THING,
    SIGNALS,
    Block,
    LinkRow,
    RadioRow,
    best_link,
    block,
    grouped,
    link_row,
    radios,
)
from cpe.domain.observation import Measurement, Quality, Scalar, Source
from cpe.domain.serials import NO_MACS, mac_address
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
    Where two tables tell of one thing, their candidates form one ranked list (see `same_thing`).
    """
    clock = _Clock(now, limit_s)
    found: dict[tuple[str, str], Reading] = {}
    for name, candidates in profile.quantities.items():
        leaves = [(c, leaf) for c in candidates for leaf in _leaves(document, c.path)]
        found[name, ""] = _reading(name, "", leaves, clock)
    rows = [
        _row(document, table, number, path, clock)
        for number, table in enumerate(profile.tables)
        for path in instances(document, table.rows)
        if all(_where(document, path, column, rx) for column, rx in table.where.items())
        if not any(_where(document, path, column, rx) for column, rx in table.unless.items())
    ]
    for kind in dict.fromkeys(table.name for table in profile.tables):
        for subject, counted, others in _subjects([r for r in rows if r.table.name == kind]):
            _merge(found, subject, counted, others)
    return tuple(found.values())


@dataclass(frozen=True, slots=True)
class _Row:
    """One row of a table as it was read. `place` is the table's place in the profile."""

    table: Table
    place: int
    path: str
    key: str | None
    readings: dict[str, Reading]
    blocks: tuple[Block, ...] = ()
    bssids: frozenset[str] = frozenset()


Subject = tuple[str, Sequence[_Row], Sequence[_Row]]
"""Its name, the rows that count, and those of which only what holds of the thing itself counts."""


def _row(document: Document, table: Table, place: int, path: str, clock: _Clock) -> _Row:
    readings: dict[str, Reading] = {}
    for name, candidates in table.columns.items():
        leaves = list(_column_leaves(document, path, candidates))
        if leaves:
            readings[name] = _reading(name, "", leaves, clock)
    if table.satellites_only:
        readings.setdefault("node.is_controller", _satellite(path))
    key = readings[table.key].measurement.value if table.key in readings else None
    named = str(key) if key not in (None, "") else None
    if table.name != "radio" or table.key is None:
        return _Row(table, place, path, named, readings)
    blocks = tuple(_blocks(document, table, path))
    bssids = frozenset(_bssids(document, table, path))
    return _Row(table, place, path, named, readings, blocks, bssids)


def _satellite(path: str) -> Reading:
    note = "the table lists satellites only"
    told = Measurement(
        name="node.is_controller", value=False, unit=None, raw=None, path=path, conversion=None,
        source=Source.ACS, measured_at=None, age_s=None, note=note,
    )  # fmt: skip
    return Reading(told, Need.STATIC, ())


def _blocks(document: Document, table: Table, row: str) -> Iterator[Block]:
    """Where a radio's channel may be: its channel, and the operating classes that it is in."""
    places = [(row, table.channel, "")] if table.channel is not None else []
    if table.operating_classes is not None:
        profiles = instances(document, f"{row}.{table.operating_classes}")
        places += [(path, "Channel", "Class") for path in profiles]
    for path, channel_name, class_name in places:
        channel, number = (leaf_at(document, f"{path}.{n}") for n in (channel_name, class_name))
        told = number.value if number is not None else None
        if channel is not None and (found := block(channel.value, told)) is not None:
            yield found


def _bssids(document: Document, table: Table, row: str) -> Iterator[str]:
    for column in table.bssids:
        pattern, _, of = column.partition("=>")
        for path in instances(document, pattern if of else f"{row}.{pattern}"):
            text = text_at(document, path)
            if of and (text is None or referred(document, text) != row):
                continue
            held = text_at(document, f"{path.rsplit('.', 1)[0]}.{of}") if of else text
            mac = mac_address(held) if held is not None else None
            if mac is not None and mac not in NO_MACS:
                yield mac


def _subjects(rows: Sequence[_Row]) -> Iterator[Subject]:
    """What the rows of one kind are about, one entry each."""
    kind = rows[0].table.name if rows else ""
    if kind == "radio":
        yield from _radios(rows)
        return
    for numbers in grouped([row.key for row in rows]):
        same = [rows[n] for n in numbers]
        if kind not in SIGNALS:
            # Two LAN ports of one name in one table are two ports.
            first = {row.place: row for row in reversed(same)}
            for row in same:
                named = row.key is not None and row is first[row.place]
                yield f"{kind}:{row.key if named else row.path}", [row], ()
            continue
        counted, others = best_link([_link(row) for row in same])
        name = same[0].key or same[0].path
        yield f"{kind}:{name}", [same[n] for n in counted], [same[n] for n in others]


def _link(row: _Row) -> LinkRow:
    read = {name: reading.measurement for name, reading in row.readings.items()}
    return link_row(row.table.name, row.place, read)


def _radios(rows: Sequence[_Row]) -> Iterator[Subject]:
    """Radios by band (`radio:5`, a second one `radio:5-2`); networks and nameless ones by path.

    What is some radio's, nobody knows whose, is kept under a kind of its own: it is no further
    radio.
    """
    keyed = [row for row in rows if row.table.key is not None]
    for row in rows:
        if row.table.key is None:
            yield f"radio:{row.path}", [row], ()
    groups, unplaced = radios([RadioRow(r.place, r.key, r.blocks, r.bssids) for r in keyed])
    taken: Counter[str] = Counter()
    for numbers in groups:
        same = [keyed[n] for n in numbers]
        band = next((row.key for row in same if row.key is not None), None)
        taken[band or ""] += 1
        suffix = f"-{taken[band]}" if band is not None and taken[band] > 1 else ""
        yield f"radio:{band or same[0].path}{suffix}", same, ()
    for number in unplaced:
        yield f"unplaced:{keyed[number].path}", [keyed[number]], ()


def _merge(
    found: dict[tuple[str, str], Reading],
    subject: str,
    counted: Sequence[_Row],
    others: Sequence[_Row],
) -> None:
    """The readings of one thing: of the rows that count the first that can be judged."""
    rows = [*((row, True) for row in counted), *((row, False) for row in others)]
    for row, counts in rows:
        for name, reading in row.readings.items():
            key = (name, subject)
            if counts or name in OF_THE_THING:
                named = replace(reading, measurement=replace(reading.measurement, subject=subject))
                found[key] = _better(found[key], named) if key in found else named


def _leaves(document: Document, pattern: str) -> list[Leaf | None]:
    """The leaves of a pattern in instance order; one None when the ACS has none."""
    found = (leaf_at(document, path) for path in instances(document, pattern))
    return [leaf for leaf in found if leaf is not None] or [None]


def _where(document: Document, row: str, column: str, pattern: str) -> bool:
    path = column_path(document, row, column)
    leaf = leaf_at(document, path) if path else None
    return leaf is not None and leaf.value is not None and bool(re.match(pattern, str(leaf.value)))


def _column_leaves(
    document: Document, row: str, candidates: Candidates
) -> Iterator[tuple[Candidate, Leaf | None]]:
    for candidate in candidates:
        path = column_path(document, row, candidate.path)
        for place in instances(document, path) if path is not None else ():
            if (leaf := leaf_at(document, place)) is not None:
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
