"""Have the box read again: one task, a bounded wait, and proof by leaf timestamps.

The status code proves nothing (reference/genieacs-nbi.md § 3): a 200 may have done nothing and a
202 may have been executed meanwhile. `/tasks`, `/faults` and the leaves decide.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Final, ParamSpec, TypeVar

from cpe.access.genieacs import keys, lookup
from cpe.access.genieacs.document import covers, instances
from cpe.access.genieacs.faulting import read_in_pieces
from cpe.access.genieacs.leftovers import clear_leftovers
from cpe.access.genieacs.nbi import Nbi, PostedTask, get_parameter_values
from cpe.access.genieacs.outcome import FRESHNESS, TaskOutcome, queued_reason
from cpe.access.genieacs.proof import has_landed, newest
from cpe.domain.errors import (
    AccessError,
    BusyError,
    CutOffError,
    LoginRefusedError,
    TimedOutError,
    UnreachableError,
)
from cpe.domain.observation import Quality
from cpe.domain.snapshot import AcsSighting, FreshnessOutcome

RAN: Final = (TaskOutcome.EXECUTED, TaskOutcome.FAULTED)
ANSWERED: Final = (
    TaskOutcome.EXECUTED,
    TaskOutcome.NO_EFFECT,
    TaskOutcome.FAULTED,
    TaskOutcome.IN_SESSION,
)
P = ParamSpec("P")
T = TypeVar("T")

UNIQUE_KEY: Final = f"{keys.PREFIX}refresh"
"""A second task of the same device and key replaces the first: ours never pile up."""
SUSPECT_KEY: Final = f"{UNIQUE_KEY}-suspect"
IN_SESSION_DETAIL: Final = "the box is in session with the ACS and answers slowly"
GIVEN_UP_DETAIL: Final = "given up: the OLT says it is down"
REFUSES_DETAIL: Final = "the box refuses single parameters"
AFTER_POST_S: Final = 1.0
"""Kept back from the bound for reading the proof and removing the task."""
POLL_S: Final = 0.25
GONE_S: Final = 2.0
"""After a task of ours has gone: the ACS writes the device at the session's end, about then."""
IN_SESSION_FACTOR: Final = 2
"""A box that is in session is online: it may take this many times the bound."""
MAX_SUSPECTS: Final = 8
"""Of one model's parameters, asked for each by a task of its own."""
LEAVE_S: Final = 3.0
"""A cancelled refresh holds its caller no longer than this to have its task removed."""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """The outcome, what is known now (the old sighting when nothing was read), and in words why."""

    outcome: TaskOutcome
    sighting: AcsSighting
    detail: str

    @property
    def freshness(self) -> FreshnessOutcome:
        """The outcome in the contract's terms."""
        return FRESHNESS[self.outcome]

    @property
    def box_answered(self) -> bool:
        """Whether the box itself took part, even if only to refuse."""
        return self.outcome in ANSWERED


@dataclass(frozen=True, slots=True)
class _Asked:
    """What one refresh asks for: in one task, and each suspect in a task of its own."""

    names: list[str]
    suspects: tuple[str, ...]


class Removal(StrEnum):
    """What came of removing a queued task of ours."""

    REMOVED = "removed"
    GONE = "gone"
    IN_SESSION = "in_session"


class _NeverArrivedError(Exception):
    """The connection was lost with our task, which the ACS does not have."""


@dataclass(slots=True)
class _Flight:
    task: asyncio.Task[Refreshed]
    abandoned: asyncio.Event
    waiters: int = 0


class Refresher:
    """Refreshes boxes of one NBI; requests for one box at the same time share one task."""

    def __init__(self, nbi: Nbi, *, bound_s: float, limit_s: float) -> None:
        self._nbi = nbi
        self._bound_s = bound_s
        self._limit_s = limit_s
        self._flights: dict[str, _Flight] = {}
        self._suspects: dict[tuple[str | None, ...], dict[str, None]] = {}
        """What boxes of a model and firmware refused lately, asked for apart from the rest."""

    async def refresh(self, sighting: AcsSighting) -> Refreshed:
        """Read the sighting's `refresh_paths` again, within the bound.

        Never raises AccessError: what went wrong is the outcome.
        """
        acs_id = sighting.device.acs_id or ""
        while (flight := self._flights.get(acs_id)) is not None and flight.abandoned.is_set():
            await asyncio.wait({flight.task})
        if flight is None:
            abandoned = asyncio.Event()
            task = asyncio.create_task(self._fly(acs_id, sighting, abandoned))
            flight = self._flights[acs_id] = _Flight(task, abandoned)
        flight.waiters += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiters -= 1
            if flight.waiters == 0 and not flight.task.done():
                # Nobody waits any more: only for our task to be gone, should the loop end with us.
                flight.abandoned.set()
                await asyncio.wait({flight.task}, timeout=LEAVE_S)

    def give_up(self, acs_id: str) -> None:
        """Stop waiting for a box that is known to be down; its task is removed as always."""
        if flight := self._flights.get(acs_id):
            flight.abandoned.set()

    async def _fly(self, acs_id: str, sighting: AcsSighting, abandoned: asyncio.Event) -> Refreshed:
        try:
            return await self._refresh(acs_id, sighting, abandoned)
        except AccessError as error:
            refused = isinstance(error, LoginRefusedError)
            outcome = TaskOutcome.ACS_REFUSED if refused else TaskOutcome.ACS_DOWN
            return Refreshed(outcome, sighting, error.message)
        finally:
            self._flights.pop(acs_id, None)

    async def _refresh(
        self, acs_id: str, sighting: AcsSighting, abandoned: asyncio.Event
    ) -> Refreshed:
        if not sighting.reachable_by_request:
            return Refreshed(
                TaskOutcome.OFFLINE, sighting, "the ACS has no connection request URL for it"
            )
        if not sighting.refresh_paths:
            # Nobody talked to the box: NO_EFFECT would say that it answered.
            return Refreshed(TaskOutcome.UNKNOWN, sighting, "no parameter of it is known")
        await clear_leftovers(self._nbi, acs_id)
        # As of now: a refresh of another box of the model may learn or forget some meanwhile.
        suspects = tuple(p for p in self._suspects_of(sighting) if p in sighting.refresh_paths)
        names = [path for path in sighting.refresh_paths if path not in suspects]
        asked = _Asked(names or list(suspects), suspects if names else ())
        deadline = asyncio.get_running_loop().time() + self._bound_s
        try:
            done = await self._attempt(acs_id, sighting, asked, abandoned, deadline)
        except _NeverArrivedError:
            done = await self._attempt(acs_id, sighting, asked, abandoned, deadline, last=True)
        again = await self._take_suspects_back(acs_id, sighting, asked, done.outcome)
        if done.outcome is TaskOutcome.FAULTED:
            names = [*asked.names, *again]
            return await self._read_in_pieces(acs_id, sighting, done, names, deadline)
        if again:
            rows = [row for name in again for row in await self._rows_of(sighting, name)]
            if len(rows) > len(again):  # Of a refused column some rows may be readable.
                return await self._read_in_pieces(acs_id, sighting, done, rows, deadline)
            return replace(done, detail=f"{REFUSES_DETAIL}: {'; '.join(rows or again)}")
        return done

    async def _rows_of(self, sighting: AcsSighting, pattern: str) -> tuple[str, ...]:
        document = await _again(lookup.read_again, self._nbi, sighting.device)
        return tuple(instances(document or {}, pattern))

    async def _read_in_pieces(
        self,
        acs_id: str,
        sighting: AcsSighting,
        done: Refreshed,
        names: Sequence[str],
        deadline: float,
    ) -> Refreshed:
        """What can be read of these names; those that the box refuses are remembered."""
        refused = await read_in_pieces(
            self._nbi, acs_id, names, unique_key=UNIQUE_KEY, deadline=deadline,
            rows_of=partial(self._rows_of, sighting),
        )  # fmt: skip
        landed, seen = await self._look(sighting, sighting.asked_at)
        if not landed or (refused is None and done.outcome is TaskOutcome.FAULTED):
            return replace(done, sighting=seen)
        bad = tuple(names) if refused is None else refused
        suspects = self._suspects_of(sighting)
        for asked in sighting.refresh_paths:
            if any(covers(asked, path) for path in bad):
                suspects[asked] = None
        while len(suspects) > MAX_SUSPECTS:
            suspects.pop(next(iter(suspects)))
        detail = f"{REFUSES_DETAIL}: {'; '.join(bad)}" if bad else ""
        return Refreshed(TaskOutcome.EXECUTED, seen, detail)

    def _suspects_of(self, sighting: AcsSighting) -> dict[str, None]:
        device = sighting.device
        model = (device.family, device.model, device.firmware)
        return self._suspects.setdefault(model, {})

    async def _queue_suspects(self, acs_id: str, asked: _Asked, left_s: float) -> None:
        """In tasks of their own, for the same session: what one box refuses another may have."""
        for number, path in enumerate(asked.suspects):
            task = get_parameter_values(
                [path], unique_key=f"{SUSPECT_KEY}-{number}", expiry_s=math.ceil(left_s) + 5
            )
            await self._nbi.post_task(acs_id, task, wait_ms=None, timeout_s=left_s)

    async def _take_suspects_back(
        self, acs_id: str, sighting: AcsSighting, asked: _Asked, outcome: TaskOutcome
    ) -> tuple[str, ...]:
        """Leave none of their tasks queued; those that a session left there were refused again.

        A name that the box gave is no suspect any more.
        """
        refused: list[str] = []
        for number, name in enumerate(asked.suspects):
            task_ids = await _again(self._nbi.queued_by_key, acs_id, f"{SUSPECT_KEY}-{number}")
            for task_id in task_ids:
                await self._remove(task_id)
            if outcome in RAN and task_ids:
                refused.append(name)
            elif outcome in RAN:
                self._suspects_of(sighting).pop(name, None)
        return tuple(refused)

    async def _attempt(
        self,
        acs_id: str,
        sighting: AcsSighting,
        asked: _Asked,
        abandoned: asyncio.Event,
        deadline: float,
        *,
        last: bool = False,
    ) -> Refreshed:
        """Raises _NeverArrivedError when another attempt can help, and there is time for one."""
        left_s = deadline - asyncio.get_running_loop().time()
        post = asyncio.create_task(self._post(acs_id, asked, left_s))
        waiting = asyncio.create_task(abandoned.wait())
        try:
            await asyncio.wait(
                {post, waiting},
                timeout=left_s - min(AFTER_POST_S, self._bound_s / 4),
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            waiting.cancel()
            post.cancel()
        if not post.done():
            reason = GIVEN_UP_DETAIL if abandoned.is_set() else "no answer"
            return await self._after_silence(acs_id, sighting, reason, abandoned)
        try:
            posted = post.result()
        except LoginRefusedError:
            raise
        except AccessError as error:
            lost = isinstance(error, UnreachableError) and not isinstance(error, TimedOutError)
            if lost and not last and await self._never_arrived(acs_id, deadline):
                raise _NeverArrivedError from error
            done = await self._after_silence(acs_id, sighting, error.message, abandoned)
            if done.outcome is TaskOutcome.UNKNOWN and not isinstance(error, TimedOutError):
                # 429, 5xx, a page, a dropped connection: the ACS's own trouble, not the box's.
                return replace(done, outcome=TaskOutcome.ACS_DOWN)
            return done
        if posted is None:
            return Refreshed(TaskOutcome.GONE, sighting, "the ACS no longer knows it")
        try:
            return await self._after_answer(acs_id, sighting, posted, abandoned)
        except AccessError:
            with contextlib.suppress(AccessError):
                await self._remove(posted.id)
            raise

    async def _never_arrived(self, acs_id: str, deadline: float) -> bool:
        """Whether the ACS has no task of ours, and there is time to send one again."""
        left_s = deadline - asyncio.get_running_loop().time()
        if left_s < self._bound_s / 2:
            return False
        return not await _again(self._nbi.queued_by_key, acs_id, UNIQUE_KEY)

    async def _post(self, acs_id: str, asked: _Asked, left_s: float) -> PostedTask | None:
        await self._queue_suspects(acs_id, asked, left_s)
        task = get_parameter_values(
            asked.names, unique_key=UNIQUE_KEY, expiry_s=math.ceil(left_s) + 5
        )
        patience_s = max(0.5, left_s - 1.5)
        return await self._nbi.post_task(
            acs_id, task, wait_ms=int(patience_s * 1000), timeout_s=left_s + 1
        )

    async def _after_answer(
        self, acs_id: str, sighting: AcsSighting, posted: PostedTask, abandoned: asyncio.Event
    ) -> Refreshed:
        seen = sighting
        if posted.done_says_status:
            landed, seen = await self._look(sighting, posted.timestamp)
            if landed:
                return Refreshed(TaskOutcome.EXECUTED, seen, "")
        if faulted := await self._faulted(acs_id, sighting, posted):
            return faulted
        queued = await _again(self._nbi.task_is_queued, posted.id)
        if queued and await self._remove(posted.id) is not Removal.REMOVED:
            # In session (503) or just taken: the work may be ending right now.
            return await self._await_session(acs_id, sighting, posted, abandoned)
        if queued:
            outcome, detail = queued_reason(posted.reason)
            return Refreshed(outcome, seen, detail)
        landed, seen = await self._look(sighting, posted.timestamp)
        if landed:
            return Refreshed(TaskOutcome.EXECUTED, seen, "")
        if not posted.done_says_status:
            # Gone without a session: another worker's task of our key took its place.
            outcome, detail = queued_reason(posted.reason)
            return Refreshed(outcome, seen, detail)
        return Refreshed(
            TaskOutcome.NO_EFFECT, seen, "the ACS says done, but not every reading is newer"
        )

    async def _await_session(
        self, acs_id: str, sighting: AcsSighting, posted: PostedTask, abandoned: asyncio.Event
    ) -> Refreshed:
        """The end of a session that the box is in: it is online, only slow.

        A box that answers each RPC after 5 s, or lists its names for 14 s when first met, was
        seen; the bound counts as often as IN_SESSION_FACTOR for it.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + self._bound_s * (IN_SESSION_FACTOR - 1)
        while True:
            landed, seen = await self._look(sighting, posted.timestamp)
            if landed:
                return Refreshed(TaskOutcome.EXECUTED, seen, "")
            if faulted := await self._faulted(acs_id, sighting, posted):
                return faulted
            if loop.time() >= until or abandoned.is_set():
                break
            if not await _again(self._nbi.task_is_queued, posted.id):
                # Its session has ended, or another worker's task of our key took its place.
                until = min(until, loop.time() + GONE_S)
            await asyncio.sleep(POLL_S)
        in_session = await self._remove(posted.id) is Removal.IN_SESSION
        if abandoned.is_set():
            # A session that its box does not end is no sign of life beside an OLT's word.
            return Refreshed(TaskOutcome.UNKNOWN, seen, GIVEN_UP_DETAIL)
        if in_session:
            return Refreshed(TaskOutcome.IN_SESSION, seen, IN_SESSION_DETAIL)
        outcome, detail = queued_reason(posted.reason)
        return Refreshed(outcome, seen, detail)

    async def _faulted(
        self, acs_id: str, sighting: AcsSighting, posted: PostedTask
    ) -> Refreshed | None:
        """The outcome of a fault of this very task; what was read before the fault counts."""
        fault = await _again(self._nbi.fault_of, acs_id, posted.id)
        if fault is None:
            return None
        await self._remove(posted.id)
        _, seen = await self._look(sighting, posted.timestamp)
        detail = f"the box refused the task: {fault.code} {fault.message}"
        return Refreshed(TaskOutcome.FAULTED, seen, detail)

    async def _after_silence(
        self, acs_id: str, sighting: AcsSighting, reason: str, abandoned: asyncio.Event
    ) -> Refreshed:
        """The POST's answer is unknown: look before saying anything, and leave nothing queued."""
        for task_id in await _again(self._nbi.queued_by_key, acs_id, UNIQUE_KEY):
            if await self._remove(task_id) is Removal.IN_SESSION and not abandoned.is_set():
                posted = PostedTask(task_id, sighting.asked_at, False, "")
                return await self._await_session(acs_id, sighting, posted, abandoned)
        landed, seen = await self._look(sighting, sighting.asked_at)
        if landed:
            return Refreshed(TaskOutcome.EXECUTED, seen, "")
        return Refreshed(TaskOutcome.UNKNOWN, seen, reason)

    async def _look(self, before: AcsSighting, since: datetime) -> tuple[bool, AcsSighting]:
        """Whether the refresh is proved, and what the ACS knows now."""
        document = await _again(lookup.read_again, self._nbi, before.device)
        if document is None:
            return False, before
        landed = has_landed(document, before, since)
        now = self._nbi.transport.now()
        now = newest(document, before, now) if landed else now
        after = lookup.sighting(
            document,
            now=now,
            limit_s=self._limit_s,
            others=before.others,
            since=since if landed else None,
        )
        rx_is_old = any(
            m.name == "optical.rx_dbm" and m.quality is Quality.STALE for m in after.measurements
        )
        return after.is_fresh or (landed and not rx_is_old), after

    async def _remove(self, task_id: str) -> Removal:
        try:
            return Removal.REMOVED if await self._nbi.delete_task(task_id) else Removal.GONE
        except BusyError:
            return Removal.IN_SESSION


async def _again(read: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """A read that is cut off once is tried again; the lookup's task run does so by itself."""
    try:
        return await read(*args, **kwargs)
    except CutOffError:
        return await read(*args, **kwargs)
