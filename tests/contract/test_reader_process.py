"""A large fleet is read by a child process; what happens to the child loses nothing."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from cpe.domain.errors import StoreError
from deployments.lab.serve import running_lab
from tasks import reader_process
from tasks.clients import close_clients
from tests.support.sweeping import swept

DEVICES = 9_000
"""Three parts, and an answer larger than what pipes and sockets hold."""


@pytest.fixture
async def lab(tmp_path, monkeypatch):
    async with running_lab(devices=DEVICES, folder=tmp_path, tour=False) as running:
        for name, value in running.exports().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("CPE_DATABASE_URL", f"sqlite:///{tmp_path / 'cpe.db'}")
        yield running
        await close_clients()


@pytest.fixture
def children(monkeypatch):
    """The reading processes that were started, as they are started."""
    begun = []
    real = asyncio.create_subprocess_exec

    async def noting(*command, **options):
        begun.append(await real(*command, **options))
        return begun[-1]

    monkeypatch.setattr(reader_process.asyncio, "create_subprocess_exec", noting)
    return begun


class Kept:
    """Takes parts, and does something at one of them."""

    def __init__(self, at=None, then=None):
        self.parts, self._at, self._then = [], at, then

    async def __call__(self, part):
        self.parts.append(part)
        if len(self.parts) == self._at:
            await self._then()


def is_alive(pid):
    return Path(f"/proc/{pid}").exists()


async def test_a_child_reads_the_very_same_fleet(lab, children):
    here, apart = Kept(), Kept()
    read_here = await reader_process.read_here("", here)
    read_apart = await reader_process.read_apart("", apart)
    assert (read_apart.rows, read_apart.whole) == (DEVICES, True)
    assert (read_apart.rows, read_apart.whole) == (read_here.rows, read_here.whole)
    assert [(p.rows, p.last_id, p.left) for p in apart.parts] == [
        (p.rows, p.last_id, p.left) for p in here.parts
    ]
    assert [len(p.data) for p in apart.parts] == [3, 3, 3]
    assert not any(is_alive(child.pid) for child in children)


async def test_a_child_goes_on_after_a_box(lab):
    whole, rest = Kept(), Kept()
    await reader_process.read_here("", whole)
    read = await reader_process.read_apart(whole.parts[0].last_id, rest)
    assert read.rows == DEVICES - whole.parts[0].rows
    assert rest.parts[-1].last_id == whole.parts[-1].last_id


async def test_what_a_killed_child_has_not_read_is_read_here(lab, children):
    async def kill():
        os.kill(children[0].pid, signal.SIGKILL)

    kept = Kept(1, kill)
    read = await reader_process.read_apart("", kept)
    assert (read.rows, read.whole) == (DEVICES, True)
    assert sum(p.rows for p in kept.parts) == DEVICES
    ids = [part.last_id for part in kept.parts]
    assert ids == sorted(set(ids))


async def test_an_acs_that_breaks_off_is_told_by_the_child_as_by_us(lab):
    await lab.set_fault("acs", "truncated")
    kept = Kept()
    read = await reader_process.read_apart("", kept)
    assert not read.whole
    assert "before the answer ended" in read.detail
    assert read.rows == sum(p.rows for p in kept.parts)


async def test_a_reader_that_is_cancelled_leaves_no_child(lab, children):
    reached = asyncio.Event()

    async def wait_for_ever():
        reached.set()
        await asyncio.Event().wait()

    reading = asyncio.create_task(reader_process.read_apart("", Kept(1, wait_for_ever)))
    await reached.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert not is_alive(children[0].pid)


async def test_a_database_that_takes_nothing_ends_the_child(lab, children):
    async def refuse():
        raise StoreError("full")

    with pytest.raises(StoreError):
        await reader_process.read_apart("", Kept(1, refuse))
    assert not is_alive(children[0].pid)


@pytest.mark.parametrize(("worth_it_from", "started"), [(DEVICES, 1), (DEVICES + 1, 0)])
async def test_a_large_fleet_is_read_by_a_child(lab, children, monkeypatch, worth_it_from, started):
    monkeypatch.setattr("tasks.sweep.WORTH_IT_FROM", worth_it_from)
    answer = (await swept()).answer
    assert len(children) == started
    assert answer["coverage"]["acs"]["rows"] == DEVICES
    assert answer["state"] == "complete"
    assert answer["verdicts"]["healthy"] == DEVICES


async def test_an_acs_that_does_not_tell_how_many_it_has_is_read_here(lab, children, monkeypatch):
    monkeypatch.setattr("tasks.sweep.WORTH_IT_FROM", 1)
    await lab.set_fault("acs", "http500", times=1)
    answer = (await swept()).answer
    assert children == []
    assert answer["coverage"]["acs"]["rows"] == DEVICES
