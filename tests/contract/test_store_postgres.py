"""The store on a real PostgreSQL."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text

from cpe.domain.errors import StoreError
from cpe.store.repository import Store
from tests.support.store import samples
from tests.support.store.identifying import Identifying, Indexing
from tests.support.store.keeping import Keeping
from tests.support.store.recalling import Recalling
from tests.support.store.schema import differences
from tests.support.store.sweeping import Sweeping
from tests.support.store.tidying import Surviving, Tidying

pytestmark = pytest.mark.postgres


class TestEverythingOnPostgres(
    Keeping, Recalling, Identifying, Indexing, Tidying, Surviving, Sweeping
):
    @pytest.fixture
    async def store(self, postgres_url):
        async with Store.open(postgres_url) as store:
            await store.migrate()
            yield store


async def test_the_migrations_make_the_tables_that_the_code_uses(postgres_url):
    async with Store.open(postgres_url) as store:
        await store.migrate()
        assert await differences(store) == []


async def test_documents_can_be_asked_by_postgres_itself(postgres_url):
    async with Store.open(postgres_url) as store:
        await store.migrate()
        await store.keep(samples.kept(document={"verdict": {"code": "healthy"}}))
        async with store._database.read() as connection:
            query = text("SELECT document #>> '{verdict,code}' FROM diagnoses")
            assert (await connection.execute(query)).scalar_one() == "healthy"


async def test_stores_migrate_one_new_database_at_once(postgres_url):
    stores = [Store.open(postgres_url) for _ in range(4)]
    await asyncio.gather(*(store.migrate() for store in stores))
    for store in stores:
        assert (await store.ping()).endswith(", 0 diagnoses")
        await store.close()


async def test_processes_migrate_one_new_database_at_once(postgres_url):
    code = (
        "import asyncio, sys\n"
        "from cpe.store.repository import Store\n"
        "async def main():\n"
        "    async with Store.open(sys.stdin.read()) as store:\n"
        "        await store.migrate()\n"
        "        print(await store.ping())\n"
        "asyncio.run(main())\n"
    )
    command = [sys.executable, "-c", code]
    pipe, root = asyncio.subprocess.PIPE, Path(__file__).parents[2]
    running = [
        await asyncio.create_subprocess_exec(*command, cwd=root, stdin=pipe, stdout=pipe)
        for _ in range(3)
    ]
    said = await asyncio.gather(*(p.communicate(postgres_url.encode()) for p in running))
    assert all(out.endswith(b", 0 diagnoses\n") for out, _ in said), said


async def test_a_wrong_password_is_said_at_once_and_not_shown(postgres_url):
    wrong = postgres_url.replace("cpe:", "cpe:canary")
    with pytest.raises(StoreError) as caught:
        await Store.open(wrong).ping()
    assert str(caught.value).endswith(": the user or password was refused")
    assert "canary" not in str(caught.value)


async def test_a_database_that_does_not_exist_is_said(postgres_url):
    with pytest.raises(StoreError, match="there is no such database"):
        await Store.open(f"{postgres_url}nope").ping()


async def test_before_the_migration_a_read_says_so(postgres_url):
    async with Store.open(postgres_url) as store:
        assert (await store.ping()).endswith(", no schema yet")
        with pytest.raises(StoreError, match="it has no schema yet"):
            await store.latest(samples.SERIAL)


async def test_a_schema_newer_than_the_code_is_refused(postgres_url):
    async with Store.open(postgres_url) as store:
        await store.migrate()
        async with store._database.write() as connection:
            await connection.execute(text("UPDATE cpe_revision SET version_num = '9999'"))
        with pytest.raises(StoreError, match="newer than this code"):
            await store.migrate()


async def test_a_connection_that_the_server_ended_is_replaced(postgres_url):
    async with Store.open(postgres_url) as store:
        await store.migrate()
        await store.keep(samples.kept())
        other = await asyncpg.connect(postgres_url)
        await other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'gigafibre-cpe' AND datname = current_database()"
        )
        await other.close()
        assert await store.latest(samples.SERIAL) is not None


async def test_a_lock_that_is_not_given_back_is_said_in_time(postgres_url):
    async with Store.open(postgres_url) as store:
        await store.migrate()
        other = await asyncpg.connect(postgres_url)
        try:
            await other.execute("BEGIN; LOCK TABLE diagnoses IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(StoreError, match="another process has been holding a lock"):
                await store.keep(samples.kept())
        finally:
            await other.close()
        assert await store.keep(samples.kept()) is True


async def test_our_version_table_is_not_the_one_that_prefect_uses(postgres_url):
    async with Store.open(postgres_url) as store:
        await store.migrate()
        async with store._database.read() as connection:
            query = text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            found = set((await connection.execute(query)).scalars())
    assert "cpe_revision" in found
    assert "alembic_version" not in found


def test_a_store_serves_one_event_loop_after_another(postgres_cluster):
    url = asyncio.run(postgres_cluster.database())
    for expected in (1, 2):
        store = Store.open(url)

        async def work(store=store) -> int:
            async with store:
                await store.migrate()
                await store.keep(samples.kept())
                return len(await store.summaries(samples.SERIAL))

        assert asyncio.run(work()) == expected
