"""Which Chromium drives the page."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cpe.access.bridge.interface import SYSTEM
from cpe.domain.errors import NotConfiguredError

NAMES: Final = (
    "chromium-headless-shell",  # half the memory of the others, and a third of their start
    "chrome-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
    "chrome",
)
_OWN: Final = (
    "chromium_headless_shell-*/*/*headless*shell",
    "chromium-*/*/chrome",
    "chromium-*/*/*.app/Contents/MacOS/*",
)


def find_browser(configured: Path | None) -> Path:
    """The configured browser, one on the PATH, or one that Playwright downloaded.

    Raises NotConfiguredError with the command that mends it.
    """
    if configured is not None:
        if not (configured.is_file() and os.access(configured, os.X_OK)):
            raise NotConfiguredError(
                f"CPE_BRIDGE_BROWSER {configured} is no program", system=SYSTEM
            )
        return configured
    for name in NAMES:
        if found := shutil.which(name):
            return Path(found)
    if own := next(_playwrights(), None):
        return own
    raise NotConfiguredError(f"no Chromium is installed: {remedy()}", system=SYSTEM)


def remedy() -> str:
    """The one command that brings a browser."""
    if shutil.which("apt-get"):
        return "apt-get install chromium-headless-shell"
    return "playwright install chromium"


def _playwrights() -> Iterator[Path]:
    """Programs that `playwright install` left, the newest first."""
    caches = (
        os.environ.get("PLAYWRIGHT_BROWSERS_PATH"),
        "~/.cache/ms-playwright",
        "~/Library/Caches/ms-playwright",
    )
    for cache in caches:
        if not cache or cache == "0":
            continue
        folder = Path(cache).expanduser()
        for pattern in _OWN:
            for path in sorted(folder.glob(pattern), reverse=True):
                if path.is_file() and os.access(path, os.X_OK):
                    yield path
