"""A diagnosis that does not go on leaves nothing running behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any


async def end_all(*begun: asyncio.Future[Any] | None) -> None:
    """Cancel what was begun and wait until it has ended, however it ends."""
    running = [task for task in begun if task is not None]
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


async def all_or_none(*work: Awaitable[Any]) -> None:
    """Side by side to the end; when one fails the others are ended, then its failure is raised."""
    running = [asyncio.ensure_future(one) for one in work]
    try:
        await asyncio.gather(*running)
    except BaseException:
        await end_all(*running)
        raise
