"""Which rows of a box's tables are about one radio, one device, one mesh node. Pure.

A radio stands in `WiFi.Radio`, in `DataElements` and in `MultiAP`, with or without its band; a
Wi-Fi 7 device in one row for each of its links; a device that moved leaves a row behind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cpe.domain.observation import Measurement, Scalar
from cpe.profiles.operating_classes import operating_classes

CHANNELS_PER_MHZ: Final = 0.2
"""Channels are numbered in steps of 5 MHz."""
Block = tuple[float, float]
"""The lowest and the highest channel number that a radio's primary channel may have."""


@dataclass(frozen=True, slots=True)
class RadioRow:
    """What tells a radio from the others. `table` is the table's place in the profile."""

    table: int
    band: str | None
    blocks: tuple[Block, ...] = ()
    bssids: frozenset[str] = frozenset()


def block(channel: Scalar, operating_class: Scalar = None) -> Block | None:
    """Where the primary channel is, by a channel and the class that it is numbered in."""
    try:
        number = int(str(channel))
    except ValueError:
        return None
    known = operating_classes().get(str(operating_class))
    reach = known.width_mhz * CHANNELS_PER_MHZ / 2 if known and known.width_mhz > 20 else 0.0
    return (number - reach, number + reach) if number > 0 else None


def radios(rows: Sequence[RadioRow]) -> tuple[list[list[int]], list[int]]:
    """(the rows of each radio, rows that cannot be placed), as numbers of `rows`.

    Rows of one table are different radios. Between tables a radio is known by BSSID, else by band
    and channel, else by band alone; what is left over of two equally long tables is one radio.
    """
    by_band = _by_band(rows)
    if by_band is not None:
        return by_band, []
    groups: list[list[int]] = []
    unplaced: list[int] = []
    for table in dict.fromkeys(row.table for row in rows):
        mine = [n for n, row in enumerate(rows) if row.table == table]
        taken = _matched(rows, groups, mine)
        here = len(groups)
        for number in mine:
            if number in taken:
                groups[taken[number]].append(number)
            elif not here or _is_another(rows, groups[:here], number, set(taken.values())):
                groups.append([number])
            else:
                unplaced.append(number)
    return groups, unplaced


def _by_band(rows: Sequence[RadioRow]) -> list[list[int]] | None:
    """The common case: every row tells its band, and no table has two of one band."""
    if len({(row.table, row.band) for row in rows}) < len(rows):
        return None
    groups: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        if row.band is None:
            return None
        groups.setdefault(row.band, []).append(number)
    return list(groups.values())


def _matched(
    rows: Sequence[RadioRow], groups: Sequence[Sequence[int]], mine: Sequence[int]
) -> dict[int, int]:
    """The group of each row of a table, as far as it can be told."""
    taken: dict[int, int] = {}
    bands = [_band_of(rows, group) for group in groups]
    for is_same in (_shares_bssid, _shares_channel):
        claims = {
            n: [
                g
                for g in _free(groups, taken)
                if None in (rows[n].band, bands[g]) or rows[n].band == bands[g]
                if any(is_same(rows[n], rows[m]) for m in groups[g])
            ]
            for n in mine
            if n not in taken
        }
        wanted = Counter(found[0] for found in claims.values() if len(found) == 1)
        taken |= {n: f[0] for n, f in claims.items() if len(f) == 1 and wanted[f[0]] == 1}
    for band in dict.fromkeys(b for b in bands if b is not None):
        left = [n for n in mine if n not in taken and rows[n].band == band]
        free = [g for g in _free(groups, taken) if bands[g] == band]
        if len(left) >= len(free):
            taken |= dict(zip(left, free, strict=False))
    left, free = [n for n in mine if n not in taken], _free(groups, taken)
    if len(mine) == len(groups) and len(left) == 1:
        odd, other = rows[left[0]].band, bands[free[0]]
        if odd is None or other is None:
            taken[left[0]] = free[0]
    return taken


def _free(groups: Sequence[Sequence[int]], taken: dict[int, int]) -> list[int]:
    used = set(taken.values())
    return [g for g in range(len(groups)) if g not in used]


def _band_of(rows: Sequence[RadioRow], group: Sequence[int]) -> str | None:
    return next((rows[n].band for n in group if rows[n].band is not None), None)


def _shares_bssid(one: RadioRow, other: RadioRow) -> bool:
    return bool(one.bssids & other.bssids)


def _shares_channel(one: RadioRow, other: RadioRow) -> bool:
    return any(a[0] <= b[1] and b[0] <= a[1] for a in one.blocks for b in other.blocks)


def _is_another(
    rows: Sequence[RadioRow], groups: Sequence[Sequence[int]], number: int, used: set[int]
) -> bool:
    """Whether a row that fits no radio is one more: of a band that no free radio has or may have.

    Otherwise its figures are some radio's, nobody knows whose.
    """
    band = rows[number].band
    if band is None:
        return False
    free = [_band_of(rows, group) for g, group in enumerate(groups) if g not in used]
    return band not in free and None not in free


# -- devices and mesh nodes

SIGNALS: Final = {"station": "station.rssi_dbm", "node": "node.backhaul_rssi_dbm"}
"""By kind, how strong a link is."""
OF_THE_THING: Final = frozenset(
    {
        "station.mac", "station.name", "station.standard", "node.mac", "node.name", "node.model",
        "node.is_controller",
    }
)  # fmt: skip
"""What holds of a device or node on whichever link it is."""


def link_row(kind: str, table: int, read: Mapping[str, Measurement]) -> LinkRow:
    """The link that one row of a kind's table tells of, by its readings."""
    signal, active = read.get(SIGNALS[kind]), read.get(f"{kind}.active")
    band, node = (read.get(f"{kind}.{name}") for name in ("band", "node"))
    told = signal is not None and signal.value is not None
    return LinkRow(
        table=table,
        active=active.value if active is not None and isinstance(active.value, bool) else None,
        signal_dbm=signal.number if signal is not None and told else None,
        is_fresh=signal is not None and signal.usable,
        band=str(band.value) if band is not None and band.value else None,
        node=str(node.value) if node is not None and node.value else None,
    )


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A device or node as one row of one table has it. `signal_dbm` may be old: see `is_fresh`."""

    table: int
    active: bool | None = None
    signal_dbm: float | None = None
    is_fresh: bool = False
    band: str | None = None
    node: str | None = None


@dataclass(slots=True)
class _Link:
    rows: list[int]
    row: LinkRow


def best_link(rows: Sequence[LinkRow]) -> tuple[list[int], list[int]]:
    """(the rows that count, in the order of their tables; the others), as numbers of `rows`.

    A device is on the air by its best link: of several links that are not known to be gone the one
    with the strongest fresh signal. Rows of one table are different links; rows of two tables
    about one band (and node) are one link, in which the first table's word counts. So a second
    opinion on one weak link never makes it a good one.
    """
    if len(rows) == 1:
        return [0], []
    links: list[_Link] = []
    for table in dict.fromkeys(row.table for row in rows):
        earlier = list(links)
        for number in (n for n, row in enumerate(rows) if row.table == table):
            row = rows[number]
            fitting = [link for link in earlier if _is_one_link(link.row, row)]
            if not fitting:
                links.append(_Link([number], row))
                continue
            link = min(fitting, key=lambda one: _distance(one.row, row))
            earlier.remove(link)
            link.rows.append(number)
            link.row = _combined(link.row, row)
    chosen = max(links, key=lambda one: _worth(one.row))
    kept = set(chosen.rows)
    return chosen.rows, [n for n in range(len(rows)) if n not in kept]


def _is_one_link(one: LinkRow, other: LinkRow) -> bool:
    bands = None in (one.band, other.band) or one.band == other.band
    return bands and (None in (one.node, other.node) or one.node == other.node)


def _distance(one: LinkRow, other: LinkRow) -> tuple[bool, bool, bool]:
    return one.active is False, one.band != other.band, one.node != other.node


def _combined(first: LinkRow, second: LinkRow) -> LinkRow:
    told = (
        first
        if first.signal_dbm is not None and (first.is_fresh or not second.is_fresh)
        else second
    )
    if told.signal_dbm is None:
        told = first
    return LinkRow(
        table=first.table,
        active=first.active if first.active is not None else second.active,
        signal_dbm=told.signal_dbm,
        is_fresh=told.is_fresh,
        band=first.band or second.band,
        node=first.node or second.node,
    )


def _worth(row: LinkRow) -> tuple[bool, bool, float]:
    level = row.signal_dbm if row.signal_dbm is not None else float("-inf")
    return row.active is not False, row.is_fresh, level


def grouped(keys: Sequence[Hashable | None]) -> list[list[int]]:
    """Numbers of equal keys together, in order of appearance; a row without a key stays alone."""
    groups: dict[Hashable, list[int]] = {}
    for number, key in enumerate(keys):
        groups.setdefault((number,) if key is None else (key, None), []).append(number)
    return list(groups.values())
