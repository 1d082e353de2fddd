"""How what is learned of boxes joins what is known. Pure; `identities` reads and writes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final

from cpe.domain.memory import Identity

_LOCATION: Final = ("olt", "pon", "ont", "ont_index")
_APART: Final = frozenset({*_LOCATION, "first_seen", "last_seen", "source"})
_NAMES: Final = tuple(f.name for f in fields(Identity) if f.name not in _APART)


@dataclass(frozen=True, slots=True)
class Change:
    """Rows to insert, to overwrite and to delete, by row id."""

    new: list[Identity] = field(default_factory=list[Identity])
    changed: list[tuple[int, Identity]] = field(default_factory=list[tuple[int, Identity]])
    gone: list[int] = field(default_factory=list[int])


@dataclass(slots=True, eq=False)
class _Slot:
    row_id: int | None
    identity: Identity
    touched: bool = False


def combine(one: Identity, two: Identity) -> Identity:
    """One box told twice: the newer word counts, the older fills what the newer left open.

    A location is one thing: it is never put together from two sightings, and does not outlive a
    change of the GPON serial it was seen under.
    """
    older, newer = (one, two) if two.last_seen >= one.last_seen else (two, one)
    merged = {name: _first(getattr(newer, name), getattr(older, name)) for name in _NAMES}
    moved = None not in (older.gpon_serial, newer.gpon_serial) and (
        older.gpon_serial != newer.gpon_serial
    )
    place = newer if newer.olt is not None or moved else older
    merged |= {name: getattr(place, name) for name in _LOCATION}
    return Identity(
        **merged,
        first_seen=min(one.first_seen or one.last_seen, two.first_seen or two.last_seen),
        last_seen=newer.last_seen,
        source=newer.source,
    )


def merge(known: Iterable[tuple[int, Identity]], learned: Sequence[Identity]) -> Change:
    """`known` are the stored rows that share any name with `learned`, which is taken in order.

    With an ACS id it is that box. Without one, what an OLT tells goes to every box that claims
    its GPON serial, or to a row of its own until a box does. What has neither name only completes
    boxes that are known by the same serial or MAC.
    """
    slots = [_Slot(row_id, identity) for row_id, identity in known]
    index = _Index(slots)
    for identity in learned:
        told = identity
        if told.first_seen is None:
            told = replace(identity, first_seen=identity.last_seen)
        if told.acs_id is not None:
            index.box(told)
        else:
            index.stranger(told)
    return index.change()


class _Index:
    """The rows at hand under each of their names."""

    def __init__(self, slots: Iterable[_Slot]) -> None:
        self._boxes: dict[str, _Slot] = {}
        self._orphans: dict[str, _Slot] = {}
        self._named: dict[tuple[str, str], list[_Slot]] = {}
        self._gone: list[int] = []
        for slot in slots:
            self._file(slot)

    def box(self, told: Identity) -> None:
        acs_id = told.acs_id or ""
        slot = self._boxes.get(acs_id)
        if slot is None:
            slot = _Slot(None, told, touched=True)
        else:
            self._put(slot, combine(slot.identity, told))
        self._adopt(slot)
        self._file(slot)

    def stranger(self, told: Identity) -> None:
        claimants = [slot for slot in self._same(told) if _compatible(slot.identity, told)]
        for slot in claimants:
            self._put(slot, combine(slot.identity, told))
            self._file(slot)  # under what it was just told as well
        if claimants or told.gpon_serial is None:
            return
        slot = self._orphans.get(told.gpon_serial)
        if slot is None:
            self._file(_Slot(None, told, touched=True))
        else:
            self._put(slot, combine(slot.identity, told))

    def change(self) -> Change:
        result = Change(gone=self._gone)
        for slot in (*self._boxes.values(), *self._orphans.values()):
            if slot.row_id is None:
                result.new.append(slot.identity)
            elif slot.touched:
                result.changed.append((slot.row_id, slot.identity))
        return result

    def _adopt(self, slot: _Slot) -> None:
        serial = slot.identity.gpon_serial
        orphan = self._orphans.get(serial) if serial else None
        if serial is None or orphan is None or not _compatible(slot.identity, orphan.identity):
            return
        del self._orphans[serial]
        if orphan.row_id is not None:
            self._gone.append(orphan.row_id)
        self._put(slot, combine(orphan.identity, slot.identity))

    def _same(self, told: Identity) -> list[_Slot]:
        for name in ("gpon_serial", "tr069_serial", "mac"):
            if value := getattr(told, name):
                found = self._named.get((name, value), [])
                return [slot for slot in found if getattr(slot.identity, name) == value]
        return []

    def _put(self, slot: _Slot, identity: Identity) -> None:
        if identity != slot.identity:
            slot.identity = identity
            slot.touched = True

    def _file(self, slot: _Slot) -> None:
        identity = slot.identity
        if identity.acs_id is None:
            if identity.gpon_serial is not None:
                self._orphans[identity.gpon_serial] = slot
            return
        self._boxes[identity.acs_id] = slot
        for name in ("gpon_serial", "tr069_serial", "mac"):
            if value := getattr(identity, name):
                filed = self._named.setdefault((name, value), [])
                if slot not in filed:
                    filed.append(slot)


def _compatible(one: Identity, two: Identity) -> bool:
    serials = {one.tr069_serial, two.tr069_serial} - {None}
    return len(serials) <= 1


def _first(newer: Any, older: Any) -> Any:
    return older if newer is None else newer
