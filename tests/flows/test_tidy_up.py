"""The nightly flow, through a real Prefect API."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta

import pytest
from prefect.settings import get_current_settings

from cpe.store.repository import Store
from flows.tidy_up import tidy_up
from tasks.tidying import DAY_S
from tests.support.store import samples

pytestmark = pytest.mark.prefect


async def test_what_is_too_old_is_deleted_and_counted(lab):
    url = os.environ["CPE_DATABASE_URL"]
    now = datetime.now(UTC)
    async with Store.open(url) as store:
        await store.migrate()
        old = samples.kept(samples.snapshot(at=now - timedelta(days=181)))
        new = samples.kept(samples.snapshot(at=now - timedelta(days=179)))
        await store.keep(old)
        await store.keep(new)
    file = get_current_settings().results.local_storage_path / "left-behind"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("{}")
    os.utime(file, (time.time() - 200 * DAY_S,) * 2)
    state = await tidy_up(return_state=True)
    assert state.name == "Tidied"
    assert state.message.startswith("1 diagnostics, 1 résultats")
    assert not file.exists()
    async with Store.open(url) as store:
        assert await store.load(old.id) is None
        assert await store.load(new.id) is not None
