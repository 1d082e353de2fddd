"""The air and the mesh, vectorised: `cpe.rules.wifi` and `mesh` over the radios and nodes."""
# pyright: basic

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from cpe.domain.verdict import Code
from cpe.fleet.line import Judged, blame, choose, no_cause
from cpe.fleet.view import View
from cpe.fleet.words import DEGRADED, FAULT, NOT_APPLICABLE, OK, UNKNOWN, Bools, Floats

WIRED: Final = ("ethernet", "pon", "moca", "ghn", "hpna", "homeplug", "upa")


def spread(view: View, values: pd.Series) -> Floats:
    """Values by box number as one value a box, NaN where there is none."""
    found = np.full(len(view), np.nan)
    found[values.index.to_numpy(dtype=np.int64)] = values.to_numpy(dtype=np.float64)
    return found


def channel_is_free(view: View) -> Judged:
    """The busiest channel's utilisation."""
    limits = view.thresholds.wifi
    on = view.radios_on
    worst = spread(view, on.groupby("box", sort=False)["utilisation_pct"].max())
    status = choose(
        [
            (view.flags("no_utilisation") | _all_off(view), NOT_APPLICABLE),
            (np.isnan(worst), UNKNOWN),
            (worst > limits.utilisation_bad_pct, FAULT),
            (worst >= limits.utilisation_watch_pct, DEGRADED),
            (_in_part(view, on, "utilisation_pct"), UNKNOWN),
        ],
        OK,
    )
    return status, blame(status == FAULT, Code.WIFI_INTERFERENCE)


def noise_is_low(view: View) -> Judged:
    """The noise furthest above what its band bears."""
    limits = view.thresholds.wifi
    radios = view.radios_on[view.radios_on["noise_dbm"].notna()]
    bands = radios["band"].astype(object).map(limits.noise_watch_dbm).astype(np.float64)
    watch = bands.fillna(max(limits.noise_watch_dbm.values()))
    margin = radios["noise_dbm"] - watch
    # The first of the furthest, as max() takes it.
    order = margin.groupby(radios["box"], sort=False).idxmax()
    chosen = radios.loc[order]
    worst = spread(view, chosen.set_index("box")["noise_dbm"])
    bears = spread(view, watch.loc[order].set_axis(chosen["box"].to_numpy()))
    status = choose(
        [
            (view.flags("no_noise") | _all_off(view), NOT_APPLICABLE),
            (np.isnan(worst), UNKNOWN),
            (worst >= limits.noise_bad_dbm, FAULT),
            (worst > bears, DEGRADED),
            (_in_part(view, view.radios_on, "noise_dbm"), UNKNOWN),
        ],
        OK,
    )
    return status, blame(status == FAULT, Code.WIFI_INTERFERENCE)


def _all_off(view: View) -> Bools:
    """Boxes with radios of which none is on."""
    return _have(view, view.radios) & ~_have(view, view.radios_on)


def satellites(view: View) -> pd.DataFrame:
    """Mesh nodes other than the box itself: the controller, else its MAC, else the first node."""
    nodes = view.nodes
    size = nodes.groupby("box", sort=False)["box"].transform("size")
    first = ~nodes["box"].duplicated()
    own = view.boxes["mac"].astype(object).to_numpy()[nodes["box"].to_numpy()]
    has_own = pd.notna(own)
    macs = nodes["mac"].fillna("").astype(object).to_numpy()
    same = (macs == np.where(has_own, own, None)) & has_own
    told = nodes["is_controller"].notna().to_numpy()
    controls = nodes["is_controller"].astype(object).eq(True).to_numpy()
    same &= ~told
    known = [nodes["box"].isin(nodes["box"][found]).to_numpy() for found in (controls, same)]
    is_box = np.select(known, [controls, same], first.to_numpy() & ~told)
    return nodes[~is_box & ((size > 1).to_numpy() | has_own | told)]


def nodes_are_active(view: View) -> Judged:
    """A satellite that is known and not there."""
    found = satellites(view)
    active = found["active"].astype("float64")
    least = spread(view, active.groupby(found["box"], sort=False).min())
    status = choose(
        [
            (_alone(view, found), NOT_APPLICABLE),
            (np.isnan(least), UNKNOWN),
            (least == 0, FAULT),
            (_in_part(view, found, "active"), UNKNOWN),
        ],
        OK,
    )
    return status, blame(status == FAULT, Code.MESH_BACKHAUL)


def backhaul_signal_is_good(view: View) -> Judged:
    """Signal of the wireless backhauls."""
    limits, up = view.thresholds.mesh, _up(satellites(view))
    wireless = up[~up["backhaul_type"].astype(object).isin(WIRED)]
    worst = spread(view, wireless.groupby("box", sort=False)["backhaul_rssi_dbm"].min())
    status = choose(
        [
            (_alone(view, wireless), NOT_APPLICABLE),
            (np.isnan(worst), UNKNOWN),
            (worst < limits.rssi_bad_dbm, FAULT),
            (worst < limits.rssi_watch_dbm, DEGRADED),
            (_in_part(view, wireless, "backhaul_rssi_dbm"), UNKNOWN),
        ],
        OK,
    )
    return status, blame(status == FAULT, Code.MESH_BACKHAUL)


def backhaul_has_room(view: View) -> Judged:
    """Load of the backhauls."""
    limits, up = view.thresholds.mesh, _up(satellites(view))
    worst = spread(view, up.groupby("box", sort=False)["backhaul_utilisation_pct"].max())
    status = choose(
        [
            (_alone(view, up), NOT_APPLICABLE),
            (np.isnan(worst), UNKNOWN),
            (worst > limits.utilisation_bad_pct, FAULT),
            (worst >= limits.utilisation_watch_pct, DEGRADED),
            (_in_part(view, up, "backhaul_utilisation_pct"), UNKNOWN),
        ],
        OK,
    )
    return status, blame(status == FAULT, Code.MESH_BACKHAUL)


def serial_is_unique(view: View) -> Judged:
    """Two boxes of the ACS with one serial."""
    serials = view.boxes["serial"].astype(object).where(view.acs_known)
    double = serials.notna() & serials.duplicated(keep=False)
    status = choose([(~view.acs_known, NOT_APPLICABLE), (double.to_numpy(), DEGRADED)], OK)
    return status, no_cause(view)


def _have(view: View, rows: pd.DataFrame) -> Bools:
    have = np.zeros(len(view), dtype=bool)
    have[rows["box"].to_numpy(dtype=np.int64)] = True
    return have


def _alone(view: View, rows: pd.DataFrame) -> Bools:
    """Boxes whose mesh was listed and has none of these nodes; of no list nothing is known."""
    return _have(view, view.nodes) & ~_have(view, rows)


def _in_part(view: View, rows: pd.DataFrame, name: str) -> Bools:
    """Which boxes have a row without this reading."""
    return _have(view, rows[rows[name].isna()])


def _up(nodes: pd.DataFrame) -> pd.DataFrame:
    return nodes[~nodes["active"].eq(False).fillna(False)]
