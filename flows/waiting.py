"""Something to hear for people who wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

TELL_EVERY_S: Final = 5.0


async def tell_time(what: str, say: Callable[[str], None]) -> None:
    """Say what is being waited for, and every few seconds for how long, until cancelled."""
    began = time.monotonic()
    say(what)
    while True:
        await asyncio.sleep(TELL_EVERY_S)
        say(f"{what}, {time.monotonic() - began:.0f} s")
