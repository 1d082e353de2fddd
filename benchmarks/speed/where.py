"""Where the time of a run goes: each request to Prefect's API, our own steps, and the CPU.

These runs are watched, so they are not among the measured ones.
"""

from __future__ import annotations

import asyncio
import re
import statistics
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import httpx

from benchmarks.speed.added import FRESH, SETTLE_S
from benchmarks.speed.empty_flow import empty_flow
from benchmarks.speed.lab import LabProcess
from benchmarks.speed.runs import plain, through_prefect
from cpe.store.repository import Store

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f\-]{27}")
_STEPS = {"store: recall": (Store, "recall"), "store: keep": (Store, "keep")}
Spent = dict[str, float]


async def show(lab: LabProcess, rounds: int) -> None:
    """One line a request, step or thread: ms a run in the diagnosis and in the empty flow."""
    columns: dict[str, list[Spent]] = {"through": [], "plain": [], "empty": []}
    for _ in range(rounds):
        box = lab.box("healthy")
        turns: dict[str, Callable[[], Awaitable[object]]] = {
            "through": lambda box=box: through_prefect(box, FRESH),
            "empty": empty_flow,
            "plain": lambda box=box: plain(box, FRESH),
        }
        for name, turn in turns.items():
            columns[name].append(await watched(turn))
            if name != "plain":
                await asyncio.sleep(SETTLE_S)
    print(f"where it goes, ms a run, medians of {rounds} watched runs")
    print(f"    {'':44}{'through':>9}{'plain':>9}{'empty':>9}")
    for what in dict.fromkeys(k for spents in columns.values() for spent in spents for k in spent):
        numbers = [statistics.median(s.get(what, 0.0) for s in c) for c in columns.values()]
        if max(numbers) >= 0.5:
            print(f"    {what:44}" + "".join(f"{number:9.1f}" for number in numbers))


async def watched(turn: Callable[[], Awaitable[object]]) -> Spent:
    """What one run spent on what."""
    spent: Spent = defaultdict(float)
    with _requests_timed(spent), _steps_timed(spent):
        wall, here, all_threads = time.perf_counter(), time.thread_time(), time.process_time()
        await turn()
        here, all_threads = time.thread_time() - here, time.process_time() - all_threads
        spent["whole run"] = (time.perf_counter() - wall) * 1000
        spent["CPU of the run's thread"] = here * 1000
        spent["CPU of the server's and other threads"] = (all_threads - here) * 1000
    return spent


@contextmanager
def _requests_timed(spent: Spent) -> Iterator[None]:
    """Time requests of this thread's loop: the log thread's are nobody's wait."""
    send, loop = httpx.AsyncClient.send, asyncio.get_running_loop()

    async def timed(self: httpx.AsyncClient, request: httpx.Request, **rest: Any) -> httpx.Response:
        if asyncio.get_running_loop() is not loop:
            return await send(self, request, **rest)
        with _timed(spent, _route(request)):
            return await send(self, request, **rest)

    with patch.object(httpx.AsyncClient, "send", timed):
        yield


@contextmanager
def _steps_timed(spent: Spent) -> Iterator[None]:
    def timing(what: str, step: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def timed(*args: Any, **options: Any) -> Any:
            with _timed(spent, what):
                return await step(*args, **options)

        return timed

    patches = [
        patch.object(owner, name, timing(what, getattr(owner, name)))
        for what, (owner, name) in _STEPS.items()
    ]
    for one in patches:
        one.start()
    try:
        yield
    finally:
        for one in patches:
            one.stop()


@contextmanager
def _timed(spent: Spent, what: str) -> Iterator[None]:
    started = time.perf_counter()
    try:
        yield
    finally:
        spent[what] += (time.perf_counter() - started) * 1000


def _route(request: httpx.Request) -> str:
    path = request.url.path
    if not path.startswith("/api/"):
        return "acs: NBI"
    return f"API {request.method} {_ID.sub('…', path.removeprefix('/api'))}"
