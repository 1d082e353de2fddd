"""The NBI's `projection` and `sort`."""

from __future__ import annotations

import json
from typing import Any, cast

from deployments.lab.acs_query import CrashError, Doc, field_name, kind_of, reach

Projection = dict[str, Any]
"""Path segments to sub-projections; True is the whole subtree."""


def parse_projection(text: str | None) -> Projection | None:
    """`projection=` as a tree; None keeps whole documents. Overlaps collapse to the wider."""
    if text is None:
        return None
    tree: Projection = {}
    for path in text.split(","):
        if path:
            include(tree, path)
    return tree


def include(tree: Projection, path: str) -> None:
    """Add one dotted path to a projection tree."""
    *parents, last = path.split(".")
    for part in parents:
        child = tree.setdefault(part, {})
        if child is True:
            return
        tree = child
    tree[last] = True


def project(doc: Doc, tree: Projection | None) -> Doc:
    """The projected document; `_id` is always in it."""
    if tree is None:
        return doc
    return {"_id": doc.get("_id"), **_cut(doc, tree)}


def _cut(doc: Doc, tree: Projection) -> Doc:
    found: Doc = {}
    for key, value in doc.items():
        wanted = tree.get(key)
        if wanted is True:
            found[key] = value
        elif wanted is not None and isinstance(value, dict):
            found[key] = _cut(cast("Doc", value), wanted)
    return found


SortKey = tuple[str, bool]


def parse_sort(text: str | None, *, expand: bool) -> list[SortKey]:
    """`sort=` as (field, descending). Raises json.JSONDecodeError and CrashError."""
    if text is None:
        return []
    raw: object = json.loads(text)
    if not isinstance(raw, dict):
        raise CrashError("sort is no object")
    keys: list[SortKey] = []
    for key, direction in cast("Doc", raw).items():
        if direction not in (1, -1):
            raise CrashError(f"bad sort direction {direction!r}")
        keys.append((field_name(key, expand), direction == -1))
    return keys


def sort_value(doc: Doc, field: str) -> tuple[int, Any]:
    """A key that sorts missing first, then numbers, text, dates, as Mongo does."""
    for value in reach(doc, field):
        rank = {"number": 1, "str": 2, "bool": 3, "date": 4}.get(kind_of(value), 5)
        return (rank, value if rank < 5 else str(value))
    return (0, 0)
