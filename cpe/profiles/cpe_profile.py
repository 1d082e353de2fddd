"""CPE families as data: which parameter paths hold which quantity, in which unit.

A candidate is accepted when its converted value is not a sentinel and physically possible;
candidates are tried in order. A profile whose `typical` raw value does not convert into the
quantity's physical range does not load: that is how tenths are kept from passing as dBm.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cpe.domain.errors import ProfileError
from cpe.domain.redaction import is_secret_name
from cpe.domain.units import CONVERSIONS, convert
from cpe.profiles.loading import check, read_yaml
from cpe.profiles.merging import merged
from cpe.profiles.overlay import cached, mapping, own_by_id
from cpe.profiles.quantities import CONVERSION_UNITS, FOLDER, Kind, Quantity, quantities

PROFILE_FOLDER: Final = FOLDER / "cpe"
VIRTUAL: Final = "VirtualParameters"
ROOTS: Final = ("Device", "InternetGatewayDevice", VIRTUAL)
_STEP: Final = r"(?:[A-Za-z_][A-Za-z0-9_\-]*|\d+|\*)"
_PATH: Final = re.compile(rf"{_STEP}(?:\.{_STEP})*")
_COLUMN: Final = re.compile(rf"(?:\^\d+\.)?{_STEP}(?:\.{_STEP})*(?:->{_STEP}(?:\.{_STEP})*)*")


def same_word(text: str) -> str:
    """A device's word without case and punctuation: `IEEE 802.11ax` and `IEEE_802_11AX` are one."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


class Strict(BaseModel):
    """A key that nobody knows is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Candidate(Strict):
    """One place where a quantity may be read.

    `path` is absolute, or in a table relative to the row: `^2.X` climbs two steps first,
    `A->B` follows the reference held by A, `*` stands for every instance below the row. `values`
    maps raw text to ours, with no default; case and punctuation do not count. An
    `operating_class` says a band by its number. Raw numbers inside `ambiguous` could be of
    two scales and are not read as either.
    """

    path: str
    conversion: str = "identity"
    sentinels: tuple[float | str, ...] = ()
    typical: float | None = None
    values: dict[str, str] | None = None
    plausible: tuple[float, float] | None = None
    ambiguous: tuple[float, float] | None = None
    resolution: Annotated[float, Field(gt=0)] | None = None
    operating_class: bool = False
    note: str = ""
    own: bool = False
    """Whether the operator gave it, in CPE_PROFILES."""

    @model_validator(mode="after")
    def _known_and_harmless(self) -> Candidate:
        if self.conversion not in CONVERSIONS:
            raise ValueError(f"conversion {self.conversion!r} does not exist")
        leaf = re.split(r"->|\.", self.path)[-1]
        if is_secret_name(leaf) and leaf != "ConnectionRequestURL":
            raise ValueError(f"{leaf} holds a secret and may not be read")
        ours: dict[str, str] = {}
        for theirs, word in (self.values or {}).items():
            if theirs and ours.setdefault(same_word(theirs), word) != word:
                raise ValueError(f"values: {theirs!r} is spelled like another one")
        return self


Candidates = Annotated[tuple[Candidate, ...], Field(min_length=1)]


class Table(Strict):
    """Rows of one kind: radios, stations, mesh nodes, neighbours, WAN connections, LAN ports.

    `key` is the quantity whose value names the row (`radio:5`), so that two tables about the same
    thing fold into one; without it, or when it is unknown, the row's path does. `where` keeps only
    rows whose column matches the expression, `unless` drops those whose column was read and does.
    Where reading the whole table would pull secrets over the wire, `enumerate` names the first so
    many instances one by one in the projection; `look_for` has the rows looked for first, so many
    instance numbers for each `*`, and then reads the columns of those that there are.
    Radios are told apart by band, `channel` (a column), `operating_classes` (objects with Class and
    Channel) and `bssids` (columns of them, or `A.*.B=>C`: C beside each B that refers to the row).
    `satellites_only` says that the box itself is no row of a table of mesh nodes. `whole` are
    objects below a row without a secret, which a sweep asks for as one: a URL is only so long.
    """

    name: Literal["radio", "station", "node", "neighbour", "wan", "route", "lan"]
    rows: str
    key: str | None = None
    enumerate: Annotated[int, Field(ge=0, le=32)] = 0
    look_for: tuple[Annotated[int, Field(ge=1, le=64)], ...] = ()
    also_read: tuple[str, ...] = ()
    where: dict[str, str] = Field(default_factory=dict)
    unless: dict[str, str] = Field(default_factory=dict)
    bssids: tuple[str, ...] = ()
    channel: str | None = None
    operating_classes: str | None = None
    satellites_only: bool = False
    whole: tuple[str, ...] = ()
    columns: dict[str, Candidates]

    @model_validator(mode="after")
    def _rows_and_columns_are_paths(self) -> Table:
        if not _PATH.fullmatch(self.rows) or "*" not in self.rows:
            raise ValueError(f"rows: {self.rows!r} is not a path with instances")
        for name, candidates in self.columns.items():
            for candidate in candidates:
                if not _COLUMN.fullmatch(candidate.path):
                    raise ValueError(f"columns.{name}: {candidate.path!r} is not a relative path")
        for column, pattern in (*self.where.items(), *self.unless.items()):
            if not _COLUMN.fullmatch(column):
                raise ValueError(f"where or unless: {column}: not a relative path")
            re.compile(pattern)
        if self.look_for and len(self.look_for) != self.rows.count("*"):
            raise ValueError(f"look_for: {self.rows!r} has {self.rows.count('*')} instances")
        if self.key is not None and self.key not in self.columns:
            raise ValueError(f"key {self.key!r} is not a column")
        beside = [part for text in self.bssids for part in text.split("=>")]
        for path in (*beside, *self.also_read, *self.whole, self.channel, self.operating_classes):
            if path is not None and not _PATH.fullmatch(path):
                raise ValueError(f"{path!r} is not a path")
            if path is not None and is_secret_name(path.rsplit(".", 1)[-1]):
                raise ValueError(f"{path} holds a secret and may not be read")
        return self


class Match(Strict):
    """When this family applies: any `manufacturer` or `model` expression, or a `has` path.

    With `every` a `model` narrows: of manufacturer and model whatever is given must match.
    """

    root: Literal["Device", "InternetGatewayDevice"]
    manufacturer: str | None = None
    model: str | None = None
    has: tuple[str, ...] = ()
    every: bool = False
    fallback: bool = False

    @model_validator(mode="after")
    def _expressions(self) -> Match:
        for name in ("manufacturer", "model"):
            try:
                re.compile(getattr(self, name) or "")
            except re.error as error:
                raise ValueError(f"{name}: not a regular expression: {error}") from None
        return self


class Identity(Strict):
    """Where the box says who it is; every list is tried in order."""

    model: tuple[str, ...] = ()
    hardware: tuple[str, ...] = ()
    firmware: tuple[str, ...] = ()
    gpon_serial: tuple[str, ...] = ()
    mac: tuple[str, ...] = ()
    ip: tuple[str, ...] = ()


class SpeedTestPaths(Strict):
    """The TR-143 object of this family."""

    object: str
    interface: str | None = None
    max_connections: int = Field(default=1, ge=1)


class CpeProfile(Strict):
    """One family of CPE."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9\-]+$")]
    title: str
    extends: str | None = None
    match: Match
    identity: Identity
    derive_gpon_serial: Literal["tplink_mac"] | None = None
    quantities: dict[str, Candidates]
    tables: tuple[Table, ...] = ()
    whole: tuple[str, ...] = ()
    """Objects without a secret, read whole rather than leaf by leaf: a URL is only so long."""
    cannot_report: tuple[str, ...] = ()
    speedtest: SpeedTestPaths | None = None
    evidence: Annotated[str, Field(min_length=10)]

    @model_validator(mode="after")
    def _physical(self) -> CpeProfile:
        known = quantities()
        for name, candidates in self.quantities.items():
            for candidate in candidates:
                if not _PATH.fullmatch(candidate.path):
                    raise ValueError(f"quantities.{name}: {candidate.path!r} is not a path")
            check_quantity(name, candidates, known)
        for table in self.tables:
            for name, candidates in table.columns.items():
                check_quantity(name, candidates, known)
        for path in self.whole:
            if not _PATH.fullmatch(path):
                raise ValueError(f"whole: {path!r} is not a path")
        for name in self.cannot_report:
            if name not in known:
                raise ValueError(f"cannot_report: {name!r} is no quantity")
        return self


def check_quantity(name: str, candidates: Sequence[Candidate], known: dict[str, Quantity]) -> None:
    """Raises ValueError for a candidate that cannot give this quantity."""
    quantity = known.get(name)
    if quantity is None:
        raise ValueError(f"{name} is not in quantities.yaml")
    for candidate in candidates:
        if quantity.kind is Kind.NUMBER:
            _check_number(name, candidate, quantity)
        elif candidate.conversion != "identity" or candidate.typical is not None:
            raise ValueError(f"{name}: only a number is converted")


def _check_number(name: str, candidate: Candidate, quantity: Quantity) -> None:
    units = CONVERSION_UNITS.get(candidate.conversion)
    if units is not None and quantity.unit not in units:
        raise ValueError(f"{name}: {candidate.conversion} does not give {quantity.unit}")
    if candidate.typical is None:
        raise ValueError(f"{name}: {candidate.path}: a number needs a `typical` raw value")
    low, high = plausible_range(candidate, quantity)
    if quantity.physical is None or low < quantity.physical[0] or high > quantity.physical[1]:
        raise ValueError(f"{name}: {candidate.path}: plausible is wider than physical")
    value = convert(candidate.conversion, candidate.typical)
    if value is None or not low <= value <= high:
        raise ValueError(
            f"{name}: {candidate.path}: typical {candidate.typical} becomes {value}"
            f" {quantity.unit}, outside {low}..{high}"
        )


def plausible_range(candidate: Candidate, quantity: Quantity) -> tuple[float, float]:
    """The range a converted value must lie in to be a reading."""
    if candidate.plausible is not None:
        return candidate.plausible
    if quantity.physical is None:
        raise ProfileError(f"{candidate.path}: not a number")
    return quantity.physical


def load_profile(path: Path) -> CpeProfile:
    """One profile file, with what it `extends` folded in. Raises ProfileError."""
    return check(CpeProfile, merged(path, {}, PROFILE_FOLDER), path)


def load_own_profile(path: Path, own: Mapping[str, Path]) -> CpeProfile:
    """One of the operator's files, with what it `extends` folded in. Raises ProfileError.

    Its candidates stand before those of what it extends. A new family has to say which boxes are
    its own, and is tried before the shipped ones.
    """
    content = merged(path, own, PROFILE_FOLDER)
    given = mapping(read_yaml(path), path)
    if not (PROFILE_FOLDER / f"{content['id']}.yaml").is_file():
        match = given.get("match")
        if not isinstance(match, dict):
            raise ProfileError(f"{path}: match: is missing; say which boxes are of this family")
        content["match"] = {"every": True, **cast("dict[str, object]", match)}
    profile = check(CpeProfile, content, path)
    asks = profile.match
    if not (asks.manufacturer or asks.model or asks.has or asks.fallback):
        raise ProfileError(f"{path}: match: no box is of this family; say manufacturer or model")
    if wrong := next(_not_of_a_box(profile), None):
        raise ProfileError(f"{path}: {wrong}")
    return profile


def _not_of_a_box(profile: CpeProfile) -> Iterator[str]:
    """What a box or the ACS cannot have: another root, a virtual parameter below another.

    A leaf above another leaf is none; a secret is not read, by whatever key.
    """
    identity = profile.identity.model_dump()
    named = [(f"quantities.{n}", c.path) for n, cs in profile.quantities.items() for c in cs]
    named += [(f"identity.{kind}", path) for kind, paths in identity.items() for path in paths]
    named += [("match.has", path) for path in profile.match.has]
    named += [("whole", path) for path in profile.whole]
    named += [("tables.rows", table.rows) for table in profile.tables]
    named += [("tables.also_read", path) for table in profile.tables for path in table.also_read]
    for field, path in named:
        root, *steps = path.split(".")
        if root not in ROOTS or not steps or not _PATH.fullmatch(path):
            yield f"{field}: {path!r} does not begin with one of {', '.join(ROOTS)}: write it whole"
        elif root == VIRTUAL and (len(steps) > 1 or steps == ["*"] or field == "whole"):
            yield f"{field}: {path!r}: a virtual parameter is named alone, as {VIRTUAL}.RXPower"
        elif is_secret_name(path):
            yield f"{field}: {path!r}: {steps[-1]} holds a secret and may not be read"
    leaves = sorted({c.path for cs in profile.quantities.values() for c in cs})
    for above in leaves:
        for below in leaves:
            if below.startswith(f"{above}."):
                yield f"quantities: {above} is an object, {below} lies below it: name its leaf"


@cached
def profiles() -> tuple[CpeProfile, ...]:
    """Every family in the order they are tried, the generic ones last. Raises ProfileError.

    The operator's own before the shipped ones, and of those what asks more of a box first.
    """
    own = own_by_id("cpe")
    loaded = [load_own_profile(path, own) for path in own.values()]
    shipped = [path for path in sorted(PROFILE_FOLDER.glob("*.yaml")) if path.stem not in own]
    try:
        loaded += [check(CpeProfile, merged(path, own, PROFILE_FOLDER), path) for path in shipped]
    except ProfileError as error:
        if not own:
            raise
        raise ProfileError(f"with the files of CPE_PROFILES laid over: {error}") from None
    return tuple(sorted(loaded, key=_order))


def _order(profile: CpeProfile) -> tuple[bool, bool, int, str]:
    match = profile.match
    asked = bool(match.manufacturer) + bool(match.model)
    return match.fallback, not match.every, -asked if match.every else 0, profile.id
