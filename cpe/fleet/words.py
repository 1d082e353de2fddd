"""Statuses, causes and states as small integers, and what the columns of the frames are called."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from cpe.domain.finding import Status
from cpe.domain.snapshot import OntState
from cpe.domain.verdict import ORDER_OF_CAUSES, Code

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int8]

STATUSES: Final[tuple[Status, ...]] = tuple(Status)
OK, DEGRADED, FAULT, UNKNOWN, NOT_APPLICABLE = (
    STATUSES.index(status)
    for status in (
        Status.OK, Status.DEGRADED, Status.FAULT, Status.UNKNOWN, Status.NOT_APPLICABLE,
    )
)  # fmt: skip
CAUSES: Final[tuple[Code, ...]] = ORDER_OF_CAUSES
NO_CAUSE: Final = -1
VERDICTS: Final[tuple[Code, ...]] = (*ORDER_OF_CAUSES, Code.HEALTHY, Code.INCONCLUSIVE)
"""A verdict's number: its rank among the causes, then those that have none."""
STATES: Final[tuple[str, ...]] = tuple(state.value for state in OntState)
ONLINE, LOS, DYING_GASP, OFFLINE, UNKNOWN_STATE = (STATES.index(s.value) for s in OntState)
NOT_ON_OLT: Final = -1
CONTACTS: Final = ("informing", "online_at_olt_only", "down", "unreachable")
"""Where a box that was seen stands, each in exactly one; what no source showed is `unseen`.

down                an OLT says so, and the box has not spoken since
informing           else it informed lately
online_at_olt_only  else an OLT says that it is online
unreachable         else: no source can place it
"""
INFORMING, ONLINE_AT_OLT_ONLY, DOWN_AT_OLT, UNREACHABLE = range(len(CONTACTS))


def cause(code: Code) -> int:
    """The number of a cause."""
    return CAUSES.index(code)


def verdict_name(number: int) -> str:
    """The verdict code of a number."""
    return VERDICTS[number].value


def statuses(size: int, status: int = UNKNOWN) -> Codes:
    """A status for each box; nothing is good before it is proved."""
    return np.full(size, status, dtype=np.int8)
