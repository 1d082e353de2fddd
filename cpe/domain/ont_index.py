"""Where an ONT was last seen in an OLT's tables, so that finding it again is one GET."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """One ONT's row on one OLT. `gpon_serial` is canonical; `index` is the dotted SNMP suffix of
    that OLT's serial column; `seen_at` is when a walk or a verifying GET showed it there."""

    olt: str
    gpon_serial: str
    index: str
    seen_at: datetime
