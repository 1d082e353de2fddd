"""What may leave the browser: no other origin is tried, a guard in the page judges the rest."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Final, cast
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, Route, WebSocketRoute

from cpe.profiles.bridge_profile import Allowed, BridgeProfile

SCRIPTS: Final = Path(__file__).with_name("page")


async def fence(context: BrowserContext, url: str, profile: BridgeProfile) -> None:
    """Put it round every page of the context. Raises Playwright's errors."""
    await context.route(foreign(url, profile.allowed), _refuse)
    await context.route_web_socket(re.compile(".*"), _hang_up)
    await context.add_init_script(_guard(profile))


def foreign(url: str, allowed: Allowed) -> re.Pattern[str]:
    """What may not even be tried: all but the page's own files and the listed calls of this host.

    A page that moves on to HTTPS stays the page.
    """
    host = re.escape(urlsplit(url).hostname or "")
    if ":" in host:
        host = rf"\[{host}\]"
    calls = "|".join(re.escape(path) for path in (*allowed.sealed, *allowed.open))
    own = rf"https?://{host}(?::\d+)?(?:/(?!cgi)[^?#]*|(?:{calls}))?(?:[?#].*)?$"
    return re.compile(rf"^(?!{own})")


async def _refuse(route: Route) -> None:
    await route.abort("blockedbyclient")


def _hang_up(socket: WebSocketRoute) -> None:
    del socket  # neither connected nor answered


@cache
def script(name: str) -> str:
    """A script of ours that runs in the page."""
    return (SCRIPTS / name).read_text(encoding="utf-8")


def _guard(profile: BridgeProfile) -> str:
    rules = cast("dict[str, object]", profile.allowed.model_dump(mode="json"))
    return f"({script('guard.js').rstrip()})({json.dumps(rules)});"
