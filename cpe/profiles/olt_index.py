"""How an OLT numbers its ONTs: the schema of table indexes.

An index is one or more sub-identifiers. The field named `ont` is the ONT on its PON; all other
fields together name the PON.
"""

from __future__ import annotations

import string
from typing import Annotated, Literal

from pydantic import Field, model_validator

from cpe.profiles.olt_columns import Strict

FieldName = Annotated[str, Field(pattern=r"^[a-z]+$")]
U32 = 1 << 32


class BitField(Strict):
    """`width` bits at `shift`; the number people say is the stored one + `add`.
    `only`: numbers for which the layout is proven; others are not decoded."""

    name: FieldName
    shift: Annotated[int, Field(ge=0, le=31)]
    width: Annotated[int, Field(ge=1, le=32)]
    add: int = 0
    only: tuple[int, ...] = ()

    @property
    def mask(self) -> int:
        """The bits this field occupies."""
        return ((1 << self.width) - 1) << self.shift


class PackedPart(Strict):
    """One sub-identifier made of bit fields over a constant."""

    kind: Literal["packed"]
    base: Annotated[int, Field(ge=0, lt=U32)]
    fields: Annotated[tuple[BitField, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _bits_do_not_overlap(self) -> PackedPart:
        taken = self.base
        for field in self.fields:
            if field.mask & taken or field.mask >= U32:
                raise ValueError(f"{field.name}: its bits are taken or beyond 32")
            taken |= field.mask
        return self


class PlainPart(Strict):
    """One sub-identifier that is the number itself."""

    kind: Literal["plain"]
    name: FieldName


class DecimalField(Strict):
    """A number times a power of ten."""

    name: FieldName
    times: Annotated[int, Field(ge=1)]


class DecimalPart(Strict):
    """One sub-identifier as a decimal sum + `add`. An `ont` from `wrap_from` on counts from there
    again and `wrap_add` is added (Raisecom, ONT ≥ 100)."""

    kind: Literal["decimal"]
    fields: Annotated[tuple[DecimalField, ...], Field(min_length=1)]
    add: int = 0
    wrap_from: int | None = None
    wrap_add: int = 0


Part = Annotated[PackedPart | PlainPart | DecimalPart, Field(discriminator="kind")]


class PartsIndex(Strict):
    """An index whose place can be computed. `pon` and `ont` are how engineers write it."""

    kind: Literal["parts"]
    parts: Annotated[tuple[Part, ...], Field(min_length=1)]
    pon: str
    ont: str = "{ont}"

    def names(self) -> tuple[str, ...]:
        """The fields, in order."""
        found: list[str] = []
        for part in self.parts:
            if isinstance(part, PlainPart):
                found.append(part.name)
            else:
                found.extend(field.name for field in part.fields)
        return tuple(found)

    @model_validator(mode="after")
    def _has_one_ont(self) -> PartsIndex:
        names = self.names()
        if len(set(names)) != len(names) or "ont" not in names:
            raise ValueError("parts: fields must be distinct and one of them `ont`")
        if unknown := {*_fields_of(self.pon), *_fields_of(self.ont)} - set(names):
            raise ValueError(f"labels use unknown fields: {sorted(unknown)}")
        if "ont" in _fields_of(self.pon):
            raise ValueError("pon: the ONT is not part of its PON")
        return self


class OpaqueIndex(Strict):
    """A running number. `pon_pattern` reads the place from the name column; without it the PON is
    not known. Its groups feed the labels `pon` and `ont`."""

    kind: Literal["opaque", "serial"]
    pon_pattern: str | None = None
    pon: str = ""
    ont: str = ""


Index = Annotated[PartsIndex | OpaqueIndex, Field(discriminator="kind")]


def _fields_of(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}
