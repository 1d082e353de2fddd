"""What the raw values of an OLT's walk mean: one row an ONT, each different value worked out once.

The same decoding as a targeted read's; a column of 4,000 ONTs has few different values, and 25
OLTs are 100,000 rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from cpe.access.olt import decode
from cpe.access.olt.index import Place, pon_scope
from cpe.access.olt.index import decode as decode_index
from cpe.access.olt.reading import (
    checked_place,
    column_oid,
    down_time,
    fold_values,
    row_key,
    technology,
)
from cpe.access.olt.walk import TableWalk
from cpe.access.olt.wire import Missing, Oid, Value, oid_text, parse_oid
from cpe.domain.errors import UnexpectedAnswerError
from cpe.domain.serials import gpon_serial
from cpe.profiles.olt_columns import AnyColumn, ColumnName, NumberColumn
from cpe.profiles.olt_index import PartsIndex
from cpe.profiles.olt_profile import OltProfile

ONT_COLUMNS: Final = (
    "olt", "pon", "ont", "ont_index", "gpon_serial", "state", "cause", "down_at", "olt_rx_dbm",
    "ont_rx_dbm", "walked_at", "pon_read", "technology",
)  # fmt: skip
"""Times are Unix seconds, `down_at` on the OLT's clock, `walked_at` on ours. `pon` is empty where
the OLT does not tell it; `pon_read` says whether the whole PON was read, so that its neighbours
count; `technology` is what the names of port and ONT tell."""

Values = Mapping[ColumnName, Value]


@dataclass(slots=True)
class OltTable:
    """What a walk gave. `complete`: every row of the state and key columns was read."""

    olt: str
    profile: str
    verified: bool
    columns: dict[str, list[Any]] = field(
        default_factory=lambda: {name: [] for name in ONT_COLUMNS}
    )
    complete: bool = False
    detail: str = ""
    pdus: int = 0

    def __len__(self) -> int:
        return len(self.columns["olt"])


def table_of(
    olt: str,
    profile: OltProfile,
    key: AnyColumn,
    together: tuple[ColumnName, ...],
    walk: TableWalk,
    apart: Mapping[ColumnName, Mapping[Oid, Value]],
    pdus: int,
    *,
    port_names: Mapping[Oid, Value] | None = None,
) -> OltTable:
    """Every ONT whose columns were all read; `apart` are columns with an index of their own,
    `port_names` the names of the PONs' ports by their index.

    Raises AccessError when nothing at all was read: an OLT that had a row is never empty.
    """
    detail = walk.failure.message if walk.failure is not None else ""
    table = OltTable(olt, str(profile.id), profile.verified, detail=detail, pdus=pdus)
    table.complete = walk.failure is None and not walk.last
    keys = walk.rows[parse_oid(key.oid)]
    held = {name: walk.rows[parse_oid(profile.columns[name].oid)] for name in together}
    states = held[ColumnName.STATE]
    names = held.get(ColumnName.NAME, {})
    ports = port_names or {}
    meanings, walked_at, reached = _Meanings(profile, apart), _now(), _reached(walk)
    rows: list[tuple[Any, ...]] = []
    # The walk takes rising OIDs only.
    indexes = keys if keys.keys() == states.keys() else sorted(keys.keys() | states.keys())
    for index in indexes:
        if reached is not None and index > reached:
            continue  # some of its columns were not read
        values = {name: column.get(index, Missing.NOT_ANSWERED) for name, column in held.items()}
        serial = _serial(profile, key, keys.get(index), names.get(index))
        place, _ = checked_place(profile, index, _decoded(profile, index), values)
        rows.append(
            (
                olt,
                place.pon if place is not None else "",
                place.ont if place is not None else "",
                oid_text(index),
                serial,
                *meanings.state(values),
                meanings.down_at(values),
                meanings.number(ColumnName.OLT_RX, index, values, place),
                meanings.number(ColumnName.ONT_RX, index, values, place),
                walked_at,
                place is not None and bool(place.pon) and _whole_pon(profile, index, reached),
                meanings.technology(values, ports.get(index[:-1])),
            )
        )
    if not len(indexes):
        raise walk.failure or UnexpectedAnswerError(
            "the ONT table that had a row holds no row any more", system="olt", target=olt
        )
    if rows:
        for name, column in zip(ONT_COLUMNS, zip(*rows, strict=True), strict=True):
            table.columns[name] = list(column)
    if profile.identity == "serial" and not any(table.columns["gpon_serial"]):
        table.complete = False
        table.detail = table.detail or f"none of {len(table)} rows has a readable serial"
    return table


def _now() -> float:
    return datetime.now(UTC).timestamp()


def _serial(
    profile: OltProfile, key: AnyColumn, told: Value | None, name: Value | None
) -> str | None:
    by_oid = {key.oid: told if told is not None else Missing.NOT_ANSWERED}
    if profile.identity != "ont_id":
        return row_key(profile, by_oid)
    by_oid[profile.columns[ColumnName.NAME].oid] = name if name is not None else by_oid[key.oid]
    ont_id = row_key(profile, by_oid)
    return gpon_serial(ont_id) if ont_id else None


class _Meanings:
    """What raw values mean to a profile."""

    def __init__(
        self, profile: OltProfile, apart: Mapping[ColumnName, Mapping[Oid, Value]]
    ) -> None:
        self._profile, self._apart = profile, apart
        self._states: dict[tuple[Value | None, Value | None], tuple[str, str | None]] = {}
        self._technologies: dict[tuple[Value | None, Value | None], str | None] = {}
        self._times: dict[Value | None, float | None] = {}
        self._numbers: dict[tuple[ColumnName, Value], float | None] = {}

    def state(self, values: Values) -> tuple[str, str | None]:
        """(state, last-down cause)."""
        raw = values.get(ColumnName.STATE), values.get(ColumnName.CAUSE)
        if (known := self._states.get(raw)) is None:
            folded = fold_values(self._profile, values)
            cause = folded.cause.value if folded.cause is not None else None
            known = self._states[raw] = (folded.state.value, cause)
        return known

    def down_at(self, values: Values) -> float | None:
        """The last-down time, in Unix seconds of the OLT's clock."""
        raw = values.get(ColumnName.DOWN_AT)
        if raw not in self._times:
            at = down_time(self._profile, values)
            self._times[raw] = at.timestamp() if at is not None else None
        return self._times[raw]

    def technology(self, values: Values, port_name: Value | None) -> str | None:
        """What the names tell of the PON technology."""
        name = values.get(ColumnName.NAME)
        if name is None and port_name is None:
            return None
        if (name, port_name) not in self._technologies:
            told = {} if port_name is None else {ColumnName.PORT_NAME: port_name}
            self._technologies[name, port_name] = technology({**values, **told})
        return self._technologies[name, port_name]

    def number(
        self, name: ColumnName, index: Oid, values: Values, place: Place | None
    ) -> float | None:
        """A physical quantity; None is not measured."""
        column = self._profile.columns.get(name)
        if not isinstance(column, NumberColumn):
            return None
        raw = values.get(name, Missing.NOT_ANSWERED)
        if name in self._apart:
            oid = column_oid(self._profile, column, index, place)
            own = oid[len(parse_oid(column.oid)) :] if oid is not None else ()
            raw = self._apart[name].get(own, Missing.NOT_ANSWERED)
        key = (name, raw)
        if key not in self._numbers:
            made = decode.number(name, column, raw)
            usable = made.quality is decode.Quality.OK and isinstance(made.value, int | float)
            self._numbers[key] = float(made.value) if usable else None  # type: ignore[arg-type]
        return self._numbers[key]


def _reached(walk: TableWalk) -> Oid | None:
    """Up to which index every column was read; None when to the end."""
    if not walk.last:
        return None
    return min(last[len(column) :] for column, last in walk.last.items())


def _decoded(profile: OltProfile, index: Oid) -> Place | None:
    spec = profile.index
    return decode_index(spec, index) if isinstance(spec, PartsIndex) else None


def _whole_pon(profile: OltProfile, index: Oid, reached: Oid | None) -> bool:
    """Whether the walk got past the last row that the ONT's PON may have."""
    if reached is None:
        return True
    spec = profile.index
    scope = pon_scope(spec, index) if isinstance(spec, PartsIndex) else None
    return scope is not None and not scope.holds(reached) and reached > index
