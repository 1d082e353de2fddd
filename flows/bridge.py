"""The bridge's part of a diagnosis: beside everything else, begun only for what is lacking."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import ValidationError

from cpe.domain.casebook import Casebook
from cpe.domain.errors import AccessError
from cpe.domain.observation import Outcome, Source
from cpe.domain.snapshot import BridgeReport, OntState
from cpe.profiles.bridge_profile import bridge_profile
from cpe.profiles.thresholds import Thresholds
from cpe.rules.needs import lacking
from cpe.settings import BridgeSettings, mistakes
from flows.unwind import end_all
from tasks.bridge import read_modem

log = logging.getLogger("cpe.bridge")
Step = Callable[..., Awaitable[Any]]
HEAD_START_S: Final = 1.5
"""A refresh takes 0.6 s and an OLT less: only what they leave open is worth a session."""
LAST_CALL_S: Final = 0.05
PATIENCE_S: Final = 4.0
"""How long a diagnosis that has its optics waits for the rest, once all others have spoken."""
OPTICS: Final = frozenset({"optical.rx_dbm"})
DOWN: Final = (OntState.LOS, OntState.DYING_GASP, OntState.OFFLINE)


class Bridge:
    """Asks the box's admin UI as soon as something is known to be lacking, and not before."""

    def __init__(
        self,
        book: Casebook,
        step: Step,
        thresholds: Callable[[], Thresholds],
        say: Callable[[str], None],
    ) -> None:
        self._book, self._step = book, step
        self._thresholds, self._say = thresholds, say
        self._line_read = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._started = 0.0

    def begin(self) -> None:
        """Watch the diagnosis from here on; nothing is asked where nothing ever could be."""
        try:
            why = self._never()
        except ValidationError as error:
            self._book.note(Source.BRIDGE, Outcome.ERROR, 0, mistakes(error))
            return
        if why:
            self._book.note(Source.BRIDGE, Outcome.SKIPPED, 0, why)
            return
        self._task = asyncio.create_task(self._watch())

    def line_is_read(self) -> None:
        """ACS and OLT have said what they have to say."""
        self._line_read.set()

    async def end(self) -> None:
        """Wait for what is lacking, within the session's bound; leave what nobody needs any more.

        A session that is left logs out by itself.
        """
        self._line_read.set()
        task = self._task
        if task is None:
            return
        await asyncio.wait({task}, timeout=LAST_CALL_S)
        lacking_now = self._lacking()
        if task.done():
            await task
        elif not lacking_now or self._is_down():
            await end_all(task)
            self._note(Outcome.SKIPPED, "not needed any more: left")
        elif OPTICS.isdisjoint(lacking_now):
            await asyncio.wait({task}, timeout=PATIENCE_S)
            await self._leave_unless_done(task)
        else:
            await task

    async def _leave_unless_done(self, task: asyncio.Task[None]) -> None:
        if task.done():
            await task
            return
        await end_all(task)
        self._note(Outcome.UNREACHABLE, "too slow for what it could add: left")

    async def give_up(self) -> None:
        """The diagnosis does not go on."""
        await end_all(self._task)

    def _never(self) -> str:
        """Why this box is never asked; empty when it may be."""
        device, settings = self._book.close(datetime.now(UTC)).device, BridgeSettings.current()
        if not settings.is_configured:
            return "CPE_BRIDGE_PASSWORD is not set"
        profile = bridge_profile()
        if not (profile.is_made_by(device.manufacturer) or profile.fits("TP-Link", device.model)):
            return "not a TP-Link that is known"
        return ""

    async def _watch(self) -> None:
        try:
            async with asyncio.timeout(HEAD_START_S):
                await self._line_read.wait()
        except TimeoutError:
            pass
        wanted = self._lacking()
        if not wanted and not self._line_read.is_set():
            await self._line_read.wait()
            wanted = self._lacking()
        if not wanted:
            self._book.note(Source.BRIDGE, Outcome.SKIPPED, 0, "not needed: nothing is lacking")
        elif self._is_down():
            self._book.note(Source.BRIDGE, Outcome.SKIPPED, 0, "not asked: the box is down")
        elif self._has_no_address():
            self._book.note(Source.BRIDGE, Outcome.SKIPPED, 0, "no address of the box is known")
        else:
            await self._ask(wanted)

    async def _ask(self, wanted: frozenset[str]) -> None:
        self._started = time.monotonic()
        self._say("bridge: read")
        book = self._book
        device = book.close(datetime.now(UTC)).device
        try:
            report: BridgeReport = await self._step(
                read_modem, book.request.serial, device, tuple(sorted(wanted))
            )
        except AccessError as error:
            self._note(Outcome(error.outcome), error.message)
            return
        except TimeoutError:
            self._note(Outcome.UNREACHABLE, "no answer in time")
            return
        except Exception as error:
            log.exception("the bridge failed on %s", book.request.serial)
            self._note(Outcome.ERROR, f"internal error ({type(error).__name__})")
            return
        book.bridge = report
        self._note(Outcome.BUSY if report.lost else Outcome.OK, report.detail)

    def _lacking(self) -> frozenset[str]:
        snapshot = self._book.close(datetime.now(UTC))
        return lacking(snapshot, self._thresholds(), bridge_profile().worth)

    def _is_down(self) -> bool:
        seen = self._book.olt.sighting if self._book.olt is not None else None
        return seen is not None and seen.state in DOWN and not self._book.box_answered

    def _has_no_address(self) -> bool:
        known = self._book.close(datetime.now(UTC)).device.ip
        return known is None and "{ip}" in BridgeSettings.current().url

    def _note(self, outcome: Outcome, detail: str) -> None:
        duration_ms = (time.monotonic() - self._started) * 1000
        self._book.note(Source.BRIDGE, outcome, duration_ms, detail)
