"""The store on SQLite: a file, and memory."""

from __future__ import annotations

import asyncio
import shutil

import pytest
from sqlalchemy import text

from cpe.store.engine import POOL_SIZE, Database
from cpe.store.repository import Store
from cpe.store.url import async_url
from tests.support.store.identifying import Identifying, Indexing
from tests.support.store.keeping import Keeping
from tests.support.store.recalling import Recalling
from tests.support.store.sweeping import Sweeping
from tests.support.store.tidying import Surviving, Tidying
from tests.support.waiting import until


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory):
    """An empty database of today's schema, to copy."""
    path = tmp_path_factory.mktemp("store") / "empty.db"

    async def make() -> None:
        async with Store.open(f"sqlite:///{path}") as store:
            await store.migrate()

    asyncio.run(make())
    return path


class TestEverythingOnAFile(
    Keeping, Recalling, Identifying, Indexing, Tidying, Surviving, Sweeping
):
    @pytest.fixture
    async def store(self, tmp_path, migrated_file):
        shutil.copyfile(migrated_file, tmp_path / "cpe.db")
        async with Store.open(f"sqlite:///{tmp_path}/cpe.db") as store:
            yield store


class TestKeepingInMemory(Keeping, Tidying):
    @pytest.fixture
    async def store(self):
        async with Store.open("sqlite://") as store:
            await store.migrate()
            yield store


@pytest.fixture
async def crowded(tmp_path, migrated_file):
    """A database, and the order in which ten times as many writers as connections had it."""
    shutil.copyfile(migrated_file, tmp_path / "cpe.db")
    database = Database(async_url(f"sqlite:///{tmp_path}/cpe.db"))
    yield database
    await database.close()


def _queued(database: Database) -> int:
    """How many wait for their turn to write."""
    return len(database._turn._waiters or ())


async def _write(database: Database, number: int, served: list[int]) -> None:
    async with database.write():
        served.append(number)
        await asyncio.sleep(0.005)


async def test_writers_of_one_process_are_served_in_the_order_they_came(crowded):
    served: list[int] = []
    async with crowded.write():
        waiting = [
            asyncio.create_task(_write(crowded, number, served)) for number in range(10 * POOL_SIZE)
        ]
        await until(lambda: _queued(crowded) == len(waiting))
    await asyncio.gather(*waiting)
    assert served == list(range(10 * POOL_SIZE))


async def test_a_reader_does_not_wait_for_those_who_wait_to_write(crowded):
    async with crowded.write():
        waiting = [asyncio.create_task(_write(crowded, n, [])) for n in range(2 * POOL_SIZE)]
        await until(lambda: _queued(crowded) == len(waiting))
        async with crowded.read() as connection:
            assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1
    await asyncio.gather(*waiting)
