"""Fleets of a few boxes, each told by what matters of it, judged as a sweep judges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cpe.domain.sweep import SweepPart
from cpe.fleet import frames
from cpe.fleet.baseline import MISSING, Past
from cpe.fleet.compare import Pasts, compare
from cpe.fleet.conclude import Conclusion, conclude, join_frames, known_frame
from cpe.fleet.load import doubt_clocks, load_frames, mistrust, sources_of
from cpe.profiles.thresholds import load_thresholds

NOW = 1_795_766_400.0
DAYS = 30
Row = Mapping[str, Any]


def a_box(number: int | str, **changes: Any) -> dict[str, Any]:
    """A healthy box of the ACS."""
    return {
        **dict.fromkeys(frames.BOXES.names),
        "acs_id": f"BOX-{number}", "serial": f"S{number}", "gpon_serial": f"TPLG{number:0>8}",
        "model": "M", "firmware": "1", "family": "tplink", "rx_quality": "ok", "rx_dbm": -20.0,
        "rx_at": NOW - 500, "last_inform": NOW - 60, "spoke_at": NOW - 500, "read_at": NOW,
        "more_radios": False, "more_nodes": False, **changes,
    }  # fmt: skip


def an_ont(number: int | str, **changes: Any) -> dict[str, Any]:
    """An ONT that is online on a PON that was wholly read."""
    return {
        **dict.fromkeys(frames.ONTS.names),
        "olt": "olt-1", "pon": "0/1", "ont": str(number), "ont_index": f"1.{number}",
        "gpon_serial": f"TPLG{number:0>8}", "state": "online", "olt_rx_dbm": -22.0,
        "walked_at": NOW - 30, "pon_read": True, **changes,
    }  # fmt: skip


def was_known(number: int | str, **changes: Any) -> dict[str, Any]:
    """What the last sweep kept of `a_box(number)`."""
    return {
        "id": int(number) + 1, "key": f"acs:BOX-{number}", "acs_id": f"BOX-{number}",
        "serial": f"S{number}", "gpon_serial": f"TPLG{number:0>8}", "model": "M", "firmware": "1",
        "olt": "olt-1", "pon": "0/1", "in_acs": True, "on_olt": True, "verdict": "healthy",
        **changes,
    }  # fmt: skip


def judged(
    boxes: Sequence[Row],
    onts: Sequence[Row] = (),
    known: Sequence[Row] = (),
    *,
    equipment: Sequence[Row] = (),
    acs_whole: bool = True,
    walked: Mapping[str, bool] | None = None,
    asked: Sequence[str] | None = None,
    past_db: Mapping[int, Mapping[int, float]] | None = None,
) -> Conclusion:
    """The conclusion of a sweep that read this. `walked`: which OLTs, and whether to the end.

    `past_db`: of boxes by their place in `boxes`, the Rx power so many days ago.
    """
    thresholds = load_thresholds()
    acs = [
        SweepPart("acs", "", 0, len(boxes), whole=False, data=(
            frames.pack(_columns(boxes, frames.BOXES.names), frames.BOXES),
            frames.pack({n: [] for n in frames.RADIOS.names}, frames.RADIOS),
            frames.pack({n: [] for n in frames.NODES.names}, frames.NODES))),
        SweepPart("acs", "", 1, 0, whole=acs_whole, detail="" if acs_whole else "cut off"),
    ]  # fmt: skip
    if walked is None:
        walked = dict.fromkeys((str(ont["olt"]) for ont in onts), True)
    olts = [_walk(name, [o for o in onts if o["olt"] == name], whole) for name, whole in
            walked.items()]  # fmt: skip
    erp = [SweepPart("erp", "", 0, len(equipment), whole=True, data=(
        frames.pack(_columns(equipment, frames.EQUIPMENT.names), frames.EQUIPMENT),))]  # fmt: skip
    before = known_frame({n: [row.get(n) for row in known] for n in was_known(0)})
    found = load_frames(acs, olts, erp if equipment else [], [before] if known else [], [])
    sources, reads = sources_of(
        found, acs, olts, now=NOW, acs_configured=True,
        olts_asked=list(walked) if asked is None else asked, thresholds=thresholds,
    )  # fmt: skip
    trusted = doubt_clocks(mistrust(found, reads, olts), NOW, thresholds.line)
    joined = join_frames(trusted, sources, thresholds)
    nothing = np.full((len(joined.fleet), DAYS), MISSING, dtype=np.int16)
    own = nothing.copy()
    for row, days in (past_db or {}).items():
        for age, dbm in days.items():
            own[row, age - 1] = round(dbm * 100)
    ages = np.arange(1, DAYS + 1)
    pasts = Pasts(Past(own, ages), Past(nothing, ages), Past(nothing, ages))
    return conclude(joined, compare(joined, pasts, thresholds), reads, thresholds)


def _walk(name: str, onts: Sequence[Row], whole: bool) -> SweepPart:
    data = frames.pack(_columns(onts, frames.ONTS.names), frames.ONTS)
    return SweepPart("olt", name, 0, len(onts), whole=whole, data=(data,))


def _columns(rows: Sequence[Row], names: Sequence[str]) -> dict[str, list[Any]]:
    return {name: [row.get(name) for row in rows] for name in names}


def verdict_of(found: Conclusion, acs_id: str) -> str:
    """The verdict of one box."""
    rows: pd.DataFrame = found.rows
    return str(rows.loc[rows["acs_id"].astype(object) == acs_id, "verdict"].item())
