"""How the embedded server's transactions share one SQLite file."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import sqlalchemy as sa

from deployments.server.sqlite import CACHE_KIB, ImmediateSqliteConfiguration
from tests.support.waiting import until

pytestmark = pytest.mark.prefect


@pytest.fixture
async def configuration(tmp_path):
    """Prefect's database configuration as the embedded server uses it, on a file of its own."""
    configuration = ImmediateSqliteConfiguration(f"sqlite+aiosqlite:///{tmp_path}/prefect.db")
    yield configuration
    await (await configuration.engine()).dispose()


@asynccontextmanager
async def _transaction(configuration: ImmediateSqliteConfiguration) -> AsyncIterator[None]:
    async with (
        await configuration.session(await configuration.engine()) as session,
        configuration.begin_transaction(session),
    ):
        await session.execute(sa.text("SELECT 1"))  # SQLAlchemy begins with the first statement
        yield


async def test_requests_that_write_are_served_in_the_order_they_came(configuration):
    served: list[int] = []

    async def write(number: int) -> None:
        async with _transaction(configuration):
            served.append(number)
            await asyncio.sleep(0.005)

    async with _transaction(configuration):
        waiting = [asyncio.Task(write(number), context=_apart()) for number in range(40)]
        await until(lambda: _queued(configuration) == 40)
    await asyncio.gather(*waiting)
    assert served == list(range(40))


def _queued(configuration: ImmediateSqliteConfiguration) -> int:
    """How many wait for their turn."""
    turn = configuration._turns.get(asyncio.get_running_loop())
    return len(turn._waiters or ()) if turn is not None else 0


def _apart():
    """As requests are: none of them begins within another one's transaction."""

    return contextvars.Context()


async def test_a_transaction_within_a_transaction_of_its_task_does_not_wait_for_itself(
    configuration,
):
    async with _transaction(configuration), _transaction(configuration):
        pass


async def test_a_request_that_is_given_up_while_it_waits_leaves_its_turn(configuration):
    async def write() -> None:
        async with _transaction(configuration):
            pass

    async with _transaction(configuration):
        given_up = asyncio.Task(write(), context=_apart())
        behind = asyncio.Task(write(), context=_apart())
        await until(lambda: _queued(configuration) == 2)
        given_up.cancel()
    await behind
    assert given_up.cancelled()


async def test_a_connection_keeps_no_more_of_the_database_than_it_may(configuration):
    async with await configuration.session(await configuration.engine()) as session:
        kept = (await session.execute(sa.text("PRAGMA cache_size"))).scalar_one()
    assert kept == -CACHE_KIB
