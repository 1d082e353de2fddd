"""What every test gets: a clean environment, a home of its own, and the machine's tools on request.

Prefect reads its settings when it is first imported, so the process environment is cleaned here,
at import, before any test module is collected.
"""

from __future__ import annotations

import gc
import logging
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from hypothesis import settings

from tests.support import isolation, tools
from tests.support.prefect_server import SharedServer, running_server

if TYPE_CHECKING:
    from playwright.async_api import Browser

# A law either holds or not; how long an example takes says only what else the machine is doing.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

isolation.isolate_process()
_ENVIRONMENT = isolation.environment()
isolation.stay_on_this_machine()


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """The environment of a process that was just isolated, whatever ran in it before; `CPE_HOME`
    below tmp_path. Commands that run in this process change it, so it is put back afterwards."""
    isolation.restore(_ENVIRONMENT)
    home = tmp_path / "home"
    monkeypatch.setenv("CPE_HOME", str(home))
    yield home
    monkeypatch.undo()
    isolation.restore(_ENVIRONMENT)


@pytest.fixture(autouse=True)
def own_log_filters() -> Iterator[None]:
    """A command run in this process hushes the handlers it finds, pytest's own among them, which
    serve the tests after it too."""
    before = {
        handler: list(handler.filters)
        for name in (None, "prefect")
        for handler in logging.getLogger(name).handlers
    }
    yield
    for handler, filters in before.items():
        handler.filters[:] = filters


# Prefect 3.8.8's own, not ours to mend: it uses what SQLAlchemy 2.1 deprecates (noload, types
# without an operator class), and each flow run drops one sync client unclosed (results.py).
_PREFECTS_OWN_WARNINGS = (
    "ignore::sqlalchemy.exc.SADeprecationWarning",
    "ignore:unclosed <socket.socket:ResourceWarning",
)


def _runs_prefect(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(name) for name in ("prefect", "e2e"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # The longest first, or the others are idle while one worker ends with minutes of them
    # (--no-loadscope-reorder: xdist would sort files by how many tests they have).
    items.sort(key=lambda item: item.get_closest_marker("e2e") is None)
    for item in items:
        if _runs_prefect(item):
            for line in _PREFECTS_OWN_WARNINGS:
                item.add_marker(pytest.mark.filterwarnings(line))


def pytest_runtest_setup(item: pytest.Item) -> None:
    tools.require(item)


def pytest_runtest_teardown(item: pytest.Item) -> None:
    if _runs_prefect(item):
        gc.collect()  # what it dropped is reported here, not in some later test


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[object]:
    """One throw-away PostgreSQL cluster for the run (tests.support.postgres.PostgresCluster)."""
    from tests.support.postgres import running_postgres

    folder = tools.postgres_bin()
    assert folder is not None, "mark the test with `postgres`"
    with running_postgres(folder) as cluster:
        yield cluster


@pytest.fixture
async def postgres_url(postgres_cluster) -> str:
    """`postgresql://…` of a fresh, empty database."""
    return await postgres_cluster.database()


@pytest.fixture(scope="session")
def migrated_prefect(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A Prefect folder with a migrated, empty database: migrating takes 5–15 s, copying none.

    One for all workers of the run; whoever comes first makes it.
    """
    from deployments.server.embedded import EmbeddedServer
    from deployments.server.lock import file_lock

    base = tmp_path_factory.getbasetemp()
    run = base.parent if hasattr(request.config, "workerinput") else base
    folder = run / "migrated" / "prefect"
    with file_lock(run / "migrated.lock", timeout_s=600):
        if not folder.exists():
            making = run / "migrating" / "prefect"
            server = EmbeddedServer(light=True, folder=making)
            server.start()
            server.stop()
            making.parent.rename(folder.parent)
    return folder


@pytest.fixture
def prefect_home(clean_environment: Path, migrated_prefect: Path) -> Path:
    """`CPE_HOME` whose embedded server starts warm."""
    shutil.copytree(migrated_prefect, clean_environment / "prefect")
    return clean_environment


@pytest.fixture(scope="session")
def shared_prefect(
    tmp_path_factory: pytest.TempPathFactory, migrated_prefect: Path
) -> Iterator[SharedServer]:
    """One light Prefect server for this worker's tests, which nothing points at by itself."""
    with running_server(migrated_prefect, tmp_path_factory.mktemp("shared")) as server:
        yield server


@pytest.fixture
def prefect_server(shared_prefect: SharedServer) -> Iterator[SharedServer]:
    """The shared server, and for as long as the test runs this process's Prefect client uses it.

    What other tests left there is there: filter by your own run. Mark the test with `prefect`.
    """
    from deployments.server.client import connected

    with connected(shared_prefect.api_url, folder=shared_prefect.folder):
        yield shared_prefect


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chrome() -> AsyncIterator[Browser]:
    """One Chromium for a module whose tests share their loop; see tests.support.chromium.emptied.

    Mark the module with `browser` and `asyncio(loop_scope="module")`.
    """
    from tests.support.chromium import chromium

    async with chromium() as browser:
        yield browser
