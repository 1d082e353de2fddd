"""CWMP sessions: connection requests, periodic informs, and what tasks do inside."""

from __future__ import annotations

import asyncio
import contextlib
import math
import re
from dataclasses import dataclass, field
from typing import Any, Final

from deployments.lab.acs_devices import AcsDevices
from deployments.lab.acs_document import Writer
from deployments.lab.acs_query import Doc
from deployments.lab.acs_tasks import MAX_PER_SESSION, Tasks, cwmp_fault
from deployments.lab.diagnostics import Download
from deployments.lab.parameters import Leaf, Value, cast_to, read
from deployments.lab.truth import Caller, IsoDate, dice

_PATH: Final = re.compile(r"(?:[A-Za-z_][\w\-]*(?:\.(?:[A-Za-z_][\w\-]*|\d+|\*))*)?")
_BATCH: Final = 32
"""cwmp.gpvBatchSize."""
_MAX_DISCOVERY: Final = 24
_RELIST_ROUNDS: Final = 4
"""GetParameterNames for tables that were listed before: 0.54 s in place of 0.52 s, measured."""


@dataclass(frozen=True, slots=True)
class Timing:
    """The ACS's clocks in seconds; the defaults are GenieACS's own."""

    poll_s: float = 0.5
    connection_request_s: float = 2.0
    online_threshold_s: float = 4.0
    lock_wait_s: float = 30.0
    session_limit_s: float = 120.0
    session_timeout_s: float = 30.0
    slot_s: float = 1.0
    """Nothing is read twice within such a slot; each device has its own offset."""
    reboot_s: float = 40.0
    speedtest_s: float = 3.0
    """How long a download test lasts whose URL does not say its size."""


@dataclass(slots=True)
class _Live:
    """A device that is, or soon will be, in a session."""

    in_session: bool = False
    wakes: dict[str, asyncio.Task[None]] = field(default_factory=dict[str, "asyncio.Task[None]"])
    idle: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class _Pending:
    """What a session will write when it ends."""

    started: float
    read: dict[str, tuple[Value, IsoDate]] = field(default_factory=dict[str, tuple[Value, IsoDate]])
    objects: set[str] = field(default_factory=set[str])
    listed: bool = False
    step: int = 2
    reboot: bool = False
    reset: bool = False

    def stamp(self) -> IsoDate:
        """Session start and a few milliseconds, whatever the clock says."""
        return IsoDate.at(self.started + self.step / 1000)


class TaskFaultError(Exception):
    """The task faults: code, message, detail."""

    def __init__(self, code: str, message: str, detail: Doc | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.detail = code, message, detail


class Sessions:
    """Runs sessions for all devices, one at a time each."""

    def __init__(self, devices: AcsDevices, tasks: Tasks, timing: Timing) -> None:
        self._devices, self._tasks, self.timing = devices, tasks, timing
        self._plant = devices.plant
        self._live: dict[int, _Live] = {}

    def _of(self, key: int) -> _Live:
        return self._live.setdefault(key, _Live())

    def in_session(self, key: int) -> bool:
        """Whether the device holds its session lock."""
        live = self._live.get(key)
        return live is not None and live.in_session

    async def wait_idle(self, key: int, seconds: float) -> bool:
        """Wait for the lock; False when it was not free in time."""
        live = self._of(key)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while live.in_session:
                    live.idle.clear()
                    await live.idle.wait()
        return not live.in_session

    async def stop(self) -> None:
        """End everything under way."""
        wakes = [wake for live in self._live.values() for wake in live.wakes.values()]
        for wake in wakes:
            wake.cancel()
        await asyncio.gather(*wakes, return_exceptions=True)

    # -- beginnings

    async def connection_request(self, key: int) -> str:
        """Call the box. "" when it accepted, else GenieACS's reason."""
        index = key if key >= 0 else -1 - key
        truth, state = self._plant.conditions(index), self._plant.peek(index)
        if state is not None and state.boots_until > self._plant.clock():
            return "Device is offline"
        if key < 0 or not truth.reachable or truth.caller is Caller.HANGS:
            await asyncio.sleep(self.timing.connection_request_s)
            return "Device is offline"
        if truth.caller in {Caller.RESETS, Caller.STATUS_503}:
            return "Device is offline"
        if truth.caller is Caller.REFUSES_LOGIN:
            return "Connection request error: Incorrect connection request credentials"
        if truth.caller in {Caller.STATUS_403, Caller.STATUS_404, Caller.STATUS_500}:
            return f"Connection request error: Unexpected status code {truth.caller.value}"
        if truth.caller is Caller.ANSWERS:
            self._wake(key, "called", truth.inform_delay_s)
        return ""

    def expect_inform(self, key: int) -> None:
        """Run the queue at the box's next periodic inform, if it sends one."""
        index = key if key >= 0 else -1 - key
        truth = self._plant.conditions(index)
        if key >= 0 and truth.reachable and truth.inform_interval_s:
            delay = self._devices.next_tick(key) - self._plant.clock()
            self._wake(key, "periodic", max(0.05, delay + 0.05))

    def _wake(self, key: int, why: str, delay: float) -> None:
        live = self._of(key)
        running = live.wakes.get(why)
        if running is None or running.done():
            live.wakes[why] = asyncio.create_task(self._later(key, delay))

    async def _later(self, key: int, delay: float) -> None:
        await asyncio.sleep(delay)
        live = self._of(key)
        while live.in_session:
            live.idle.clear()
            await live.idle.wait()
        index = key if key >= 0 else -1 - key
        if self._plant.conditions(index).reachable:
            live.in_session = True
            try:
                await self._session(key)
            finally:
                live.in_session = False
                live.idle.set()

    # -- the session

    async def _session(self, key: int) -> None:
        started = self._plant.clock()
        pending = _Pending(started)
        who = self._devices.who(key)
        due = self._tasks.due(who.acs_id, started)
        for number, task in enumerate(due):
            if number >= MAX_PER_SESSION:
                self._tasks.fault(
                    task, started, "too_many_cycles", "The provision seemed to be repeating", None
                )
                continue
            try:
                await self._run(key, task, pending)
            except TaskFaultError as fault:
                now = self._plant.clock()
                self._tasks.fault(task, now, fault.code, fault.message, fault.detail)
                if fault.code == "session_terminated":
                    return
            else:
                self._tasks.delete(task["_id"])
        self._write(key, pending)

    def _write(self, key: int, pending: _Pending) -> None:
        """The document is written once, now that the session ends."""
        record = self._devices.record(key)
        record.last_session = pending.started
        record.read.update(pending.read)
        record.objects.update(dict.fromkeys(pending.objects, pending.stamp()))
        if pending.listed:
            record.listed, record.listed_at = self._devices.shape(key), pending.started
        state = self._plant.state(key)
        now = self._plant.clock()
        if pending.reboot or pending.reset:
            self._reboot(key, now, reset=pending.reset)
            return
        truth = self._plant.conditions(key)
        default_s = self.timing.speedtest_s
        began = state.download.launch(now, truth.line_mbps, default_s, truth.wan_up)
        if began and truth.test_hangs:
            state.download.ends_at = math.inf
        elif began:
            self._wake(key, "diagnostics", state.download.ends_at - now + 0.02)

    def _reboot(self, key: int, now: float, *, reset: bool) -> None:
        record, state = self._devices.record(key), self._plant.state(key)
        back = now + self.timing.reboot_s
        state.booted_at, state.boots_until, state.download = back, back, Download()
        record.booted = back
        if reset:
            state.values.clear()
            record.read.clear()
            record.objects.clear()
            record.forgotten, record.bootstrapped = True, back
        self._wake(key, "boot", self.timing.reboot_s + 0.01)

    async def _run(self, key: int, task: Doc, pending: _Pending) -> None:
        truth = self._plant.conditions(key)
        name = task["name"]
        if truth.fault_code == "dropped":
            await asyncio.sleep(self.timing.session_timeout_s)
            message = "The TR-069 session was unsuccessfully terminated"
            raise TaskFaultError("session_terminated", message)
        paths = task.get("parameterNames") or [task.get("objectName", "")]
        if name in {"getParameterValues", "refreshObject"}:
            for path in paths:
                if not _PATH.fullmatch(path):
                    raise TaskFaultError("script.Error", "Invalid parameter path", {
                        "name": "Error", "message": "Invalid parameter path",
                    })  # fmt: skip
        if truth.fault_code:
            await asyncio.sleep(truth.rpc_s)
            raise TaskFaultError(*cwmp_fault(truth.fault_code))
        if name in {"reboot", "factoryReset"}:
            await asyncio.sleep(truth.rpc_s)
            pending.reboot, pending.reset = True, name == "factoryReset"
        elif name == "setParameterValues":
            await self._set(key, task["parameterValues"], pending, truth.rpc_s)
        else:
            await self._get(key, paths, pending, truth.rpc_s)

    async def _get(self, key: int, paths: list[str], pending: _Pending, rpc_s: float) -> None:
        writer = Writer(self._devices, key)
        model = self._devices.template(self._devices.shape(key))
        leaves = {leaf.path: leaf for path in paths for leaf in model.below(path)}
        listed = {o for path in paths for o in model.listed(path, known=writer.knows)}
        listed -= pending.objects
        fresh = listed - self._devices.record(key).objects.keys()
        rounds = min(_MAX_DISCOVERY, len(fresh)) if not writer.all_known else 0
        rounds += min(_RELIST_ROUNDS, len(listed - fresh))
        wanted = [leaf for leaf in leaves.values() if self._moved_on(key, leaf, writer, pending)]
        await asyncio.sleep(rpc_s * (rounds + -(-len(wanted) // _BATCH)))
        truth = self._plant.conditions(key)
        if truth.answers_nothing:
            return
        if truth.refuses and any(leaf.path.endswith(truth.refuses) for leaf in wanted):
            raise TaskFaultError(*cwmp_fault("9002"))
        pending.listed = pending.listed or any("*" in path for path in paths) or "" in paths
        pending.objects |= listed
        pending.step += 2
        box = self._devices.box(key)
        box.download.settle(box.now, model.complete)
        for leaf in wanted:
            pending.read[leaf.path] = (read(leaf, box), pending.stamp())

    def _moved_on(self, key: int, leaf: Leaf, writer: Writer, pending: _Pending) -> bool:
        """False within the same slot as the last read: then no RPC is sent."""
        known = pending.read.get(leaf.path) or writer.known(leaf)
        if known is None or leaf.path in writer.template.inform:
            return True
        slot_s = self.timing.slot_s
        offset = slot_s * dice(self._plant.seed, key, 50)
        return (known[1].epoch_s + offset) // slot_s != (pending.started + offset) // slot_s

    async def _set(
        self, key: int, entries: list[list[Any]], pending: _Pending, rpc_s: float
    ) -> None:
        writer = Writer(self._devices, key)
        changes: list[tuple[Leaf, Value]] = []
        for path, value, *_ in entries:
            leaf = writer.template.leaves.get(path)
            if leaf is None or not leaf.writable:
                continue
            wanted = cast_to(leaf.type, value)
            known = pending.read.get(path) or writer.known(leaf)
            if known is None or known[0] != wanted:
                changes.append((leaf, wanted))
        if not changes or self._plant.conditions(key).answers_nothing:
            return
        await asyncio.sleep(rpc_s)
        pending.step += 2
        state, box = self._plant.state(key), self._devices.box(key)
        state.download.settle(box.now, writer.template.complete)
        for leaf, wanted in changes:
            parent, _, name = leaf.path.rpartition(".")
            if parent == writer.template.tests:
                state.download.write(name, wanted)
            state.values[leaf.path] = wanted
            pending.objects.add(parent)
            pending.read[leaf.path] = (wanted, pending.stamp())
        for name in ("DiagnosticsState", "DownloadURL"):
            state.values.pop(f"{writer.template.tests}.{name}", None)
