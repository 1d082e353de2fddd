"""A whole sweep from its frames: join, judge, compare with the past, conclude. Pure."""
# pyright: basic

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals

from cpe.domain.verdict import Code
from cpe.fleet import coverage as cover
from cpe.fleet import incidents, lists, words
from cpe.fleet.baseline import Drift
from cpe.fleet.compare import Compared
from cpe.fleet.frames import give_back
from cpe.fleet.join import Sources, forget_the_dead, join
from cpe.fleet.joined import Frames, Joined
from cpe.fleet.judge import NOT_CLAIMED, FleetJudgement, judge
from cpe.fleet.view import View
from cpe.profiles.thresholds import Thresholds

KNOWN_COLUMNS: Final = (
    "id", "key", "acs_id", "serial", "gpon_serial", "model", "firmware", "firmware_since",
    "firmware_before", "olt", "pon", "placed_at", "in_acs", "on_olt", "last_boot", "rx_at",
    "verdict",
)  # fmt: skip
BIN_DB: Final = 0.5
RX_RANGE: Final = (-32.0, -4.0)


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What a sweep found. `summary` is JSON; `rows` has a line for every box, for keeping."""

    coverage: dict[str, Any]
    summary: dict[str, Any]
    reasons: tuple[str, ...]
    """Why the sweep is incomplete; empty when it is complete."""
    rows: pd.DataFrame
    pons: pd.DataFrame
    fading: pd.DataFrame


def known_frame(columns: Mapping[str, Sequence[Any]]) -> pd.DataFrame:
    """What earlier sweeps knew, also when that is nothing."""
    text = pd.StringDtype("pyarrow")
    found = pd.DataFrame(
        {name: pd.Series(columns.get(name, []), dtype=object) for name in KNOWN_COLUMNS}
    )
    for name in ("firmware_since", "placed_at", "last_boot", "rx_at"):
        found[name] = found[name].astype("float64")
    for name in ("in_acs", "on_olt"):
        found[name] = found[name].astype(bool)
    found["id"] = found["id"].astype("int64")
    for name in ("key", "acs_id", "serial", "gpon_serial"):
        found[name] = found[name].astype(text)
    for name in ("model", "firmware", "firmware_before", "olt", "pon", "verdict"):
        found[name] = found[name].astype("category")
    return found


def joined_known(chunks: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The chunks of what was known as one frame."""
    if len(chunks) < 2:
        return chunks[0] if chunks else known_frame({})
    for name in chunks[0]:
        if isinstance(chunks[0][name].dtype, pd.CategoricalDtype):
            every = union_categoricals([chunk[name] for chunk in chunks]).categories
            for chunk in chunks:
                chunk[name] = chunk[name].cat.set_categories(every)
    return pd.concat(chunks, ignore_index=True)


def join_frames(frames: Frames, sources: Sources, thresholds: Thresholds) -> Joined:
    """One row for every box."""
    fleet = join(frames.boxes, frames.onts, frames.known, frames.equipment, sources, thresholds)
    radios, nodes = forget_the_dead(fleet, frames.radios, frames.nodes)
    # What was joined is not kept twice: a fleet's frames are most of a sweep's memory.
    left = replace(
        frames, boxes=frames.boxes.iloc[:0], onts=frames.onts.iloc[:0], radios=radios, nodes=nodes
    )
    give_back()
    return Joined(fleet, left, sources, len(frames.boxes))


def conclude(
    joined: Joined, compared: Compared, olts: Sequence[cover.OltRead], thresholds: Thresholds
) -> Conclusion:
    """Judge the fleet and say what follows."""
    fleet, frames, sources = joined.fleet, joined.frames, joined.sources
    limits = thresholds.fleet
    give_back()
    view = View(fleet, frames.radios, frames.nodes, sources, thresholds, compared.past)
    judgement = judge(view)
    give_back()
    own = compared.own
    fading = incidents.fading(view, own, compared.at_olt)
    give_back()
    worst_db = np.full(len(fleet), np.nan)
    worst_db[fading["row"].to_numpy()] = fading["worst_db"].to_numpy()
    score = lists.scores(view, judgement, worst_db)
    give_back()
    covered = cover.coverage(
        view, judgement.statuses, frames.known, frames.equipment, olts, joined.acs_rows
    )
    reasons = cover.incomplete_because(covered, sources, limits)
    outages = incidents.outages(view)
    pons = incidents.pon_table(view, judgement, fading)
    give_back()
    summary = {
        "schema": "cpe.sweep/1",
        "verdicts": _verdicts(judgement),
        "watched": int(judgement.watched.sum()),
        "findings": _findings(judgement),
        "changes": _changes(fleet, frames.known, judgement),
        "rx": _distribution(view),
        "outages": [] if reasons else outages,
        "outages_withheld": len(outages) if reasons else 0,
        "fading_pons": incidents.fading_pons(fading),
        "fading": _records(fading, lists.TOP),
        "fading_count": len(fading),
        "worst": lists.worst_boxes(view, judgement, score),
        "weak": lists.of_verdict(view, judgement, Code.FIBRE_WEAK, -view.rx_dbm),
        "overloaded": lists.of_verdict(view, judgement, Code.FIBRE_OVERLOAD, view.rx_dbm),
        "cut": lists.of_one_home(view, judgement, Code.FIBRE_CUT, score),
        "no_power": lists.of_one_home(view, judgement, Code.POWER_OFF, score),
        "long_down": lists.listed(view, view.long_down),
        "silent": lists.of_verdict(view, judgement, Code.MANAGEMENT_SILENT, score),
        "unreachable": lists.listed(
            view, view.unreachable, rank=np.nan_to_num(view.floats("last_inform"), nan=-np.inf)
        ),
        "not_in_acs": lists.listed(view, lists.never_in_acs(view, judgement)),
        "hardware": lists.of_verdict(view, judgement, Code.HARDWARE_FAULT, score),
        "reboot_loops": lists.of_rule(view, judgement, ["hardware.no_reboot_loop"], score),
        "congested": lists.of_rule(
            view, judgement, ["wifi.channel_is_free", "wifi.noise_is_low"], score
        ),
        "bad_backhauls": lists.of_rule(view, judgement, _MESH, score),
        "partly_read": lists.listed(view, view.partly_read),
        "not_judged": NOT_CLAIMED,
        "bands": lists.bands(view),
        "flapping": lists.flapping(view, compared.downs),
        "rebooting": lists.rebooting(view, compared.boots),
        "firmware": lists.firmware_outliers(view, judgement),
        "stock": lists.stock_truth(view, frames.equipment),
        "pons": _records(pons, None),
    }
    rows = _rows(view, judgement, own, score)
    _mark(rows, view, compared, fading)
    return Conclusion(covered, summary, tuple(reasons), rows, pons, fading)


_MESH: Final = [
    "mesh.nodes_are_active", "mesh.backhaul_signal_is_good", "mesh.backhaul_has_room",
]  # fmt: skip


def _verdicts(judgement: FleetJudgement) -> dict[str, int]:
    counts = np.bincount(judgement.verdict, minlength=len(words.VERDICTS))
    return {code.value: int(n) for code, n in zip(words.VERDICTS, counts, strict=True) if n}


def _findings(judgement: FleetJudgement) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for rule in judgement.statuses:
        counts = np.bincount(judgement.statuses[rule].to_numpy(), minlength=len(words.STATUSES))
        found[str(rule)] = {
            status.value: int(n) for status, n in zip(words.STATUSES, counts, strict=True)
        }
    return found


def _changes(
    fleet: pd.DataFrame, known: pd.DataFrame, judgement: FleetJudgement
) -> dict[str, Any] | None:
    """Per verdict: how many boxes have it anew, how many no longer; None without a past."""
    if not len(known):
        return None
    before = fleet["before"].to_numpy(dtype=np.int64)
    compared = before >= 0
    old = known["verdict"].astype(object).to_numpy()[np.maximum(before, 0)][compared]
    new = np.array([c.value for c in words.VERDICTS], dtype=object)[judgement.verdict][compared]
    moved = old != new
    appeared = pd.Series(new[moved]).value_counts()
    gone = pd.Series(old[moved]).value_counts()
    codes = [c.value for c in words.VERDICTS]
    return {
        "compared": int(compared.sum()),
        "moved": int(moved.sum()),
        "new_boxes": int((~compared).sum()),
        "by_verdict": {
            code: {"new": int(appeared.get(code, 0)), "gone": int(gone.get(code, 0))}
            for code in codes
            if code in appeared.index or code in gone.index
        },
    }


def _distribution(view: View) -> dict[str, Any]:
    """The histogram of Rx power in steps of 0.5 dB; what lies outside counts in the end bins."""
    rx = view.rx_dbm[~np.isnan(view.rx_dbm)]
    edges = np.arange(RX_RANGE[0], RX_RANGE[1] + BIN_DB, BIN_DB)
    counts, _ = np.histogram(np.clip(rx, RX_RANGE[0], RX_RANGE[1] - 1e-6), bins=edges)
    limits = view.thresholds.optical
    quantiles = np.quantile(rx, [0.01, 0.05, 0.5, 0.95]) if len(rx) else [None] * 4
    return {
        "measured": len(rx),
        "not_measured": len(view) - len(rx),
        "low_dbm": limits.rx_min_dbm,
        "high_dbm": limits.rx_max_dbm,
        "first_edge_dbm": RX_RANGE[0],
        "bin_db": BIN_DB,
        "counts": [int(n) for n in counts],
        **{
            name: lists.number(value)
            for name, value in zip(
                ("p1_dbm", "p5_dbm", "median_dbm", "p95_dbm"), quantiles, strict=True
            )
        },
    }


def _records(frame: pd.DataFrame, limit: int | None) -> list[dict[str, Any]]:
    shown = frame if limit is None else frame.head(limit)
    return [
        {str(k): _json(v) for k, v in row.items() if k != "row"} for row in shown.to_dict("records")
    ]


def _json(value: Any) -> Any:
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return None
    if isinstance(value, np.generic):
        value = value.item()
    return round(value, 2) if isinstance(value, float) else value


def _rows(view: View, judgement: FleetJudgement, own: Drift, score: np.ndarray) -> pd.DataFrame:
    """A line for every box: what is kept, and what is exported."""
    boxes = view.boxes
    names = (
        "key", "acs_id", "serial", "gpon_serial", "mac", "model", "firmware", "olt", "pon", "ont",
        "ont_index", "last_inform", "last_boot", "rx_dbm", "rx_at", "rx_quality", "ont_rx_dbm",
        "olt_rx_dbm", "tx_dbm", "temperature_c", "down_at", "walked_at", "cause", "acs_known",
        "acs_unsure", "on_olt", "before", "equipment", "equipment_status", "known_olt", "known_pon",
    )  # fmt: skip
    rows = boxes[list(names)].copy(deep=False)
    states = np.array([*words.STATES, None], dtype=object)
    rows["state"] = pd.Categorical(states[view.state])
    rows["verdict_code"] = judgement.verdict
    names_of = np.array([code.value for code in words.VERDICTS], dtype=object)
    rows["verdict"] = pd.Categorical(names_of[judgement.verdict], categories=names_of)
    rows["score"] = score
    rows["delta_db"] = np.round(own.long, 2)
    rows["delta_7_db"] = np.round(own.short, 2)
    rows["per_month_db"] = np.round(own.per_month, 2)
    rows["days_left"] = np.round(own.days_left, 0)
    for rule in judgement.statuses:
        rows[str(rule)] = judgement.statuses[rule]
    return rows


def _mark(rows: pd.DataFrame, view: View, compared: Compared, fading: pd.DataFrame) -> None:
    """What the lists count, for each box: they name a hundred of it, the export all."""
    kinds = np.full(len(rows), None, dtype=object)
    kinds[fading["row"].to_numpy()] = fading["kind"].to_numpy(dtype=object)
    rows["fading"] = pd.Categorical(kinds)
    rows["downs_7d"] = compared.downs.astype(np.int16)
    rows["boots_7d"] = compared.boots.astype(np.int16)
    rows["contact"] = pd.Categorical.from_codes(view.contact, pd.Index(words.CONTACTS))
    rows["long_down"], rows["partly_read"] = view.long_down, view.partly_read
