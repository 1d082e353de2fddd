"""What goes wrong around the hub, and what its callers see of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from cpe.settings import HubSettings
from tests.contract.test_hub_api import problem
from tests.support.hub_bench import Bench, bearer, running_hub
from tests.support.store.samples import SERIAL


@pytest.fixture
async def hub(tmp_path) -> AsyncIterator[Bench]:
    async with running_hub(tmp_path) as bench:
        yield bench


async def test_a_proxys_page_in_prefects_place_is_prefect_away_and_does_not_end_the_watch(hub):
    run_id = (await hub.post(f"/devices/{SERIAL}/diagnose")).json()["id"]
    waiting = asyncio.create_task(hub.post(f"/devices/{SERIAL}/diagnose", {"wait_s": 60}))
    watched = hub.app.state.services.watcher._watched[run_id]
    watched.looked_at -= 60  # so still that the watch asks Prefect at once
    hub.prefect.is_hidden = True
    problem(await hub.get(f"/devices/diagnoses/{run_id}"), 503, "prefect-unavailable")
    problem(await hub.post("/devices/OTHER/diagnose"), 503, "prefect-unavailable")
    hub.prefect.is_hidden = False
    await hub.finish(run_id)
    assert (await waiting).status_code == 200


async def test_a_browser_may_read_every_error_and_each_carries_the_policies(tmp_path, monkeypatch):
    async def broken(*_args, **_kwargs):
        raise ValueError("CANARY")

    origin = "https://ops.example"
    async with running_hub(tmp_path, settings=HubSettings(origins=origin)) as hub:
        monkeypatch.setattr(hub.desk, "listed", broken)
        headers = {**bearer("boss"), "Origin": origin}
        large = b" " * 70_000
        asked = (
            (hub.client.get("/devices/swaps", headers=headers), 500, "error"),
            (hub.client.post("/devices/swaps", headers=headers, content=large), 413, "too-large"),
            (hub.client.get("/me", headers={"Origin": origin}), 401, "unauthenticated"),
        )
        for asking, status, code in asked:
            answer = await asking
            problem(answer, status, code)
            assert answer.headers["access-control-allow-origin"] == origin, code
            assert answer.headers["x-content-type-options"] == "nosniff", code
            assert answer.headers["cache-control"] == "no-store", code
