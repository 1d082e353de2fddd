"""The parts of a sweep, as they were kept, become frames and the account of how reading went."""
# pyright: basic

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from cpe.domain.sweep import SweepPart
from cpe.fleet import coverage as cover
from cpe.fleet import frames
from cpe.fleet.conclude import joined_known
from cpe.fleet.join import Sources, positions
from cpe.fleet.joined import Frames
from cpe.profiles.thresholds import Line, Thresholds


def load_frames(
    acs: Sequence[SweepPart],
    olts: Sequence[SweepPart],
    erp: Sequence[SweepPart],
    known: Sequence[pd.DataFrame],
    boots: Sequence[tuple[str, float]],
) -> Frames:
    """Everything that was read, typed and joined part to part."""
    triples = [(p.data[0], p.data[1], p.data[2]) for p in acs if len(p.data) == 3]
    boxes, radios, nodes = frames.supersede(*frames.unpack_boxes(triples))
    frames.give_back()
    return Frames(
        boxes=boxes,
        radios=radios,
        nodes=nodes,
        onts=frames.unpack([p.data[0] for p in olts if p.data], frames.ONTS),
        equipment=frames.unpack([p.data[0] for p in erp if p.data], frames.EQUIPMENT),
        known=_one_name_each(joined_known(known)),
        boots=pd.DataFrame(boots, columns=["box", "booted_at"]),
    )


def _one_name_each(known: pd.DataFrame) -> pd.DataFrame:
    """Without what an OLT alone once showed and the ACS has since claimed: one box, not two."""
    nameless = known["acs_id"].isna()
    if not nameless.any():
        return known
    claimed = known["gpon_serial"].isin(known.loc[~nameless, "gpon_serial"].dropna())
    return known[~(nameless & claimed)].reset_index(drop=True)


def sources_of(
    found: Frames,
    acs: Sequence[SweepPart],
    olts: Sequence[SweepPart],
    *,
    now: float,
    acs_configured: bool,
    olts_asked: Sequence[str],
    thresholds: Thresholds,
) -> tuple[Sources, list[cover.OltRead]]:
    """How each source fared. An answer that is too short to be true counts as not read."""
    limits, known = thresholds.fleet, found.known
    before_acs = int(known["in_acs"].sum())
    last = next((part for part in reversed(acs) if not part.name), None)
    short = cover.short_answer(len(found.boxes), before_acs, limits)
    silence = cover.acs_hears(found.boxes, limits)
    whole = any(part.whole for part in acs) and not short
    detail = (last.detail if last is not None and not whole else "") or short or silence
    reads = [*_olt_reads(olts, olts_asked, known, thresholds), *_left_out(found, olts_asked)]
    sources = Sources(
        now=now,
        acs_configured=acs_configured,
        acs_whole=whole,
        acs_detail=detail or ("" if whole else "nothing was read"),
        olts_asked=tuple(olts_asked),
        olts_failed={one.olt: one.detail for one in reads if not one.whole},
        acs_hears=not silence,
    )
    return sources, reads


def _olt_reads(
    olts: Sequence[SweepPart],
    asked: Sequence[str],
    known: pd.DataFrame,
    thresholds: Thresholds,
) -> list[cover.OltRead]:
    before = known["olt"].astype(object).value_counts()
    by_name = {part.name: part for part in olts}
    reads: list[cover.OltRead] = []
    for name in asked:
        part, usual = by_name.get(name), int(before.get(name, 0))
        if part is None:
            reads.append(cover.OltRead(name, 0, whole=False, before=usual, detail="not read"))
            continue
        short = cover.short_answer(part.rows, usual, thresholds.fleet)
        reads.append(
            cover.OltRead(
                name, part.rows, whole=part.whole and not short, before=usual,
                detail=short or part.detail,
            )
        )  # fmt: skip
    return reads


def _left_out(found: Frames, asked: Sequence[str]) -> list[cover.OltRead]:
    """OLTs that were read earlier and that the inventory does not name any more.

    Their boxes still inform, so they hang somewhere; those that an OLT shows now have moved.
    """
    known = found.known
    elsewhere = known["olt"].notna() & ~known["olt"].isin(list(asked))
    if not elsewhere.any():
        return []
    boxes, ages = found.boxes, found.boxes["read_at"] - found.boxes["last_inform"]
    alive = known["acs_id"].isin(boxes.loc[ages <= cover.DAY_S, "acs_id"])
    shown = known["gpon_serial"].isin(found.onts["gpon_serial"].dropna())
    counts = known.loc[elsewhere & alive & ~shown, "olt"].astype(object).value_counts()
    return [
        cover.OltRead(str(name), 0, whole=False, before=int(n), detail="not in the inventory")
        for name, n in counts.items()
        if n >= cover.ENOUGH
    ]


def mistrust(found: Frames, reads: Sequence[cover.OltRead], parts: Sequence[SweepPart]) -> Frames:
    """PONs of an OLT whose whole answer is too short to be true do not count as read."""
    whole = {part.name for part in parts if part.whole}
    doubted = [one.olt for one in reads if not one.whole and one.olt in whole]
    if not doubted:
        return found
    onts = found.onts.copy()
    onts.loc[onts["olt"].astype(object).isin(doubted), "pon_read"] = False
    return replace(found, onts=onts)


def doubt_clocks(found: Frames, now: float, limits: Line) -> Frames:
    """A last-down time of long ago is none where the box has informed since.

    An OLT that lost its time tells the year 2000, and a feeder that was cut tonight would count as
    customers who left.
    """
    onts, long_ago = found.onts, now - limits.churned_days * cover.DAY_S
    at = positions(found.boxes["gpon_serial"], onts["gpon_serial"])
    informed = found.boxes["last_inform"].to_numpy(dtype=np.float64)
    heard = np.full(len(onts), np.nan)
    heard[at >= 0] = informed[at[at >= 0]]
    wrong = (onts["down_at"].to_numpy(dtype=np.float64) < long_ago) & (heard >= long_ago)
    wrong &= onts["state"].astype(object).ne("online").to_numpy(dtype=bool)
    if not wrong.any():
        return found
    return replace(found, onts=onts.assign(down_at=onts["down_at"].mask(wrong)))
