"""The bridge through a real browser: one session at a time on a modem, a few at a time in all."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from cpe.access.bridge.browser import WarmBrowser
from cpe.access.bridge.failures import BrowserDiedError
from cpe.access.bridge.interface import SYSTEM, Harvest, Login, Modem
from cpe.access.bridge.refusals import Refusals
from cpe.access.bridge.session import ENDED, OPEN, Session
from cpe.domain.errors import LoginRefusedError, TimedOutError
from cpe.profiles.bridge_profile import BridgeProfile, Read

log = logging.getLogger("cpe.bridge")
AT_ONCE: Final = 4
"""A context is some 30 MB."""
LEAVE_S: Final = 15.0
"""What ending a session may take beyond its time."""
MARGIN_S: Final = 0.5


class ChromiumBridge:
    """Reads modems through their own page. Belongs to one event loop."""

    def __init__(
        self,
        browser: WarmBrowser,
        login: Login,
        profile: BridgeProfile,
        refusals: Refusals,
    ) -> None:
        self._browser, self._login = browser, login
        self._profile, self._refusals = profile, refusals
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._turns: dict[str, asyncio.Lock] = {}
        self._ending: set[asyncio.Task[Harvest]] = set()

    async def read(self, modem: Modem, reads: Sequence[Read], *, bound_s: float) -> Harvest:
        """One session within `bound_s`. Raises AccessError.

        Who is cancelled, or out of time, leaves at once; the session behind still logs out.
        """
        deadline = asyncio.get_running_loop().time() + bound_s
        task = asyncio.create_task(self._in_turn(modem, reads, deadline))
        try:
            done, _ = await asyncio.wait({task}, timeout=bound_s)
        except asyncio.CancelledError:
            self._abandon(task)
            raise
        if not done:
            self._abandon(task)
            raise TimedOutError(
                f"not done within {bound_s:g} s", system=SYSTEM, target=modem.serial
            )
        return task.result()

    def _abandon(self, task: asyncio.Task[Harvest]) -> None:
        self._ending.add(task)
        task.add_done_callback(self._ended)
        task.cancel()

    def _ended(self, task: asyncio.Task[Harvest]) -> None:
        self._ending.discard(task)
        if not task.cancelled():
            task.exception()

    async def settle(self) -> None:
        """Let sessions that were left log out; a modem that hangs is not waited for."""
        if self._ending:
            await asyncio.wait(self._ending, timeout=LEAVE_S)

    async def close(self) -> None:
        """Let sessions that were left log out, then end the browser."""
        await self.settle()
        await self._browser.close()

    async def _in_turn(self, modem: Modem, reads: Sequence[Read], deadline: float) -> Harvest:
        turn = self._turns.setdefault(modem.url, asyncio.Lock())
        try:
            async with turn, self._gate:
                self._check_refusals(modem)
                return await self._session(modem, reads, deadline)
        finally:
            if not turn.locked():
                self._turns.pop(modem.url, None)

    def _check_refusals(self, modem: Modem) -> None:
        refusal = self._refusals.standing(modem.url, self._login)
        if refusal is None:
            return
        said = "refused this login" if refusal.outright else "did not say how this login ended"
        raise LoginRefusedError(
            f"the modem {said} lately; not tried again until CPE_BRIDGE_PASSWORD changes or"
            f" {'a day' if refusal.outright else 'a quarter of an hour'} has passed",
            system=SYSTEM,
            target=modem.serial,
        )

    async def _session(self, modem: Modem, reads: Sequence[Read], deadline: float) -> Harvest:
        """A browser that dies before the login is started again, once."""
        for attempt in range(2):
            sent: list[bool] = []
            try:
                return await self._one_session(modem, reads, deadline, sent)
            except BrowserDiedError:
                if attempt or sent:
                    raise
                log.warning("%s: the browser died; starting over", modem.serial)
        raise AssertionError

    async def _one_session(
        self, modem: Modem, reads: Sequence[Read], deadline: float, sent: list[bool]
    ) -> Harvest:
        async with self._browser.context() as context:
            session = Session(context, modem, self._login, self._profile)
            try:
                await session.open()
                await session.ask_whether_free()
                await self._log_in(session, modem)
                left_s = deadline - asyncio.get_running_loop().time()
                spend_s = max(left_s - MARGIN_S - self._profile.pace.read_ms / 1000, 0.5)
                return await session.read(reads, spend_s=spend_s)
            finally:
                sent += [True] * session.login_sent
                await self._leave(session, modem)

    async def _log_in(self, session: Session, modem: Modem) -> None:
        try:
            await session.log_in()
        except LoginRefusedError:
            self._refusals.note(modem.url, self._login, outright=True)
            raise
        self._refusals.forget(modem.url)

    async def _leave(self, session: Session, modem: Modem) -> None:
        """Log out whatever happened, also when we are being cancelled."""
        unclear = session.login_sent and not session.settled
        if unclear:  # at once: others may be about to try
            self._refusals.note(modem.url, self._login, outright=False)
        leaving = asyncio.ensure_future(session.log_out())
        try:
            async with asyncio.timeout(LEAVE_S):
                said = await asyncio.shield(leaving)
        except asyncio.CancelledError:
            await asyncio.wait({leaving}, timeout=LEAVE_S)
            raise
        except TimeoutError:
            said = OPEN
        if said == OPEN:
            log.warning("%s: the modem did not confirm that our session ended", modem.serial)
        if unclear and said == ENDED:  # there was a session to end: it did work
            self._refusals.forget(modem.url)
