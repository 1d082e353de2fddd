"""When a waiting swap speaks up. Pure: the time is given."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cpe.domain.swap import SwapState
from cpe.domain.swap_case import SwapCase

REMINDER: Final = "reminder"
ESCALATION: Final = "escalation"


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a test may take, when people are told, and when the replacement is looked at."""

    test: timedelta = timedelta(days=7)
    remind_before: timedelta = timedelta(days=2)
    repeat: timedelta = timedelta(days=7)
    override: timedelta = timedelta(days=1)
    follow_ups: tuple[timedelta, ...] = (
        timedelta(minutes=30),
        timedelta(hours=24),
        timedelta(hours=72),
    )


@dataclass(frozen=True, slots=True)
class Alarm:
    """One occasion to speak up: `reminder`, `escalation-0` at the deadline, `-1` a week later…"""

    name: str
    at: datetime

    @property
    def is_escalation(self) -> bool:
        """The deadline has passed."""
        return self.name.startswith(ESCALATION)


def latest(deadline: datetime, now: datetime, pace: Pace) -> Alarm | None:
    """The last alarm whose time has come. Those before it are overtaken: after three weeks of
    silence nobody wants to be reminded of a deadline that is long past."""
    if now >= deadline:
        number = (now - deadline) // pace.repeat
        return Alarm(f"{ESCALATION}-{number}", deadline + number * pace.repeat)
    reminder = deadline - pace.remind_before
    return Alarm(REMINDER, reminder) if now >= reminder else None


def upcoming(deadline: datetime, now: datetime, pace: Pace) -> Alarm:
    """The next alarm whose time has not come yet; there is always one."""
    if now >= deadline:
        number = (now - deadline) // pace.repeat + 1
        return Alarm(f"{ESCALATION}-{number}", deadline + number * pace.repeat)
    reminder = deadline - pace.remind_before
    return Alarm(REMINDER, reminder) if now < reminder else Alarm(f"{ESCALATION}-0", deadline)


def due(case: SwapCase, now: datetime, pace: Pace, fired: Collection[str]) -> Alarm | None:
    """The alarm that this swap owes its people now; each is owed once."""
    if case.state not in (SwapState.AWAITING_TEST, SwapState.OVERDUE) or case.deadline is None:
        return None
    alarm = latest(case.deadline, now, pace)
    return alarm if alarm is not None and alarm.name not in fired else None


def override_expires(case: SwapCase, pace: Pace) -> datetime | None:
    """When a swap that nobody overrides is refused; None while it does not wait for that."""
    if case.state is not SwapState.AWAITING_OVERRIDE or case.guard is None:
        return None
    return case.guard.at + pace.override


def span_name(span: timedelta) -> str:
    """`30min`, `24h`, `72h`, `7d`; hours up to three days, as people say it."""
    seconds = round(span.total_seconds())
    if seconds % 3600 == 0 and seconds <= 72 * 3600:
        return f"{seconds // 3600}h"
    if seconds % 86_400 == 0:
        return f"{seconds // 86_400}d"
    return f"{seconds // 60}min" if seconds % 60 == 0 else f"{seconds}s"
