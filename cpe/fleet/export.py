"""A sweep's line per box as a table for spreadsheets: times in ISO, statuses in words."""
# pyright: basic

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from cpe.fleet import words
from cpe.fleet.judge import RULES

_TIMES: Final = ("last_inform", "last_boot", "rx_at", "down_at", "walked_at")
_DROPPED: Final = ("before", "verdict_code", "acs_unsure", "olt", "pon")
_NAMED: Final = {"known_olt": "olt", "known_pon": "pon"}
"""Where a box was last seen, as the report has it; `on_olt` says whether that was tonight."""


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows as people read them; missing stays missing."""
    found = rows.drop(columns=list(_DROPPED)).rename(columns=_NAMED)
    for name in _TIMES:
        found[name] = pd.to_datetime(found[name].round(3), unit="s", utc=True)
    statuses = np.array([status.value for status in words.STATUSES])
    for rule, _ in RULES:
        found[rule] = pd.Categorical(statuses[rows[rule].to_numpy()])
    return found
