"""OLT families as data: which columns hold what, how ONTs are numbered, how gently to ask.

Only reads exist: there is no key that could write, and OIDs that expose subscribers' credentials
or that act when touched do not load. Credentials are in the inventory, never here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal, cast

from pydantic import Field, model_validator

from cpe.domain.errors import ProfileError
from cpe.domain.snapshot import DownCause
from cpe.profiles.loading import check, read_yaml
from cpe.profiles.olt_columns import (
    OPTICS,
    PLACE_NAMES,
    PON_INDEX,
    QUANTITIES,
    AnyColumn,
    Column,
    ColumnName,
    NumberColumn,
    Oid,
    RunState,
    SerialColumn,
    Strict,
    TextColumn,
    TimeColumn,
    WordColumn,
    check_number,
    words,
)
from cpe.profiles.olt_index import Index, OpaqueIndex, PartsIndex, PlainPart
from cpe.profiles.overlay import cached, mapping, own_by_id, own_files, parent_of

PROFILE_FOLDER: Final = Path(__file__).parent / "olt"
AUTO: Final = "auto"
"""Which family it is, is found out by asking the OLT."""
PROFILE_IDS: Final[tuple[str, ...]] = (
    "huawei", "zte-1012", "zte-1082", "nokia", "raisecom", "fiberhome",
    "calix-axos", "tplink", "vsol", "bdcom", "cdata", "ufiber",
)  # fmt: skip

REFUSED_OIDS: Final[dict[str, str]] = {
    "1.3.6.1.4.1.17409.2.8.4.3.1.13": "exposes subscribers' WAN credentials",
    "1.3.6.1.4.1.17409.2.8.4.3.1.14": "exposes subscribers' WAN credentials",
    "1.3.6.1.4.1.5875.91": "answers only after a SET",
    "1.3.6.1.4.1.5765": "an invented tree (FiberHome is 5875)",
    "1.3.6.1.4.1.6527": "an invented tree (Nokia ISAM is 637)",
    "1.3.6.1.4.1.34592.1.3.4.1": "an invented tree",
    "1.3.6.1.4.1.6321.1.2.2.4": "an invented tree",
    "1.3.6.1.4.1.3902.1082.500.10.2.8": "an invented tree",
    "1.3.6.1.4.1.3902.1082.500.10.2.11": "an invented tree",
}
"""Subtrees no profile may read, and why (olt-snmp.md §§ 1.3, 1.6, 1.11, 1.13)."""

_PLACES: Final = {
    ColumnName.AT_SLOT: "slot",
    ColumnName.AT_PON: "pon",
    ColumnName.AT_ONT: "ont",
}


class Match(Strict):
    """How `auto` knows the family: sysObjectID below a prefix, and one GETNEXT at `probe` that
    stays inside it. When several fit, the lowest `rank` wins; equal ranks are refused."""

    sys_object_id: tuple[Oid, ...] = ()
    probe: Oid
    rank: int = 100


class Guard(Strict):
    """A column that must not hold a GPON serial; when it does, the family is another one."""

    oid: Oid
    refuse: Annotated[str, Field(min_length=10)]


class Limits(Strict):
    """How gently this family is asked. Start values of olt-snmp.md § 3."""

    max_repetitions: Annotated[int, Field(ge=1, le=50)] = 10
    max_varbinds: Annotated[int, Field(ge=1, le=32)] = 8
    state_timeout_s: Annotated[float, Field(gt=0, le=30)] = 3.0
    state_retries: Annotated[int, Field(ge=0, le=3)] = 1
    optics_timeout_s: Annotated[float, Field(gt=0, le=60)] = 8.0
    optics_retries: Annotated[int, Field(ge=0, le=3)] = 0
    max_rows: Annotated[int, Field(ge=1, le=100_000)] = 20_000


class OltProfile(Strict):
    """One OLT family. `serial` lists where the serial may be, in order of trust; `neighbours`
    are the columns walked for the other ONTs of a PON; `cheap_ont_rx`: the OLT has the ONTs' own
    Rx power at hand, so that a sweep may walk it (Huawei asks each ONT when it is read)."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9\-]*$")]
    title: str
    verified: bool
    evidence: Annotated[str, Field(min_length=20)]
    match: Match
    indexes: dict[str, Index]
    identity: Literal["serial", "ont_id"] = "serial"
    serial: tuple[SerialColumn, ...] = ()
    columns: dict[ColumnName, Column]
    guards: tuple[Guard, ...] = ()
    neighbours: tuple[ColumnName, ...] = (ColumnName.STATE,)
    cheap_ont_rx: bool = False
    limits: Limits = Field(default_factory=Limits)
    own: bool = False
    """Whether the operator gave it, in CPE_PROFILES."""

    @property
    def index(self) -> PartsIndex | OpaqueIndex:
        """The index of the serial and state columns."""
        return self.indexes["main"]

    @property
    def key_columns(self) -> tuple[AnyColumn, ...]:
        """The columns that say which ONT a row is."""
        if self.identity == "ont_id":
            return (self.columns[ColumnName.NAME],)
        return self.serial

    def optics(self) -> tuple[ColumnName, ...]:
        """The columns of the second PDU."""
        return tuple(name for name in self.columns if name in OPTICS)

    def basics(self) -> tuple[ColumnName, ...]:
        """The columns of the first PDU, the serial aside."""
        return tuple(name for name in self.columns if name not in OPTICS)

    @model_validator(mode="after")
    def _consistent(self) -> OltProfile:
        if "main" not in self.indexes:
            raise ValueError("indexes: `main` is missing")
        if ColumnName.STATE not in self.columns:
            raise ValueError("columns: `state` is missing")
        for name, column in self.columns.items():
            _check_kind(name, column)
        _check_identity(self)
        _check_oids(self)
        _check_indexes(self)
        _check_pdus(self)
        return self


def _check_kind(name: ColumnName, column: AnyColumn) -> None:
    if name in QUANTITIES:
        if not isinstance(column, NumberColumn):
            raise ValueError(f"columns.{name}: {column.decode} does not give a number")
        check_number(name, column)
    elif name in (ColumnName.STATE, ColumnName.CAUSE):
        if not isinstance(column, WordColumn):
            raise ValueError(f"columns.{name}: {column.decode} does not give a meaning")
        _check_words(name, column)
    elif name is ColumnName.DOWN_AT:
        if not isinstance(column, TimeColumn):
            raise ValueError(f"columns.{name}: {column.decode} does not give a time")
    elif name in PLACE_NAMES:
        if not isinstance(column, TextColumn):
            raise ValueError(f"columns.{name}: {column.decode} does not give a text")
    elif column.decode != "int":
        raise ValueError(f"columns.{name}: a place is an int")


def _check_words(name: ColumnName, column: WordColumn) -> None:
    allowed = {str(w) for w in (RunState if name is ColumnName.STATE else DownCause)}
    if strange := sorted(set(words(column)) - allowed):
        raise ValueError(f"columns.{name}: {strange} mean nothing; allowed: {sorted(allowed)}")


def _check_identity(profile: OltProfile) -> None:
    if profile.identity == "serial" and not profile.serial:
        raise ValueError("serial: no column; a family without one has `identity: ont_id`")
    if profile.identity == "ont_id" and (profile.serial or ColumnName.NAME not in profile.columns):
        raise ValueError("identity: ont_id needs a `name` column and no serial")
    in_index = any(column.decode == "serial_in_index" for column in profile.serial)
    if in_index != (profile.index.kind == "serial"):
        raise ValueError("serial_in_index and an index of kind serial go together")
    if isinstance(profile.index, OpaqueIndex) and profile.index.pon_pattern is not None:
        if ColumnName.NAME not in profile.columns:
            raise ValueError("indexes.main.pon_pattern: there is no `name` column to read it from")
        re.compile(profile.index.pon_pattern)


def _check_oids(profile: OltProfile) -> None:
    oids = [column.oid for column in (*profile.serial, *profile.columns.values())]
    oids += [guard.oid for guard in profile.guards]
    if twice := sorted({oid for oid in oids if oids.count(oid) > 1}):
        raise ValueError(f"two columns have the OID {', '.join(twice)}")
    for oid in (*oids, profile.match.probe):
        for refused, why in REFUSED_OIDS.items():
            if f"{oid}.".startswith(f"{refused}."):
                raise ValueError(f"{oid} may not be read: {why}")


def _check_indexes(profile: OltProfile) -> None:
    main = profile.index
    for column in (*profile.serial, *(profile.columns[name] for name in profile.neighbours)):
        if column.index != "main" or column.suffix:
            raise ValueError("serial and neighbour columns use the main index, without suffix")
    for name, column in profile.columns.items():
        if column.index == PON_INDEX:
            if not isinstance(main, PartsIndex) or not _ends_with_ont(main):
                raise ValueError(f"columns.{name}: the main index does not end with the ONT")
        elif column.index not in profile.indexes:
            raise ValueError(f"columns.{name}: there is no index {column.index!r}")
        if name in _PLACES and (
            not isinstance(main, PartsIndex) or _PLACES[name] not in main.names()
        ):
            raise ValueError(f"columns.{name}: the main index has no field {_PLACES[name]!r}")
    for name, index in profile.indexes.items():
        if name == "main":
            continue
        known = set(main.names()) if isinstance(main, PartsIndex) else set[str]()
        needed = set(index.names()) if isinstance(index, PartsIndex) else {"a computable form"}
        if missing := needed - known:
            raise ValueError(f"indexes.{name}: {sorted(missing)} are not in the main index")


def _ends_with_ont(index: PartsIndex) -> bool:
    """Whether the last sub-identifier is the ONT alone, so that the others are its PON's."""
    last = index.parts[-1]
    return len(index.parts) > 1 and isinstance(last, PlainPart) and last.name == "ont"


def _check_pdus(profile: OltProfile) -> None:
    basics = len(profile.serial) + len(profile.guards) + len(profile.basics())
    if max(basics, len(profile.optics())) > profile.limits.max_varbinds:
        raise ValueError("limits.max_varbinds: a targeted read must fit two PDUs")
    if any(profile.columns[name].suffix == "next" for name in profile.basics()):
        raise ValueError("suffix next: only optics may be read by GETNEXT")
    by_next = {profile.columns[name].suffix == "next" for name in profile.optics()}
    if len(by_next) > 1:
        raise ValueError("suffix next: all optics or none, they share one PDU")
    if ColumnName.STATE not in profile.neighbours or set(profile.neighbours) - {
        ColumnName.STATE,
        ColumnName.CAUSE,
        ColumnName.DOWN_AT,
    }:
        raise ValueError("neighbours: state, and of cause and down_at what is cheap")
    if absent := set(profile.neighbours) - set(profile.columns):
        raise ValueError(f"neighbours: {sorted(absent)} are not columns")


def load_profile(path: Path) -> OltProfile:
    """One profile file. Raises ProfileError naming file and key."""
    profile = check(OltProfile, read_yaml(path), path)
    if profile.id != path.stem:
        raise ProfileError(f"{path}: id: {profile.id!r} is not the file's name")
    return profile


def load_own_profile(path: Path, own: Mapping[str, Path]) -> OltProfile:
    """One of the operator's files, with what it `extends` folded in. Raises ProfileError.

    Key by key its own counts; below `columns`, `indexes`, `match` and `limits` too.
    """
    content = {**_merged(path, own, ()), "own": True}
    content.pop("extends", None)
    profile = check(OltProfile, content, path)
    if profile.id == AUTO:
        raise ProfileError(f"{path}: id: {AUTO!r} means any family; choose another name")
    return profile


def _merged(path: Path, own: Mapping[str, Path], seen: tuple[Path, ...]) -> dict[str, object]:
    content = mapping(read_yaml(path), path)
    parent = parent_of(content, path, own, PROFILE_FOLDER)
    if parent is None:
        return content
    if parent in seen:
        raise ProfileError(f"{path}: extends: {content['extends']!r} is circular")
    base = _merged(parent, own, (*seen, path))
    merged = {**base, **content}
    for section in ("columns", "indexes", "match", "limits"):
        above, below = content.get(section), base.get(section)
        if isinstance(above, dict) and isinstance(below, dict):
            merged[section] = {
                **cast("dict[str, object]", below),
                **cast("dict[str, object]", above),
            }
    return merged


def olt_ids() -> tuple[str, ...]:
    """The ids that an inventory may name; what ships is not read for it. Raises ProfileError."""
    return tuple(olt_profiles()) if own_files("olt") else PROFILE_IDS


@cached
def olt_profiles() -> dict[str, OltProfile]:
    """Every family by id, the operator's own over the shipped ones. Raises ProfileError."""
    loaded = [load_profile(path) for path in sorted(PROFILE_FOLDER.glob("*.yaml"))]
    by_id = {profile.id: profile for profile in loaded}
    if missing := [name for name in PROFILE_IDS if name not in by_id]:
        raise ProfileError(f"{PROFILE_FOLDER}: no profile for {', '.join(missing)}")
    own = own_by_id("olt")
    return {**by_id, **{name: load_own_profile(path, own) for name, path in own.items()}}
