"""What earlier sweeps and boots say of each box, laid beside today's frame."""
# pyright: basic

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
import pandas as pd

from cpe.domain.boots import distinct_boots
from cpe.fleet.baseline import Past, empty_past, medians
from cpe.fleet.neighbourhood import on_our_clock
from cpe.profiles.thresholds import Thresholds

DAY_S: Final = 86_400.0
Day = tuple[int, Sequence[int], Sequence[int]]
"""(days before today, box ids, hundredths of a dBm)."""
Place = tuple[np.ndarray, np.ndarray]


class Album:
    """Lays kept days beside the fleet's rows, one at a time; `known["id"]` names the boxes.

    Of a box that was moved only the days since: another PON is another loss, no decay.
    """

    def __init__(self, fleet: pd.DataFrame, known: pd.DataFrame, span: int, *, today: int) -> None:
        self._row_of = _rows_by_id(fleet, known)
        self._size, self._span = len(fleet), span
        self._days_in_place = _days_in_place(fleet, known, today)

    def empty(self) -> Past:
        """No day yet."""
        return empty_past(self._size, self._span)

    def lay(self, past: Past, day: Day) -> None:
        """Put one day in its place."""
        age, ids, values = day
        if not 1 <= age <= self._span or not len(ids):
            return
        at = np.asarray(ids, dtype=np.int64)
        rows = np.where(
            at < len(self._row_of), self._row_of[np.minimum(at, len(self._row_of) - 1)], -1
        )
        kept = (rows >= 0) & (age <= self._days_in_place[rows])
        past.values[rows[kept], age - 1] = np.asarray(values, dtype=np.int16)[kept]


def has_moved(now: Place, before: Place) -> np.ndarray:
    """Whether both places, of OLTs and PONs, are told and are not one."""
    both = pd.notna(now[0]) & pd.notna(before[0])
    other_pon = _told(now[1]) & _told(before[1]) & (now[1] != before[1])
    return both & ((now[0] != before[0]) | other_pon)


def _told(pons: np.ndarray) -> np.ndarray:
    return pd.notna(pons) & (pons != "")


def _days_in_place(fleet: pd.DataFrame, known: pd.DataFrame, today: int) -> np.ndarray:
    """How many days back each box hung where it hangs now."""
    before = fleet["before"].to_numpy(dtype=np.int64)
    found = np.full(max(len(fleet), 1), np.inf)
    rows = np.flatnonzero(before >= 0)
    was = known[["olt", "pon", "placed_at"]].take(before[rows])
    placed_at = was["placed_at"].to_numpy(dtype=np.float64)
    found[rows] = np.where(np.isnan(placed_at), np.inf, today - placed_at // DAY_S)
    now = (_texts(fleet["known_olt"].iloc[rows]), _texts(fleet["known_pon"].iloc[rows]))
    found[rows[has_moved(now, (_texts(was["olt"]), _texts(was["pon"])))]] = 0
    return found


def _texts(values: pd.Series) -> np.ndarray:
    found = values.astype(object).to_numpy().copy()
    found[pd.isna(found)] = None
    return found


def _rows_by_id(fleet: pd.DataFrame, known: pd.DataFrame) -> np.ndarray:
    """For each box id the fleet's row, −1 where it is not there."""
    before = fleet["before"].to_numpy(dtype=np.int64)
    ids = known["id"].to_numpy(dtype=np.int64)
    found = np.full(int(ids.max(initial=0)) + 1, -1, dtype=np.int64)
    rows = np.flatnonzero(before >= 0)
    found[ids[before[rows]]] = rows
    return found


def past_frame(
    fleet: pd.DataFrame,
    known: pd.DataFrame,
    own: Past,
    of_olt: Past,
    boots: pd.DataFrame,
    now: float,
    thresholds: Thresholds,
) -> pd.DataFrame:
    """The facts about the past that the rules ask for; `boots` has box (ACS id) and booted_at."""
    days = thresholds.fleet.baseline_days[-1]
    told_by_olt = fleet["rx_dbm"].isna().to_numpy() & fleet["ont_rx_dbm"].notna().to_numpy()
    own_median, own_count = medians(own.within(days))
    olt_median, olt_count = medians(of_olt.within(days))
    past = pd.DataFrame(
        {
            "rx_median": np.where(told_by_olt, olt_median, own_median),
            "rx_count": np.where(told_by_olt, olt_count, own_count),
        }
    )
    counted, is_known = _boots(fleet, boots, now, thresholds.hardware.reboots_per_day)
    past["boots"], past["boots_known"] = counted, is_known
    cause = fleet["cause"].astype(object)
    down_at = fleet["down_at"].to_numpy(dtype=np.float64)
    gasped = (cause == "dying_gasp").to_numpy()
    told = (cause.notna() & (cause != "unknown")).to_numpy()
    down_at = on_our_clock(down_at, now)
    past["power_known"] = told & (~gasped | ~np.isnan(down_at))
    gasped_today = gasped & (down_at >= now - DAY_S)
    past["explained"] = gasped_today | _firmware_changed(fleet, known, now)
    return past


def _firmware_changed(fleet: pd.DataFrame, known: pd.DataFrame, now: float) -> np.ndarray:
    """Another firmware than at the last sweep, or another since less than a day."""
    if not len(known):
        return np.zeros(len(fleet), dtype=bool)
    before = fleet["before"].to_numpy(dtype=np.int64)
    current = fleet["firmware"].astype(object).to_numpy()
    old = _at(known["firmware"].astype(object).to_numpy(), before)
    since = _at(known["firmware_since"].to_numpy(dtype=np.float64), before).astype(np.float64)
    older = _at(known["firmware_before"].astype(object).to_numpy(), before)
    have_old, have_older = pd.notna(old), pd.notna(older)
    changed_since = have_old & pd.notna(current) & (current != old)
    changed_today = have_old & have_older & (since >= now - DAY_S)
    return changed_since | changed_today


def _at(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    found = values[np.maximum(rows, 0)].astype(object)
    found[rows < 0] = np.nan
    return found


def _boots(
    fleet: pd.DataFrame, boots: pd.DataFrame, now: float, limit: int
) -> tuple[np.ndarray, np.ndarray]:
    """(distinct boots of the last 24 h, whether any boot is known at all).

    Exact where there may be `limit` of them; below that only that there are fewer matters, so
    the number is how many there could be at most.
    """
    last = fleet["last_boot"].to_numpy(dtype=np.float64)
    uptime = fleet["uptime_s"].to_numpy(dtype=np.float64)
    read_at = fleet["uptime_at"].to_numpy(dtype=np.float64)
    began = read_at - uptime
    kept = boots.groupby("box", sort=False)["booted_at"]
    ids = fleet["acs_id"].astype(object)
    recent = ids.map(kept.size()).fillna(0).to_numpy(dtype=np.int64)
    day_ago = now - DAY_S
    counted = recent + (last >= day_ago) + (began >= day_ago)
    is_known = (recent > 0) | ~np.isnan(last) | ~np.isnan(began)
    several = np.flatnonzero(counted >= limit)
    groups = dict(iter(kept)) if len(several) else {}
    for row in several:
        known = [_moment(at) for at in groups.get(ids.iloc[row], ())]
        known += [_moment(last[row])] if not np.isnan(last[row]) else []
        runs = []
        if not np.isnan(began[row]):
            at = _moment(read_at[row])
            runs = [(at - timedelta(seconds=float(uptime[row])), at)]
        counted[row] = len(distinct_boots(known, runs, _moment(now)))
    return counted, is_known


def _moment(epoch_s: float) -> datetime:
    return datetime.fromtimestamp(float(epoch_s), UTC)
