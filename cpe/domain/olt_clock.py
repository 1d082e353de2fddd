"""Times that an OLT tells, on its own clock, beside ours.

The times of one OLT are compared with each other. With our clock, and with another OLT's, only
those that can be of it: an OLT that lost its time begins again in 2000 or 1970, and one that is
ahead tells of what is yet to come.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

NEVER_SET: Final = datetime(2020, 1, 1, tzinfo=UTC)
"""Clocks without a battery begin at 1970, 2000, 2010 or 2016; earlier than this nothing that is
still provisioned went down."""
AHEAD: Final = timedelta(seconds=60)
"""Two clocks that are set may differ by so much."""


def on_our_clock(at: datetime | None, now: datetime) -> datetime | None:
    """The OLT's time where it can be one of ours, else None. `now` is on our clock."""
    return at if at is not None and NEVER_SET <= at <= now + AHEAD else None


def latest(times: Iterable[datetime | None], now: datetime, *, contradicted: bool) -> datetime:
    """What time it is on the OLT's clock, for ages: ours, unless the newest time that it tells
    cannot be of ours or is `contradicted`; then that newest time, which it is at least."""
    newest = max((at for at in times if at is not None), default=None)
    if newest is not None and (contradicted or on_our_clock(newest, now) is None):
        return newest
    return now
