"""What a sweep reads of each box: the leaves its rules judge, spelled out, of every family at once.

A diagnosis reads whole tables; for a fleet that would be ten times the bytes. Instance numbers are
spelled out because MongoDB has no wildcards; of what has a higher number only its being there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Final

from cpe.access.genieacs.family import informed
from cpe.access.genieacs.plan import BASICS, numbered, without_overlaps
from cpe.profiles.cpe_profile import Candidate, CpeProfile, Table, profiles
from cpe.profiles.overlay import cached
from cpe.profiles.quantities import Need, Quantity, quantities

SCALARS: Final = (
    "optical.rx_dbm", "optical.tx_dbm", "optical.temperature_c", "device.uptime_s",
    "optical.pon_mode",
)  # fmt: skip
COLUMNS: Final = {
    "radio": ("wifi.band", "wifi.enabled", "wifi.utilisation_pct", "wifi.noise_dbm"),
    "node": (
        "node.mac", "node.is_controller", "node.active", "node.backhaul_type",
        "node.backhaul_rssi_dbm", "node.backhaul_utilisation_pct",
    ),
}  # fmt: skip
INSTANCES: Final = {"radio": 3, "node": 6}
"""Three bands; a mesh of the controller and five satellites. Real dumps have 2 and 1."""
BEYOND: Final = 3
"""So many instances more are asked for by name only: a box that has one was not wholly read."""
_ASIDE: Final = frozenset({"wifi.band", "wifi.enabled", "node.mac"})
"""What says whose a reading is and whether it counts: no reason to read a table."""

Steps = tuple[str, ...]
Tree = dict[str, "Tree | int"]
"""The way down to leaves: a step leads to a subtree, the last one to the leaf's slot."""
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Place:
    """One leaf that may hold a quantity: its slot among what was gathered of a box or of a row.

    `number` tells candidates apart, through all families.
    """

    slot: int
    number: int
    candidate: Candidate


@dataclass(frozen=True, slots=True)
class ColumnPlan:
    """A quantity and where it may be, in order of trust."""

    name: str
    quantity: Quantity
    places: tuple[Place, ...]
    judged: bool
    """Whether an old reading of it is none."""


class Gathering:
    """The leaves that are gathered in one descent, a slot each."""

    def __init__(self) -> None:
        self.tree: Tree = {}
        self.paths: list[str] = []

    def slot(self, path: str) -> int:
        """The slot of the leaf at the path."""
        *above, last = path.split(".")
        tree = self.tree
        for step in above:
            below = tree.setdefault(step, {})
            if not isinstance(below, dict):
                raise TypeError(f"{path}: a leaf lies above it")
            tree = below
        slot = tree.setdefault(last, len(self.paths))
        if not isinstance(slot, int):
            raise TypeError(f"{path}: a leaf lies below it")
        if slot == len(self.paths):
            self.paths.append(path)
        return slot


@dataclass(frozen=True, slots=True)
class TablePlan:
    """The way to a table, the rows that may be there, and what is gathered of each."""

    kind: str
    rows: str
    steps: Steps
    instances: tuple[str, ...]
    beyond: tuple[str, ...]
    row: Gathering
    key: ColumnPlan | None
    columns: tuple[ColumnPlan, ...]
    satellites_only: bool
    asked: tuple[str, ...]
    """What is asked for of a row: a URL is only so long."""
    blocks: tuple[tuple[int, int | None], ...]
    """Slots of a radio's channels, each with that of the operating class it is numbered in."""


@dataclass(frozen=True, slots=True)
class FamilyPlan:
    """Everything a sweep reads of one family. `tables` keep the profile's order.

    `left_out`: the kinds of which it has a table that only a diagnosis can read.
    """

    profile: CpeProfile
    whole: Gathering
    scalars: tuple[ColumnPlan, ...]
    tables: tuple[TablePlan, ...]
    left_out: frozenset[str] = frozenset()


@cached
def family_plan(profile_id: str) -> FamilyPlan:
    """The plan of one family, made once."""
    profile = next(p for p in profiles() if p.id == profile_id)
    whole = Gathering()
    scalars = tuple(
        _column_plan(
            name,
            (
                Place(whole.slot(path), number, candidate)
                for candidate, number in zip(profile.quantities[name], _numbers, strict=False)
                for path in numbered_leaves(candidate.path)
            ),
        )
        for name in SCALARS
        if name in profile.quantities
    )
    wanted = [table for table in profile.tables if _wanted(table)]
    tables = tuple(_table_plan(table) for table in wanted if _is_plain(table))
    left_out = frozenset(table.name for table in wanted if not _is_plain(table))
    return FamilyPlan(profile, whole, scalars, tables, left_out)


def _column_plan(name: str, places: Iterable[Place]) -> ColumnPlan:
    quantity = quantities()[name]
    return ColumnPlan(name, quantity, tuple(places), quantity.need is Need.JUDGED)


def numbered_leaves(pattern: str) -> list[str]:
    """As `numbered`, but down to the leaf where several `*` follow each other: two of each."""
    if pattern.count("*") <= 1:
        return numbered(pattern)
    paths = [""]
    for part in pattern.split("*")[:-1]:
        paths = [f"{path}{part}{number}" for path in paths for number in (1, 2)]
    return [path + pattern.rsplit("*", 1)[1] for path in paths]


def _wanted(table: Table) -> bool:
    return any(name not in _ASIDE and name in COLUMNS.get(table.name, ()) for name in table.columns)


def _is_plain(table: Table) -> bool:
    """Whether its rows can be spelled out: one instance number, no condition, no reference."""
    columns = (c.path for n, cs in table.columns.items() if n in COLUMNS[table.name] for c in cs)
    one_number = table.rows.count("*") == 1 and table.rows.endswith(".*")
    return one_number and not table.where and not any("^" in c or "->" in c for c in columns)


def _table_plan(table: Table) -> TablePlan:
    """Every row that a sweep may find."""
    row, last = Gathering(), INSTANCES[table.name]
    columns = {
        name: _column_plan(
            name,
            (
                Place(row.slot(path), number, candidate)
                for candidate, number in zip(candidates, _numbers, strict=False)
                for path in _first_two(candidate.path)
            ),
        )
        for name, candidates in table.columns.items()
        if name in COLUMNS[table.name]
    }
    blocks = tuple(_blocks(table, row))
    stems = tuple(f"{path}." for path in table.whole)
    return TablePlan(
        kind=table.name,
        rows=table.rows,
        steps=tuple(table.rows.removesuffix(".*").split(".")),
        instances=tuple(map(str, range(1, last + 1))),
        beyond=tuple(map(str, range(last + 1, last + 1 + BEYOND))),
        row=row,
        key=columns[table.key] if table.key is not None else None,
        columns=tuple(columns.values()),
        satellites_only=table.satellites_only,
        asked=(*(p for p in row.paths if not p.startswith(stems)), *table.whole),
        blocks=blocks,
    )


def _first_two(path: str) -> list[str]:
    """A column of instances below the row: the first two, a radio being in few classes at once."""
    return [path.replace("*", str(n)) for n in (1, 2)] if "*" in path else [path]


def _blocks(table: Table, row: Gathering) -> Iterator[tuple[int, int | None]]:
    if table.channel is not None:
        yield row.slot(table.channel), None
    for path in _first_two(table.operating_classes) if table.operating_classes else ():
        yield row.slot(f"{path}.Channel"), row.slot(f"{path}.Class")


@cached
def sweep_projection() -> tuple[str, ...]:
    """The paths of the one query: identity and judged leaves of every family, no secret."""
    paths: dict[str, None] = dict.fromkeys(name for name in BASICS if name != "_tags")
    for profile in profiles():
        paths[informed(profile.match.root)[0]] = None
        identity = profile.identity
        for group in (identity.model, identity.firmware, identity.gpon_serial, identity.mac):
            paths.update(dict.fromkeys(group))
        paths.update(dict.fromkeys(f"{path}._object" for path in profile.match.has))
        plan = family_plan(profile.id)
        paths.update(dict.fromkeys(plan.whole.paths))
        for table in plan.tables:
            for instance in table.instances:
                row = table.rows.replace("*", instance)
                paths.update(dict.fromkeys(f"{row}.{path}" for path in table.asked))
            for instance in table.beyond:
                paths[f"{table.rows.replace('*', instance)}._object"] = None
    return without_overlaps(paths)
