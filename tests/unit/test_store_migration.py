"""The schema comes up once, however many ask, and is never taken for another."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from cpe.domain.errors import StoreError
from cpe.store import migrate
from cpe.store.repository import Store
from cpe.store.tables import metadata
from tests.support.store import samples
from tests.support.store.samples import SERIAL
from tests.support.store.schema import differences

ROOT = Path(__file__).parents[2]

WRITER = """
import asyncio, sys
from datetime import timedelta
from cpe.store.repository import Store
from tests.support.store import samples

async def main(url, number):
    async with Store.open(url) as store:
        await store.migrate()
        for i in range(int(number)):
            at = samples.NOON + timedelta(seconds=i)
            assert await store.keep(samples.kept(samples.snapshot(at=at)))

asyncio.run(main(*sys.argv[1:]))
"""


HOLDER = """
import asyncio, sys
from cpe.store import migrate
from cpe.store.repository import Store

async def main(url):
    async with Store.open(url) as store:
        async with migrate._turn(store._database):
            print("held", flush=True)
            sys.stdin.readline()  # longer than SQLite's waiters have patience, if need be
            assert await migrate.revision(store._database) is None, "somebody went by"

asyncio.run(main(sys.argv[1]))
"""


def script() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "cpe" / "store" / "migrations"))
    return ScriptDirectory.from_config(config)


def test_the_code_knows_the_newest_revision_and_all_others():
    assert script().get_current_head() == migrate.HEAD
    assert {r.revision for r in script().walk_revisions()} == migrate.known_revisions()


async def test_the_migrations_make_the_tables_that_the_code_uses(tmp_path):
    async with Store.open(f"sqlite:///{tmp_path}/cpe.db") as store:
        await store.migrate()
        assert await differences(store) == []


async def test_two_stores_migrate_one_new_file_at_once(tmp_path):
    stores = [Store.open(f"sqlite:///{tmp_path}/cpe.db") for _ in range(4)]
    await asyncio.gather(*(store.migrate() for store in stores))
    for store in stores:
        assert (await store.ping()).endswith(f"schema {migrate.HEAD}, 0 diagnoses")
        await store.close()


async def test_different_databases_migrate_at_once(tmp_path):
    stores = [Store.open(f"sqlite:///{tmp_path}/{i}.db") for i in range(3)]
    stores.append(Store.open("sqlite://"))
    await asyncio.gather(*(store.migrate() for store in stores))
    for store in stores:
        assert await differences(store) == []
        await store.close()


def test_threads_with_loops_of_their_own_migrate_at_once(tmp_path):
    def one(number: int) -> str:
        async def work() -> str:
            async with Store.open(f"sqlite:///{tmp_path}/{number % 2}.db") as store:
                await store.migrate()
                return await store.ping()

        return asyncio.run(work())

    with ThreadPoolExecutor(4) as pool:
        said = set(pool.map(one, range(4)))
    assert len(said) == 1


@pytest.mark.slow
async def test_processes_migrate_and_write_at_once_and_nothing_is_lost(tmp_path):
    url = f"sqlite:///{tmp_path}/new/cpe.db"
    command = [sys.executable, "-c", WRITER, url, "25"]
    pipe = asyncio.subprocess.PIPE
    running = [
        await asyncio.create_subprocess_exec(*command, cwd=ROOT, stderr=pipe) for _ in range(3)
    ]
    for process in running:
        _, errors = await process.communicate()
        assert process.returncode == 0, errors.decode()
    async with Store.open(url) as store:
        assert len(await store.summaries(SERIAL, limit=100)) == 75


@pytest.mark.slow
async def test_a_process_waits_its_turn_while_another_one_migrates_the_file(tmp_path):
    url, pipe = f"sqlite:///{tmp_path}/cpe.db", asyncio.subprocess.PIPE
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLDER, url, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe
    )
    assert holder.stdout is not None
    assert await holder.stdout.readline() == b"held\n"
    async with Store.open(url) as store:
        migrating = asyncio.create_task(store.migrate())
        done, _ = await asyncio.wait({migrating}, timeout=0.5)
        assert not done
        _, errors = await holder.communicate(b"\n")
        assert holder.returncode == 0, errors.decode()
        await migrating
        assert await differences(store) == []


async def test_a_cancelled_migration_can_be_made_again(tmp_path):
    async with Store.open(f"sqlite:///{tmp_path}/cpe.db") as store:
        for delay in (0.0, 0.005, 0.02, 0.05):
            task = asyncio.create_task(store.migrate())
            await asyncio.sleep(delay)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await store.migrate()
        assert await differences(store) == []


async def test_a_schema_newer_than_the_code_is_refused(tmp_path):
    path = tmp_path / "cpe.db"
    async with Store.open(f"sqlite:///{path}") as store:
        await store.migrate()
        async with store._database.write() as connection:
            await connection.execute(text("UPDATE cpe_revision SET version_num = '9999'"))
        message = (
            rf"its schema is '9999', newer than this code \('{migrate.HEAD}'\): update the code"
        )
        with pytest.raises(StoreError, match=message):
            await store.migrate()
        with pytest.raises(StoreError, match=message):
            await store.ping()


async def test_the_file_is_in_wal_mode_and_gives_pages_back(tmp_path):
    path = tmp_path / "cpe.db"
    async with Store.open(f"sqlite:///{path}") as store:
        await store.migrate()
    with sqlite3.connect(path) as plain:
        assert plain.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert plain.execute("PRAGMA auto_vacuum").fetchone() == (2,)
    plain.close()


async def test_pruning_makes_the_file_smaller(tmp_path):
    path = tmp_path / "cpe.db"
    async with Store.open(f"sqlite:///{path}") as store:
        await store.migrate()
        await store.keep(samples.kept(document={"text": "x" * 3_000_000}))
        async with store._database.outside_transaction() as connection:
            await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        before = path.stat().st_size
        later = samples.NOON.replace(year=2026)
        assert await store.prune(keep_days=1, now=later) == 1
        assert path.stat().st_size < before / 10


async def test_the_migration_can_be_taken_back(tmp_path):
    async with Store.open(f"sqlite:///{tmp_path}/cpe.db") as store:
        await store.migrate()

        def downgrade(connection) -> list[str]:
            from alembic import command

            config = Config()
            config.set_main_option("script_location", str(ROOT / "cpe" / "store" / "migrations"))
            config.attributes["connection"] = connection
            command.downgrade(config, "base")
            context = MigrationContext.configure(connection)
            return [change[0] for change in compare_metadata(context, metadata)]

        async with store._database.write() as connection:
            left = await connection.run_sync(downgrade)
        assert left.count("add_table") == len(metadata.tables)


@pytest.mark.slow
def test_a_process_that_forgets_to_close_still_ends(tmp_path):
    code = (
        "import asyncio\n"
        "from cpe.store.repository import Store\n"
        f"store = Store.open('sqlite:///{tmp_path}/cpe.db')\n"
        "asyncio.run(store.migrate())\n"
        "print(asyncio.run(store.ping()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("0 diagnoses\n")
