"""One TR-143 download test of one box; an old result is never taken for the new.

The traps are those of reference/genieacs-nbi.md § 4: an ACS that still believes in `Requested`
sends nothing and says 200; the end of the test (event 8) is not visible; after a failed test the
old results are served with fresh times; writing any parameter of the object stops a running test.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cpe.access.genieacs import keys
from cpe.access.genieacs.errand import Errands
from cpe.access.genieacs.leftovers import clear_leftovers
from cpe.access.genieacs.nbi import (
    Fault,
    Nbi,
    get_parameter_values,
    set_parameter_values,
)
from cpe.access.genieacs.panel import (
    BEGAN,
    CONNECTIONS,
    DURATION,
    ENDED,
    MAX_CONNECTIONS,
    RESULT,
    STATE,
    URL,
    Panel,
    read_panel,
)
from cpe.access.genieacs.proof import SLOT
from cpe.access.genieacs.transport import SYSTEM
from cpe.domain.errors import (
    BusyError,
    DeclinedError,
    NotSupportedError,
    OccupiedError,
    UnreachableError,
)
from cpe.domain.snapshot import SpeedTest
from cpe.domain.speed import (
    CANCELED,
    COMPLETE,
    REQUESTED,
    download_rate,
    explain,
    failed,
    whole_number,
)
from cpe.profiles.cpe_profile import SpeedTestPaths

READ_KEY: Final = keys.SPEEDTEST_READ
STOP_KEY: Final = keys.SPEEDTEST_STOP
PREPARE_KEY: Final = keys.SPEEDTEST_PREPARE
REQUEST_KEY: Final = keys.SPEEDTEST_REQUEST
KEYS: Final = keys.SPEEDTEST
WATCH_S: Final = 0.5
"""Between looks into the ACS's database for an inform; costs milliseconds, disturbs no box."""
READ_EVERY_S: Final = 5.0
AFTER_INFORM_S: Final = 1.2
"""A leaf read within the same second is not read again; then the next second's try counts."""
TEST_S: Final = 10
"""Where the box can time its test: else a slow line never ends a file that fits a fast one."""
BAD_VALUE: Final = frozenset({"cwmp.9003", "cwmp.9006", "cwmp.9007"})
OVERDUE: Final = timedelta(minutes=5)
"""No test lasts so long (a file of TR-143 takes seconds): one that was requested before, and has
not ended, never will."""
STOPPING_STATES: Final = (CANCELED, "None")
"""What ends a test that stands as requested: the first since TR-181 2.13, the second where a box
lets its state be written freely."""
Setting = tuple[str, str | int | bool, str]


@dataclass(frozen=True, slots=True)
class Standing:
    """A request that was found on a box: since when it is known, and when the ACS last read it."""

    since: datetime
    read_at: datetime


class Trial:
    """One test of one box: look, ask, wait for the result."""

    def __init__(
        self,
        nbi: Nbi,
        acs_id: str,
        paths: SpeedTestPaths,
        url: str,
        bound_s: float,
        tell: Callable[[str], None],
        standing: dict[str, Standing] | None = None,
    ) -> None:
        """`standing` remembers by ACS id, beyond this test, the requests that had not ended."""
        self._nbi, self._acs_id, self._paths, self._url = nbi, acs_id, paths, url
        self._standing: dict[str, Standing] = {} if standing is None else standing
        self._clock = asyncio.get_running_loop().time
        self._bound_s, self._tell = bound_s, tell
        self._deadline = self._clock() + bound_s
        self._errands = Errands(nbi, acs_id, KEYS, self._deadline)
        self._asked_at = 0.0
        self._stopped = False

    async def run(self) -> SpeedTest:
        """The whole test; nothing of ours stays queued, however it ends."""
        await clear_leftovers(self._nbi, self._acs_id)
        try:
            before = await self._look()
            since = await self._ask(before)
            self._tell(f"the box was asked to test, and has {self._bound_s:.0f} s at most")
            test = await self._wait(before, since)
            figure = test.detail or f"{test.download_mbps} Mbit/s {test.measured_over}"
            self._tell(f"the test is over: {figure.rstrip()}")
            return test
        finally:
            await self._errands.clear()

    async def _look(self) -> Panel:
        """What the box itself says before anything is written to it."""
        known = await self._panel()
        ran = await self._errands.send(self._read_task(known))
        if isinstance(ran, Fault):
            raise self._declined(f"the box refuses to be read: {ran.code} {ran.message}")
        panel = await self._panel()
        if STATE not in panel.leaves:
            raise NotSupportedError(
                "the box has no TR-143 download test", system=SYSTEM, target=self._acs_id
            )
        since = known.time(STATE)
        # Our own clock against itself where the leaf was known: hosts' clocks may differ.
        moved = since is not None and panel.is_after(STATE, since)
        if not moved and not panel.is_after(STATE, ran.timestamp - SLOT):
            raise self._declined("the ACS says done, but nothing was read")
        if panel.value(STATE) != REQUESTED:
            self._standing.pop(self._acs_id, None)
            return panel
        if not self._is_over(known, panel):
            raise OccupiedError(
                "another speed test is running on the box", system=SYSTEM, target=self._acs_id
            )
        self._tell("a speed test was requested of the box long ago and never ended")
        self._stopped = True
        return await self._stop(panel)

    def _is_over(self, known: Panel, panel: Panel) -> bool:
        """Whether the test that the box says is requested cannot be running any more.

        It was requested no later than the ACS's earlier reading of it; a boot since then ended it.
        All times are the CWMP host's. That we read it again proves no later request: as long as
        nobody else read or wrote it, it stands since we first saw it.
        """
        read_at = panel.time(STATE)
        if read_at is None:
            return False
        since = known.time(STATE) if known.value(STATE) == REQUESTED else None
        earlier = self._standing.get(self._acs_id)
        if since is not None and earlier is not None and earlier.read_at == since:
            since = earlier.since
        since = min(since or read_at, read_at)  # A clock that was set back is no proof.
        self._standing[self._acs_id] = Standing(since, read_at)
        rebooted = panel.last_boot is not None and panel.last_boot > since
        return rebooted or read_at - since >= OVERDUE

    async def _stop(self, panel: Panel) -> Panel:
        """End a test that never will by itself, so that the ACS sends `Requested` again.

        It sends nothing that it believes to be there already. Raises DeclinedError when the box
        keeps to it.
        """
        for state in STOPPING_STATES:
            ran = await self._errands.send(self._stop_task(STATE, state))
            after = await self._panel()
            if not isinstance(ran, Fault) and after.value(STATE) != REQUESTED:
                return after
        # TR-143: to write any other parameter of the object stops a test as well. A fragment is
        # never sent to a server, so the URL is another and means the same.
        again = f"{self._url}#" if panel.value(URL) == self._url else self._url
        await self._errands.send(self._stop_task(URL, again))
        await asyncio.sleep(AFTER_INFORM_S)
        await self._errands.send(self._read_task(panel))
        after = await self._panel()
        if after.value(STATE) == REQUESTED:
            raise self._declined("the box holds on to a speed test that never ended")
        return after

    async def _ask(self, before: Panel) -> datetime:
        """Request the test. The ACS's time after which a reading belongs to it."""
        options = self._options(before)
        written = (URL, *(name for name, _, _ in options))
        if not self._stopped:
            written = (STATE, *written)  # A box that was stopped might say `Requested` once more.
        prepare = get_parameter_values(
            [self._path(name) for name in written],
            unique_key=PREPARE_KEY,
            expiry_s=self._errands.expiry_s(),
        )
        await self._errands.queue(prepare)
        self._asked_at = self._clock()
        ran = await self._errands.send(self._request_task(options))
        if isinstance(ran, Fault) and options and ran.code in BAD_VALUE:
            ran = await self._errands.send(self._request_task(()))
        if isinstance(ran, Fault):
            raise self._declined(f"the box refuses the test: {ran.code} {ran.message}")
        after = await self._panel()
        newest = before.newest()
        requested = after.time(STATE)
        if after.value(STATE) == REQUESTED and requested and after.is_after(STATE, newest):
            return requested
        # An ACS that reads results at event 8 may have them already.
        changed = any(after.value(n) != before.value(n) for n in (STATE, BEGAN, ENDED))
        if newest is None or not changed:
            raise self._declined("the ACS says done, but the box was not asked to test")
        return newest

    def _options(self, panel: Panel) -> tuple[Setting, ...]:
        options: list[Setting] = []
        if self._paths.max_connections > 1 and CONNECTIONS in panel.leaves:
            most = whole_number(panel.value(MAX_CONNECTIONS)) or self._paths.max_connections
            count = min(most, self._paths.max_connections)
            options.append((CONNECTIONS, count, "xsd:unsignedInt"))
        if DURATION in panel.leaves:
            seconds = max(1, min(TEST_S, int(self._bound_s / 3)))
            options.append((DURATION, seconds, "xsd:unsignedInt"))
        return tuple(options)

    async def _wait(self, before: Panel, since: datetime) -> SpeedTest:
        """Watch for informs, have the object read after each and now and then, until it ends."""
        reserve_s = min(2.0, self._bound_s / 4)
        seen: datetime | None = None
        next_read = self._clock() + READ_EVERY_S
        while True:
            last = self._clock() >= self._deadline - reserve_s
            try:
                panel = await self._panel()
                if test := self._result(panel, before, since):
                    return test
                informed = seen is not None and panel.last_inform != seen
                seen = panel.last_inform
                if informed or last or self._clock() >= next_read:
                    waited_s = self._clock() - self._asked_at
                    self._tell(f"the box has been testing for {waited_s:.0f} s")
                    next_read = self._clock() + (AFTER_INFORM_S if informed else READ_EVERY_S)
                    panel = await self._read(panel)
                    seen = panel.last_inform
                    if test := self._result(panel, before, since):
                        return test
                    if last:
                        return self._given_up(panel, since)
            except (UnreachableError, BusyError):
                if last:
                    raise
            await asyncio.sleep(WATCH_S)

    async def _read(self, panel: Panel) -> Panel:
        """Have the box read again: harmless while it is testing."""
        await self._errands.send(self._read_task(panel))
        return await self._panel()

    def _result(self, panel: Panel, before: Panel, since: datetime) -> SpeedTest | None:
        """The test's result; None while it is running or only older readings are there."""
        state = panel.value(STATE)
        if not isinstance(state, str) or not panel.is_after(STATE, since):
            return None
        connections = whole_number(panel.value(CONNECTIONS))
        at = panel.time(STATE)
        if failed(state):
            return SpeedTest(state=state, connections=connections, at=at, detail=explain(state))
        if state not in COMPLETE or not self._is_new(panel, before, since):
            return None
        waited_s = self._clock() - self._asked_at
        rate = download_rate(panel.counters(since), connections=connections, waited_s=waited_s)
        return SpeedTest(
            state=state,
            download_mbps=rate.mbps,
            bytes=rate.bytes,
            duration_ms=rate.duration_ms,
            connections=connections,
            at=at,
            detail=rate.why,
            resolution_ms=rate.resolution_ms,
        )

    def _is_new(self, panel: Panel, before: Panel, since: datetime) -> bool:
        """Whether every result leaf was read since, and it is not the earlier result again."""
        if not all(panel.is_after(name, since) for name in RESULT if name in panel.leaves):
            return False
        times = (panel.value(BEGAN), panel.value(ENDED))
        return times != (before.value(BEGAN), before.value(ENDED)) or not any(times)

    def _given_up(self, panel: Panel, since: datetime) -> SpeedTest:
        state, read_at = panel.value(STATE), panel.time(STATE)
        if state == REQUESTED and read_at is not None:
            self._standing[self._acs_id] = Standing(since, read_at)
        detail = f"the test did not end within {self._bound_s:g} s"
        if state in COMPLETE:
            detail += ": the box shows an earlier result"
        return SpeedTest(
            state=str(state) if state is not None else None,
            connections=whole_number(panel.value(CONNECTIONS)),
            at=panel.time(STATE),
            detail=detail,
        )

    def _read_task(self, panel: Panel) -> dict[str, object]:
        return get_parameter_values(
            panel.paths(), unique_key=READ_KEY, expiry_s=self._errands.expiry_s()
        )

    def _stop_task(self, name: str, value: str) -> dict[str, object]:
        return set_parameter_values(
            [(self._path(name), value, "xsd:string")],
            unique_key=STOP_KEY,
            expiry_s=self._errands.expiry_s(),
        )

    def _request_task(self, options: tuple[Setting, ...]) -> dict[str, object]:
        settings = ((URL, self._url, "xsd:string"), *options, (STATE, REQUESTED, "xsd:string"))
        return set_parameter_values(
            [(self._path(name), value, kind) for name, value, kind in settings],
            unique_key=REQUEST_KEY,
            expiry_s=self._errands.expiry_s(),
        )

    def _path(self, name: str) -> str:
        return f"{self._paths.object}.{name}"

    async def _panel(self) -> Panel:
        return await read_panel(self._nbi, self._acs_id, self._paths.object)

    def _declined(self, detail: str) -> DeclinedError:
        return DeclinedError(detail, system=SYSTEM, target=self._acs_id)
