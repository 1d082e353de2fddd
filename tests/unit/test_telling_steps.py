"""Steps are written together, at once when the diagnosis has ended, and never lost to a wait."""

from __future__ import annotations

import asyncio

import pytest

from cpe.domain.errors import StoreError
from tasks import steps


class Hub:
    """A store that keeps what it is told, when it is let."""

    def __init__(self):
        self.batches, self.may, self.asked = [], asyncio.Event(), asyncio.Event()
        self.may.set()
        self.failure = None

    def hub(self):
        return self

    async def saw(self, told):
        self.asked.set()
        await self.may.wait()
        if self.failure:
            raise self.failure
        self.batches.append([seen.step for seen in told])


@pytest.fixture
def hub(monkeypatch):
    made = Hub()

    async def store():
        return made

    monkeypatch.setattr("tasks.clients.store", store)
    monkeypatch.setattr(steps, "COALESCE_S", 3600.0)  # only who flushes is written
    return made


async def test_what_was_told_is_one_batch_written_at_once_when_flushed(hub):
    teller = steps.Teller()
    for step in ("a", "b", "c"):
        teller.tell("run", step)
    await teller.flush()
    assert hub.batches == [["a", "b", "c"]]


async def test_a_flush_waits_for_the_batch_that_is_just_written(hub):
    teller = steps.Teller()
    hub.may.clear()
    teller.tell("run", "a")
    first = asyncio.create_task(teller.flush())
    await hub.asked.wait()
    second = asyncio.create_task(teller.flush())
    await asyncio.sleep(0)
    assert not second.done()
    hub.may.set()
    await asyncio.gather(first, second)
    assert hub.batches == [["a"]]


async def test_a_flush_does_not_wait_for_what_others_tell_meanwhile(hub):
    teller = steps.Teller()
    hub.may.clear()
    teller.tell("one", "a")
    flushing = asyncio.create_task(teller.flush())
    await hub.asked.wait()
    teller.tell("another", "b")
    hub.may.set()
    await flushing  # what another tells would be written in an hour
    assert hub.batches == [["a"]]
    await teller.flush()
    assert hub.batches == [["a"], ["b"]]


async def test_steps_that_cannot_be_kept_hold_nobody_up(hub):
    teller = steps.Teller()
    hub.failure = StoreError("full")
    teller.tell("run", "a")
    await teller.flush()
    hub.failure = None
    teller.tell("run", "b")
    await teller.flush()
    assert hub.batches == [["b"]]


async def test_nobody_who_flushes_waits_for_a_writer_that_was_cancelled(hub):
    teller = steps.Teller()
    hub.may.clear()
    teller.tell("run", "a")
    flushing = asyncio.create_task(teller.flush())
    await hub.asked.wait()
    teller._task.cancel()
    await flushing
    assert hub.batches == []


async def test_a_run_takes_its_own_last_steps_along_and_leaves_those_of_others(hub):
    teller = steps.Teller()
    for run, step in (("one", "a"), ("another", "b"), ("one", "c")):
        teller.tell(run, step)
    assert [seen.step for seen in await teller.take("one")] == ["a", "c"]
    await teller.flush()
    assert hub.batches == [["b"]]


async def test_a_run_takes_nothing_before_its_earlier_steps_are_written(hub):
    teller = steps.Teller()
    hub.may.clear()
    teller.tell("one", "a")
    flushing = asyncio.create_task(teller.flush())
    await hub.asked.wait()
    teller.tell("one", "b")
    taking = asyncio.create_task(teller.take("one"))
    await asyncio.sleep(0)
    assert not taking.done()
    hub.may.set()
    assert [seen.step for seen in await taking] == ["b"]
    await flushing
    assert hub.batches == [["a"]]


async def test_whoever_has_taken_all_steps_can_tell_more(hub):
    teller = steps.Teller()
    teller.tell("one", "a")
    await teller.take("one")
    teller.tell("one", "b")
    await teller.flush()
    assert hub.batches == [["b"]]


async def test_what_is_told_while_a_writer_is_cancelled_holds_nobody_up(hub):
    teller = steps.Teller()
    hub.may.clear()
    teller.tell("one", "a")
    flushing = asyncio.create_task(teller.flush())
    await hub.asked.wait()
    teller.tell("another", "b")
    teller._task.cancel()
    await flushing
    hub.may.set()
    await teller.flush()
    assert hub.batches == [["b"]]
