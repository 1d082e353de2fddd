"""One incident per PON instead of one per home: what is down together, what fades together."""
# pyright: basic

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from cpe.domain.verdict import Code
from cpe.fleet import words
from cpe.fleet.baseline import Drift
from cpe.fleet.judge import FleetJudgement
from cpe.fleet.view import View
from cpe.fleet.words import Bools

Records = list[dict[str, Any]]
SHOWN: Final = 12
"""How many serials an incident names."""
BEND_DB: Final = 1.0
"""1490 nm loses more in a bend than 1310 nm (reference/olt-snmp.md § 5.3)."""


def outages(view: View) -> Records:
    """PONs whose ONTs went down together: a cut feeder or splitter, or an area without power."""
    dead = view.boxes[view.down_together]
    found: Records = []
    for (olt, pon), rows in dead.groupby(["olt", "pon"], observed=True, sort=False):
        state = view.state[rows.index.to_numpy()]
        gasped, lost = int((state == words.DYING_GASP).sum()), int((state == words.LOS).sum())
        at = view.down_at[rows.index.to_numpy()]
        first = np.min(at[np.isfinite(at)], initial=np.inf)
        # The last to be counted sees most of its neighbours.
        down = int(rows["neighbours_down"].max()) + 1
        up = int(rows["neighbours_up"].max()) + 1
        found.append(
            {
                "kind": _kind(lost, gasped),
                "olt": str(olt), "pon": str(pon), "down": down, "of": max(up, down),
                "los": lost, "dying_gasp": gasped,
                "since": float(first) if np.isfinite(first) else None,
                "serials": _names(rows), "boxes": len(rows),
            }
        )  # fmt: skip
    found.sort(key=lambda one: (-one["down"], one["olt"], one["pon"]))
    return _with_siblings(found)


def _kind(lost: int, gasped: int) -> str:
    """Some OLTs only tell that an ONT is off: nobody knows then whether the cable is cut."""
    if not lost and not gasped:
        return "pon_down"
    return "area_power_cut" if gasped > lost else "feeder_cut"


def _with_siblings(found: Records) -> Records:
    """How many PONs of the same OLT are out too: a card, the OLT's power, a trunk cable."""
    by_olt: dict[str, int] = {}
    for one in found:
        by_olt[one["olt"]] = by_olt.get(one["olt"], 0) + 1
    for one in found:
        one["pons_of_olt_out"] = by_olt[one["olt"]]
    return found


def fading(view: View, drift: Drift, olt_drift: Drift) -> pd.DataFrame:
    """The boxes that weaken against their own past, each with its cause as far as it shows.

    Two or more siblings of one PON that fell by `pon_drop_db`: feeder or splitter, whatever share
    of the PON they are: behind a second splitter there may be two homes of 64, and diagnosis.md § 3
    knows no share. How many of how many is told. One alone, by the rule's own drop: drop cable or
    connector. Of a box whose PON nobody told, the siblings are not known, nor so the cause.

    A box of which nobody reads the Rx power (no ACS has it, or stale) is measured by what its OLT
    receives of it.
    """
    limits, drop = view.thresholds.fleet, view.thresholds.optical.rx_drop_db
    own, drift, at_olt = drift, *_told_by(drift, olt_drift)
    worst = _worst(drift)
    trend = np.nan_to_num(drift.per_month, nan=0.0)
    falls = (trend <= -drop) & (
        _seen_to_fall(drift, limits.baseline_days[-1]) >= limits.pon_drop_db
    )
    siblings = (worst <= -limits.pon_drop_db) | falls
    alone = (worst <= -drop) | falls
    label = view.boxes["known_pon"].astype(object)
    label = label.where(label != "")  # an OLT that does not tell its PONs is not one of them
    pon = view.boxes["known_olt"].astype(object) + " " + label
    count = pon.where(siblings).map(pon[siblings].value_counts()).fillna(0).to_numpy()
    of = pon.map(pon.value_counts()).fillna(0).to_numpy()
    shared = siblings & (count >= limits.pon_siblings)
    chosen = np.flatnonzero(shared | alone)
    found = view.boxes.iloc[chosen][["key", "acs_id", "serial", "gpon_serial", "model"]].copy()
    found["olt"] = view.boxes["known_olt"].astype(object).iloc[chosen]
    found["pon"] = view.boxes["known_pon"].astype(object).iloc[chosen]
    found["rx_dbm"] = view.rx_dbm[chosen]
    for name, values in (
        ("delta_7_db", drift.short), ("delta_15_db", drift.middle), ("delta_30_db", drift.long),
        ("olt_delta_db", olt_drift.long), ("per_month_db", drift.per_month),
        ("days_left", drift.days_left),
    ):  # fmt: skip
        found[name] = np.round(values[chosen], 2)
    found["worst_db"] = np.round(np.where(np.isnan(worst), trend, worst)[chosen], 2)
    found["shared"] = shared[chosen]
    found["siblings"] = count[chosen].astype(int)
    found["of"] = of[chosen].astype(int)
    by_itself = np.where(pon.notna().to_numpy(), "drop_or_connector", "pon_unknown")
    found["kind"] = np.where(shared, "feeder_or_splitter", by_itself)[chosen]
    found["hint"] = _hints(own.long[chosen], olt_drift.long[chosen])
    found["measured_by"] = np.where(at_olt, "olt", "box")[chosen]
    found["row"] = chosen
    # One incident stands for the siblings of a PON; the boxes that fade alone come first.
    return found.sort_values(["shared", "worst_db"], kind="stable")


def _told_by(own: Drift, of_olt: Drift) -> tuple[Drift, Bools]:
    """Each box's own drift, else its OLT's, and for which that is; the OLT's limit is another."""
    at_olt = np.isinf(_worst(own)) & ~np.isinf(_worst(of_olt))
    merged = {
        f.name: np.where(at_olt, getattr(of_olt, f.name), getattr(own, f.name))
        for f in fields(Drift)
    }
    return replace(Drift(**merged), days_left=np.where(at_olt, np.nan, own.days_left)), at_olt


def _seen_to_fall(drift: Drift, days: int) -> np.ndarray:
    """dB that the trend fell over the days that were read, not over those it is drawn on to.

    Ten days of a box that reads whole dBm fall by 2 dB a month in one box of twenty, by nothing but
    rounding: that was two siblings on half of all PONs.
    """
    return -np.nan_to_num(drift.per_month, nan=0.0) * drift.long_count / days


def _worst(drift: Drift) -> np.ndarray:
    stack = np.vstack([drift.short, drift.middle, drift.long])
    return np.min(np.where(np.isnan(stack), np.inf, stack), axis=0, initial=np.inf).astype(
        np.float64
    )


def _hints(own: np.ndarray, at_olt: np.ndarray) -> list[str]:
    """Down- and upstream fell alike: a connector; only downstream, or more of it: a bend."""
    found: list[str] = []
    for down, up in zip(own, at_olt, strict=True):
        if np.isnan(down) or np.isnan(up):
            found.append("")
        elif down - up <= -BEND_DB:
            found.append("bend")
        elif up - down <= -BEND_DB:
            found.append("upstream")
        else:
            found.append("connector")
    return found


def fading_pons(found: pd.DataFrame) -> Records:
    """The PONs on which several boxes fade: the feeders that die before customers call."""
    shared = found[found["shared"]]
    pons: Records = []
    for (olt, pon), rows in shared.groupby(["olt", "pon"], sort=False):
        left = rows["days_left"].dropna()
        pons.append(
            {
                "kind": "fading_pon", "olt": str(olt), "pon": str(pon),
                "siblings": len(rows), "of": int(rows["of"].max()),
                "median_db": round(float(rows["worst_db"].median()), 2),
                "days_left": None if left.empty else round(float(left.min()), 0),
                "hint": _common(rows["hint"]), "serials": _names(rows),
            }
        )  # fmt: skip
    return sorted(pons, key=lambda one: (-one["siblings"], one["median_db"]))


def _common(hints: pd.Series) -> str:
    told = hints[hints != ""]
    return "" if told.empty else str(told.value_counts().index[0])


def _names(rows: pd.DataFrame) -> list[str]:
    names = rows["serial"].astype(object).fillna(rows["gpon_serial"].astype(object))
    return [str(name) for name in names.head(SHOWN)]


def pon_table(view: View, judgement: FleetJudgement, found: pd.DataFrame) -> pd.DataFrame:
    """One row a PON: how many, how many down, weak, fading, median Rx power; for maps and lists."""
    boxes = view.boxes
    table = pd.DataFrame(
        {
            "olt": boxes["known_olt"].astype(object).to_numpy(),
            "pon": boxes["known_pon"].astype(object).to_numpy(),
            "rx_dbm": view.rx_dbm,
            "down": view.is_down,
            "weak": judgement.verdict == words.VERDICTS.index(Code.FIBRE_WEAK),
            "silent": judgement.verdict == words.VERDICTS.index(Code.MANAGEMENT_SILENT),
            "not_evaluable": judgement.statuses["optical.rx_power_in_band"].to_numpy()
            == words.UNKNOWN,
        }
    )
    table["fading"] = False
    table.loc[found["row"].to_numpy(), "fading"] = True
    table = table[table["pon"].notna() & (table["pon"] != "")]
    grouped = table.groupby(["olt", "pon"], sort=True)
    pons = grouped[["down", "weak", "silent", "fading", "not_evaluable"]].sum().astype(int)
    pons["boxes"] = grouped.size()
    pons["rx_median_dbm"] = grouped["rx_dbm"].median().round(2)
    pons["rx_p10_dbm"] = grouped["rx_dbm"].quantile(0.1).round(2)
    return pons.reset_index()
