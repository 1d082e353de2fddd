"""Prefect's server in our process: it starts, takes runs without a 503, stops, leaves nothing."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest
import sqlalchemy as sa
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId

from deployments.server import state
from deployments.server.csp import ContentSecurityPolicy
from deployments.server.embedded import EmbeddedServer, ServerStartError
from tests.support.small_flow import small
from tests.support.tools import ROOT
from tests.support.waiting import until

pytestmark = pytest.mark.prefect


@pytest.fixture
def answers(monkeypatch) -> Counter[int]:
    """How often the server answered with each status, counted in the server itself."""
    counted: Counter[int] = Counter()
    serve = ContentSecurityPolicy.__call__

    async def counting(self, scope, receive, send):
        async def count(message):
            if message["type"] == "http.response.start":
                counted[message["status"]] += 1
            await send(message)

        await serve(self, scope, receive, count)

    monkeypatch.setattr(ContentSecurityPolicy, "__call__", counting)
    return counted


@pytest.fixture
def begins() -> Iterator[Counter[str]]:
    """How every SQLite transaction of this process began."""
    counted: Counter[str] = Counter()

    def count(_connection, _cursor, statement: str, *_rest) -> None:
        if statement.startswith("BEGIN"):
            counted[statement] += 1

    sa.event.listen(sa.Engine, "before_cursor_execute", count)
    yield counted
    sa.event.remove(sa.Engine, "before_cursor_execute", count)


async def test_thirty_runs_one_after_another_never_meet_a_locked_database(
    prefect_home, answers, begins
):
    async with (
        EmbeddedServer() as server,
        httpx.AsyncClient(base_url=server.api_url, timeout=None) as api,
    ):
        flow = (await api.post("/flows/", json={"name": "posted"})).json()
        for number in range(30):
            body = {"flow_id": flow["id"], "name": f"n{number}", "state": {"type": "PENDING"}}
            assert (await api.post("/flow_runs/", json=body)).status_code == 201
            assert await small() == 4
    assert answers[201] >= 60
    assert not {status for status in answers if status >= 500}
    assert begins["BEGIN IMMEDIATE"] > 100
    assert set(begins) == {"BEGIN IMMEDIATE"}, "Prefect has changed the seam in sqlite.py"


async def test_twenty_runs_at_once_all_end_and_are_recorded(prefect_home, answers, begins):
    async with EmbeddedServer(light=True):
        assert await asyncio.gather(*(small(number) for number in range(20))) == [
            4 * number for number in range(20)
        ]
        async with get_client() as client:

            async def all_recorded() -> bool:
                runs = await client.read_flow_runs(limit=200)
                tasks = await client.read_task_runs(limit=200)
                done = [run for run in runs if run.state_name == "Completed"]
                return len(done) == 20 and len(tasks) == 40

            await until(all_recorded)
    assert not {status for status in answers if status >= 500}
    assert set(begins) == {"BEGIN IMMEDIATE"}


async def test_a_transaction_inside_a_transaction_does_not_wait_for_itself(tmp_path):
    from prefect.server.database import provide_database_interface

    from deployments.server.database import choose_database
    from deployments.server.sqlite import database_interface

    database = choose_database(None, tmp_path)
    tmp_path.joinpath("prefect.db").touch()
    with database_interface(database):
        interface = provide_database_interface()
        async with interface.session_context(begin_transaction=True) as outer:
            await outer.execute(sa.text("CREATE TABLE t (n integer)"))
            async with interface.session_context(begin_transaction=True) as inner:
                assert (await inner.execute(sa.text("SELECT 1"))).scalar() == 1
        await (await interface.engine()).dispose()


def test_it_runs_with_our_settings_and_leaves_no_thread_behind(prefect_home):
    before = set(threading.enumerate())
    with EmbeddedServer() as server:
        assert state.find_running_server() == server.api_url
        settings = httpx.get(f"{server.api_url}/admin/settings").json()["server"]
        page = httpx.get(server.ui_url, headers={"accept": "text/html"}, follow_redirects=True)
        shown = httpx.get(f"{server.ui_url}ui-settings").json()
    services = settings["services"]
    assert services["task_run_recorder"]["batch_size"] == 100
    assert services["task_run_recorder"]["read_batch_size"] == 100
    assert services["task_run_recorder"]["flush_interval"] == 1
    assert services["event_persister"]["batch_size"] == 100
    assert services["event_persister"]["read_batch_size"] == 100
    assert services["triggers"]["read_batch_size"] == 100
    assert set(services["db_vacuum"]["enabled"]) == {"events", "flow_runs"}
    assert services["db_vacuum"]["retention_period"] == "P30D"
    assert settings["events"]["retention_period"] == "P2D"
    assert settings["analytics_enabled"] is False
    assert settings["ui"]["show_promotional_content"] is False
    assert shown["api_url"] == "/api"
    assert page.url.path == "/v2/"
    assert "<html" in page.text
    assert "connect-src 'self'" in page.headers["content-security-policy"]
    assert not state.state_file().exists()
    left = [t for t in set(threading.enumerate()) - before if "EventLoopThread" not in t.name]
    assert not left, "Prefect's own two loop threads stay for the next client, no other may"
    assert (prefect_home / "prefect" / "prefect.db").exists()


def test_an_operators_own_setting_wins_over_our_default(prefect_home, monkeypatch):
    monkeypatch.setenv("PREFECT_SERVER_EVENTS_RETENTION_PERIOD", "PT6H")
    # Settings are read from the environment when Prefect is imported: a new process.
    program = (
        "import httpx; from deployments.server.embedded import EmbeddedServer as E\n"
        "with E(light=True) as s: print(httpx.get(s.api_url + '/admin/settings').json()"
        "['server']['events']['retention_period'])"
    )
    assert _run(program).stdout.strip() == "PT6H"


def test_ctrl_c_while_it_starts_ends_it_as_soon_as_it_can_be_ended(prefect_home, monkeypatch):
    server = EmbeddedServer(light=True)

    def interrupted(_timeout: float) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(server._settled, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        server.start()
    assert "prefect-server" not in {thread.name for thread in threading.enumerate()}


def test_a_taken_port_is_said_so(prefect_home):
    with EmbeddedServer(light=True) as first:
        port = int(first.api_url.split(":")[2].split("/")[0])
        with pytest.raises(ServerStartError, match=f"port {port} is taken"):
            EmbeddedServer(light=True, port=port).start()


def test_an_unreachable_database_is_said_so_without_its_password():
    server = EmbeddedServer(light=True, database_url="postgresql://cpe:s3cret@127.0.0.1:9/none")
    with pytest.raises(ServerStartError, match="did not start") as refusal:
        server.start()
    assert "s3cret" not in str(refusal.value)
    server.stop()


_ONE_SHOT = """
import asyncio
from deployments.server.embedded import EmbeddedServer
from tests.support.small_flow import small
async def main():
    async with EmbeddedServer(light=True) as server:
        print(server.api_url)
        assert await small(3) == 12
asyncio.run(main())
"""


def _run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )


async def test_two_first_commands_at_once_share_one_database(clean_environment):
    both = [asyncio.to_thread(_run, _ONE_SHOT) for _ in range(2)]
    done = await asyncio.gather(*both)
    urls = {result.stdout.split()[0] for result in done}
    assert len(urls) == 2
    async with EmbeddedServer(light=True), get_client() as client:
        runs = await client.read_flow_runs()
        assert [run.state_name for run in runs] == ["Completed", "Completed"]
        wanted = FlowRunFilter(id=FlowRunFilterId(any_=[run.id for run in runs]))
        tasks = await client.read_task_runs(flow_run_filter=wanted)
        assert {task.state_name for task in tasks} == {"Completed"}
        assert len(tasks) == 4, "stopping drops nothing that was on its way"
    assert not state.state_file().exists(), "a light server does not offer itself to others"


def test_sigterm_ends_the_hosting_process_cleanly(prefect_home):
    child = subprocess.Popen(
        [sys.executable, "-W", "error::ResourceWarning", "-m", "deployments.server", "0"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout is not None
        api_url = child.stdout.readline().split()[-1]
        assert state.find_running_server() == api_url
        child.terminate()
        _, errors = child.communicate()
    finally:
        child.kill()
    assert child.returncode == 0
    assert errors == ""
    assert not state.state_file().exists()


@pytest.mark.postgres
async def test_it_runs_on_postgresql_too(postgres_url, answers, begins):
    async with EmbeddedServer(database_url=postgres_url):
        assert await asyncio.gather(*(small(number) for number in range(5))) == [0, 4, 8, 12, 16]
        async with get_client() as client:
            runs = await client.read_flow_runs()
            assert {run.state_name for run in runs} == {"Completed"}
    assert not {status for status in answers if status >= 500}
    assert not begins, "nothing of the SQLite cure touches PostgreSQL"
