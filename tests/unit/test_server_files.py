"""The server's small parts: which database, which policy, who runs, who holds the lock."""

from __future__ import annotations

import json
import multiprocessing
import os
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from deployments.server import state
from deployments.server.csp import policy
from deployments.server.database import choose_database
from deployments.server.environment import ui_url
from deployments.server.lock import file_lock


def test_no_url_means_the_sqlite_file_in_the_folder(tmp_path):
    database = choose_database(None, tmp_path)
    assert database.file == tmp_path / "prefect.db"
    assert database.url == f"sqlite+aiosqlite:///{tmp_path}/prefect.db"


@pytest.mark.parametrize(
    "plain",
    [
        "postgresql://cpe:s3cret@db/prefect",
        "postgresql+psycopg://cpe:s3cret@db/prefect",
        "postgres://cpe:s3cret@db/prefect",
    ],
)
def test_a_postgresql_url_gets_the_async_driver_and_no_sqlite_file(plain, tmp_path):
    database = choose_database(plain, tmp_path)
    assert database.url == "postgresql+asyncpg://cpe:s3cret@db/prefect"
    assert database.file is None
    assert "s3cret" not in repr(database)


@pytest.mark.parametrize("plain", ["mysql://cpe:s3cret@db/x", "sqlite://", "::s3cret"])
def test_other_databases_are_refused_without_showing_the_url(plain, tmp_path):
    with pytest.raises(ValueError, match="Prefect database") as refusal:
        choose_database(plain, tmp_path)
    assert "s3cret" not in str(refusal.value)


def test_a_page_may_talk_to_its_own_server_only():
    value = policy("127.0.0.1:4200")
    assert "connect-src 'self' ws://127.0.0.1:4200 wss://127.0.0.1:4200" in value
    assert "default-src 'self'" in value
    assert "*" not in value
    assert "http" not in value


@pytest.mark.parametrize("host", ["", "evil; script-src *", "a b", "x/../y", "h:123456"])
def test_a_strange_host_header_adds_nothing_to_the_policy(host):
    assert policy(host).endswith("connect-src 'self'")


def test_no_state_file_means_no_server_runs():
    assert state.find_running_server() is None


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"api_url": "x", "pid": "y"}', "null"])
def test_a_broken_state_file_is_ignored(content):
    state.state_file().parent.mkdir(parents=True)
    state.state_file().write_text(content)
    assert state.find_running_server() is None


@pytest.fixture
def healthy_server():
    class Healthy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/api/health" else 404)
            self.end_headers()
            self.wfile.write(b"true")

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Healthy) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/api"
        server.shutdown()
        thread.join()


def test_a_living_healthy_server_is_found(healthy_server):
    state.announce(healthy_server)
    assert state.find_running_server() == healthy_server
    assert json.loads(state.state_file().read_text())["pid"] == os.getpid()
    state.withdraw()
    assert not state.state_file().exists()


def test_an_address_may_end_with_a_slash_as_prefects_own_client_takes_it(healthy_server):
    assert state.is_healthy(f"{healthy_server}/")
    assert ui_url(f"{healthy_server}/") == ui_url(healthy_server)


@pytest.mark.slow
def test_a_server_whose_process_is_gone_is_ignored(healthy_server):
    child = multiprocessing.get_context("spawn").Process(target=int)
    child.start()
    child.join()
    state.announce(healthy_server)
    written = json.loads(state.state_file().read_text()) | {"pid": child.pid}
    state.state_file().write_text(json.dumps(written))
    assert state.find_running_server() is None
    state.withdraw()
    assert state.state_file().exists(), "another process's file is not ours to remove"


def test_a_living_process_without_a_healthy_server_is_ignored():
    state.announce("http://127.0.0.1:9/api")
    assert state.find_running_server() is None


def _hold(path: Path, taken, give_back) -> None:
    with file_lock(path, timeout_s=600):
        taken.set()
        give_back.wait()


@pytest.mark.slow
def test_a_second_process_waits_for_the_lock_and_gives_up_in_time(tmp_path):
    context = multiprocessing.get_context("spawn")
    taken, give_back = context.Event(), context.Event()
    holder = context.Process(target=_hold, args=(tmp_path / "lock", taken, give_back))
    holder.start()
    try:
        assert taken.wait()
        with pytest.raises(TimeoutError), file_lock(tmp_path / "lock", timeout_s=0.1):
            pass
        give_back.set()
        with file_lock(tmp_path / "lock", timeout_s=600):
            pass
    finally:
        give_back.set()
        holder.join()
