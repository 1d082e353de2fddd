"""Playwright's exceptions in our terms. Their texts stay out: call logs quote what was typed."""

from __future__ import annotations

import re
from typing import Final

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import TimeoutError as PlaywrightTimeoutError

from cpe.access.bridge.interface import SYSTEM
from cpe.domain.errors import (
    AccessError,
    NotSupportedError,
    TimedOutError,
    UnexpectedAnswerError,
    UnreachableError,
)

_NET: Final = re.compile(r"net::(ERR_[A-Z_0-9]+)")
_TLS: Final = ("ERR_SSL", "ERR_CERT", "ERR_BAD_SSL")
_SILENT: Final = ("ERR_TIMED_OUT", "ERR_CONNECTION_TIMED_OUT")
_DEAD: Final = ("TargetClosedError",)


class BrowserDiedError(UnreachableError):
    """The browser, not the modem, went away."""

    outcome = "error"


def translated(error: PlaywrightError, *, target: str) -> AccessError:
    """What a driver's error says about the modem."""
    if isinstance(error, PlaywrightTimeoutError):
        return TimedOutError("no answer in time", system=SYSTEM, target=target)
    if type(error).__name__ in _DEAD:
        return BrowserDiedError("the browser died", system=SYSTEM, target=target)
    match = _NET.search(error.message)
    if match is None:
        return UnexpectedAnswerError("the page could not be driven", system=SYSTEM, target=target)
    code = match[1]
    if code.startswith(_TLS):
        return NotSupportedError(f"no TLS in common with it ({code})", system=SYSTEM, target=target)
    if code in _SILENT:
        return TimedOutError("no answer in time", system=SYSTEM, target=target)
    return UnreachableError(f"no connection ({code})", system=SYSTEM, target=target)
