"""The report's pictures as numbers: where each bar, cell and line of the SVG lies. Pure.

Chart libraries either need a script in the page or draw with a toolkit of 100 MB; these are three
pictures made of rectangles and lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

WIDTH: Final = 920
BAR_HEIGHT: Final = 150
CELL: Final = 15
GAP: Final = 2
COLUMNS: Final = 32
SPARK_WIDTH: Final = 150
SPARK_HEIGHT: Final = 34

_SCALE: Final = (
    (-27.0, "#7f1d1d"), (-25.0, "#c2410c"), (-23.0, "#e9a23b"), (-21.0, "#a3b86c"),
    (-8.0, "#3f8f6b"), (99.0, "#6d28d9"),
)  # fmt: skip
"""Colours by the median's upper end, weakest first: readable in grey too, dark is bad."""
NOT_MEASURED: Final = "#d4d4d8"


def colour(rx_dbm: float | None) -> str:
    """A PON's colour by its median Rx power."""
    if rx_dbm is None:
        return NOT_MEASURED
    return next(colour_ for limit, colour_ in _SCALE if rx_dbm <= limit)


def legend() -> list[tuple[str, str]]:
    """(colour, what it means) of the PON map."""
    ends = [limit for limit, _ in _SCALE]
    said = [f"≤ {_dbm(ends[0])}"]
    said += [f"{_dbm(low)} … {_dbm(high)}" for low, high in pairwise(ends[:-1])]
    said.append(f"> {_dbm(ends[-2])}")
    return [(colour_, text) for (_, colour_), text in zip(_SCALE, said, strict=True)]


def _dbm(value: float) -> str:
    return f"{value:g}".replace("-", "−")


@dataclass(frozen=True, slots=True)
class Bar:
    """One column of the histogram."""

    x: float
    y: float
    width: float
    height: float
    inside: bool
    title: str


@dataclass(frozen=True, slots=True)
class Histogram:
    """Bars, the target's place, and the labels below."""

    bars: list[Bar]
    target_x: float
    target_width: float
    ticks: list[tuple[float, str]]
    top: int


def histogram(rx: Mapping[str, Any]) -> Histogram:
    """The distribution of Rx power, the operator's target behind it."""
    counts: Sequence[int] = rx["counts"]
    first, step = rx["first_edge_dbm"], rx["bin_db"]
    width, top = WIDTH / len(counts), max(counts, default=0)
    bars: list[Bar] = []
    for number, count in enumerate(counts):
        low = first + number * step
        height = BAR_HEIGHT * count / top if top else 0.0
        inside = low >= rx["low_dbm"] and low + step <= rx["high_dbm"]
        title = f"{_dbm(low)} … {_dbm(low + step)} dBm : {count}"
        # A lone box must be seen beside ten thousand.
        seen = max(height, 1.5) if count else 0.0
        bars.append(
            Bar(number * width + 1, BAR_HEIGHT - seen, max(width - 2, 1), seen, inside, title)
        )

    def x_of(dbm: float) -> float:
        return (dbm - first) / step * width

    last = first + len(counts) * step
    ticks = [(x_of(d), _dbm(d)) for d in _whole(first, last, 4)]
    low, high = rx["low_dbm"], rx["high_dbm"]
    return Histogram(bars, x_of(low), x_of(high) - x_of(low), ticks, top)


def _whole(first: float, last: float, step: int) -> list[float]:
    return [float(d) for d in range(int(first), int(last) + 1, step)]


@dataclass(frozen=True, slots=True)
class Cell:
    """One PON of the map."""

    x: int
    y: int
    fill: str
    frame: str
    title: str


@dataclass(frozen=True, slots=True)
class OltMap:
    """The cells of one OLT."""

    olt: str
    boxes: int
    cells: list[Cell]
    height: int


def pon_maps(answer: Mapping[str, Any]) -> list[OltMap]:
    """One strip of cells an OLT, a cell a PON, in the order of their names."""
    out = {(o["olt"], o["pon"]) for o in answer["outages"]}
    fading = {(f["olt"], f["pon"]) for f in answer["fading_pons"]}
    by_olt: dict[str, list[Mapping[str, Any]]] = {}
    for pon in answer["pons"]:
        by_olt.setdefault(pon["olt"], []).append(pon)
    maps: list[OltMap] = []
    for olt, pons in sorted(by_olt.items()):
        cells: list[Cell] = []
        for number, pon in enumerate(sorted(pons, key=lambda p: natural(p["pon"]))):
            key = (olt, pon["pon"])
            frame = "out" if key in out else "fading" if key in fading else ""
            row, column = divmod(number, COLUMNS)
            median = pon["rx_median_dbm"]
            shown = "–" if median is None else _dbm(median)
            title = (
                f"{olt} {pon['pon']} · {pon['boxes']} · {shown} dBm"
                f" · ▼{pon['down']} · weak {pon['weak']} · fading {pon['fading']}"
            )
            cells.append(
                Cell(column * (CELL + GAP), row * (CELL + GAP), colour(median), frame, title)
            )
        rows = (len(cells) + COLUMNS - 1) // COLUMNS
        boxes = sum(p["boxes"] for p in pons)
        maps.append(OltMap(olt, boxes, cells, rows * (CELL + GAP)))
    return maps


def natural(label: str) -> list[tuple[int, str]]:
    """Sorts `0/1/10` behind `0/1/9`."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in label.split("/")]


@dataclass(frozen=True, slots=True)
class Share:
    """One piece of the coverage bar."""

    key: str
    count: int
    x: float
    width: float


def coverage_bar(covered: Mapping[str, Any]) -> list[Share]:
    """Everything that was expected, split into what became of it; the pieces add up."""
    parts = [
        ("evaluable", covered["evaluable"]),
        ("not_evaluable", covered["not_evaluable"]),
        ("unseen", covered["unseen"]),
    ]
    total = sum(count for _, count in parts) or 1
    shares: list[Share] = []
    x = 0.0
    for key, count in parts:
        width = WIDTH * count / total
        # A few boxes among 100,000 are still to be seen.
        seen = max(width, 2.0) if count else 0.0
        shares.append(Share(key, count, x, seen))
        x += width
    return shares


@dataclass(frozen=True, slots=True)
class Spark:
    """A falling line: past medians and today, with the limit where it is near."""

    points: str
    limit_y: float | None
    last: tuple[float, float]


def spark(row: Mapping[str, Any], low_dbm: float) -> Spark | None:
    """The fall of one box: its 30-, 15- and 7-day medians and today's reading."""
    now = row["rx_dbm"]
    known = [
        (-days, now - row[f"delta_{days}_db"])
        for days in (30, 15, 7)
        if row[f"delta_{days}_db"] is not None
    ]
    if now is None or not known:
        return None
    series = [*known, (0, now)]
    values = [value for _, value in series]
    low, high = min(values) - 0.5, max(values) + 0.5
    if low_dbm > low - 1.5:
        low = min(low, low_dbm - 0.3)

    def place(day: float, value: float) -> tuple[float, float]:
        x = SPARK_WIDTH * (day + 30) / 30
        return round(x, 1), round(SPARK_HEIGHT * (high - value) / (high - low), 1)

    points = [place(day, value) for day, value in series]
    limit = place(0, low_dbm)[1] if low <= low_dbm <= high else None
    return Spark(" ".join(f"{x},{y}" for x, y in points), limit, points[-1])
