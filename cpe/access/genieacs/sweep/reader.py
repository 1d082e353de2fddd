"""Device documents of a sweep become columns: the numbers that the fleet's rules judge.

The same profiles, conversions, sentinels, plausibility and freshness as `normalise`, without a
`Measurement` for each leaf: a fleet has millions of them. A test holds the two together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from cpe.access.genieacs.document import Document, parse_time
from cpe.access.genieacs.family import choose_family, identify
from cpe.access.genieacs.normalise import RANKS, known_age_s
from cpe.access.genieacs.sweep.plan import (
    ColumnPlan,
    FamilyPlan,
    Gathering,
    Place,
    Steps,
    TablePlan,
    Tree,
    family_plan,
)
from cpe.access.same_thing import (
    Block,
    LinkRow,
    RadioRow,
    best_link,
    block,
    grouped,
    radios,
)
from cpe.domain.observation import Quality, Scalar
from cpe.profiles.quantities import Quantity
from cpe.profiles.scalar import read_scalar

Columns = dict[str, list[Any]]

BOX_COLUMNS: Final = (
    "acs_id", "serial", "manufacturer", "model", "firmware", "gpon_serial", "mac", "family",
    "last_inform", "last_boot", "spoke_at", "rx_dbm", "rx_at", "rx_quality", "tx_dbm", "tx_step",
    "temperature_c", "uptime_s", "uptime_at", "read_at", "more_radios", "more_nodes", "rx_step",
    "temperature_step", "technology",
)  # fmt: skip
"""Times are Unix seconds on our clock; None is not measured. `rx_quality` says why rx_dbm is
None; `spoke_at` is the newest good reading; `tx_step` (and so on) the raw step of tx_dbm in its
unit; `technology` what the box calls its PON; `read_at` is when the ACS told it; `more_radios`,
`more_nodes`: it has some that were not read."""
RADIO_COLUMNS: Final = ("box", "band", "enabled", "utilisation_pct", "noise_dbm")
NODE_COLUMNS: Final = (
    "box", "mac", "is_controller", "active", "backhaul_type", "backhaul_rssi_dbm",
    "backhaul_utilisation_pct",
)  # fmt: skip
"""`box` is the row number in the boxes of the same part; rows are in order of appearance."""

_RADIO_READS: Final = tuple((name, f"wifi.{name}") for name in RADIO_COLUMNS[1:])
_NODE_READS: Final = tuple((name, f"node.{name}") for name in NODE_COLUMNS[1:])
_SCALARS: Final = frozenset({str, int, float, bool})
_NEVER: Final = (None, False)
_MEMO_SIZE: Final = 20_000


class _Read(NamedTuple):
    """The winning candidate of one quantity. `at` is its time, `step` its resolution."""

    value: Scalar
    quality: Quality
    at: float | None
    step: float | None


_ABSENT: Final = _Read(None, Quality.NOT_READ, None, None)
_SATELLITE: Final = _Read(False, Quality.OK, None, None)


@dataclass(slots=True)
class FleetPart:
    """Some boxes of the fleet as columns, and the last of their ids (for reading on after it)."""

    boxes: Columns = field(default_factory=lambda: {name: [] for name in BOX_COLUMNS})
    radios: Columns = field(default_factory=lambda: {name: [] for name in RADIO_COLUMNS})
    nodes: Columns = field(default_factory=lambda: {name: [] for name in NODE_COLUMNS})
    last_id: str = ""

    def __len__(self) -> int:
        return len(self.boxes["acs_id"])


class FleetReader:
    """Reads documents into parts.

    `now` is the ACS's clock, `skew_s` how far it is ahead of ours, `limit_s` how old a reading may
    be.
    """

    def __init__(self, *, now: datetime, limit_s: float, skew_s: float = 0.0) -> None:
        self._skew_s = skew_s
        self._now, self._limit_s = now.timestamp() - skew_s, limit_s
        self._memo: dict[tuple[int, type, Scalar], tuple[Scalar, Quality]] = {}
        self._times: dict[str, tuple[float | None, bool]] = {}

    def set_clock(self, now: datetime) -> None:
        """Read on as of this moment of the ACS's clock."""
        self._now = now.timestamp() - self._skew_s

    def read(self, document: Document, part: FleetPart) -> None:
        """Append the box to the part."""
        profile = choose_family(document)
        device = identify(document, profile, None)
        number, boxes = len(part), part.boxes
        found: dict[str, _Read] = {}
        tables: list[tuple[str, dict[str, _Read]]] = []
        more: set[str] = set()
        if profile is not None:
            plan = family_plan(profile.id)
            found = self._scalars(document, plan)
            tables = self._tables(document, plan, more)
        rx, tx = found.get("optical.rx_dbm", _ABSENT), found.get("optical.tx_dbm", _ABSENT)
        temperature = found.get("optical.temperature_c", _ABSENT)
        uptime = found.get("device.uptime_s", _ABSENT)
        row: tuple[Any, ...] = (
            device.acs_id, device.serial, device.manufacturer, device.model, device.firmware,
            device.gpon_serial, device.mac, device.family,
            self._moment(document.get("_lastInform"))[0],
            self._moment(document.get("_lastBoot"))[0],
            _newest(found, tables), _usable(rx), rx.at, rx.quality.value, _usable(tx), tx.step,
            _usable(temperature), _usable(uptime), uptime.at,
            self._now, "radio" in more, "node" in more, rx.step, temperature.step,
            _usable(found.get("optical.pon_mode", _ABSENT)),
        )  # fmt: skip
        for name, value in zip(BOX_COLUMNS, row, strict=True):
            boxes[name].append(value)
        for kind, reads in tables:
            if kind == "radio":
                _append(part.radios, number, reads, _RADIO_READS)
            else:
                _append(part.nodes, number, reads, _NODE_READS)
        part.last_id = device.acs_id or part.last_id
        if len(self._memo) > _MEMO_SIZE:
            self._memo.clear()
        self._times.clear()

    def _scalars(self, document: Document, plan: FamilyPlan) -> dict[str, _Read]:
        held = _gathered(document, plan.whole)
        return {c.name: self._best(held, c) or _ABSENT for c in plan.scalars}

    def _tables(
        self, document: Document, plan: FamilyPlan, more: set[str]
    ) -> list[tuple[str, dict[str, _Read]]]:
        """(kind, readings) of each row; two tables about one row fold into one.

        Into `more` goes the kind of what has rows beyond those that are read.
        """
        rows: list[_Row] = []
        more |= plan.left_out
        for place, table in enumerate(plan.tables):
            above = _below(document, table.steps)
            if above is None:
                continue
            if any(above.get(instance) for instance in table.beyond):
                more.add(table.kind)
            for instance in table.instances:
                node: Any = above.get(instance)
                if node.__class__ is dict:
                    rows.append(self._row(node, table, place))
        radio_rows = [row for row in rows if row.table.kind == "radio" and row.reads]
        node_rows = [row for row in rows if row.table.kind == "node" and row.reads]
        return [*_radios(radio_rows), *_nodes(node_rows)]

    def _row(self, node: Mapping[str, Any], table: TablePlan, place: int) -> _Row:
        held = _gathered(node, table.row)
        reads = {c.name: r for c in table.columns if (r := self._best(held, c)) is not None}
        if table.satellites_only and reads:
            reads.setdefault("node.is_controller", _SATELLITE)
        blocks: list[Block] = []
        for channel_slot, class_slot in table.blocks:
            channel = held[channel_slot]
            number = held[class_slot] if class_slot is not None else None
            told = number.get("_value") if number is not None else None
            if channel is not None and (made := block(channel.get("_value"), told)) is not None:
                blocks.append(made)
        return _Row(table, place, self._key(held, table.key), reads, tuple(blocks))

    def _key(self, held: _Held, key: ColumnPlan | None) -> str | None:
        for place in key.places if key is not None else ():
            leaf = held[place.slot]
            if leaf is None:
                continue
            value, quality, _, _ = self._leaf(leaf, place, key.quantity)  # type: ignore[union-attr]
            if quality is Quality.OK and isinstance(value, str) and value:
                return value
        return None

    def _best(self, held: _Held, column: ColumnPlan) -> _Read | None:
        """The first fresh value; else the first stale one; else the first reason; None where the
        ACS has none of the leaves."""
        best, rank = None, len(RANKS)
        for place in column.places:
            leaf = held[place.slot]
            if leaf is None:
                continue
            value, quality, at, fresh = self._leaf(leaf, place, column.quantity)
            if quality is Quality.OK and not fresh and column.judged:
                quality = Quality.STALE
            if RANKS[quality] < rank:
                best, rank = _Read(value, quality, at, place.candidate.resolution), RANKS[quality]
                if rank == 0:
                    break
        return best

    def _leaf(
        self, leaf: Mapping[str, Any], place: Place, quantity: Quantity
    ) -> tuple[Scalar, Quality, float | None, bool]:
        raw, (at, fresh) = leaf.get("_value"), self._moment(leaf.get("_timestamp"))
        if at is None or raw.__class__ not in _SCALARS:
            return None, Quality.NOT_READ, at, fresh
        memo = (place.number, raw.__class__, raw)
        if (known := self._memo.get(memo)) is None:
            value, quality, _ = read_scalar(raw, place.candidate, quantity)
            known = self._memo[memo] = (value, quality)
        return known[0], known[1], at, fresh

    def _moment(self, text: object) -> tuple[float | None, bool]:
        """(when it was on our clock, whether that is fresh). A box has few different times."""
        if not isinstance(text, str):
            return _NEVER
        if (known := self._times.get(text)) is None:
            parsed = parse_time(text)
            at = None if parsed is None else parsed.timestamp() - self._skew_s
            known = self._times[text] = (at, self._is_fresh(at))
        return known

    def _is_fresh(self, at: float | None) -> bool:
        age_s = None if at is None else known_age_s(self._now - at)
        return age_s is not None and age_s <= self._limit_s


_Held = list[Mapping[str, Any] | None]


class _Row(NamedTuple):
    """One row of a table. `place` is the table's place in the plan."""

    table: TablePlan
    place: int
    key: str | None
    reads: dict[str, _Read]
    blocks: tuple[Block, ...]


_OF_THE_NODE: Final = ("node.mac", "node.is_controller")


def _radios(rows: list[_Row]) -> Iterator[tuple[str, dict[str, _Read]]]:
    """The readings of each radio that can be told from the others."""
    found = grouped([row.key for row in rows])
    if len({(row.place, row.key) for row in rows if row.key is not None}) < len(rows):
        found, _ = radios([RadioRow(row.place, row.key, row.blocks) for row in rows])
    yield from (("radio", _merged([rows[n] for n in numbers], ())) for numbers in found)


def _nodes(rows: list[_Row]) -> Iterator[tuple[str, dict[str, _Read]]]:
    for numbers in grouped([row.key for row in rows]):
        same = [rows[n] for n in numbers]
        counted, others = best_link([_link(row) for row in same]) if len(same) > 1 else ([0], [])
        yield "node", _merged([same[n] for n in counted], [same[n] for n in others])


def _link(row: _Row) -> LinkRow:
    active = row.reads.get("node.active", _ABSENT).value
    signal = row.reads.get("node.backhaul_rssi_dbm", _ABSENT)
    told = isinstance(signal.value, int | float)
    return LinkRow(
        table=row.place,
        active=active if isinstance(active, bool) else None,
        signal_dbm=float(signal.value) if told else None,  # type: ignore[arg-type]
        is_fresh=told and signal.quality is Quality.OK,
    )


def _merged(counted: Sequence[_Row], others: Sequence[_Row]) -> dict[str, _Read]:
    """The readings of one thing: of the rows that count the first that can be judged."""
    reads: dict[str, _Read] = {}
    if len(counted) == 1 and not others:
        return counted[0].reads
    for row in (*counted, *others):
        aside = row not in counted if others else False
        for name, read in row.reads.items():
            if aside and name not in _OF_THE_NODE:
                continue
            earlier = reads.get(name)
            if earlier is None or RANKS[read.quality] < RANKS[earlier.quality]:
                reads[name] = read
    return reads


def _gathered(node: Mapping[str, Any], gathering: Gathering) -> _Held:
    """The leaves below the node that the ACS has, each in its slot."""
    held: _Held = [None] * len(gathering.paths)
    _gather(node, gathering.tree, held)
    return held


def _gather(node: Mapping[str, Any], tree: Tree, held: _Held) -> None:
    for step, below in tree.items():
        child = node.get(step)
        if child.__class__ is dict:
            if below.__class__ is dict:
                _gather(child, below, held)  # type: ignore[arg-type]
            elif _is_leaf(child):  # type: ignore[arg-type]
                held[below] = child  # type: ignore[index]


def _below(document: Mapping[str, Any], steps: Steps) -> Mapping[str, Any] | None:
    node: Any = document
    for step in steps:
        node = node.get(step)
        if node.__class__ is not dict:
            return None
    return node


def _is_leaf(node: Mapping[str, Any]) -> bool:
    """As `leaf_at` has it: a discovered parameter, read or not."""
    if node.get("_object") is True:
        return False
    return "_value" in node or "_object" in node or "_writable" in node


def _usable(read: _Read) -> Scalar:
    return read.value if read.quality is Quality.OK else None


def _newest(found: Mapping[str, _Read], tables: list[tuple[str, dict[str, _Read]]]) -> float | None:
    reads = [*found.values(), *(r for _, reads in tables for r in reads.values())]
    return max((r.at for r in reads if r.quality is Quality.OK and r.at is not None), default=None)


def _append(
    columns: Columns, number: int, reads: Mapping[str, _Read], names: tuple[tuple[str, str], ...]
) -> None:
    columns["box"].append(number)
    for column, name in names:
        columns[column].append(_usable(reads.get(name, _ABSENT)))
