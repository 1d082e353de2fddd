"""A lab of each flow test's own, and the Prefect server that this worker's tests share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deployments.lab.serve import Lab, running_lab
from tests.support.prefect_server import SharedServer


@pytest.fixture
async def lab(
    prefect_server: SharedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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
