"""What can become of a task, and what the contract calls it."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from cpe.domain.snapshot import FreshnessOutcome


class TaskOutcome(StrEnum):
    """What became of one task."""

    EXECUTED = "executed"
    NO_EFFECT = "no_effect"
    QUEUED = "queued"
    IN_SESSION = "in_session"
    FAULTED = "faulted"
    OFFLINE = "offline"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    GONE = "gone"
    ACS_DOWN = "acs_down"
    ACS_REFUSED = "acs_refused"


FRESHNESS: Final = {
    TaskOutcome.EXECUTED: FreshnessOutcome.REFRESHED,
    TaskOutcome.NO_EFFECT: FreshnessOutcome.REFUSED,
    TaskOutcome.FAULTED: FreshnessOutcome.REFUSED,
    TaskOutcome.REFUSED: FreshnessOutcome.REFUSED,
    TaskOutcome.QUEUED: FreshnessOutcome.QUEUED,
    TaskOutcome.IN_SESSION: FreshnessOutcome.QUEUED,
    TaskOutcome.OFFLINE: FreshnessOutcome.UNREACHABLE,
    TaskOutcome.UNKNOWN: FreshnessOutcome.UNREACHABLE,
    TaskOutcome.GONE: FreshnessOutcome.NOT_FOUND,
    TaskOutcome.ACS_DOWN: FreshnessOutcome.UNREACHABLE,
    TaskOutcome.ACS_REFUSED: FreshnessOutcome.REFUSED,
}


def queued_reason(reason: str) -> tuple[TaskOutcome, str]:
    """A queued task's outcome from the 202's reason phrase, which HTTP/2 proxies drop."""
    lowered = reason.lower()
    if "offline" in lowered:
        return TaskOutcome.OFFLINE, "the box does not answer the connection request"
    if "credentials" in lowered:
        return TaskOutcome.REFUSED, "the box refuses the connection request's credentials"
    if "unexpected status" in lowered:
        return TaskOutcome.OFFLINE, f"the box turns the connection request away ({reason})"
    if "connection request error" in lowered:
        return TaskOutcome.OFFLINE, reason
    return TaskOutcome.QUEUED, "the box did not begin a session in time"
