"""Asking the sources of a diagnosis: memory and ACS, the refresh beside the OLT, the speed test.

A dead source is an observation: how each fared is noted in the book, and nothing is raised for it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Final

from cpe.access.genieacs.refresh import TaskOutcome
from cpe.domain.casebook import Casebook
from cpe.domain.errors import AccessError, LoginRefusedError, ProfileError, StoreError
from cpe.domain.observation import Outcome, Source
from cpe.domain.snapshot import FreshnessOutcome, OltReport, OltSighting, OntState, SpeedTest
from cpe.profiles.thresholds import Thresholds
from cpe.rules.judge import only_an_olt_can_tell
from flows.unwind import end_all
from flows.waiting import tell_time
from tasks.acs import find_acs_device, give_up_refresh, refresh_acs_device, run_speed_test
from tasks.memory import recall_device
from tasks.olt import read_olt_ont

Step = Callable[..., Awaitable[Any]]
Begun = asyncio.Task[None] | None
OLT_HEAD_START_S: Final = 1.0
"""A box that answers does so in 0.5-0.6 s; only then is the OLT, which has better to do, asked."""

ACS_FARED: Final = {
    TaskOutcome.EXECUTED: Outcome.OK,
    TaskOutcome.NO_EFFECT: Outcome.REFUSED,
    TaskOutcome.FAULTED: Outcome.REFUSED,
    TaskOutcome.REFUSED: Outcome.REFUSED,
    TaskOutcome.ACS_DOWN: Outcome.UNREACHABLE,
    TaskOutcome.ACS_REFUSED: Outcome.ERROR,
}
"""The ACS that fails by itself says nothing about the box; any other silence leaves it stale."""
DOWN: Final = (OntState.LOS, OntState.DYING_GASP, OntState.OFFLINE)


class Sources:
    """Everybody but the box's own admin UI (`flows.bridge`), for one diagnosis."""

    def __init__(
        self,
        book: Casebook,
        step: Step,
        thresholds: Callable[[], Thresholds],
        say: Callable[[str], None],
    ) -> None:
        self._book, self._step = book, step
        self._thresholds, self._say = thresholds, say

    async def look_up_and_recall(self) -> Begun:
        """Both at once; if the ACS is slow and the ONT's name known, the OLT is asked already."""
        lookup = asyncio.gather(self._recall(), self._look_up())
        early = None
        try:
            await asyncio.wait({lookup}, timeout=OLT_HEAD_START_S)
            if not lookup.done() and self._book.gpon_serials():
                early = asyncio.create_task(self._ask_olt())
            await lookup
            if self._book.acs_known is False and (name := self._book.remembered_serial):
                await self._look_up(name)
        except BaseException:
            await end_all(lookup, early)
            raise
        return early

    async def _recall(self) -> None:
        started = time.monotonic()
        try:
            self._book.recall = await self._step(recall_device, self._book.request.serial)
        except (StoreError, TimeoutError) as error:
            self._book.note(Source.HISTORY, Outcome.ERROR, _ms(started), str(error))
            return
        count = len(self._book.recall.history.readings)
        detail = f"{count} past readings" if self._book.recall.identity is not None else "never met"
        self._book.note(Source.HISTORY, Outcome.OK, _ms(started), detail)

    async def _look_up(self, name: str = "") -> None:
        started, self._book.acs_known = time.monotonic(), None
        self._say("acs: lookup")
        try:
            sighting = await self._step(find_acs_device, name or self._book.request.serial)
        except AccessError as error:
            self._book.note(Source.ACS, _outcome(error), _ms(started), error.message)
            if _configured(error):
                refused = isinstance(error, LoginRefusedError)
                settled = FreshnessOutcome.REFUSED if refused else FreshnessOutcome.UNREACHABLE
                self._book.settle(settled, error.message, box_answered=False)
            return
        except TimeoutError:
            self._book.note(Source.ACS, Outcome.UNREACHABLE, _ms(started), "no answer in time")
            self._book.settle(FreshnessOutcome.UNREACHABLE, "no answer in time", box_answered=False)
            return
        if sighting is None:
            self._book.acs_known = False
            self._book.settle(FreshnessOutcome.NOT_FOUND, "unknown to the ACS", box_answered=False)
            self._book.note(Source.ACS, Outcome.OK, _ms(started), "unknown to the ACS")
            return
        self._book.found(sighting)
        self._book.note(Source.ACS, Outcome.OK, _ms(started))

    async def read_the_line(self, early: Begun) -> None:
        """Refresh what is stale and ask the OLT what the box cannot say, side by side."""
        refresh = asyncio.create_task(self._refresh()) if self._book.needs_refresh else None
        try:
            await self._race(early, refresh)
        except BaseException:
            await end_all(early, refresh)
            raise

    async def _race(self, early: Begun, refresh: Begun) -> None:
        if early is not None:
            await early
        elif refresh is not None:
            await asyncio.wait({refresh}, timeout=OLT_HEAD_START_S)
        waiting = refresh is not None and not refresh.done()
        asked = self._book.olt is not None and self._book.olt.sighting is not None
        if (waiting or self._book.lacks_optics or not self._book.box_answered) and not asked:
            await self._ask_olt()
        if refresh is not None:
            await self._await_refresh(refresh)
        if self._book.olt is None and self._boots_pile_up():
            await self._ask_olt()

    def _boots_pile_up(self) -> bool:
        return only_an_olt_can_tell(self._book.close(datetime.now(UTC)), self._thresholds())

    async def _await_refresh(self, refresh: asyncio.Task[None]) -> None:
        """The refresh's end; sooner for a box that the OLT says is down."""
        seen = self._book.olt.sighting if self._book.olt is not None else None
        if not refresh.done() and seen is not None and seen.state in DOWN and self._book.sighting:
            give_up_refresh(self._book.sighting.device.acs_id or "")
        await refresh

    async def _refresh(self) -> None:
        started = time.monotonic()
        before = self._book.sighting
        self._say("acs: refresh")
        try:
            refreshed = await self._step(refresh_acs_device, before)
        except TimeoutError:
            if before is None or not before.is_fresh:
                said = "no answer in time"
                self._book.settle(FreshnessOutcome.UNREACHABLE, said, box_answered=False)
                self._book.note(Source.ACS, Outcome.STALE, _ms(started), said)
            return
        if before is not None and before.is_fresh and refreshed.outcome is not TaskOutcome.EXECUTED:
            return  # What was read lately still counts; the home stays unknown.
        self._book.sighting = refreshed.sighting
        answered = refreshed.box_answered
        self._book.settle(refreshed.freshness, refreshed.detail, box_answered=answered)
        outcome = ACS_FARED.get(refreshed.outcome, Outcome.STALE)
        self._book.note(Source.ACS, outcome, _ms(started), refreshed.detail)

    async def _ask_olt(self) -> None:
        started = time.monotonic()
        wanted = self._book.gpon_serials()
        self._say("olt: read")
        try:
            report: OltReport = await self._step(read_olt_ont, self._book.request.serial, wanted)
        except (ProfileError, TimeoutError) as error:
            detail = str(error) or "no answer in time"
            self._book.note(Source.OLT, Outcome.ERROR, _ms(started), detail)
            self._book.olt = OltReport(sighting=None, failed={"inventory": detail})
            return
        self._book.olt = report
        if report.sighting is not None:
            self._book.note(Source.OLT, Outcome.OK, _ms(started), _where(report, report.sighting))
        elif report.failed:
            detail = "; ".join(f"{olt}: {why}" for olt, why in sorted(report.failed.items()))
            self._book.note(Source.OLT, Outcome.UNREACHABLE, _ms(started), detail)
        elif not report.asked:
            self._book.note(Source.OLT, Outcome.SKIPPED, _ms(started), report.detail)
        else:
            self._book.note(Source.OLT, Outcome.OK, _ms(started), "no OLT knows the ONT")

    async def test_speed(self) -> None:
        """Have a box that answers measure its own speed, when asked to; a failure is its detail."""
        if not self._book.request.speedtest:
            return
        started, outcome = time.monotonic(), Outcome.SKIPPED
        test = SpeedTest(detail="the box did not answer")
        if self._book.box_answered and self._book.sighting is not None:
            clock = asyncio.create_task(tell_time("acs: speed test", self._say))
            try:
                test = await self._step(run_speed_test, self._book.sighting)
                outcome = Outcome.OK if test.download_mbps is not None else Outcome.ERROR
            except AccessError as error:
                test, outcome = SpeedTest(detail=error.message), Outcome(error.outcome)
            except TimeoutError:
                test, outcome = SpeedTest(detail="no answer in time"), Outcome.UNREACHABLE
            finally:
                clock.cancel()
        self._book.speedtest = test
        self._book.note(Source.SPEEDTEST, outcome, _ms(started), test.detail or test.measured_over)

    def skip_the_rest(self) -> None:
        """Say of the sources that nobody asked why not."""
        if Source.OLT not in self._book.sources:
            self._book.note(Source.OLT, Outcome.SKIPPED, 0, "not needed: the box answered")
        if not self._book.request.speedtest:
            self._book.note(Source.SPEEDTEST, Outcome.SKIPPED, 0, "not asked for")


def _where(report: OltReport, seen: OltSighting) -> str:
    """Where the ONT was seen, how far that is to be trusted, and who else claims it."""
    place = f"{seen.olt} {seen.pon}/{seen.ont}"
    known = place if seen.verified else f"{place} (unverified profile)"
    return "; ".join(part for part in (known, report.detail) if part)


def _outcome(error: AccessError) -> Outcome:
    return Outcome(error.outcome) if _configured(error) else Outcome.SKIPPED


def _configured(error: AccessError) -> bool:
    return error.outcome != Outcome.UNSUPPORTED.value


def _ms(started: float) -> float:
    return (time.monotonic() - started) * 1000
