"""Finding a table's rows by their instance numbers, where its objects hold secrets.

MongoDB's projections have no wildcard, and a WAN connection is numbered by three objects one in
another (`WANDevice.1.WANConnectionDevice.4.WANPPPConnection.2`): so the instances are looked for
level by level, and the columns read only of the rows that there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from cpe.access.genieacs.document import Document, instances
from cpe.profiles.cpe_profile import CpeProfile, Table

MARKER: Final = "_timestamp"
"""When GenieACS last listed an object's children. Of one that lacks it MongoDB answers with the
empty object, which tells as well that it is there."""
MOST_MARKERS: Final = 64
"""So many instances of a table are looked for in the first request, 4 kB of its URL."""


def first_markers(table: Table) -> Iterator[str]:
    """Paths that tell which of the outermost instances there are, as many levels of them as one
    request has room for, and when they were listed."""
    objects = [""]
    for level in range(_first_levels(table)):
        yield from _listed(table, objects, level)
        objects = _below(table, objects, level)
    yield from (f"{path}.{MARKER}" for path in objects)


def further_paths(document: Document, profile: CpeProfile, reads: int) -> tuple[str, ...]:
    """What to read next, after `reads` requests: the next level's markers of the instances found,
    or the columns of the rows. Empty when everything was read."""
    paths: dict[str, None] = {}
    for table in profile.tables:
        level = _first_levels(table) + reads - 1
        if level < len(table.look_for):
            found = list(instances(document, ".*".join(table.rows.split(".*")[:level]) + ".*"))
            below = (f"{path}.{MARKER}" for path in _below(table, found, level))
            paths.update(dict.fromkeys((*_listed(table, found, level), *below)))
        elif level == len(table.look_for) > 0:
            rows = instances(document, table.rows)
            paths.update((f"{row}.{c}", None) for row in rows for c in direct_columns(table))
    return tuple(paths)


def _listed(table: Table, objects: Iterable[str], level: int) -> list[str]:
    """Where it stands when the objects' own instances were listed."""
    stem = table.rows.split(".*")[level]
    return [f"{path}{stem}.{MARKER}" for path in objects]


def _first_levels(table: Table) -> int:
    count, levels = 1, 0
    for number in table.look_for:
        count *= number
        if levels and count > MOST_MARKERS:
            break
        levels += 1
    return levels


def _below(table: Table, objects: Iterable[str], level: int) -> list[str]:
    """Where the objects, which have `level` instance numbers, may have their own instances."""
    stem, numbers = table.rows.split(".*")[level], range(1, table.look_for[level] + 1)
    return [f"{path}{stem}.{number}" for path in objects for number in numbers]


def direct_columns(table: Table) -> Iterator[str]:
    """The columns that stand in the row itself, as relative paths."""
    yield from table.where
    yield from table.unless
    for candidates in table.columns.values():
        for candidate in candidates:
            if is_direct(candidate.path):
                yield candidate.path


def is_direct(column: str) -> bool:
    """Whether a column stands in the row itself: it neither climbs nor follows a reference."""
    return "->" not in column and not column.startswith("^")
