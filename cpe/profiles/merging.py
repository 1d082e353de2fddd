"""What a CPE profile inherits from the one it extends."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import cast

from cpe.domain.errors import ProfileError
from cpe.profiles.loading import read_yaml
from cpe.profiles.overlay import mapping, parent_of


def merged(
    path: Path, own_files: Mapping[str, Path], shipped: Path, seen: tuple[Path, ...] = ()
) -> dict[str, object]:
    """A CPE profile's content with what it `extends` folded in, not yet checked.

    A shipped file's candidates take the place of those it inherits; the operator's stand before
    them, unless the quantity is among its `replaces`, and before those of the shipped profiles
    that extend the one which they were added to. Raises ProfileError.
    """
    own = _shipped(path) if path.parent == shipped else mapping(read_yaml(path), path)
    parent = parent_of(own, path, own_files, shipped)
    adds = path in own_files.values()
    replaced = _replaced(own, path) if adds else ()
    if adds:
        _mark(own)
    if parent is None:
        return own
    if parent in seen:
        raise ProfileError(f"{path}: extends: {own['extends']!r} is circular")
    base = merged(parent, own_files, shipped, (*seen, path))
    both = {**base, **own}
    for section in ("identity", "quantities"):
        both[section] = _section(base.get(section), own.get(section), replaced, adds=adds)
    inherited = {_rows_of(table): table for table in _rows(base, "tables")}
    own_tables = [
        _joined(inherited.pop(_rows_of(t), None), t, replaced, adds=adds)
        for t in _rows(own, "tables")
    ]
    both["tables"] = [*own_tables, *inherited.values()]
    both["whole"] = [*_rows(base, "whole"), *_rows(own, "whole")]
    said = _stated(own) if adds else ()
    unable = [name for name in _rows(base, "cannot_report") if name not in said]
    both["cannot_report"] = own.get("cannot_report", unable)
    return both


@cache
def _shipped(path: Path) -> dict[str, object]:
    return mapping(read_yaml(path), path)


def _replaced(own: dict[str, object], path: Path) -> tuple[object, ...]:
    """What the file says is not to be read where it was any more."""
    if "replaces" not in own:
        return ()
    names, stated = _rows(own, "replaces"), _stated(own)
    own.pop("replaces")
    strange = [name for name in names if name not in stated] or ([] if names else ["nothing"])
    if strange:
        raise ProfileError(f"{path}: replaces: {strange[0]!r} is no quantity that this file gives")
    return tuple(names)


def _stated(own: dict[str, object]) -> set[object]:
    """The quantities that a file itself gives, in tables or not."""
    parts: list[object] = [own, *_rows(own, "tables")]
    names: set[object] = set()
    for part in parts:
        for section in ("quantities", "identity", "columns"):
            below = cast("dict[str, object]", part).get(section) if isinstance(part, dict) else None
            if isinstance(below, dict):
                names.update(cast("dict[object, object]", below))
    return names


def _section(base: object, own: object, replaced: tuple[object, ...], *, adds: bool) -> object:
    """A child's entries over its parent's, name by name; where it `adds`, before them."""
    if own is None:
        return base
    if not isinstance(base, dict) or not isinstance(own, dict):
        return own
    above, below = cast("dict[str, object]", own), cast("dict[str, object]", base)
    both = {
        name: _before(above[name], below[name])
        if adds
        else _before(_operators(below[name]), above[name])
        for name in above
        if name in below and name not in replaced and above[name]  # an empty list is a mistake
    }
    return {**below, **above, **both}


def _mark(own: dict[str, object]) -> None:
    """Say of each candidate that the operator gave it."""
    for part in (own, *_rows(own, "tables")):
        for section in ("quantities", "columns"):
            below = cast("dict[str, object]", part).get(section) if isinstance(part, dict) else None
            for name, candidates in _items(below):
                if isinstance(candidates, list):
                    cast("dict[str, object]", below)[name] = [
                        {**cast("dict[str, object]", c), "own": True} if isinstance(c, dict) else c
                        for c in cast("list[object]", candidates)
                    ]


def _items(mapping: object) -> list[tuple[str, object]]:
    return list(cast("dict[str, object]", mapping).items()) if isinstance(mapping, dict) else []


def _operators(candidates: object) -> list[object]:
    listed = cast("list[object]", candidates) if isinstance(candidates, list) else []
    return [c for c in listed if isinstance(c, dict) and cast("dict[str, object]", c).get("own")]


def _before(own: object, base: object) -> object:
    """Own candidates, then the inherited ones for other paths."""
    if not isinstance(own, list) or not isinstance(base, list):
        return cast("object", own)
    mine, inherited = cast("list[object]", own), cast("list[object]", base)
    taken = [_path_of(candidate) for candidate in mine]
    return [*mine, *(c for c in inherited if _path_of(c) not in taken)]


def _path_of(candidate: object) -> object:
    if isinstance(candidate, dict):
        return cast("dict[str, object]", candidate).get("path")
    return candidate


def _rows(content: dict[str, object], key: str) -> list[object]:
    value = content.get(key, [])
    return list(value) if isinstance(value, list) else []  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]


def _joined(base: object, own: object, replaced: tuple[object, ...], *, adds: bool) -> object:
    """A table with what its parent says of the same rows; column by column, its own counts."""
    if not isinstance(base, dict) or not isinstance(own, dict):
        return own
    parent, table = cast("dict[str, object]", base), cast("dict[str, object]", own)
    columns = _section(parent.get("columns"), table.get("columns"), replaced, adds=adds)
    return {**parent, **table, "columns": columns}


def _rows_of(table: object) -> object:
    return table.get("rows") if isinstance(table, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
