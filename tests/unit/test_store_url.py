"""Plain URLs become URLs of the async driver, and never show their password."""

from __future__ import annotations

import pickle
import traceback
from pathlib import Path

import pytest

from cpe.domain.errors import StoreError
from cpe.store.repository import Store
from cpe.store.url import async_url, is_memory, label

SECRET = "canary-7c1e"


@pytest.mark.parametrize(
    ("plain", "shown"),
    [
        ("sqlite://", "sqlite+aiosqlite://"),
        ("sqlite:///:memory:", "sqlite+aiosqlite://"),
        ("sqlite:////var/x.db", "sqlite+aiosqlite:////var/x.db"),
        ("sqlite+pysqlite:////var/x.db", "sqlite+aiosqlite:////var/x.db"),
        (" sqlite+aiosqlite:////var/x.db\n", "sqlite+aiosqlite:////var/x.db"),
        ("postgres://u:p@h/d", "postgresql+asyncpg://u:p@h/d"),
        ("postgresql://u:p%40q@h:5433/d", "postgresql+asyncpg://u:p%40q@h:5433/d"),
        ("postgresql+psycopg://h/d", "postgresql+asyncpg://h/d"),
        ("postgresql+asyncpg://[::1]:5432/d", "postgresql+asyncpg://[::1]:5432/d"),
        ("postgresql:///d?host=/run/pg", "postgresql+asyncpg:///d?host=%2Frun%2Fpg"),
        ("postgresql://h/d?sslmode=require", "postgresql+asyncpg://h/d?ssl=require"),
        ("postgresql://h/d?connect_timeout=9", "postgresql+asyncpg://h/d"),
        ("postgresql://h?user=u&password=p&dbname=d", "postgresql+asyncpg://u:p@h/d"),
    ],
)
def test_a_plain_url_gets_the_async_driver(plain, shown):
    url = async_url(plain, make_folder=False)
    assert url.render_as_string(hide_password=False) == shown


def test_a_relative_file_is_made_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert async_url("sqlite:///data/x.db").database == str(tmp_path / "data" / "x.db")


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert async_url("sqlite:///~/cpe/x.db").database == str(tmp_path / "cpe" / "x.db")


def test_the_folder_of_a_file_is_made_and_closed_to_others(tmp_path):
    async_url(f"sqlite:///{tmp_path}/a/b/x.db")
    assert (tmp_path / "a" / "b").stat().st_mode & 0o077 == 0


def test_a_folder_that_cannot_be_made_is_a_store_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="the database's folder cannot be made: Not a directory"):
        async_url(f"sqlite:///{tmp_path}/file/a/x.db")


def test_opening_a_store_touches_nothing(tmp_path):
    Store.open(f"sqlite:///{tmp_path}/a/x.db")
    Store.open("postgresql://nobody@192.0.2.1/none")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        ("", "the database URL is empty"),
        (f"{SECRET}", "the database URL cannot be read (expected scheme://…)"),
        (f"mysql://u:{SECRET}@h/d", "must begin with sqlite:// or postgresql://"),
        (f"postgresql://u:{SECRET}@x@h/d", "more than one @: write %40 in the password"),
        (f"postgresql://u:x@{SECRET}@h/d", "more than one @: write %40 in the password"),
        (f"postgresql://u:{SECRET}@h:port/d", "the database URL cannot be read"),
        (f"postgresql://u:{SECRET}@h/d?colour={SECRET}", "are not supported: colour"),
        (f"sqlite:////x.db?key={SECRET}", "a SQLite URL takes no parameters"),
        (f"sqlite://{SECRET}/x.db", "sqlite:////absolute/file"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_quoting_it(plain, message):
    with pytest.raises(StoreError) as caught:
        Store.open(plain)
    assert message in str(caught.value)
    shown = "".join(traceback.format_exception(caught.value))
    assert SECRET not in shown
    assert "\n" not in str(caught.value)


def test_no_form_of_a_url_or_store_shows_the_password():
    plain = f"postgresql://{SECRET}u:{SECRET}@db.lan:5433/cpe?host=other&password={SECRET}"
    url = async_url(plain)
    store = Store.open(plain)
    shown = [repr(url), str(url).replace(f"{SECRET}u", ""), label(url), repr(store), f"{store}"]
    assert all(SECRET not in text.replace(f"{SECRET}u", "") for text in shown)
    assert label(url) == "PostgreSQL db.lan:5433/cpe"


def test_a_store_error_survives_pickling():
    with pytest.raises(StoreError) as caught:
        Store.open("")
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_a_file_called_memory_elsewhere_is_a_file():
    assert is_memory(async_url("sqlite://"))
    assert not is_memory(async_url("sqlite:///memory", make_folder=False))
    assert label(async_url("sqlite:////x/y.db", make_folder=False)) == f"SQLite {Path('/x/y.db')}"
