"""A view of an OLT as sorted columns over sorted rows: GET and GETNEXT by bisection.

Nothing is copied per OID: a column knows how to make its value for a row, so 33,000 ONTs cost
33,000 row indices and no more.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from deployments.lab.snmp_ber import NO_SUCH_INSTANCE, NO_SUCH_OBJECT, Oid, Value

Cell = Callable[[int], Value | None]
"""Value of the row at this position in the row list; None for a hole."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its OID, the sorted row indices it has, and its cells."""

    oid: Oid
    rows: Sequence[Oid]
    cell: Cell


class Mib:
    """All columns of one agent."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = sorted(columns, key=lambda column: column.oid)
        self._oids = [column.oid for column in self._columns]

    def _column(self, oid: Oid) -> Column | None:
        at = bisect_right(self._oids, oid) - 1
        if at >= 0 and oid[: len(self._oids[at])] == self._oids[at]:
            return self._columns[at]
        return None

    def get(self, oid: Oid) -> Value:
        """The value, or noSuchObject / noSuchInstance."""
        column = self._column(oid)
        if column is None:
            return Value(NO_SUCH_OBJECT)
        row = oid[len(column.oid) :]
        at = bisect_left(column.rows, row)
        if at < len(column.rows) and column.rows[at] == row:
            return column.cell(at) or Value(NO_SUCH_INSTANCE)
        return Value(NO_SUCH_INSTANCE)

    def after(self, oid: Oid) -> tuple[Oid, Value] | None:
        """The first value beyond an OID; None at the end of the MIB."""
        first = bisect_right(self._oids, oid) - 1
        for number in range(max(first, 0), len(self._columns)):
            column = self._columns[number]
            inside = oid[: len(column.oid)] == column.oid
            if not inside and column.oid <= oid:
                continue
            at = bisect_right(column.rows, oid[len(column.oid) :]) if inside else 0
            while at < len(column.rows):
                value = column.cell(at)
                if value is not None:
                    return column.oid + column.rows[at], value
                at += 1
        return None
