"""What time it is for swaps; a test lets seven days pass by setting `clock`."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime


def _utc_now() -> datetime:
    return datetime.now(UTC)


clock: ContextVar[Callable[[], datetime]] = ContextVar("clock", default=_utc_now)
"""The time, aware. Prefect's tasks inherit the context, so one setting serves a whole run."""


def now() -> datetime:
    """The time."""
    return clock.get()()
