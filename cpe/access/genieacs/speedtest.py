"""Have a box measure its own download speed: one test at a time per box.

What a test consists of is in `speed_trial`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cpe.access.genieacs.nbi import Nbi
from cpe.access.genieacs.speed_trial import Standing, Trial
from cpe.access.genieacs.transport import SYSTEM
from cpe.domain.errors import NotSupportedError, UnreachableError
from cpe.domain.snapshot import AcsSighting, SpeedTest
from cpe.profiles.cpe_profile import SpeedTestPaths, profiles

LEAVE_S: Final = 5.0
"""A cancelled test holds its caller no longer than this to have its tasks removed."""
log = logging.getLogger("cpe.speedtest")


@dataclass(slots=True)
class _Flight:
    task: asyncio.Task[SpeedTest]
    waiters: int = 0
    leaving: bool = False


class SpeedTester:
    """Speed tests through one NBI; one at a time per box, and who asks meanwhile shares it."""

    def __init__(self, nbi: Nbi, *, bound_s: float) -> None:
        self._nbi, self._bound_s = nbi, bound_s
        self._flights: dict[str, _Flight] = {}
        self._standing: dict[str, Standing] = {}

    async def run(
        self, sighting: AcsSighting, *, url: str, tell: Callable[[str], None] = log.info
    ) -> SpeedTest:
        """Download `url` by the box itself, within the bound; `tell` hears how it goes.

        A test that ended without a figure, or not in time, is a result whose detail says so.
        Raises AccessError: NotSupportedError when the box has no such test, OccupiedError when
        another one is running on it, DeclinedError when it was asked and did not begin.
        """
        acs_id = sighting.device.acs_id or ""
        while (flight := self._flights.get(acs_id)) is not None and flight.leaving:
            await asyncio.wait({flight.task})
        if flight is None:
            task = asyncio.create_task(self._fly(acs_id, sighting, url, tell))
            flight = self._flights[acs_id] = _Flight(task)
        flight.waiters += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiters -= 1
            if flight.waiters == 0 and not flight.task.done():
                flight.leaving = True
                flight.task.cancel()
                await asyncio.wait({flight.task}, timeout=LEAVE_S)

    async def _fly(
        self, acs_id: str, sighting: AcsSighting, url: str, tell: Callable[[str], None]
    ) -> SpeedTest:
        try:
            paths = _paths(sighting)
            trial = Trial(self._nbi, acs_id, paths, url, self._bound_s, tell, self._standing)
            return await trial.run()
        finally:
            self._flights.pop(acs_id, None)


def _paths(sighting: AcsSighting) -> SpeedTestPaths:
    device = sighting.device
    family = next((p for p in profiles() if p.id == device.family), None)
    if family is None or family.speedtest is None:
        raise NotSupportedError(
            "no TR-143 test is known for this box", system=SYSTEM, target=device.acs_id or ""
        )
    if not sighting.reachable_by_request:
        # A connection request without that URL crashes an NBI worker.
        raise UnreachableError(
            "the ACS has no connection request URL for it",
            system=SYSTEM,
            target=device.acs_id or "",
        )
    return family.speedtest
