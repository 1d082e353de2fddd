"""Which boots a box really had, from what several sources say of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

SAME_BOOT: Final = timedelta(seconds=90)
"""Boot times derived from uptime wander by the session's length; closer ones are one boot."""
INFORM_SLACK: Final = timedelta(seconds=5)
"""An uptime may have been read in the very session that announced the boot."""
DAY: Final = timedelta(days=1)


def distinct_boots(
    known: Iterable[datetime], runs: Sequence[tuple[datetime, datetime]], now: datetime
) -> list[datetime]:
    """Distinct boots of the last 24 h. `runs` are (boot, when read) of each uptime known.

    The ACS hears of a boot minutes or, after an outage, hours later; an uptime proves that there
    was no boot since, so what was announced meanwhile is the boot that the uptime began with.
    """
    begun = [
        min((b for b, end in runs if b <= boot <= end + INFORM_SLACK), default=boot)
        for boot in known
    ]
    distinct: list[datetime] = []
    for boot in sorted(begun):
        if now - DAY <= boot <= now + SAME_BOOT and (
            not distinct or boot - distinct[-1] > SAME_BOOT
        ):
            distinct.append(boot)
    return distinct
