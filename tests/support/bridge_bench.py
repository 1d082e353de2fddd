"""A lab of modems and one warm browser, shared by a module's tests; a fresh box for each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import BrowserContext

from cpe.access.bridge.browser import WarmBrowser
from cpe.access.bridge.chromium import ChromiumBridge
from cpe.access.bridge.interface import Login, Modem
from cpe.access.bridge.refusals import Refusals
from cpe.access.bridge.session import Session
from cpe.profiles.bridge_profile import BridgeProfile, bridge_profile
from deployments.lab.modem.state import PASSWORD, USER, ModemState
from deployments.lab.serve import Lab, running_lab
from tests.support import tools

LOGIN = Login(USER, PASSWORD)
RESOLVE = "--host-resolver-rules=MAP *.lan 127.0.0.1"
"""Names below .lan are no secure context, unlike 127.0.0.1 and .localhost: as on a real modem."""
QUICK = {"settle_ms": 0, "spacing_ms": 0, "back_off_ms": 20, "read_ms": 1500, "logout_ms": 500}


def quick_profile(**pace: int) -> BridgeProfile:
    """The shipped profile without its pauses."""
    profile = bridge_profile()
    return profile.model_copy(update={"pace": profile.pace.model_copy(update={**QUICK, **pace})})


@dataclass
class Box:
    """One modem of the bench."""

    serial: str
    modem: Modem
    state: ModemState
    lab: Lab

    def befall(self, scenario: str) -> None:
        self.lab.set_scenario(self.serial, scenario)


@dataclass
class Bench:
    lab: Lab
    browser: WarmBrowser
    folder: Path
    profile: BridgeProfile = field(default_factory=quick_profile)
    _used: Iterator[int] = field(default_factory=lambda: iter(range(60)))

    def box(self, **mischief: Any) -> Box:
        """A TP-Link that no test has touched."""
        identities = self.lab.plant.identities
        index = next(i for i in self._used if identities[i].is_tplink)
        serial = identities[index].serial
        url = f"http://100.64.{index >> 8}.{index & 255}.lan:{self.lab.modem.port}"
        state = self.lab.modems.state(serial)
        state.mischief.change(mischief)
        return Box(serial, Modem(url, serial), state, self.lab)

    def bridge(
        self, login: Login = LOGIN, *, memory: str = "refusals", **pace: int
    ) -> ChromiumBridge:
        """A bridge on the shared browser, as another process with the same memory would be."""
        profile = quick_profile(**pace) if pace else self.profile
        return ChromiumBridge(self.browser, login, profile, Refusals(self.folder / memory))

    @asynccontextmanager
    async def session(self, box: Box, login: Login = LOGIN) -> AsyncIterator[Session]:
        """A session that a test drives by hand."""
        async with self.browser.context() as context:
            yield Session(context, box.modem, login, self.profile)


@asynccontextmanager
async def bridge_bench(folder: Path) -> AsyncIterator[Bench]:
    """Needs a browser: mark the test with `browser`."""
    executable = tools.browser()
    assert executable is not None, "mark the test with `browser`"
    async with running_lab(folder=folder, tour=False) as lab:
        browser = WarmBrowser(executable, extra=(RESOLVE,))
        try:
            yield Bench(lab, browser, folder)
        finally:
            await browser.close()


async def evaluate(context: BrowserContext, script: str, argument: object = None) -> Any:
    """In the session's page."""
    return await context.pages[0].evaluate(script, argument)
