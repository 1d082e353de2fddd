"""What every test gets: a clean environment, a home of its own, and the machine's tools on request.

Prefect reads its settings when it is first imported, so the process environment is cleaned here,
at import, before any test module is collected.
"""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support import tools

# A law either holds or not; how long an example takes says only what else the machine is doing.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

_PREFIXES = ("CPE_", "PREFECT_")


def _clean_process_environment() -> dict[str, str]:
    """Drop the operator's settings and profile; returns the PREFECT_* baseline of this run."""
    for name in [name for name in os.environ if name.startswith(_PREFIXES)]:
        del os.environ[name]
    folder = tempfile.mkdtemp(prefix="cpe-tests-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    baseline = {
        "PREFECT_HOME": f"{folder}/prefect",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "CPE_HOME": f"{folder}/home",
        "DO_NOT_TRACK": "1",
    }
    os.environ.update(baseline)
    return baseline


_BASELINE = _clean_process_environment()


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No CPE_* or PREFECT_* of another test or of the machine; `CPE_HOME` below tmp_path."""
    for name in [name for name in os.environ if name.startswith(_PREFIXES)]:
        if name not in _BASELINE:
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    monkeypatch.setenv("CPE_HOME", str(home))
    return home


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
def migrated_prefect(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Prefect folder with a migrated, empty database: migrating takes 5–15 s, copying none."""
    from deployments.server.embedded import EmbeddedServer

    folder = tmp_path_factory.mktemp("migrated") / "prefect"
    server = EmbeddedServer(light=True, folder=folder)
    server.start()
    server.stop()
    return folder


@pytest.fixture
def prefect_home(clean_environment: Path, migrated_prefect: Path) -> Path:
    """`CPE_HOME` whose embedded server starts warm."""
    shutil.copytree(migrated_prefect, clean_environment / "prefect")
    return clean_environment


@pytest.fixture(scope="session")
def prefect_server(
    tmp_path_factory: pytest.TempPathFactory, migrated_prefect: Path
) -> Iterator[object]:
    """One light embedded server for the run, and this process's Prefect client pointed at it.

    Mark the test with `prefect`.
    """
    from deployments.server.embedded import EmbeddedServer

    folder = tmp_path_factory.mktemp("shared") / "prefect"
    shutil.copytree(migrated_prefect, folder)
    with EmbeddedServer(light=True, folder=folder) as server:
        yield server
