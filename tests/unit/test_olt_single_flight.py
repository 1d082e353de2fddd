"""One piece of work for all who want it, and nobody who waits is hurt by one who leaves."""

from __future__ import annotations

import asyncio

import pytest

from cpe.access.olt.single_flight import SingleFlight
from cpe.access.olt.wire import Deadline
from tests.support.waiting import until


class Work:
    def __init__(self, seconds: float = 0.02, error: Exception | None = None) -> None:
        self.runs = 0
        self.cancelled = 0
        self.seconds = seconds
        self.error = error
        self.deadline: Deadline | None = None

    async def __call__(self, deadline: Deadline) -> int:
        self.runs += 1
        self.deadline = deadline
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.error is not None:
            raise self.error
        return self.runs


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_who_comes_together_shares_one_run():
    flights, work = SingleFlight[int](), Work()
    asked = now()
    results = await asyncio.gather(
        *(flights.run("k", work, deadline=Deadline(600), asked_at=asked) for _ in range(9))
    )
    assert results == [1] * 9
    assert work.runs == 1


async def test_keys_do_not_mix():
    flights, work = SingleFlight[int](), Work()
    await asyncio.gather(
        *(flights.run(key, work, deadline=Deadline(600), asked_at=now()) for key in "ab")
    )
    assert work.runs == 2


async def test_a_result_serves_who_asked_before_the_work_began_but_nobody_later():
    flights, work = SingleFlight[int](), Work()
    early = now()
    assert await flights.run("k", work, deadline=Deadline(600), asked_at=early) == 1
    assert await flights.run("k", work, deadline=Deadline(600), asked_at=early) == 1
    assert await flights.run("k", work, deadline=Deadline(600), asked_at=now()) == 2


async def test_the_last_who_leaves_ends_the_work():
    flights, work = SingleFlight[int](), Work(seconds=3600)
    waiters = [
        asyncio.create_task(flights.run("k", work, deadline=Deadline(600), asked_at=now()))
        for _ in range(2)
    ]
    await until(lambda: work.runs)
    waiters[0].cancel()
    await asyncio.gather(waiters[0], return_exceptions=True)
    assert work.cancelled == 0
    waiters[1].cancel()
    await asyncio.gather(*waiters, return_exceptions=True)
    await until(lambda: work.cancelled == 1)


async def test_who_comes_after_the_end_of_an_abandoned_run_starts_another():
    flights, work = SingleFlight[int](), Work(seconds=3600)
    first = asyncio.create_task(flights.run("k", work, deadline=Deadline(600), asked_at=now()))
    await until(lambda: work.runs)
    work.seconds = 0.0
    first.cancel()
    second = asyncio.create_task(flights.run("k", work, deadline=Deadline(600), asked_at=now()))
    assert await second == 2
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_an_error_reaches_every_waiter_and_is_not_kept():
    flights, work = SingleFlight[int](), Work(error=ValueError("no"))
    asked = now()
    results = await asyncio.gather(
        *(flights.run("k", work, deadline=Deadline(600), asked_at=asked) for _ in range(3)),
        return_exceptions=True,
    )
    assert [type(r) for r in results] == [ValueError] * 3
    work.error = None
    assert await flights.run("k", work, deadline=Deadline(600), asked_at=asked) == 2


async def test_joining_extends_the_deadline():
    flights, work = SingleFlight[int](), Work(seconds=0.05)
    tasks = [
        asyncio.create_task(flights.run("k", work, deadline=Deadline(s), asked_at=now()))
        for s in (60, 6000)
    ]
    await until(lambda: work.deadline is not None)
    assert work.deadline.left_s() > 60
    await asyncio.gather(*tasks)
