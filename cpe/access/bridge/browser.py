"""One warm Chromium for a process: started when first needed, started again when it died.

It belongs to the event loop it was started on. The only module besides `session`, `fence` and
`failures` that knows Playwright; nothing imports them before a bridge is asked for.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from playwright.async_api import Browser, BrowserContext, Playwright, async_playwright
from playwright.async_api import Error as PlaywrightError

from cpe.access.bridge.failures import translated
from cpe.access.bridge.interface import SYSTEM
from cpe.domain.errors import NotSupportedError

log = logging.getLogger(__name__)
LAUNCH_MS: Final = 10_000
CLOSE_S: Final = 3.0
FLAGS: Final = (
    # Without these Chromium itself looks up and calls its maker's hosts at every start.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
    "--disable-gpu",
)
USER_AGENT: Final = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/156.0.0.0 Safari/537.36"
)
"""A browser's: modems answer 406 to what does not look like one."""


class WarmBrowser:
    """Hands out contexts of one browser."""

    def __init__(self, executable: Path, *, extra: Sequence[str] = ()) -> None:
        self._executable, self._extra = executable, tuple(extra)
        self._driver: Playwright | None = None
        self._browser: Browser | None = None
        self._starting = asyncio.Lock()
        self.launches = 0

    @asynccontextmanager
    async def context(self) -> AsyncGenerator[BrowserContext]:
        """A context of its own, closed afterwards. Raises AccessError."""
        made = await self._new_context()
        try:
            yield made
        finally:
            with contextlib.suppress(PlaywrightError, TimeoutError):
                async with asyncio.timeout(CLOSE_S):
                    await made.close()

    async def version(self) -> str:
        """The browser's version, started for it when need be. Raises AccessError."""
        return (await self._running()).version

    async def _new_context(self) -> BrowserContext:
        for attempt in range(2):
            browser = await self._running()
            try:
                return await browser.new_context(
                    user_agent=USER_AGENT,
                    ignore_https_errors=True,  # self-signed, weak keys
                    service_workers="block",
                    accept_downloads=False,
                    viewport={"width": 1280, "height": 800},
                )
            except PlaywrightError as error:
                if attempt:
                    raise translated(error, target="") from None
                log.warning("the browser died; starting it again")
                await self._drop()
        raise AssertionError

    async def _running(self) -> Browser:
        async with self._starting:
            if self._browser is not None and self._browser.is_connected():
                return self._browser
            await self._drop()
            try:
                self._browser = await self._launch()
            except PlaywrightError:
                await self._drop()
                raise NotSupportedError(
                    f"{self._executable} does not start; try it by hand with --headless"
                    " --dump-dom about:blank",
                    system=SYSTEM,
                ) from None
            return self._browser

    async def _launch(self) -> Browser:
        driver = self._driver = await async_playwright().start()
        self.launches += 1
        sandboxed = os.name != "nt" and os.geteuid() != 0
        try:
            return await self._launch_once(driver, sandboxed=sandboxed)
        except PlaywrightError:
            if not sandboxed:
                raise
            # A container without user namespaces: the modem's page then runs unconfined.
            log.warning("the browser's sandbox is not to be had here: starting without")
            return await self._launch_once(driver, sandboxed=False)

    async def _launch_once(self, driver: Playwright, *, sandboxed: bool) -> Browser:
        return await driver.chromium.launch(
            executable_path=str(self._executable),
            args=[*FLAGS, *self._extra],
            chromium_sandbox=sandboxed,
            timeout=LAUNCH_MS,
            # Ctrl-C is ours: sessions log out before the browser goes.
            handle_sigint=False,
            handle_sigterm=False,
            handle_sighup=False,
        )

    async def _drop(self) -> None:
        """Let go of browser and driver, in whatever state they are."""
        browser, driver = self._browser, self._driver
        self._browser = self._driver = None
        for ending in (browser and browser.close(), driver and driver.stop()):
            if ending is not None:
                with contextlib.suppress(Exception):  # it is being thrown away
                    async with asyncio.timeout(CLOSE_S):
                        await ending

    async def close(self) -> None:
        """End the browser."""
        async with self._starting:
            await self._drop()
