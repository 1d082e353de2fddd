"""How a parameter model is written down, and the tree that answers paths and wildcards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple, cast

from deployments.lab.diagnostics import Download
from deployments.lab.identity import Identity
from deployments.lab.truth import UNKNOWN_DATE, Conditions, Family, IsoDate, Optics

Value = str | int | float | bool


@dataclass(slots=True)
class Box:
    """One box at one moment: what a getter may look at."""

    who: Identity
    truth: Conditions
    now: float
    booted_at: float
    download: Download
    ip: str
    written: dict[str, object]


Getter = Callable[[Box], Value]


class Leaf(NamedTuple):
    """A parameter: full path, xsd type without prefix, value or getter."""

    path: str
    type: str
    writable: bool
    value: Value | Getter


class Shape(NamedTuple):
    """What decides which parameters a box has."""

    family: Family
    operator_firmware: bool
    satellites: int
    stations: int
    optics: Optics
    neighbours: int


def shape_of(who: Identity, truth: Conditions) -> Shape:
    """The shape of a box under these conditions."""
    return Shape(
        who.family, truth.operator_firmware, truth.satellites, len(truth.station_rssi_dbm),
        truth.optics, len(truth.neighbours),
    )  # fmt: skip


@dataclass(slots=True)
class Template:
    """All parameters of a shape, as a flat table and as a tree of segments."""

    leaves: dict[str, Leaf]
    inform: frozenset[str]
    """Leaves that every Inform carries."""
    tests: str
    """The object of TR-143 download tests."""
    complete: str
    """How the family spells a test that ended well."""
    tree: dict[str, object] = field(default_factory=dict[str, object])

    def __post_init__(self) -> None:
        for leaf in self.leaves.values():
            *parents, name = leaf.path.split(".")
            node = self.tree
            for part in parents:
                node = cast("dict[str, object]", node.setdefault(part, {}))
            node[name] = leaf

    def below(self, pattern: str) -> Iterator[Leaf]:
        """Leaves at or below a path that may hold `*`; the empty pattern is the whole model."""
        nodes: list[object] = [self.tree]
        for part in pattern.split(".") if pattern else ():
            step: list[object] = []
            for node in nodes:
                if isinstance(node, dict):
                    step += node.values() if part == "*" else [node[part]] if part in node else []
            nodes = step
        for node in nodes:
            yield from _leaves(node)

    def listed(self, pattern: str, *, known: Callable[[str], bool]) -> Iterator[str]:
        """The objects whose names GenieACS asks for to follow a path: those with rows on the way,
        and those that lack what comes next, or have it unknown to the ACS."""
        nodes: list[tuple[str, dict[str, object]]] = [("", self.tree)]
        for part in pattern.split(".") if pattern else ():
            step: list[tuple[str, dict[str, object]]] = []
            for path, node in nodes:
                names = list(node) if part == "*" else [part] if part in node else []
                below = [f"{path}.{name}".lstrip(".") for name in names]
                leaves = [p for p, name in zip(below, names, strict=True) if p in self.leaves]
                if part == "*" or not names or any(not known(leaf) for leaf in leaves):
                    yield path
                for name, child_path in zip(names, below, strict=True):
                    child = node[name]
                    if isinstance(child, dict):
                        step.append((child_path, cast("dict[str, object]", child)))
            nodes = step
        yield from (path for node_path, node in nodes for path in _objects(node_path, node))


def _objects(path: str, node: dict[str, object]) -> Iterator[str]:
    yield path
    for name, child in node.items():
        if isinstance(child, dict):
            yield from _objects(f"{path}.{name}".lstrip("."), cast("dict[str, object]", child))


def _leaves(node: object) -> Iterator[Leaf]:
    if isinstance(node, Leaf):
        yield node
    elif isinstance(node, dict):
        for child in node.values():
            yield from _leaves(child)


def read(leaf: Leaf, box: Box) -> Value:
    """The parameter's value now, as the NBI prints its type."""
    if leaf.path in box.written:
        value = box.written[leaf.path]
    else:
        value = leaf.value(box) if callable(leaf.value) else leaf.value
    return cast_to(leaf.type, value)


_NUMBERS: Final = {"int", "unsignedInt"}


def cast_to(kind: str, value: object) -> Value:
    """GenieACS's cast to the CPE's declared type; everything but ints, bools, dates is text."""
    if kind in _NUMBERS:
        return int(float(str(value)))
    if kind == "boolean":
        return value if isinstance(value, bool) else str(value).lower() in {"true", "1"}
    if kind == "dateTime":
        return IsoDate(value)
    return str(value)


def moment(epoch_s: float) -> IsoDate:
    """A dateTime of the box; 0 is the unknown time."""
    return IsoDate.at(epoch_s) if epoch_s else UNKNOWN_DATE


class Sheet:
    """Writes parameters below a prefix."""

    def __init__(self) -> None:
        self.leaves: dict[str, Leaf] = {}

    def add(self, prefix: str, rows: dict[str, Value | Getter], *, write: bool = False) -> None:
        """`name:type` → value. Without a type: bool, int and str speak for themselves."""
        for key, value in rows.items():
            name, _, kind = key.partition(":")
            path = f"{prefix}.{name}"
            self.leaves[path] = Leaf(path, kind or _kind(value), write, value)


def _kind(value: Value | Getter) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "unsignedInt" if isinstance(value, int) else "string"
