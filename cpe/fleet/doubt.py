"""Which stale boxes are worth asking again: where something shows that their silence may hide."""
# pyright: basic

from __future__ import annotations

from typing import Final

import numpy as np

from cpe.fleet.conclude import Conclusion

LATELY_S: Final = 86_400.0


def stale_that_matter(conclusion: Conclusion, *, limit: int) -> list[str]:
    """ACS ids, the most doubtful first: boxes that may still answer and could not be judged.

    What makes one doubtful: its OLT hears it faintly, its PON fades, its verdict is open.
    """
    rows = conclusion.rows
    stale = rows["rx_quality"].astype(object).eq("stale") & rows["acs_known"].astype(bool)
    online = rows["state"].astype(object).eq("online")
    informed = rows["last_inform"] >= rows["last_inform"].max() - LATELY_S
    up = online | (rows["state"].isna() & informed)  # a document stays when its box has gone
    found = rows[stale & up & rows["rx_dbm"].isna()]
    if found.empty or not limit:
        return []
    fading = {(p["olt"], p["pon"]) for p in conclusion.summary["fading_pons"]}
    pon_fades = [
        (olt, pon) in fading
        for olt, pon in zip(found["olt"].astype(object), found["pon"].astype(object), strict=True)
    ]
    faint = found["olt_rx_dbm"].to_numpy(dtype=np.float64)
    doubt = (
        2.0 * np.array(pon_fades, dtype=float)
        + np.nan_to_num(np.clip(-26.0 - faint, 0, 6), nan=0.0)
        + found["score"].to_numpy(dtype=np.float64) / 100
    )
    order = np.argsort(-doubt, kind="stable")[:limit]
    return [str(acs_id) for acs_id in found["acs_id"].iloc[order]]
