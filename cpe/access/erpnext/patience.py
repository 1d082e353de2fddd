"""Trying an ERPNext conversation again, whole: only when it said 429 or 5xx, and not for long.

A conversation that writes begins with a read, so that a write which took effect although its
answer was an error is seen and not repeated.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, TypeVar

from cpe.access.erpnext.frappe import Doc, Filter, Frappe, FrappeBusyError

T = TypeVar("T")
TRIES: Final = 4
NAMES_AT_ONCE: Final = 50
FIRST_PAUSE_S: Final = 0.3
LONGEST_PAUSE_S: Final = 8.0
"""What a server asks for beyond this is not waited for here: the swap is taken up again later."""


async def patiently(
    conversation: Callable[[], Awaitable[T]],
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    tries: int = TRIES,
) -> T:
    """The conversation's result. Raises what it raised last."""
    pause_s = FIRST_PAUSE_S
    for last in (False,) * (tries - 1) + (True,):
        try:
            return await conversation()
        except FrappeBusyError as busy:
            asked_s = busy.retry_after_s
            if last or (asked_s or 0) > LONGEST_PAUSE_S:
                raise
            # Jitter: two drivers must not come back in step.
            await sleep(asked_s if asked_s is not None else pause_s * random.uniform(1, 1.5))  # noqa: S311
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
    raise AssertionError("unreachable: the last try returns or raises")


async def statuses(
    frappe: Frappe, doctype: str, field: str, names: Iterable[str]
) -> dict[str, str]:
    """Name → status of these documents, asked for by the dozen: a URL is only so long."""
    wanted = sorted(set(names))
    found: dict[str, str] = {}
    for start in range(0, len(wanted), NAMES_AT_ONCE):
        some = ("name", "in", wanted[start : start + NAMES_AT_ONCE])

        async def ask(one: Filter = some) -> list[Doc]:
            return await frappe.rows(doctype, [one], ["name", field])

        found |= {str(row["name"]): str(row.get(field) or "") for row in await patiently(ask)}
    return found
