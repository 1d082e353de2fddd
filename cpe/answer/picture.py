"""Rx power against its band, as one line of text that any page can show."""

from __future__ import annotations

from typing import Final

from cpe.profiles.wording import number_fr

LEFT_DBM: Final = -35.0
RIGHT_DBM: Final = 0.0
STEP_DB: Final = 0.5


def rx_picture(rx_dbm: float | None, low_dbm: float, high_dbm: float) -> str:
    """A scale from −35 to 0 dBm with the target band drawn solid and the reading marked.

    Both ends of the band are inside it. A reading off the scale is marked at its edge.
    """
    cells = round((RIGHT_DBM - LEFT_DBM) / STEP_DB) + 1
    line = ["━" if low_dbm <= LEFT_DBM + i * STEP_DB <= high_dbm else "·" for i in range(cells)]
    pointer = [" "] * cells
    title = "– dBm (non mesuré · not measured)"
    if rx_dbm is not None:
        place = min(max(round((rx_dbm - LEFT_DBM) / STEP_DB), 0), cells - 1)
        pointer[place] = "▼"
        title = f"{number_fr(rx_dbm)} dBm"
    low_place = round((low_dbm - LEFT_DBM) / STEP_DB)
    high_place = round((high_dbm - LEFT_DBM) / STEP_DB)
    scale = [" "] * (cells + 6)
    for place, text in ((low_place, number_fr(low_dbm)), (high_place, number_fr(high_dbm))):
        start = max(0, place - len(text) // 2)
        scale[start : start + len(text)] = list(text)
    return "\n".join((title, "".join(pointer).rstrip(), "".join(line), "".join(scale).rstrip()))
