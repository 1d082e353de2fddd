"""What any database must forget, and say of itself. Test classes inherit it and give a `store`."""

from __future__ import annotations

import asyncio
import gc
import re
import warnings
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from cpe.domain.errors import StoreError
from cpe.store import pruning, tables
from tests.support.store import samples
from tests.support.store.identifying import entry
from tests.support.store.samples import GPON, NOON, SERIAL


async def count(store, table) -> int:
    async with store._database.read() as connection:
        return (await connection.execute(select(func.count()).select_from(table))).scalar_one()


class Tidying:
    async def test_old_diagnoses_go_with_all_that_hangs_on_them(self, store):
        old = samples.kept(samples.snapshot(last_boot=NOON - timedelta(hours=1)))
        new = samples.kept(samples.snapshot(at=NOON + timedelta(days=5), last_boot=NOON))
        await store.keep(old)
        await store.keep(new)
        await store.ont_index().remember("olt-nord", [entry()], complete=True)
        now = NOON + timedelta(days=10)
        assert await store.prune(keep_days=10, now=now) == 0
        assert await store.prune(keep_days=9, now=now) == 1
        assert await store.load(old.id) is None
        assert await store.load(new.id) == new
        for table in (tables.diagnoses, tables.measurements, tables.findings):
            assert await count(store, table) == 1, table.name
        assert (await store.identity(SERIAL)).gpon_serial == GPON
        assert len(await store.ont_index().find(GPON)) == 1
        recalled = await store.recall(SERIAL, now=now)
        assert recalled.history.boots == ()

    async def test_many_old_diagnoses_go_in_several_steps(self, store, monkeypatch):
        monkeypatch.setattr(pruning, "_AT_ONCE", 10)
        for i in range(25):
            await store.keep(samples.kept(samples.snapshot(at=NOON + timedelta(seconds=i))))
        assert await store.prune(keep_days=1, now=NOON + timedelta(days=9)) == 25
        assert await count(store, tables.measurements) == 0

    async def test_forgetting_everything_is_refused(self, store):
        await store.keep(samples.kept())
        with pytest.raises(StoreError, match="keep_days must be at least 1"):
            await store.prune(keep_days=0, now=NOON + timedelta(days=9))
        assert await store.latest(SERIAL) is not None

    async def test_ping_says_which_server_which_schema_and_how_many(self, store):
        await store.keep(samples.kept())
        said = await store.ping()
        assert re.fullmatch(r"(SQLite|PostgreSQL) [\d.]+, schema \d{4}, 1 diagnoses", said)

    async def test_migrating_again_changes_nothing(self, store):
        await store.keep(samples.kept())
        await store.migrate()
        assert await store.latest(SERIAL) is not None

    async def test_a_write_that_is_cancelled_blocks_nobody(self, store):
        for delay in (0.0, 0.001, 0.003, 0.006):
            task = asyncio.create_task(store.keep(samples.kept()))
            await asyncio.sleep(delay)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert await store.keep(samples.kept()) is True


class Surviving:
    """What a database in memory can't do: it ends with its connection."""

    async def test_a_closed_store_can_be_used_again(self, store):
        await store.keep(samples.kept())
        await store.close()
        assert await store.latest(SERIAL) is not None

    async def test_closing_waits_for_a_call_that_outlives_its_cancelled_caller(self, store):
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always", ResourceWarning)
            for delay_s in (0.0, 0.001, 0.003, 0.006):
                task = asyncio.create_task(store.keep(samples.kept()))
                await asyncio.sleep(delay_s)
                task.cancel()
                await store.close()  # nobody has awaited the task: it still holds a connection
                await asyncio.gather(task, return_exceptions=True)
                gc.collect()
        assert not [w for w in heard if "aiosqlite" in str(w.message)]
        await store.keep(samples.kept())
        assert await store.latest(SERIAL) is not None
