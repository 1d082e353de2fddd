"""From a table index to the place on the OLT, and back: packed bits, decimals, plain parts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from cpe.access.olt.walk import Scope
from cpe.access.olt.wire import Oid
from cpe.profiles.olt_index import (
    DecimalPart,
    OpaqueIndex,
    PackedPart,
    PartsIndex,
    PlainPart,
)

Part = PackedPart | PlainPart | DecimalPart


@dataclass(frozen=True, slots=True)
class Place:
    """Where an ONT is: the labels people use, and the numbers behind them."""

    pon: str
    ont: str
    numbers: Mapping[str, int]


def decode(spec: PartsIndex, index: Oid) -> Place | None:
    """The place of a row, or None when its index does not follow the documented layout."""
    if len(index) != len(spec.parts):
        return None
    numbers: dict[str, int] = {}
    for part, sub in zip(spec.parts, index, strict=True):
        found = _decode_part(part, sub)
        if found is None:
            return None
        numbers |= found
    if encode(spec, numbers) != index:
        return None
    return Place(spec.pon.format(**numbers), spec.ont.format(**numbers), numbers)


def encode(spec: PartsIndex, numbers: Mapping[str, int]) -> Oid | None:
    """The index of a place, or None when a number does not fit. Raises KeyError for a missing one
    (profiles are checked when loaded)."""
    subs = [_encode_part(part, numbers) for part in spec.parts]
    fitting = tuple(sub for sub in subs if sub is not None)
    return fitting if len(fitting) == len(subs) else None


def pon_scope(spec: PartsIndex, index: Oid) -> Scope | None:
    """The rows of the same PON: what comes before the ONT's part, and that part's range."""
    for position, (part, sub) in enumerate(zip(spec.parts, index, strict=False)):
        prefix = index[:position]
        if isinstance(part, PlainPart) and part.name == "ont":
            return Scope(prefix)
        if isinstance(part, PackedPart):
            for field in part.fields:
                if field.name == "ont":
                    return Scope(prefix, sub & ~field.mask, sub | field.mask)
    return None


def from_name(spec: OpaqueIndex, name: str) -> Place | None:
    """The place an opaque row's name tells, or None when it tells none."""
    if spec.pon_pattern is None:
        return None
    match = re.search(spec.pon_pattern, name.strip())
    if match is None:
        return None
    groups = {key: text for key, text in match.groupdict().items() if text is not None}
    numbers = {key: int(text) for key, text in groups.items() if text.isdecimal()}
    return Place(spec.pon.format(**groups), spec.ont.format(**groups), numbers)


def serial_index(serial: str) -> Oid:
    """A length-prefixed ASCII index (UFiber): `UBNT0000` → 8.85.66.78.84.48.48.48.48."""
    octets = serial.encode("ascii")
    return (len(octets), *octets)


def _decode_part(part: Part, sub: int) -> dict[str, int] | None:
    if isinstance(part, PlainPart):
        return {part.name: sub}
    if isinstance(part, DecimalPart):
        return _decode_decimal(part, sub)
    numbers: dict[str, int] = {}
    for field in part.fields:
        number = ((sub & field.mask) >> field.shift) + field.add
        if field.only and number not in field.only:
            return None
        numbers[field.name] = number
    return numbers


def _encode_part(part: Part, numbers: Mapping[str, int]) -> int | None:
    if isinstance(part, PlainPart):
        return numbers[part.name]
    if isinstance(part, DecimalPart):
        return _encode_decimal(part, numbers)
    total = part.base
    for field in part.fields:
        stored = numbers[field.name] - field.add
        if not 0 <= stored < 1 << field.width:
            return None
        total |= stored << field.shift
    return total


def _encode_decimal(part: DecimalPart, numbers: Mapping[str, int]) -> int:
    total = part.add
    for field in part.fields:
        number = numbers[field.name]
        if field.name == "ont" and part.wrap_from is not None and number >= part.wrap_from:
            number -= part.wrap_from
            total += part.wrap_add
        total += number * field.times
    return total


def _decode_decimal(part: DecimalPart, sub: int) -> dict[str, int]:
    rest = sub - part.add
    wrapped = part.wrap_from is not None and rest >= part.wrap_add
    rest -= part.wrap_add if wrapped else 0
    numbers: dict[str, int] = {}
    for field in sorted(part.fields, key=lambda f: -f.times):
        numbers[field.name], rest = divmod(rest, field.times)
    if wrapped and part.wrap_from is not None:
        numbers["ont"] += part.wrap_from
    return numbers
