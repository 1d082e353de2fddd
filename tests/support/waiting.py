"""Waiting for the event itself. A test that never sees it is ended by pytest's own `timeout`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from inspect import isawaitable
from typing import Any

LOOK_S = 0.05


def wait_until(look: Callable[[], Any]) -> Any:
    """What `look` returns, once that is anything. Blocks; for events in other processes."""
    while not (seen := look()):
        time.sleep(LOOK_S)
    return seen


async def until(look: Callable[[], Any]) -> Any:
    """What `look` returns, or what it returns is awaited for, once that is anything."""
    while True:
        seen = look()
        if isawaitable(seen):
            seen = await seen
        if seen:
            return seen
        await asyncio.sleep(LOOK_S)
