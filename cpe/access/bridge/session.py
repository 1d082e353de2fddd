"""One session on one modem: look, ask whether it is free, log in once, read, log out always."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any, Final

from playwright.async_api import BrowserContext, Page
from playwright.async_api import Error as PlaywrightError

from cpe.access.bridge.failures import translated
from cpe.access.bridge.fence import fence, script
from cpe.access.bridge.interface import MAX_ROWS, MAX_TEXT, SYSTEM, Harvest, Login, Modem
from cpe.domain.errors import (
    AccessError,
    LoginRefusedError,
    NotSupportedError,
    OccupiedError,
    TimedOutError,
    UnexpectedAnswerError,
    UnreachableError,
)
from cpe.profiles.bridge_profile import METHODS, BridgeProfile, Read

RELOAD_MS: Final = 4000
FINISH_MS: Final = 3000
ENDED, NONE, OPEN = "ended", "none", "open"
_MOVED: Final = "context was destroyed"
"""The page loaded itself anew under a script of ours."""
BUSY_TRIES: Final = 3
FORM_MS: Final = 4000
LOGIN_MS: Final = 8000


class Session:
    """One context and page.

    `login_sent` says whether a login left, whatever became of it; `may_be_in` whether the modem may
    hold a session of ours, which is then to be ended; `settled` whether its end was understood.
    """

    def __init__(
        self, context: BrowserContext, modem: Modem, login: Login, profile: BridgeProfile
    ) -> None:
        self._context, self._modem = context, modem
        self._login, self._profile = login, profile
        self._page: Page | None = None
        self.login_sent = False
        self.may_be_in = False
        self.settled = False
        self.logged_in = False
        self.lost = False

    async def open(self) -> None:
        """Load the login page behind the guard. Raises AccessError."""
        try:
            await fence(self._context, self._modem.url, self._profile)
            self._page = await self._context.new_page()
            await self._page.goto(
                f"{self._modem.url.rstrip('/')}{self._profile.page.path}",
                wait_until="domcontentloaded",
                timeout=LOGIN_MS,
            )
        except PlaywrightError as error:
            raise translated(error, target=self._modem.serial) from None
        await self._recognise()

    async def _recognise(self) -> None:
        """Whether it is the page we know, and the guard sees what it encrypts."""
        page, look = self._driven(), self._profile.page
        wish = {"password": _any(look.password)}
        try:
            kind = await page.wait_for_function(
                script("recognise.js"), arg=wish, timeout=FORM_MS, polling=20
            )
            found = await kind.json_value()
        except PlaywrightError:
            raise NotSupportedError(
                "its admin UI is not the page that the bridge knows", **self._named()
            ) from None
        if found == "deco":
            raise NotSupportedError(
                "its admin UI is a Deco's (/cgi-bin/luci), which the bridge does not read",
                **self._named(),
            )
        seen = await self._evaluate("() => window.__bridge()", 2.0)
        if not seen["hooked"]:
            raise NotSupportedError(
                "its page does not encrypt where the bridge can watch it", **self._named()
            )
        if self._login.user != "user" and not await self._shows(look.user):
            raise NotSupportedError(
                "its page asks for no user name and would log in as another user", **self._named()
            )

    async def ask_whether_free(self) -> None:
        """Raises OccupiedError when somebody is logged in, NotSupportedError when it won't say."""
        url = next(path for path in self._profile.allowed.open if "Busy" in path)
        answer = await self._evaluate(
            script("busy.js"),
            6.0,
            {"url": url, "tries": BUSY_TRIES, "pause_ms": self._profile.pace.back_off_ms // 2},
        )
        if "unknown" in answer:
            raise NotSupportedError(
                f"the modem does not say whether somebody is logged in (HTTP {answer['unknown']}),"
                " and nobody is thrown out",
                **self._named(),
            )
        if answer["taken"]:
            raise OccupiedError("somebody is logged in to its admin UI", **self._named())

    async def log_in(self) -> None:
        """One attempt. Raises LoginRefusedError, OccupiedError, UnexpectedAnswerError and kin."""
        page, look = self._driven(), self._profile.page
        try:
            if await self._shows(look.user):
                await page.fill(_any(look.user), self._login.user, timeout=FORM_MS)
            await page.fill(_any(look.password), self._login.password, timeout=FORM_MS)
            self.login_sent = self.may_be_in = True  # until the page says that it was not
            await page.click(_any(look.submit), timeout=FORM_MS)
            outcome = await self._login_outcome(LOGIN_MS)
        except PlaywrightError as error:
            self.login_sent = self.may_be_in = await self._login_left()
            raise await self._explained(translated(error, target=self._modem.serial)) from None
        await self._judge_login(outcome)

    async def _login_outcome(self, timeout_ms: float) -> str:
        """How the login ended, by login.js. Raises Playwright's errors."""
        look = self._profile.page
        selectors = {
            "logged_in": _any(look.logged_in),
            "preempt": _any(look.preempt),
            "refused": _any(look.refused),
        }
        handle = await self._driven().wait_for_function(
            script("login.js"), arg=selectors, timeout=timeout_ms, polling=20
        )
        return str(await handle.json_value())

    async def _explained(self, error: AccessError) -> AccessError:
        """The error, with what the guard kept from the page: a firmware may need it to log in."""
        try:
            kept = await self.refused_by_guard()
        except AccessError:
            return error
        if not kept:
            return error
        said = f"{error.message} (kept in the browser: {', '.join(kept)})"
        return type(error)(said, system=error.system, target=error.target)

    async def _login_left(self) -> bool:
        """Whether a login left the page; taken to have when nobody can say."""
        try:
            return bool((await self._evaluate("() => window.__bridge()", 1.0))["login"])
        except (AccessError, KeyError, TypeError):
            return True

    async def _judge_login(self, outcome: str) -> None:
        if outcome == "in":
            self.logged_in = self.settled = True
            return
        self.may_be_in = False
        if outcome == "asked":
            self.login_sent = False  # the page asks before it sends
            raise OccupiedError("somebody is logged in to its admin UI", **self._named())
        if outcome == "stuck":
            self.login_sent = False
            raise await self._explained(
                UnreachableError("its login page gets no answer", **self._named())
            )
        code = outcome.removeprefix("code ")
        known = {str(number) for number in self._profile.refused_codes}
        if outcome == "refused" or code in known:
            self.settled = True
            raise LoginRefusedError(
                "the modem refuses the login; not tried again" + f" ({outcome})", **self._named()
            )
        raise UnexpectedAnswerError(f"the login ended with {outcome}", **self._named())

    async def read(self, reads: Sequence[Read], *, spend_s: float) -> Harvest:
        """All reads in one go, within `spend_s`. Raises AccessError."""
        pace = self._profile.pace
        answer = await self._evaluate(
            script("reads.js"),
            spend_s + pace.read_ms / 1000 + 1,
            {
                "reads": asked(reads),
                "pace": pace.model_dump(),
                "spend_ms": round(spend_s * 1000),
                "max_rows": MAX_ROWS,
                "max_text": MAX_TEXT,
            },
        )
        self.lost = bool(answer["lost"])
        return Harvest(rows=answer["found"], failed=answer["failed"], lost=self.lost)

    async def log_out(self) -> str:
        """End our session, never somebody else's: `ended`, `none` to end, or still `open`.

        A page that was left amid its login is let finish it: without the modem's answer it has no
        cookie to log out with. One whose requests queue behind one that hangs is loaded anew: it
        keeps its key.
        """
        if not self.may_be_in or self.lost:
            return NONE
        self.may_be_in = False
        if not self.logged_in:
            with contextlib.suppress(PlaywrightError):
                self.logged_in = await self._login_outcome(FINISH_MS) == "in"
        if self.logged_in and (said := await self._try_to_log_out()) != OPEN:
            return said
        try:
            await self._driven().goto(
                self._modem.url, wait_until="domcontentloaded", timeout=RELOAD_MS
            )
        except PlaywrightError:
            return OPEN
        return await self._try_to_log_out()

    async def _try_to_log_out(self) -> str:
        logout_ms = self._profile.pace.logout_ms
        try:
            wish = {"logout_ms": logout_ms}
            return str(await self._evaluate(script("logout.js"), logout_ms / 1000 + 1, wish))
        except AccessError:
            return OPEN

    async def refused_by_guard(self) -> tuple[str, ...]:
        """What the guard kept in the browser, by verb and object."""
        seen = await self._evaluate("() => window.__bridge()", 2.0)
        return tuple(seen["refused"])

    async def _shows(self, selectors: Sequence[str]) -> bool:
        return bool(selectors) and await self._driven().locator(_any(selectors)).count() > 0

    async def _evaluate(self, script: str, bound_s: float, argument: object = None) -> Any:
        """`evaluate` has no time limit of its own; a page that moved under it is asked again."""
        try:
            async with asyncio.timeout(bound_s):
                try:
                    return await self._driven().evaluate(script, argument)
                except PlaywrightError as error:
                    if _MOVED not in error.message:
                        raise
                await self._driven().wait_for_load_state("domcontentloaded")
                return await self._driven().evaluate(script, argument)
        except TimeoutError:
            raise TimedOutError("the page did not answer in time", **self._named()) from None
        except PlaywrightError as error:
            raise translated(error, target=self._modem.serial) from None

    def _driven(self) -> Page:
        if self._page is None:
            raise RuntimeError("open() first")
        return self._page

    def _named(self) -> dict[str, str]:
        return {"system": SYSTEM, "target": self._modem.serial}


def _any(selectors: Sequence[str]) -> str:
    return ", ".join(selectors)


def asked(reads: Sequence[Read]) -> list[dict[str, object]]:
    """Reads for the page, each operation that brings objects up to date once, before the first."""
    asked: list[dict[str, object]] = []
    done: set[str] = set()
    for read in reads:
        if read.after is not None and read.after not in done:
            done.add(read.after)
            asked.append({"method": METHODS["op"], "oid": read.after, "attributes": []})
        attributes = list(read.attributes)
        asked.append({"method": METHODS[read.verb], "oid": read.oid, "attributes": attributes})
    return asked
