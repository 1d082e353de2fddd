"""A process's warm clients: one of each, whoever comes first and however many at once."""

from __future__ import annotations

import asyncio

import pytest

from cpe.domain.errors import StoreError
from cpe.store.repository import Store
from tasks import clients


@pytest.fixture(autouse=True)
async def opened(monkeypatch, tmp_path):
    monkeypatch.setenv("CPE_DATABASE_URL", f"sqlite:///{tmp_path / 'cpe.db'}")
    made: list[Store] = []
    really = Store.open

    def open_store(url):
        made.append(really(url))
        return made[-1]

    monkeypatch.setattr(Store, "open", open_store)
    yield made
    await clients.close_clients()


async def test_all_who_come_first_get_one_store(opened):
    stores = await asyncio.gather(*(clients.store() for _ in range(5)))
    assert len(opened) == 1
    assert {id(store) for store in stores} == {id(opened[0])}


async def test_who_waited_for_a_store_that_could_not_be_opened_opens_it(opened, monkeypatch):
    really, failures = Store.migrate, iter([StoreError("locked")])

    async def migrate(store):
        if (error := next(failures, None)) is not None:
            raise error
        await really(store)

    monkeypatch.setattr(Store, "migrate", migrate)
    first, second = await asyncio.gather(clients.store(), clients.store(), return_exceptions=True)
    assert isinstance(first, StoreError)
    assert second is opened[1]
