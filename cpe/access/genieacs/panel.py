"""The parameters of a box's TR-143 DownloadDiagnostics object, as the ACS has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cpe.access.genieacs.document import Leaf, leaf_at, parse_time
from cpe.access.genieacs.nbi import Nbi
from cpe.access.genieacs.transport import SYSTEM
from cpe.domain.errors import UnexpectedAnswerError
from cpe.domain.observation import Scalar
from cpe.domain.speed import Counters

STATE: Final = "DiagnosticsState"
URL: Final = "DownloadURL"
CONNECTIONS: Final = "NumberOfConnections"
MAX_CONNECTIONS: Final = "DownloadDiagnosticMaxConnections"
DURATION: Final = "TimeBasedTestDuration"
BEGAN: Final = "BOMTime"
ENDED: Final = "EOMTime"
BYTES: Final = "TestBytesReceived"
TOTAL: Final = "TotalBytesReceived"
FULL_BYTES: Final = "TestBytesReceivedUnderFullLoading"
FULL_TOTAL: Final = "TotalBytesReceivedUnderFullLoading"
FULL_PERIOD: Final = "PeriodOfFullLoading"
RESULT: Final = (BEGAN, ENDED, BYTES)
LEAVES: Final = (
    STATE, URL, CONNECTIONS, MAX_CONNECTIONS, DURATION, *RESULT, TOTAL, FULL_BYTES, FULL_TOTAL,
    FULL_PERIOD,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Panel:
    """The object at one moment; `leaves` by short name, only those that the ACS has."""

    path: str
    last_inform: datetime | None
    leaves: Mapping[str, Leaf]
    last_boot: datetime | None = None

    def value(self, name: str) -> Scalar:
        """The cached value, None when absent or never read."""
        leaf = self.leaves.get(name)
        return leaf.value if leaf is not None else None

    def time(self, name: str) -> datetime | None:
        """When the ACS read or wrote it (ACS clock)."""
        leaf = self.leaves.get(name)
        return leaf.timestamp if leaf is not None else None

    def newest(self) -> datetime | None:
        """The latest of all times."""
        times = [leaf.timestamp for leaf in self.leaves.values() if leaf.timestamp is not None]
        return max(times, default=None)

    def is_after(self, name: str, since: datetime | None) -> bool:
        """Whether it was read or written after `since`; None is before everything."""
        time = self.time(name)
        return time is not None and (since is None or time > since)

    def paths(self) -> tuple[str, ...]:
        """What to ask of the box: the leaves it has, all there may be while that is not known."""
        known = all(name in self.leaves for name in (STATE, *RESULT))
        return tuple(f"{self.path}.{name}" for name in (self.leaves if known else LEAVES))

    def counters(self, since: datetime) -> Counters:
        """The results read after `since`; older ones count as not there."""

        def fresh(name: str) -> Scalar:
            return self.value(name) if self.is_after(name, since) else None

        return Counters(
            began=fresh(BEGAN),
            ended=fresh(ENDED),
            test_bytes=fresh(BYTES),
            total_bytes=fresh(TOTAL),
            full_test_bytes=fresh(FULL_BYTES),
            full_total_bytes=fresh(FULL_TOTAL),
            full_period_us=fresh(FULL_PERIOD),
        )


async def read_panel(nbi: Nbi, acs_id: str, path: str) -> Panel:
    """What the ACS has now; the box is not asked. Raises AccessError."""
    wanted = [f"{path}.{name}" for name in LEAVES]
    document = await nbi.device(acs_id, ["_lastBoot", "_lastInform", *wanted])
    if document is None:
        raise UnexpectedAnswerError("the ACS no longer knows the box", system=SYSTEM, target=acs_id)
    found = {name: leaf_at(document, f"{path}.{name}") for name in LEAVES}
    leaves = {name: leaf for name, leaf in found.items() if leaf is not None}
    informed, booted = (
        parse_time(document.get("_lastInform")),
        parse_time(document.get("_lastBoot")),
    )
    return Panel(path, informed, leaves, booted)
