"""What the store promises of swaps holds on SQLite and on PostgreSQL."""

from __future__ import annotations

import pytest

from cpe.domain.errors import StoreError
from cpe.store.repository import Store
from tests.support.swaps.keeping import PROMISES, case


@pytest.mark.parametrize("promise", PROMISES, ids=lambda p: p.__name__)
async def test_on_sqlite(promise, tmp_path):
    async with Store.open(f"sqlite:///{tmp_path}/cpe.db") as store:
        await store.migrate()
        await promise(store)


@pytest.mark.postgres
@pytest.mark.parametrize("promise", PROMISES, ids=lambda p: p.__name__)
async def test_on_postgresql(promise, postgres_url):
    async with Store.open(postgres_url) as store:
        await store.migrate()
        await promise(store)


async def test_a_prefix_of_two_swaps_names_none_and_one_that_is_damaged_says_so(tmp_path):
    async with Store.open(f"sqlite:///{tmp_path}/cpe.db") as store:
        await store.migrate()
        swaps = store.swaps()
        for number in range(2):
            await swaps.open(case(f"abcdef-{number}", f"A{number}", f"B{number}"), "opened", "Luc")
        with pytest.raises(StoreError, match="more than one swap"):
            await swaps.load("abcdef")
        assert (await swaps.load("ABCDEF-1")).case.id == "abcdef-1"
        async with store._database.write() as connection:
            await connection.exec_driver_sql("UPDATE swaps SET body = '{}'")
        with pytest.raises(StoreError, match="kept by other code"):
            await swaps.load("abcdef-1")
