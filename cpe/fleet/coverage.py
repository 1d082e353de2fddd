"""How much of the fleet a sweep really saw. Never a percentage of only those that answered."""
# pyright: basic

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from cpe.fleet import words
from cpe.fleet.join import Sources
from cpe.fleet.view import View
from cpe.profiles.thresholds import Fleet

DAY_S: Final = 86_400.0
ENOUGH: Final = 20
"""Fewer boxes than this prove nothing by their number."""


@dataclass(frozen=True, slots=True)
class OltRead:
    """How one OLT's walk went. `before` is how many ONTs it had at the last whole walk."""

    olt: str
    rows: int
    whole: bool
    before: int
    detail: str = ""


def short_answer(rows: int, before: int, limits: Fleet) -> str:
    """Why an answer is too short to be believed, or nothing."""
    if before >= ENOUGH and rows < limits.short_answer_share * before:
        return f"only {rows} rows, {before} last time"
    return ""


def acs_hears(boxes: pd.DataFrame, limits: Fleet) -> str:
    """Why the ACS's silence about its boxes is its own, or nothing.

    Of the boxes that informed within a day, at least a share informs now; an ACS whose CWMP side
    is down hears of nobody and would make the whole fleet silent. Down for longer than a day, it
    has no such boxes: then of all that ever informed not one does now.
    """
    informed = boxes["last_inform"].to_numpy(dtype=np.float64)
    ages = boxes["read_at"].to_numpy(dtype=np.float64) - informed
    lively = ages <= DAY_S
    if lively.sum() < ENOUGH:
        lively = np.isfinite(ages)
        if lively.sum() < ENOUGH or np.any(ages <= limits.silent_after_s):
            return ""
    share = float(np.mean(ages[lively] <= limits.silent_after_s))
    if share >= limits.informing_min_share:
        return ""
    newest = float(np.nanmin(ages)) / 60
    return f"only {share:.0%} of its boxes inform; the last Inform came {newest:.0f} min ago"


def coverage(
    view: View,
    statuses: pd.DataFrame,
    known: pd.DataFrame,
    equipment: pd.DataFrame,
    olts: Sequence[OltRead],
    acs_rows: int,
) -> dict[str, Any]:
    """The counts, and `pct`: the worst of what was expected of the ACS and of the OLTs.

    `contact` says of each expected box where it stands, of each one thing (`words.CONTACTS`).

    Expected is what the last sweeps knew, what the OLTs have registered and what ERPNext calls
    Actif; a source that was not read leaves what it had as not seen.
    """
    boxes = view.boxes
    missing = known[~_shown(known, boxes)] if len(known) else known
    rx_quality = boxes["rx_quality"].astype(object).to_numpy()
    has_rx = ~np.isnan(view.rx_dbm)
    in_acs = view.acs_known
    fresh = has_rx
    stale = ~has_rx & (rx_quality == "stale")
    reasons = pd.Series(np.where(has_rx, "", np.where(in_acs, rx_quality, "not_in_acs")))
    unseen_olt = missing["olt"].astype(object).isin(list(view.sources.olts_failed)).sum()
    active = int(_active_unseen(equipment, boxes, missing).sum())
    expected = len(boxes) + len(missing) + active
    rx = statuses["optical.rx_power_in_band"].to_numpy()
    evaluable = int(np.sum(rx != words.UNKNOWN))
    unseen = len(missing) + active
    contacts = np.bincount(view.contact, minlength=len(words.CONTACTS))
    return {
        "expected": expected,
        "seen": len(boxes),
        "fresh": int(fresh.sum()),
        "stale": int(stale.sum()),
        "unreachable": int(view.unreachable.sum()),
        "contact": {
            **{name: int(n) for name, n in zip(words.CONTACTS, contacts, strict=True)},
            "unseen": unseen,
        },
        "not_evaluable": len(boxes) - evaluable,
        "not_evaluable_by": _counts(reasons[rx == words.UNKNOWN]),
        "partly_read": int(view.partly_read.sum()),
        "unseen": unseen,
        "unseen_olt_not_read": int(unseen_olt),
        "unseen_active_in_erp": active,
        "in_acs": int(in_acs.sum()),
        "on_olt": int(view.on_olt.sum()),
        "evaluable": evaluable,
        "pct": _pct(view.sources, known, olts, acs_rows),
        "evaluable_pct": round(100 * evaluable / expected, 1) if expected else 0.0,
        "acs": {
            "configured": view.sources.acs_configured,
            "whole": view.sources.acs_whole,
            "hears": view.sources.acs_hears,
            "rows": acs_rows,
            "before": int(known["in_acs"].sum()) if len(known) else 0,
            "detail": view.sources.acs_detail,
        },
        "olts": [
            {
                "olt": one.olt, "rows": one.rows, "whole": one.whole, "before": one.before,
                "detail": one.detail,
            }
            for one in sorted(olts, key=lambda o: (o.whole, o.olt))
        ],
    }  # fmt: skip


def _shown(known: pd.DataFrame, boxes: pd.DataFrame) -> pd.Series:
    """Which known boxes were seen now; what only an OLT knew may be seen under the ACS's name."""
    same = known["key"].astype(object).isin(set(boxes["key"].astype(object)))
    serials = set(boxes["gpon_serial"].dropna().astype(object))
    return same | (known["acs_id"].isna() & known["gpon_serial"].astype(object).isin(serials))


def _pct(sources: Sources, known: pd.DataFrame, olts: Sequence[OltRead], acs_rows: int) -> float:
    shares: list[float] = []
    if sources.acs_configured:
        before = int(known["in_acs"].sum()) if len(known) else 0
        expected = max(before, acs_rows)
        share = acs_rows / expected if expected else 0.0
        # Half an answer is not proved to be more than what was known before.
        shares.append(share if sources.acs_whole else min(share, 0.999 if before else 0.0))
    if olts:
        read = sum(one.rows for one in olts)
        usual = max(1.0, read / max(1, sum(one.rows > 0 for one in olts)))
        lost = sum(max(0.0, (one.before or usual) - one.rows) for one in olts if not one.whole)
        shares.append(read / (read + lost) if read + lost else 0.0)
    return round(100 * min(shares), 1) if shares else 0.0


def _active_unseen(
    equipment: pd.DataFrame, boxes: pd.DataFrame, missing: pd.DataFrame
) -> pd.Series:
    """The units that neither a box seen now nor one that was known stands for."""
    serials = equipment["serial"].astype(object)
    told = serials.isna()
    for rows in (boxes, missing):
        for name in ("serial", "gpon_serial"):
            told |= serials.isin(rows[name].dropna().astype(object))
    return equipment["status"].astype(object).eq("Actif") & ~told


def _counts(values: pd.Series) -> Mapping[str, int]:
    return {str(k): int(v) for k, v in values.value_counts().items() if k}


def incomplete_because(coverage_: Mapping[str, Any], sources: Sources, limits: Fleet) -> list[str]:
    """Why nothing may be concluded about outages; empty when the sweep is complete."""
    reasons: list[str] = []
    if sources.acs_configured and not sources.acs_whole:
        reasons.append(f"acs: {sources.acs_detail or 'not read'}")
    if sources.acs_is_down:
        reasons.append(f"acs: {sources.acs_detail}")
    if coverage_["pct"] < limits.coverage_min_pct:
        reasons.append(f"coverage {coverage_['pct']:g} % < {limits.coverage_min_pct:g} %")
    if not coverage_["seen"]:
        reasons.append("no source showed any box")
    return reasons
