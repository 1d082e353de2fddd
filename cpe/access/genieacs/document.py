"""Reading a GenieACS device document: leaves, instances, references. No meaning yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, cast

from cpe.domain.observation import Scalar

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Leaf:
    """A parameter in the ACS's cache. `value` None with `read` False: discovered, never read."""

    path: str
    value: Scalar
    timestamp: datetime | None

    @property
    def read(self) -> bool:
        """Whether the ACS ever read it."""
        return self.value is not None and self.timestamp is not None


def parse_time(value: object) -> datetime | None:
    """An ACS timestamp (ISO 8601, UTC). None for what is absent or not a time."""
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return None
    return parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)


def node_at(document: Document, path: str) -> Mapping[str, Any] | None:
    """The object or leaf at a path, None when the ACS does not have it."""
    node: Any = document
    for step in _steps(path):
        if not _is_mapping(node):
            return None
        node = cast("Mapping[str, Any]", node).get(step)
    return cast("Mapping[str, Any]", node) if _is_mapping(node) else None


@lru_cache(maxsize=4096)
def _steps(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))


def _is_mapping(node: object) -> bool:
    # What JSON gives is a dict: asking the abstract class costs ten times as much, a million times.
    return node.__class__ is dict or isinstance(node, Mapping)


def leaf_at(document: Document, path: str) -> Leaf | None:
    """The leaf at a path; None when absent or an object. Projections may drop `_object`."""
    node = node_at(document, path)
    if node is None or node.get("_object") is True:
        return None
    if "_value" not in node and "_object" not in node and "_writable" not in node:
        return None
    value = node.get("_value")
    scalar = value if isinstance(value, str | int | float | bool) else None
    return Leaf(path, scalar, parse_time(node.get("_timestamp")))


def text_at(document: Document, path: str) -> str | None:
    """The text of the leaf at a path, whenever it was read; None for none and for blanks."""
    node = node_at(document, path)
    if node is None or node.get("_object") is True:
        return None
    value = node.get("_value")
    return value.strip() or None if isinstance(value, str) else None


def instances(document: Document, pattern: str) -> Iterator[str]:
    """Every existing path of a pattern with `*` for instance numbers, in numeric order."""
    yield from _expand(document, pattern.split("."), [])


def covers(pattern: str, path: str) -> bool:
    """Whether a path is one of a pattern's instances."""
    steps, given = pattern.split("."), path.split(".")
    return len(steps) == len(given) and all(
        step == own or (step == "*" and own.isdecimal())
        for step, own in zip(steps, given, strict=True)
    )


def _expand(node: Any, steps: list[str], done: list[str]) -> Iterator[str]:
    if not steps:
        yield ".".join(done)
        return
    if not isinstance(node, Mapping):
        return
    mapping = cast("Mapping[str, Any]", node)
    step, rest = steps[0], steps[1:]
    if step == "*":
        for key in sorted((k for k in mapping if k.isdecimal()), key=int):
            yield from _expand(mapping[key], rest, [*done, key])
    elif step in mapping:
        yield from _expand(mapping[step], rest, [*done, step])


NEVER: Final = datetime.min.replace(tzinfo=UTC)
ALWAYS: Final = datetime.max.replace(tzinfo=UTC)


def listed_at(document: Document, pattern: str) -> datetime | None:
    """When the ACS last had the box list the rows on the way to a pattern, and what is missing.

    GenieACS keeps the time of the last GetParameterNames as the parent object's `_timestamp` (seen
    on 1.2.16). The oldest over all branches; None when one of them was never listed, or when the
    projection left its time out. ALWAYS for a path that is there and has no rows on its way.
    """
    time = _listed(document, pattern.split("."), NEVER)
    return None if time is NEVER else time


def _listed(node: Any, steps: list[str], above: datetime) -> datetime:
    if not steps:
        return ALWAYS
    if not _is_mapping(node):
        return NEVER
    mapping = cast("Mapping[str, Any]", node)
    own = parse_time(mapping.get("_timestamp"))
    step, rest = steps[0], steps[1:]
    if step == "*":
        below = (_listed(mapping[key], rest, own or NEVER) for key in mapping if key.isdecimal())
        return NEVER if own is None else min((own, *below))
    if step in mapping:
        return _listed(mapping[step], rest, own or above)
    return own or above


def column_path(document: Document, row: str, column: str) -> str | None:
    """The absolute path of a table column, climbing (`^2.`) and following references (`->`).

    None when a reference on the way is unknown or empty.
    """
    first, *hops = column.split("->")
    path = _relative(row, first)
    for hop in hops:
        leaf = leaf_at(document, path)
        if leaf is None or not isinstance(leaf.value, str) or not leaf.value:
            return None
        path = f"{referred(document, leaf.value)}.{hop}"
    return path


def referred(document: Document, reference: str) -> str:
    """The path that the first of a leaf's references means, as the document spells it.

    Boxes write `Device.WiFi.Radio.1.`, leave the last dot or the root out, and differ in case.
    """
    target = reference.split(",", maxsplit=1)[0].strip().strip(".")
    if node_at(document, target) is not None:
        return target
    for start in ("", "Device.", "InternetGatewayDevice."):
        if (path := _spelled(document, f"{start}{target}")) is not None:
            return path
    return target


def _spelled(document: Document, path: str) -> str | None:
    node: Any = document
    done: list[str] = []
    for step in path.split("."):
        if not _is_mapping(node):
            return None
        mapping = cast("Mapping[str, Any]", node)
        key = next((k for k in mapping if k.casefold() == step.casefold()), None)
        if key is None:
            return None
        done.append(key)
        node = mapping[key]
    return ".".join(done)


def _relative(row: str, column: str) -> str:
    if not column.startswith("^"):
        return f"{row}.{column}"
    climb, rest = column[1:].split(".", 1)
    base = row.split(".")[: -int(climb)]
    return ".".join([*base, rest])
