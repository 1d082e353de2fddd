"""Which boots a box really had, from what several sources say of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

SAME_BOOT: Final = timedelta(seconds=90)
"""Boot times derived from uptime wander by the session's length, to the early side: a leaf carries
the time at which its session began, and its value is read later."""
SAME_TIME: Final = timedelta(seconds=1)
"""No box boots twice in a second: what is nearer is one time, kept with another rounding."""
CLOCK_SLACK: Final = timedelta(seconds=5)
"""An uptime may have been read in the very session that announced the boot, or on the box's own
admin UI, by our clock."""
DAY: Final = timedelta(days=1)


@dataclass(slots=True)
class _Run:
    """One time that the box was up: since when, and until when an uptime proves it."""

    began: datetime
    seen_up: datetime
    announced: bool = False


def distinct_boots(
    announced: Iterable[datetime], runs: Sequence[tuple[datetime, datetime]], now: datetime
) -> list[datetime]:
    """The distinct boots of the last 24 h, oldest first.

    `announced` are the ACS's `_lastBoot` times, each exact: every one is a boot, however close to
    the next. `runs` are (boot, when read) of each uptime known, the boot being an estimate. An
    uptime proves that there was no boot from its run's begin until it was read: whatever was
    announced meanwhile is the boot that the run began with (the ACS hears of a boot minutes or,
    after an outage, hours later, and twice when a session fails). Two uptimes are of one run
    unless the later one began after the box had been seen up in the earlier.
    """
    ups = _runs(runs)
    single = _apart(announced)
    for holds in (_covers, _is_near):
        single = [at for at in single if not _belongs(at, ups, holds)]
    boots = sorted([*single, *(up.began for up in ups)])
    return [boot for boot in boots if now - DAY <= boot <= now + SAME_BOOT]


def _apart(times: Iterable[datetime]) -> list[datetime]:
    kept: list[datetime] = []
    for at in sorted(times):
        if not kept or at - kept[-1] >= SAME_TIME:
            kept.append(at)
    return kept


def _runs(readings: Iterable[tuple[datetime, datetime]]) -> list[_Run]:
    ups: list[_Run] = []
    for began, read in sorted(readings):
        last = ups[-1] if ups else None
        # An uptime is cut to whole seconds: a boot seems less than one second later than it was.
        if (
            last is not None
            and began - last.began <= SAME_BOOT
            and began < last.seen_up + SAME_TIME
        ):
            last.seen_up = max(last.seen_up, read)
        else:
            ups.append(_Run(began, read))
    return ups


def _belongs(at: datetime, ups: Sequence[_Run], holds: Callable[[_Run, datetime], bool]) -> bool:
    """Whether one of the runs holds this announcement; the run is then announced."""
    for up in ups:
        if holds(up, at):
            up.announced = True
            return True
    return False


def _covers(up: _Run, at: datetime) -> bool:
    return up.began <= at <= up.seen_up


def _is_near(up: _Run, at: datetime) -> bool:
    """The one announcement of a run that none fell into."""
    until = max(up.seen_up + CLOCK_SLACK, up.began + SAME_BOOT)
    return not up.announced and up.began - CLOCK_SLACK <= at <= until
