"""What a person at a terminal reads on stderr while a diagnosis goes on."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from cpe.domain.observation import Outcome, Source, SourceReport
from cpe.profiles.wording import number_en, number_fr, wording
from deployments.commands.console import err, labelled

QUIET_S: Final = 3.0
"""After so long without a line it is said what is waited for."""


class Progress:
    """The lines of one diagnosis: each step as it begins, each source's answer as it comes.

    Plain lines where stderr is no terminal.
    """

    def __init__(self, serial: str, language: str) -> None:
        self._serial, self._language = serial, language
        self._began = self._last_line = time.monotonic()
        self._waiting: dict[Source | None, str] = {}

    def begun(self) -> None:
        """The first line, before anything slow is imported."""
        self._line(wording().step("run: begun").of(self._language))

    def step(self, name: str) -> None:
        """A step begins, by its name in `wording.steps`, maybe with the seconds it has lasted."""
        step, _, lasted = name.partition(", ")
        said = wording().step(step).of(self._language)
        if step == "verdict":
            self._waiting.clear()
        source = _asked(step)
        if source is not None:
            self._waiting[source] = said
        self._line(f"{said}, {lasted} …" if lasted else f"{said} …")

    def answered(self, report: SourceReport) -> None:
        """A source has answered, or has not; what nobody asked is no line."""
        self._waiting.pop(report.name, None)
        if report.outcome is Outcome.SKIPPED:
            return
        words = wording()
        what = words.source(report.name.value).of(self._language)
        said = words.outcome(report.outcome.value).of(self._language)
        detail = words.detail(report.detail).of(self._language)
        took = self._seconds(report.duration_ms / 1000)
        if report.name is Source.HISTORY and report.outcome is Outcome.OK:
            detail = ""
        self._line(" · ".join(part for part in (f"→ {what}", said, took, detail) if part))

    async def keep_telling(self) -> None:
        """Say what is waited for whenever nothing was said for a while, until cancelled."""
        while True:
            await asyncio.sleep(self._last_line + QUIET_S - time.monotonic())
            if time.monotonic() - self._last_line >= QUIET_S:
                label = wording().labels["still_waiting"].fill().of(self._language)
                waited_for = ", ".join(dict.fromkeys(self._waiting.values()))
                said = labelled(label, waited_for, self._language) if waited_for else label
                self._line(f"{said} …")

    def _line(self, text: str) -> None:
        self._last_line = time.monotonic()
        at = self._seconds(self._last_line - self._began)
        err().print(f"{self._serial} {at:>7}  {text}", markup=False, style="dim", soft_wrap=True)

    def _seconds(self, value_s: float) -> str:
        number = number_fr if self._language == "fr" else number_en
        return f"{number(round(value_s, 1))} s"


def _asked(step: str) -> Source | None:
    """Whom a step asks; None for one that asks nobody."""
    if step == "acs: speed test":
        return Source.SPEEDTEST
    system = step.partition(":")[0]
    return Source(system) if system in ("acs", "olt", "bridge") else None
