"""Rows of an admin UI become measurements in our units. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from cpe.access.bridge.interface import Harvest, Row
from cpe.access.same_thing import OF_THE_THING, SIGNALS, best_link, link_row
from cpe.domain.observation import Measurement, Quality, Source
from cpe.domain.serials import identity_key, mac_address, tplink_gpon_serial_from_mac
from cpe.domain.snapshot import Device
from cpe.profiles.bridge_profile import Attribute, BridgeProfile, Read
from cpe.profiles.quantities import Kind, quantities
from cpe.profiles.scalar import read_scalar

_RANKS = {
    Quality.OK: 0,
    Quality.IMPLAUSIBLE: 1,
    Quality.UNPARSABLE: 1,
    Quality.UNKNOWN_VALUE: 1,
    Quality.SENTINEL: 2,
}


@dataclass(frozen=True, slots=True)
class Meaning:
    """What was read, and what could not be understood, in words."""

    measurements: tuple[Measurement, ...]
    strange: tuple[str, ...] = ()


def measured(harvest: Harvest, reads: Sequence[Read], *, at: datetime) -> Meaning:
    """Every quantity that the rows hold. A row whose key is unknown is announced, not guessed."""
    strange: list[str] = []
    rows: dict[tuple[str | None, str], list[_Read]] = {}
    for place, read in enumerate(reads):
        for number, row in enumerate(harvest.rows.get(read.oid, ())):
            subject = _subject(read, row)
            if subject is None:
                strange.append(f"{read.oid}: a row of unknown {read.key}")
                continue
            if read.rows is None and number:
                strange.append(f"{read.oid}: more than one row")
                break
            given = rows.setdefault((read.rows, subject), [])
            given.append((place, list(_row(read, row, subject, number, at))))
    found = [m for (kind, subject), same in rows.items() for m in _of_one(kind, subject, same)]
    return Meaning(tuple(found), tuple(dict.fromkeys(strange)))


_Read = tuple[int, list[Measurement]]
"""Which of the reads a row is of, and what it gives."""


def _of_one(kind: str | None, subject: str, rows: Sequence[_Read]) -> Iterator[Measurement]:
    """What several rows of one subject give: two radios, or the best link of one device."""
    if kind in SIGNALS:
        links = [link_row(kind, place, {m.name: m for m in given}) for place, given in rows]
        counted, others = best_link(links)
        yield from (m for n in counted for m in rows[n][1])
        yield from (m for n in others for m in rows[n][1] if m.name in OF_THE_THING)
        return
    taken: Counter[int] = Counter()
    for place, given in rows:
        taken[place] += 1
        again = kind == "radio" and taken[place] > 1
        yield from (replace(m, subject=f"{subject}-{taken[place]}") if again else m for m in given)


def _row(read: Read, row: Row, subject: str, number: int, at: datetime) -> Iterator[Measurement]:
    place = read.oid if read.rows is None else f"{read.oid}[{number}]"
    for name, candidates in read.quantities.items():
        tried = [
            _measurement(name, candidate, row[candidate.path], subject, place, at)
            for candidate in _fitting(candidates, row)
        ]
        if tried:
            yield min(tried, key=lambda m: _RANKS[m.quality])


def _fitting(candidates: Sequence[Attribute], row: Row) -> list[Attribute]:
    """Those whose attribute is there; when one is for what the text says, only those."""
    there = [c for c in candidates if c.path in row]
    said = [c for c in there if c.says and c.says.lower() in row[c.path].lower()]
    return said or [c for c in there if not c.says]


def _measurement(
    name: str, candidate: Attribute, raw: str, subject: str, place: str, at: datetime
) -> Measurement:
    quantity = quantities()[name]
    text = _part(raw, candidate.part)
    value, quality, note = read_scalar(text, candidate, quantity)
    return Measurement(
        name=name,
        value=value,
        unit=quantity.unit,
        raw=raw,
        path=f"{place}.{candidate.path}",
        conversion=candidate.conversion if quantity.kind is Kind.NUMBER else None,
        source=Source.BRIDGE,
        measured_at=at,
        age_s=0.0,
        subject=subject,
        quality=quality,
        note=note or candidate.note,
        resolution=candidate.resolution,
    )


def _part(raw: str, part: int | None) -> str:
    if part is None:
        return raw
    parts = raw.split(",")
    return parts[part].strip() if part < len(parts) else ""


def _subject(read: Read, row: Row) -> str | None:
    if read.rows is None or read.key is None:
        return ""
    if read.key in read.plain:
        name = row.get(read.key, "")
        return f"{read.rows}:{read.oid}.{name}" if name else None
    quantity = quantities()[read.key]
    for candidate in _fitting(read.quantities[read.key], row):
        value, quality, _ = read_scalar(row[candidate.path], candidate, quantity)
        if quality is Quality.OK and value:
            return f"{read.rows}:{value}"
    return None


class Answerer(Enum):
    """Who answered at the address that the ACS remembers: it may have another customer by now."""

    MEANT = "meant"
    ANOTHER = "another"
    UNKNOWN = "unknown"


def who_answered(
    rows: Mapping[str, Sequence[Row]], profile: BridgeProfile, device: Device
) -> Answerer:
    """Who answered, by its serial; where it does not tell that, by its MACs.

    A MAC that is not the known one is no other box's: each box has several.
    """
    told = (row.get("serialNumber", "").strip() for row in rows.get(profile.identity.oid, ()))
    serial = next((text for text in told if text), "")
    known = {identity_key(name) for name in (device.serial, device.gpon_serial) if name}
    if serial and known:
        meant = identity_key(serial) in known
        return Answerer.MEANT if meant else Answerer.ANOTHER
    proved = any(_is_of(device, mac) for mac in _own_macs(rows, profile))
    return Answerer.MEANT if proved else Answerer.UNKNOWN


def _own_macs(rows: Mapping[str, Sequence[Row]], profile: BridgeProfile) -> Iterator[str]:
    for place in profile.own_macs:
        for row in rows.get(place.oid, ()):
            mac = mac_address(row.get(place.path, ""))
            own = place.where is None or row.get(place.where, "").lower() in ("1", "true")
            if mac is not None and own:
                yield mac


def _is_of(device: Device, mac: str) -> bool:
    known = device.gpon_serial
    return mac == device.mac or (known is not None and tplink_gpon_serial_from_mac(mac) == known)
