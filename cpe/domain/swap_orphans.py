"""Which swaps nobody looks after any more, and what to do about it. Pure: the time is given."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from cpe.domain.swap import ENDED
from cpe.domain.swap_case import SwapCase
from cpe.domain.swap_moves import is_active
from cpe.domain.swap_timer import Pace, override_expires

SETTLE: Final = timedelta(seconds=20)
"""A swap that moved just now is being carried: a run saves its stage, shows it, goes to sleep."""
HANGS: Final = timedelta(seconds=60)
"""A run that claims to run and has not touched its swap for so long was killed."""
NEVER_BEGAN: Final = timedelta(seconds=120)
"""Pending since: its worker took it and died."""


class Care(StrEnum):
    """What a swap needs."""

    NOTHING = "nothing"
    TAKE_UP = "take_up"
    """Its run executed again from the top."""
    CREATE = "create"
    """A new run: it never had one, the server lost it, or it ended without ending the swap."""


@dataclass(frozen=True, slots=True)
class RunSeen:
    """The run that carries a swap, as Prefect knows it. `state`: Prefect's state type."""

    state: str
    since: datetime


def care(
    case: SwapCase,
    driven_until: datetime | None,
    run: RunSeen | None,
    now: datetime,
    pace: Pace,
) -> Care:
    """What is to be done for this swap. `run` is None when Prefect knows none."""
    if case.state in ENDED or (driven_until is not None and driven_until > now):
        return Care.NOTHING
    if now - case.updated_at < SETTLE or (case.try_after is not None and now < case.try_after):
        return Care.NOTHING
    if run is None or run.state == "COMPLETED":
        return Care.CREATE
    if run.state == "PAUSED":
        return Care.TAKE_UP if _has_to_go_on(case, now, pace) else Care.NOTHING
    if run.state == "PENDING":
        return Care.TAKE_UP if now - run.since >= NEVER_BEGAN else Care.NOTHING
    if run.state == "RUNNING":
        quiet_since = max(case.updated_at, run.since)
        return Care.TAKE_UP if now - quiet_since >= HANGS else Care.NOTHING
    if run.state in ("FAILED", "CRASHED", "CANCELLED"):
        return Care.TAKE_UP
    return Care.NOTHING  # SCHEDULED: a worker will come; CANCELLING: it will end


def _has_to_go_on(case: SwapCase, now: datetime, pace: Pace) -> bool:
    expires = override_expires(case, pace)
    return is_active(case.state) or (expires is not None and now >= expires)
