"""The other lists a network engineer acts on: each is short, ranked and says how many there are."""
# pyright: basic

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from cpe.domain.verdict import Code
from cpe.fleet import words
from cpe.fleet.judge import FleetJudgement
from cpe.fleet.view import View

Records = list[dict[str, Any]]
TOP: Final = 100
WEEK_S: Final = 7 * 86_400.0

_WEIGHT: Final[dict[Code, float]] = {
    Code.FIBRE_CUT: 70, Code.HARDWARE_FAULT: 60, Code.FIBRE_WEAK: 50, Code.FIBRE_OVERLOAD: 45,
    Code.MANAGEMENT_SILENT: 35, Code.MESH_BACKHAUL: 25, Code.WIFI_INTERFERENCE: 20,
    Code.INCONCLUSIVE: 15, Code.POWER_OFF: 5, Code.PON_OUTAGE: 0,
}  # fmt: skip
"""What a full diagnosis of one home is worth: an outage is one incident, a plug is a phone call."""
_STRANGER: Final = 10.0
_PER_DB: Final = 5.0
_OUTSIDE: Final = (Code.PON_OUTAGE, Code.POWER_OFF, Code.FIBRE_CUT)
"""What no firmware does; what a box reads of itself it may read wrong."""


def scores(view: View, judgement: FleetJudgement, worst_db: np.ndarray) -> np.ndarray:
    """How much each box deserves attention; 0 for a healthy one that does not fade."""
    by_verdict = np.array([_WEIGHT.get(code, 0.0) for code in words.VERDICTS])
    limits = view.thresholds.optical
    below = np.maximum(0, limits.rx_min_dbm - np.nan_to_num(view.rx_dbm, nan=0.0))
    fading = np.maximum(0, -np.nan_to_num(worst_db, nan=0.0, posinf=0.0))
    found = by_verdict[judgement.verdict] + _PER_DB * (below + fading)
    found = np.where(never_in_acs(view, judgement), _STRANGER, found)
    # Nobody can be helped where nothing is known and nothing is wrong.
    blind = (judgement.verdict == words.VERDICTS.index(Code.INCONCLUSIVE)) & ~(
        judgement.statuses == words.FAULT
    ).any(axis=1).to_numpy()
    none_tonight = _of_the_pon(view, judgement) | view.shut_off | view.long_down
    return np.where(blind | none_tonight, 0.0, found)


def never_in_acs(view: View, judgement: FleetJudgement) -> np.ndarray:
    """ONTs that are online and that no ACS ever had: bridges that nobody manages, or boxes whose
    GPON serial the ACS has not read."""
    silent = judgement.verdict == words.VERDICTS.index(Code.MANAGEMENT_SILENT)
    return silent & view.boxes["acs_id"].isna().to_numpy(dtype=bool)


def of_one_home(
    view: View, judgement: FleetJudgement, code: Code, score: np.ndarray, limit: int = TOP
) -> dict[str, Any]:
    """The homes that are down by themselves: no part of an outage, and not since long ago.

    Light may be lost with the neighbours, so nothing is said where those were not read; a dying
    gasp is each home's own.
    """
    led = judgement.verdict == words.VERDICTS.index(code)
    if code is not Code.POWER_OFF:
        led = led & view.flags("pon_read")
    return listed(view, led & ~view.down_together & ~view.long_down, limit, rank=score)


def _of_the_pon(view: View, judgement: FleetJudgement) -> np.ndarray:
    codes = [words.VERDICTS.index(code) for code in (Code.POWER_OFF, Code.PON_OUTAGE)]
    return view.down_together & np.isin(judgement.verdict, codes)


def worst_boxes(
    view: View, judgement: FleetJudgement, score: np.ndarray, limit: int = TOP
) -> Records:
    """The boxes to look at first, with what is wrong with each."""
    order = np.argsort(-score, kind="stable")[:limit]
    order = order[score[order] > 0]
    return [_record(view, judgement, int(row), float(score[row])) for row in order]


def _record(view: View, judgement: FleetJudgement, row: int, score: float) -> dict[str, Any]:
    box = view.boxes.iloc[row]
    statuses = judgement.statuses.iloc[row]
    return {
        "serial": _text(box["serial"]) or _text(box["gpon_serial"]), "acs_id": _text(box["acs_id"]),
        "model": _text(box["model"]), "olt": _text(box["known_olt"]),
        "pon": _text(box["known_pon"]),
        "verdict": words.verdict_name(int(judgement.verdict[row])),
        "rx_dbm": number(view.rx_dbm[row]), "olt_rx_dbm": number(box["olt_rx_dbm"]),
        "score": round(score, 1),
        "faults": [str(rule) for rule, status in statuses.items() if status == words.FAULT],
        "degraded": [str(rule) for rule, status in statuses.items() if status == words.DEGRADED],
    }  # fmt: skip


def of_rule(
    view: View,
    judgement: FleetJudgement,
    rules: Sequence[str],
    score: np.ndarray,
    limit: int = TOP,
) -> dict[str, Any]:
    """How many boxes any of these rules calls faulty, and the worst of them."""
    bad = (judgement.statuses[list(rules)] == words.FAULT).any(axis=1).to_numpy()
    return listed(view, bad, limit, rank=score)


def of_verdict(
    view: View, judgement: FleetJudgement, code: Code, score: np.ndarray, limit: int = TOP
) -> dict[str, Any]:
    """The boxes whose leading cause it is, the worst first."""
    return listed(view, judgement.verdict == words.VERDICTS.index(code), limit, rank=score)


def listed(
    view: View,
    chosen: np.ndarray,
    limit: int = TOP,
    *,
    rank: np.ndarray | None = None,
    **extra: np.ndarray,
) -> dict[str, Any]:
    """How many boxes were chosen, and the first of them: those of the highest rank."""
    rows = np.flatnonzero(chosen)
    if rank is not None:
        rows = rows[np.argsort(-rank[rows], kind="stable")]
    found = [
        {
            "serial": _text(box["serial"]) or _text(box["gpon_serial"]),
            "model": _text(box["model"]), "olt": _text(box["known_olt"]),
            "pon": _text(box["known_pon"]), "rx_dbm": number(view.rx_dbm[row]),
            "equipment": _text(box["equipment"]), "status": _text(box["equipment_status"]),
            **{name: number(values[row]) for name, values in extra.items()},
        }
        for row in rows[:limit]
        for box in (view.boxes.iloc[row],)
    ]  # fmt: skip
    return {"count": len(rows), "boxes": found}


def flapping(view: View, downs: np.ndarray, limit: int = TOP) -> dict[str, Any]:
    """ONTs with several different last-down times within a week."""
    return listed(
        view, downs >= view.thresholds.fleet.flaps_per_week, limit, rank=downs, downs=downs
    )


def rebooting(view: View, boots: np.ndarray, limit: int = TOP) -> dict[str, Any]:
    """Boxes that booted again and again within a week."""
    return listed(
        view, boots >= view.thresholds.fleet.boots_per_week, limit, rank=boots, boots=boots
    )


def stock_truth(view: View, equipment: pd.DataFrame, limit: int = TOP) -> dict[str, Any]:
    """Where ERPNext and the plant tell different stories.

    Informing while in stock; Actif and seen by nobody for `never_seen_days`; one GPON serial on
    two boxes of the ACS.
    A source that was not read proves no absence.
    """
    status = view.boxes["equipment_status"].astype(object)
    alive = view.answered | (view.state == words.ONLINE)
    double = view.boxes["gpon_serial"].astype(object).where(view.acs_known)
    twice = (double.notna() & double.duplicated(keep=False)).to_numpy()
    unseen: Records = []
    count: int | None = None
    if view.sources.acs_whole and not view.sources.olts_failed and not view.sources.acs_is_down:
        serials = equipment["serial"].astype(object)
        lately = view.boxes.loc[_seen_lately(view), ["serial", "gpon_serial"]]
        seen = serials.isin(lately["serial"].astype(object)) | serials.isin(
            lately["gpon_serial"].astype(object)
        )
        gone = equipment[equipment["status"].astype(object).eq("Actif") & ~seen]
        count = len(gone)
        unseen = [
            {"serial": _text(row.serial), "equipment": _text(row.equipment), "status": "Actif"}
            for row in gone.head(limit).itertuples()
        ]
    return {
        "configured": bool(len(equipment)),
        "informing_in_stock": listed(view, (status == "En inventaire").to_numpy() & alive, limit),
        "informing_in_diagnosis": listed(
            view, (status == "En diagnostic").to_numpy() & alive, limit
        ),
        "active_never_seen": {"count": count, "boxes": unseen},
        "gpon_serial_twice": listed(view, twice, limit),
    }


def _seen_lately(view: View) -> np.ndarray:
    """Boxes that informed, or were up at an OLT, within `never_seen_days`.

    That the ACS has a document of a box, or an OLT its serial, is no sign of life.
    """
    long_ago = view.sources.now - view.thresholds.fleet.never_seen_days * 86_400
    informed = view.floats("last_inform") >= long_ago
    at_olt = view.on_olt & (~view.down | (view.down_at >= long_ago))
    return informed | at_olt


def firmware_outliers(view: View, judgement: FleetJudgement) -> Records:
    """Firmwares that few boxes of a model run, or whose boxes are faulty more often."""
    limits = view.thresholds.fleet
    outside = [words.VERDICTS.index(code) for code in _OUTSIDE]
    faulty = (judgement.verdict < len(words.CAUSES)) & ~np.isin(judgement.verdict, outside)
    table = pd.DataFrame(
        {
            "model": view.boxes["model"].astype(object),
            "firmware": view.boxes["firmware"].astype(object), "faulty": faulty,
        }
    ).dropna(subset=["model", "firmware"])  # fmt: skip
    found: Records = []
    for model, rows in table.groupby("model", sort=True):
        if len(rows) < limits.firmware_min_boxes:
            continue
        usual = float(rows["faulty"].mean())
        for firmware, own in rows.groupby("firmware", sort=True):
            share, fault_share = len(own) / len(rows), float(own["faulty"].mean())
            enough = len(own) >= limits.firmware_min_boxes
            worse = enough and usual > 0 and fault_share >= limits.firmware_fault_ratio * usual
            if share >= limits.firmware_rare_share and not worse:
                continue
            found.append(
                {
                    "model": model, "firmware": firmware, "boxes": len(own), "of": len(rows),
                    "fault_pct": round(100 * fault_share, 1), "usual_pct": round(100 * usual, 1),
                    "why": "faulty" if worse else "rare",
                }
            )  # fmt: skip
    return sorted(found, key=lambda one: (one["why"] != "faulty", -one["boxes"]))


def bands(view: View) -> Records:
    """Utilisation by band: how many radios, the median, how many saturated."""
    radios, limits = view.radios_on, view.thresholds.wifi
    held = radios[radios["utilisation_pct"].notna()]
    found: Records = []
    for band, rows in held.groupby("band", observed=True, sort=True):
        found.append(
            {
                "band": str(band), "radios": len(rows),
                "median_pct": number(rows["utilisation_pct"].median()),
                "p90_pct": number(rows["utilisation_pct"].quantile(0.9)),
                "saturated": int((rows["utilisation_pct"] > limits.utilisation_bad_pct).sum()),
            }
        )  # fmt: skip
    return found


def number(value: Any) -> float | None:
    """A number for JSON; missing is null, never 0."""
    return None if value is None or pd.isna(value) else round(float(value), 2)


def _text(value: Any) -> str | None:
    return None if value is None or pd.isna(value) else str(value)
