"""A real headless Chromium of the machine, driven by Playwright, that keeps to itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, async_playwright, expect

from tests.support.tools import browser

# Playwright gives up by itself after 5 or 30 s, which a busy machine needs for a page: pytest's own
# limit is the one that ends a test (tests/support/waiting.py).
PATIENCE_MS = 600_000
expect.set_options(timeout=PATIENCE_MS)

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


@asynccontextmanager
async def emptied(browser: Browser) -> AsyncIterator[Browser]:
    """A browser that several tests share; what this one opened in it is closed on leaving."""
    try:
        yield browser
    finally:
        for context in browser.contexts:
            await context.close()


async def new_page(browser: Browser, **options: Any) -> Page:
    """A page that waits for what it is told to wait for."""
    page = await browser.new_page(**options)
    page.set_default_timeout(PATIENCE_MS)
    return page
