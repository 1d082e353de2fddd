"""Writers of one process on one SQLite file: each gets its turn, however slow the loop is."""

from __future__ import annotations

import asyncio
import time

import pytest
from sqlalchemy import text

from cpe.store import engine
from cpe.store.engine import Database
from cpe.store.url import async_url

WRITERS = 12


@pytest.fixture
async def database(tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_S", 0.1)
    database = Database(async_url(f"sqlite:///{tmp_path}/turns.db"))
    async with database.write() as connection:
        await connection.execute(text("CREATE TABLE t (n INTEGER)"))
    yield database
    await database.close()


async def write(database, number):
    async with database.write() as connection:
        for _ in range(4):
            await connection.execute(text("INSERT INTO t VALUES (:n)"), {"n": number})


@pytest.mark.slow
async def test_a_loop_that_is_busy_with_other_things_fails_no_writer(database):
    done = False

    async def other_things():
        while not done:
            time.sleep(0.004)  # noqa: ASYNC251 - diagnoses at work, twenty at once
            await asyncio.sleep(0)

    busy = asyncio.create_task(other_things())
    try:
        await asyncio.gather(*(database.finish(write(database, n)) for n in range(WRITERS)))
    finally:
        done = True
        await busy
    async with database.read() as connection:
        found = (await connection.execute(text("SELECT count(*) FROM t"))).scalar_one()
    assert found == 4 * WRITERS


async def test_a_writer_that_is_cancelled_while_it_waits_holds_up_nobody(database):
    async with database.write():
        waiting = asyncio.create_task(write(database, 1))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    await write(database, 2)
