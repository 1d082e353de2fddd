"""A real headless Chromium of the machine, driven by Playwright, that keeps to itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, async_playwright

from tests.support.tools import browser

# Without these Chromium itself looks up and calls its maker's hosts at every start.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@asynccontextmanager
async def chromium(*extra: str) -> AsyncIterator[Browser]:
    """A browser with an empty profile of its own."""
    found: Path | None = browser()
    assert found is not None, "mark the test with `browser`"
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(
            executable_path=str(found), args=[*FLAGS, *extra], headless=True
        )
        try:
            yield launched
        finally:
            await launched.close()
