"""Only StoreError leaves the store: one line, soon, without secrets."""

from __future__ import annotations

import asyncio
import inspect
import os
import socket
import sqlite3
from datetime import timedelta

import asyncpg
import pytest
import sqlalchemy.exc
from sqlalchemy import text

from cpe.domain.errors import StoreError
from cpe.store import engine
from cpe.store.failures import FAILURES, store_error, translated
from cpe.store.repository import Store
from cpe.store.url import async_url
from tests.support.store import samples
from tests.support.store.identifying import entry
from tests.support.store.samples import NOON, SERIAL

CANARY = "canary-51d0"
URL = async_url(f"postgresql://cpe:{CANARY}@db.lan/cpe")


def tree(base: type[BaseException]) -> list[type[BaseException]]:
    return [base, *(leaf for child in base.__subclasses__() for leaf in tree(child))]


def raised(kind: type[BaseException]) -> BaseException:
    """An instance with a canary in every argument its constructor takes."""
    message = f"password={CANARY} {CANARY}"
    if issubclass(kind, sqlalchemy.exc.StatementError):
        orig = sqlite3.OperationalError(message)
        if issubclass(kind, sqlalchemy.exc.DBAPIError):
            return kind(f"SELECT '{CANARY}'", {"p": CANARY}, orig)
        return kind(message, f"SELECT '{CANARY}'", {"p": CANARY}, orig)
    parameters = list(inspect.signature(kind.__init__).parameters.values())[1:]
    required = [
        p
        for p in parameters
        if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    try:
        return kind(*[message for _ in required] or [message])
    except (TypeError, AttributeError):
        bare = kind.__new__(kind)
        bare.args = (message,)
        return bare


@pytest.mark.parametrize("kind", tree(sqlalchemy.exc.SQLAlchemyError), ids=lambda k: k.__name__)
def test_every_sqlalchemy_exception_becomes_one_redacted_line(kind):
    with pytest.raises(StoreError) as caught, translated(URL):
        raise raised(kind)
    said = str(caught.value)
    assert said.startswith("PostgreSQL db.lan/cpe: ")
    assert CANARY not in said
    assert "\n" not in said


def test_everything_sqlalchemy_exc_defines_is_mapped():
    defined = {
        value
        for value in vars(sqlalchemy.exc).values()
        if inspect.isclass(value) and issubclass(value, Exception)
    }
    warnings_and_mixins = {k for k in defined if issubclass(k, Warning)}
    unmapped = {k for k in defined - warnings_and_mixins if not issubclass(k, FAILURES)}
    assert unmapped == set()


@pytest.mark.parametrize("base", [sqlite3.Error, asyncpg.PostgresError, asyncpg.InterfaceError])
def test_every_driver_exception_is_mapped(base):
    leaves = tree(base)
    assert len(leaves) > 3
    for kind in leaves:
        assert issubclass(kind, FAILURES)
        assert CANARY not in str(store_error(raised(kind), URL))


@pytest.mark.parametrize(
    ("exc", "said"),
    [
        (
            ConnectionRefusedError(111, "Connection refused"),
            "cannot be reached: Connection",
        ),
        (TimeoutError(), "it did not answer in time"),
        (sqlalchemy.exc.TimeoutError("QueuePool limit"), "every connection has been in use"),
        (asyncpg.InvalidPasswordError("no"), "the user or password was refused"),
        (asyncpg.InvalidCatalogNameError("no"), "there is no such database"),
        (asyncpg.UndefinedTableError("no"), "it has no schema yet"),
        (asyncpg.TooManyConnectionsError("no"), "the server takes no more connections"),
        (asyncpg.CannotConnectNowError("no"), "the server is starting up"),
        (asyncpg.LockNotAvailableError("no"), "another process has been holding a lock"),
        (sqlite3.OperationalError("no such table: x"), "it has no schema yet"),
    ],
)
def test_a_common_failure_is_said_in_plain_words(exc, said):
    assert said in str(store_error(exc, URL))


def test_a_bug_of_ours_is_not_disguised():
    with pytest.raises(ZeroDivisionError), translated(URL):
        raise ZeroDivisionError
    with pytest.raises(asyncio.CancelledError), translated(URL):
        raise asyncio.CancelledError


def calls(store: Store):
    return {
        "migrate": store.migrate,
        "keep": lambda: store.keep(samples.kept()),
        "load": lambda: store.load("abcdef"),
        "summaries": lambda: store.summaries(SERIAL),
        "latest": lambda: store.latest(SERIAL),
        "recall": lambda: store.recall(SERIAL, now=NOON),
        "learn": lambda: store.learn(samples.identity()),
        "identity": lambda: store.identity(SERIAL),
        "conflicts": store.conflicts,
        "find": lambda: store.ont_index().find("HWTC00000001"),
        "remember": lambda: store.ont_index().remember("olt-nord", [entry()], complete=True),
        "prune": lambda: store.prune(keep_days=1, now=NOON + timedelta(days=9)),
        "ping": store.ping,
    }


async def test_each_call_on_a_file_that_is_no_database_is_a_store_error(tmp_path):
    path = tmp_path / "cpe.db"
    path.write_text("this is not a database" * 100)
    async with Store.open(f"sqlite:///{path}") as store:
        for name, call in calls(store).items():
            with pytest.raises(StoreError) as caught:
                await call()
            assert str(caught.value) == f"SQLite {path}: the file is not a SQLite database", name


async def test_each_call_on_a_server_that_is_gone_is_a_store_error_at_once():
    async with Store.open(f"postgresql://cpe:{CANARY}@127.0.0.1:1/cpe") as store:
        for name, call in calls(store).items():
            with pytest.raises(StoreError) as caught:
                await call()
            said = str(caught.value)
            assert said.startswith("PostgreSQL 127.0.0.1:1/cpe: it cannot be reached: "), name
            assert CANARY not in said


async def test_a_server_that_takes_calls_but_does_not_answer_is_given_up(monkeypatch):
    monkeypatch.setattr(engine, "CONNECT_TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(StoreError, match="it did not answer in time"):
            await Store.open(f"postgresql://u@127.0.0.1:{port}/d").ping()


def test_nobody_waits_longer_than_promised():
    assert engine.CONNECT_TIMEOUT_S <= 3
    assert engine.BUSY_TIMEOUT_S <= 5


async def test_before_the_migration_each_call_says_so(tmp_path):
    async with Store.open(f"sqlite:///{tmp_path}/cpe.db") as store:
        assert (await store.ping()).endswith(", no schema yet")
        for name, call in calls(store).items():
            if name in ("migrate", "ping"):
                continue
            with pytest.raises(StoreError, match="it has no schema yet"):
                await call()


async def test_a_lock_that_is_not_given_back_is_said_in_time(tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_S", 0.3)
    url = f"sqlite:///{tmp_path}/cpe.db"
    async with Store.open(url) as store:
        await store.migrate()
        holder = sqlite3.connect(tmp_path / "cpe.db", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="another process has been writing for too long"):
            await store.keep(samples.kept())
        assert await store.latest(SERIAL) is None  # readers are not held up
        holder.execute("ROLLBACK")
        holder.close()
        assert await store.keep(samples.kept()) is True


async def test_connections_that_are_all_in_use_are_waited_for_and_then_said(tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_S", 0.2)
    monkeypatch.setattr(engine, "POOL_SIZE", 1)
    async with Store.open(f"sqlite:///{tmp_path}/cpe.db") as store:
        await store.migrate()
        async with store._database.read() as connection:
            await connection.execute(text("SELECT 1"))
            with pytest.raises(StoreError, match="every connection has been in use for too long"):
                await store.latest(SERIAL)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_a_folder_that_is_closed_is_said(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="the file cannot be opened"):
        await Store.open(f"sqlite:///{tmp_path}/cpe.db").migrate()
    tmp_path.chmod(0o700)


async def test_a_damaged_row_is_a_store_error_that_quotes_nothing(tmp_path):
    async with Store.open(f"sqlite:///{tmp_path}/cpe.db") as store:
        await store.migrate()
        kept = samples.kept()
        await store.keep(kept)
        for column, value in (("snapshot", f'{{"schema":"{CANARY}'), ("verdict", '{"code":1}')):
            async with store._database.write() as connection:
                update = text(f"UPDATE diagnoses SET {column} = :value")
                await connection.execute(update, {"value": value})
            with pytest.raises(StoreError) as caught:
                await store.load(kept.id)
            assert CANARY not in str(caught.value)


def test_a_store_serves_one_event_loop_after_another(tmp_path):
    store = Store.open(f"sqlite:///{tmp_path}/cpe.db")
    asyncio.run(store.migrate())
    assert asyncio.run(store.keep(samples.kept())) is True
    assert len(asyncio.run(store.summaries(SERIAL))) == 1
    asyncio.run(store.close())
