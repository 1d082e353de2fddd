"""What a sweep read and knew, as frames, and the fleet joined from them."""
# pyright: basic

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from cpe.fleet.join import Sources


@dataclass(frozen=True, slots=True)
class Frames:
    """What was read, and what was known before."""

    boxes: pd.DataFrame
    radios: pd.DataFrame
    nodes: pd.DataFrame
    onts: pd.DataFrame
    equipment: pd.DataFrame
    known: pd.DataFrame
    boots: pd.DataFrame
    """Columns box (ACS id) and booted_at (Unix seconds), of the last 24 h."""


@dataclass(frozen=True, slots=True)
class Joined:
    """The fleet before it is judged; the past is looked up for its rows."""

    fleet: pd.DataFrame
    frames: Frames
    sources: Sources
    acs_rows: int
