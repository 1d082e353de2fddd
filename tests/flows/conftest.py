"""One Prefect server for all flow tests, and a lab of each test's own."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from deployments.lab.serve import Lab, running_lab

QUICK = {
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED": "false",
    "PREFECT_LOGGING_TO_API_BATCH_INTERVAL": "0.2",
}


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[None]:
    """Prefect's own test harness; it costs some twenty seconds once."""
    os.environ.update(QUICK)
    from prefect.events.worker import EventsWorker
    from prefect.testing.utilities import prefect_test_harness

    # One that another module's tests left sends to their server: this one's runs have no tasks.
    EventsWorker.drain_all(timeout=5)
    with prefect_test_harness(server_startup_timeout=120):
        yield
        # The harness waits for every event that is still on its way, for one to a server that is
        # gone 11 s each: 52 s once, and over the test's limit on a slower machine.
        EventsWorker.drain_all(timeout=5)


@pytest.fixture
async def lab(
    prefect_server: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Lab]:
    """Sixty boxes, all healthy, pointed at by the environment."""
    from tasks.clients import close_clients

    async with running_lab(devices=60, folder=tmp_path, tour=False) as running:
        for name, value in running.exports().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("CPE_DATABASE_URL", f"sqlite:///{tmp_path / 'cpe.db'}")
        monkeypatch.setenv("CPE_BRIDGE_SESSION_S", "60")
        yield running
        await close_clients()
