"""ACS ⨝ OLT ⨝ what was known before ⨝ equipment: one row for every box that anybody showed.

A box is one row whether the ACS, an OLT or both show it. NaN is not measured; a row that an OLT
alone shows has no reading of the box's own.
"""
# pyright: basic

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from cpe.domain.serials import identity_key
from cpe.fleet import words
from cpe.fleet.neighbourhood import NEIGHBOUR_COUNTS, count_neighbours, on_our_clock
from cpe.fleet.words import Bools
from cpe.profiles.cpe_profile import profiles
from cpe.profiles.quantities import COARSE, placeholders_of, quantities
from cpe.profiles.thresholds import Line, Thresholds

_READINGS = {
    "rx_dbm": ("optical.rx_dbm", "rx_step"), "ont_rx_dbm": ("optical.rx_dbm", ""),
    "olt_rx_dbm": ("optical.olt_rx_dbm", ""), "tx_dbm": ("optical.tx_dbm", "tx_step"),
    "temperature_c": ("optical.temperature_c", "temperature_step"),
}  # fmt: skip
"""Columns that hold a source's word for a quantity, and the column of its resolution."""
_FROM_OLT = (
    "olt", "pon", "ont", "ont_index", "down_at", "olt_rx_dbm", "ont_rx_dbm", "walked_at",
    "pon_read",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sources:
    """How the sources of a sweep fared. `acs_whole`: its answer was proved whole.

    `olts_failed` says why an OLT was not read to its end, by name. `known` is what earlier sweeps
    knew: a frame with key, acs_id, serial, gpon_serial, olt, pon and more; empty the first time.
    """

    now: float
    acs_configured: bool
    acs_whole: bool
    acs_detail: str
    olts_asked: tuple[str, ...]
    olts_failed: Mapping[str, str]
    acs_hears: bool = True
    """False when hardly any box informs: then the ACS is in trouble, not the boxes."""

    @property
    def acs_is_down(self) -> bool:
        """Whether the ACS's silence about a box means nothing."""
        return self.acs_configured and not self.acs_hears


def join(
    boxes: pd.DataFrame,
    onts: pd.DataFrame,
    known: pd.DataFrame,
    equipment: pd.DataFrame,
    sources: Sources,
    thresholds: Thresholds,
) -> pd.DataFrame:
    """The fleet as one frame. The first len(boxes) rows are the ACS's, in their order."""
    onts = _without_left_behind(onts)
    neighbours = count_neighbours(onts, sources.now, thresholds.line)
    onts = onts.assign(**neighbours)
    best = _best_rows(onts, sources.now)
    fleet = boxes.copy(deep=False)
    fleet["acs_known"] = True
    fleet["key"] = "acs:" + fleet["acs_id"]
    before = positions(known["key"], fleet["key"])
    rows = positions(best["gpon_serial"], fleet["gpon_serial"])
    if len(known):
        earlier = _taken(known["gpon_serial"], before)
        rows = np.where(rows >= 0, rows, positions(best["gpon_serial"], earlier))
        fleet["gpon_serial"] = fleet["gpon_serial"].fillna(earlier)
    rows = _one_box_each(rows, fleet["last_inform"].to_numpy(dtype=np.float64))
    extra = _only_on_olts(best, rows, known)
    acs_row_of_ont = np.concatenate([rows, extra["ont_row"].to_numpy(dtype=np.int64)])
    fleet = _stacked(fleet, extra.drop(columns="ont_row"))
    fleet = _with_ont(fleet, best, acs_row_of_ont)
    fleet = _with_neighbours(fleet, sources.now, thresholds.line)
    _forget_placeholders(fleet)
    fleet = _with_known(fleet, known, sources)
    fleet = _with_equipment(fleet, equipment)
    return _with_family(fleet)


def _without_left_behind(onts: pd.DataFrame) -> pd.DataFrame:
    """Without the rows of ONTs that are online elsewhere: moved, and still provisioned there."""
    if not onts["gpon_serial"].dropna().duplicated().any():
        return onts
    online = onts["state"].astype(object).eq("online")
    elsewhere = onts["gpon_serial"].isin(onts.loc[online, "gpon_serial"].dropna())
    return onts[online | ~elsewhere].reset_index(drop=True)


def _best_rows(onts: pd.DataFrame, now: float) -> pd.DataFrame:
    """One row per serial: the online one, else where it went down last.

    Two OLTs have two clocks: what cannot be of ours is no time.
    """
    has_serial = onts["gpon_serial"].notna()
    named = onts if has_serial.all() else onts[has_serial].reset_index(drop=True)
    if named["gpon_serial"].is_unique:
        return named
    ranked = named.assign(
        _online=named["state"].eq("online"),
        _at=np.nan_to_num(on_our_clock(named["down_at"].to_numpy(dtype=np.float64), now)),
    ).sort_values(["_online", "_at"], ascending=False, kind="stable")
    kept = ranked.drop_duplicates("gpon_serial").drop(columns=["_online", "_at"])
    return kept.sort_index().reset_index(drop=True)


def positions(index: pd.Series, wanted: pd.Series) -> np.ndarray:
    """Where each wanted value is in the index (its first place), −1 for nowhere or nothing."""
    options = pc.SetLookupOptions(_texts(index), skip_nulls=True)
    found = pc.call_function("index_in", [_texts(wanted)], options)
    return found.fill_null(-1).to_numpy().astype(np.int64)


def _texts(values: pd.Series) -> pa.Array:
    """As Arrow has them: 100,000 Python strings would be 8 MB for each look-up."""
    made = pa.array(values, type=pa.large_string(), from_pandas=True)
    return made.combine_chunks() if isinstance(made, pa.ChunkedArray) else made


def identity_keys(values: pd.Series) -> pd.Series:
    """`identity_key` of each text: without case and separators, GPON serials in hex as text."""
    texts = values.astype(pd.StringDtype("pyarrow"))
    plain = texts.str.replace(r"[\s:\-._]", "", regex=True).str.upper()
    # Only hex, MACs without their zeroes and ZTE's `1,ZTEG…` need more, and few are of these.
    odd = plain.str.fullmatch("[0-9A-F]{16}") | texts.str.contains(
        r"(?:^|[:\-. ])[0-9A-Fa-f](?:[:\-. ]|$)|^\s*\d,|[^\x00-\x7f]", regex=True
    )
    keys = plain.astype(object).to_numpy().copy()
    keys[plain.fillna("").eq("").to_numpy(dtype=bool)] = None
    for at in np.flatnonzero(odd.fillna(False).to_numpy(dtype=bool)):
        keys[at] = identity_key(str(values.iloc[at]))
    return pd.Series(keys, dtype=object)


def _taken(values: pd.Series, at: np.ndarray) -> pd.Series:
    """`values[at]`, missing where `at` is −1."""
    return values.reset_index(drop=True).reindex(np.where(at >= 0, at, -1)).reset_index(drop=True)


def _one_box_each(rows: np.ndarray, informed: np.ndarray) -> np.ndarray:
    """Of several boxes that claim one ONT, it is that of the latest Inform.

    A box that registered under another name leaves a document behind, which is not silent but old.
    """
    order = np.argsort(-np.nan_to_num(informed, nan=-np.inf), kind="stable")
    again = pd.Series(rows[order]).duplicated().to_numpy() & (rows[order] >= 0)
    if not again.any():
        return rows
    rows = rows.copy()
    rows[order[again]] = -1
    return rows


def _only_on_olts(best: pd.DataFrame, rows: np.ndarray, known: pd.DataFrame) -> pd.DataFrame:
    """The ONTs that no box of the ACS's answer claims; under the name they had before, if any."""
    claimed = np.zeros(len(best), dtype=bool)
    claimed[rows[rows >= 0]] = True
    at = np.flatnonzero(~claimed)
    serials = best["gpon_serial"].iloc[at].reset_index(drop=True)
    extra = pd.DataFrame({"gpon_serial": serials, "ont_row": at, "acs_known": False})
    extra["key"] = "olt:" + serials
    if len(known):
        before = positions(known["gpon_serial"], serials)
        for name in ("acs_id", "serial", "model", "firmware", "family", "manufacturer"):
            if name in known:
                extra[name] = _taken(known[name], before)
        extra["key"] = _taken(known["key"], before).fillna(extra["key"])
    extra["key"] = extra["key"].astype(pd.StringDtype("pyarrow"))
    return extra


def _stacked(fleet: pd.DataFrame, extra: pd.DataFrame) -> pd.DataFrame:
    """The one above the other, every column keeping its type."""
    columns: dict[str, pd.Series] = {}
    for name in fleet:
        above, dtype = fleet[name], fleet[name].dtype
        below = extra[name].astype(object) if name in extra else pd.Series([None] * len(extra))
        if isinstance(dtype, pd.CategoricalDtype):
            new = pd.Index(below.dropna().unique()).difference(dtype.categories)
            above = above.cat.add_categories(new)
            dtype = above.dtype
        elif not pd.api.types.is_bool_dtype(dtype):
            below = below.where(below.notna(), np.nan if dtype == np.float64 else None)
        below = below.astype(dtype)
        columns[str(name)] = pd.concat([above, below], ignore_index=True) if len(extra) else above
    return pd.DataFrame(columns)


def _with_ont(fleet: pd.DataFrame, best: pd.DataFrame, rows: np.ndarray) -> pd.DataFrame:
    at = pd.Series(rows)
    for name in (*_FROM_OLT, *NEIGHBOUR_COUNTS):
        fleet[name] = _taken(best[name], rows)
    states = best["state"].map({s: n for n, s in enumerate(words.STATES)}).astype("float64")
    fleet["state"] = _taken(states, rows).fillna(words.NOT_ON_OLT).astype(np.int8)
    fleet["cause"] = _taken(best["cause"], rows)
    if "technology" in best:
        fleet["olt_technology"] = _taken(best["technology"], rows)
    fleet["on_olt"] = at.ge(0).to_numpy()
    fleet["pon_read"] = fleet["pon_read"].eq(True).to_numpy()
    return fleet


def _with_neighbours(fleet: pd.DataFrame, now: float, limits: Line) -> pd.DataFrame:
    """The neighbours by our clock; by the OLT's own where the box informed since it went down, as
    its OLT has it, long ago."""
    long_ago = now - limits.churned_days * 86_400
    down_at = fleet["down_at"].to_numpy(dtype=np.float64)
    informed = fleet["last_inform"].to_numpy(dtype=np.float64)
    down = np.isin(fleet["state"].to_numpy(), (words.LOS, words.DYING_GASP, words.OFFLINE))
    contradicted = down & (down_at < long_ago) & (informed >= long_ago)
    for name in ("neighbours_down", "neighbours_up"):
        fleet[name] = np.where(contradicted, fleet[f"{name}_by_olt"], fleet[name])
    return fleet.drop(columns=["neighbours_down_by_olt", "neighbours_up_by_olt"])


def _forget_placeholders(fleet: pd.DataFrame) -> None:
    """What stands for "no reading" is none, whoever sent it; as `cpe.rules.facts` has it."""
    for name, (measurement, step) in _READINGS.items():
        quantity = placeholders_of(measurement)
        values = fleet[name].to_numpy(dtype=np.float64)
        if quantity is None:
            continue
        nothing = np.isin(values, quantity.sentinels)
        if quantity.fine_sentinels:
            coarse = step in fleet and fleet[step].to_numpy(dtype=np.float64) >= COARSE
            nothing |= np.isin(values, quantity.fine_sentinels) & ~coarse
        if quantity.detectable_min is not None and measurement in quantities():
            nothing |= values < quantity.detectable_min
        fleet[name] = np.where(nothing, np.nan, values)


def _with_known(fleet: pd.DataFrame, known: pd.DataFrame, sources: Sources) -> pd.DataFrame:
    """Where a box was before, and whether an OLT that may have it could not be read."""
    before = positions(known["key"], fleet["key"])
    fleet["before"] = before
    old_olt = _taken(known["olt"], before).astype(object)
    failed = set(sources.olts_failed)
    elsewhere = ~fleet["on_olt"].to_numpy()
    fleet["olt_failed"] = elsewhere & (
        old_olt.isin(failed).to_numpy() | (old_olt.isna().to_numpy() & bool(failed))
    )
    fleet["known_olt"] = _or(fleet["olt"], old_olt)
    fleet["known_pon"] = _or(fleet["pon"], _taken(known["pon"], before))
    # Not in a whole answer is not there; not in half an answer is not known.
    fleet["acs_unsure"] = ~fleet["acs_known"].to_numpy(dtype=bool) & (
        not sources.acs_whole or sources.acs_is_down
    )
    return fleet


def _or(told: pd.Series, otherwise: pd.Series) -> pd.Series:
    """What was told now, else what was known before; as categories."""
    now, before = told.astype(object), otherwise.astype(object)
    return now.where(now.notna(), before).astype("category")


def _with_equipment(fleet: pd.DataFrame, equipment: pd.DataFrame) -> pd.DataFrame:
    """The ERPNext document of each box, by TR-069 serial, GPON serial or MAC in any notation."""
    held = identity_keys(equipment["serial"])
    rows = np.full(len(fleet), -1)
    for name in ("serial", "gpon_serial", "mac"):
        rows = np.where(rows >= 0, rows, positions(held, identity_keys(fleet[name])))
    fleet["equipment"] = _taken(equipment["equipment"], rows)
    fleet["equipment_status"] = _taken(equipment["status"], rows)
    return fleet


def _with_family(fleet: pd.DataFrame) -> pd.DataFrame:
    """What each family cannot report; a temperature that it does not even list."""
    family = fleet["family"].astype(object)
    by_id = {p.id: p for p in profiles()}

    def families(test: object) -> Bools:
        return family.isin([i for i, p in by_id.items() if test(p)]).to_numpy()  # type: ignore[operator]

    fleet["lists_temperature"] = families(lambda p: "optical.temperature_c" in p.quantities)
    fleet["no_utilisation"] = families(lambda p: "wifi.utilisation_pct" in p.cannot_report)
    fleet["no_noise"] = families(lambda p: "wifi.noise_dbm" in p.cannot_report)
    return fleet


def forget_the_dead(
    fleet: pd.DataFrame, radios: pd.DataFrame, nodes: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What a box said before it went down says nothing of now: stale, in the frame itself.

    A diagnosis has no such readings, being at most a minute old. A box that informed after the
    walk is not dead.
    """
    down = np.isin(fleet["state"].to_numpy(), (words.LOS, words.DYING_GASP, words.OFFLINE))
    informed = fleet["last_inform"].to_numpy(dtype=np.float64)
    dead = down & ~(informed >= fleet["walked_at"].to_numpy(dtype=np.float64))
    if not dead.any():
        return radios, nodes
    had_rx = dead & fleet["rx_dbm"].notna().to_numpy()
    for name in ("rx_dbm", "tx_dbm", "temperature_c", "uptime_s", "uptime_at"):
        fleet[name] = fleet[name].mask(dead)
    quality = fleet["rx_quality"].astype(object)
    fleet["rx_quality"] = quality.mask(had_rx, "stale").astype("category")
    radios, nodes = radios.copy(), nodes.copy()
    off_radio, off_node = dead[radios["box"].to_numpy()], dead[nodes["box"].to_numpy()]
    for name in ("utilisation_pct", "noise_dbm"):
        radios[name] = radios[name].mask(off_radio)
    for name in ("active", "backhaul_type", "backhaul_rssi_dbm", "backhaul_utilisation_pct"):
        nodes[name] = nodes[name].astype(object).mask(off_node)
    radios["enabled"] = radios["enabled"].astype(object).mask(off_radio).astype("boolean")
    nodes["active"] = nodes["active"].astype("boolean")
    for name in ("backhaul_rssi_dbm", "backhaul_utilisation_pct"):
        nodes[name] = nodes[name].astype("float64")
    return radios, nodes
