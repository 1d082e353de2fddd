"""What goes wrong around the hub, and what its callers see of it."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator

import httpx
import pytest

from cpe.settings import HubSettings
from deployments.hub import diagnoses
from tests.contract.test_hub_api import problem
from tests.support.hub_bench import Bench, answer_of, bearer, running_hub
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


@pytest.mark.parametrize("last", ["9" * 5000, "²", "-1", "none"])
async def test_a_stream_begins_at_its_start_for_a_last_event_that_is_none_of_ours(hub, last):
    run_id = (await hub.post(f"/devices/{SERIAL}/diagnose")).json()["id"]
    await hub.step(run_id, "acs: lookup")
    await hub.finish(run_id)
    headers = {**bearer("csr"), "Last-Event-ID": last.encode("latin-1")}
    told = await hub.client.get(f"/devices/diagnoses/{run_id}/events", headers=headers)
    assert told.text.count("event: step") == 1
    assert told.text.count("event: verdict") == 1


async def test_a_stream_of_a_run_that_nobody_takes_up_ends_and_can_be_taken_up(hub, monkeypatch):
    monkeypatch.setattr(diagnoses, "STEPS_S", 0.3)
    run_id = (await hub.post(f"/devices/{SERIAL}/diagnose")).json()["id"]
    path = f"/devices/diagnoses/{run_id}/events"
    await hub.step(run_id, "acs: lookup")
    told = await hub.get(path, "csr")
    assert told.text.count("event:") == told.text.count("event: step") == 1
    await hub.finish(run_id)
    last = told.text.split("id: ")[1].splitlines()[0]
    headers = {**bearer("csr"), "Last-Event-ID": last}
    again = (await hub.client.get(path, headers=headers)).text
    assert again.count("event:") == again.count("event: verdict") == 1


def let_prefect_hang(hub: Bench, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """From now on it takes every request and answers none. Set when it was asked."""
    asked = asyncio.Event()

    async def hang(_: httpx.Request) -> httpx.Response:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    silent = httpx.AsyncClient(base_url="http://prefect/api", transport=httpx.MockTransport(hang))
    monkeypatch.setattr(hub.app.state.services.prefect, "_api", silent)
    return asked


async def test_a_lookup_answers_at_once_while_prefect_hangs(hub, monkeypatch):
    kept = answer_of(str(uuid.uuid4()), age_s=300)
    await hub.store.keep(kept)
    let_prefect_hang(hub, monkeypatch)
    asking = [hub.get(f"/devices/lookup?serial={SERIAL}") for _ in range(3)]
    for answer in await asyncio.gather(*asking):
        assert answer.status_code == 200
        assert answer.json()["diagnosis"]["id"] == kept.id
        assert answer.json()["refresh"]["state"] == "unavailable"


async def test_more_runs_than_prefect_tells_at_once_are_each_found_to_have_crashed(hub):
    watcher = hub.app.state.services.watcher
    with contextlib.ExitStack() as stack:
        waiting = [stack.enter_context(watcher.watching(str(uuid.uuid4()))) for _ in range(230)]
        for watched in waiting:
            hub.prefect.end(watched.run_id, "CRASHED", "Crashed", "its worker was lost")
            watched.looked_at -= 60
        assert all(await asyncio.gather(*(watched.over(30) for watched in waiting)))
        assert {watched.ended.name for watched in waiting if watched.ended} == {"Crashed"}


async def test_a_verdict_that_is_kept_is_told_while_prefect_hangs(hub, monkeypatch):
    waiting = asyncio.create_task(hub.post(f"/devices/{SERIAL}/diagnose", {"wait_s": 60}))
    run_id = await hub.run_of()
    with hub.app.state.services.watcher.watching(run_id) as watched:
        asked = let_prefect_hang(hub, monkeypatch)
        watched.looked_at -= 60  # so still that the watch asks Prefect at once
        await asked.wait()
    await hub.store.keep(answer_of(run_id))
    assert (await waiting).status_code == 200


@pytest.mark.parametrize(
    ("kind", "name"),
    [("COMPLETED", "Bonne au banc"), ("PAUSED", "Suspended"), ("FAILED", "Failed")],
)
async def test_the_run_of_another_flow_is_no_diagnosis(hub, kind, name):
    swap = str(uuid.uuid4())
    hub.prefect.end(swap, kind, name, flow="swap-equipment")
    problem(await hub.get(f"/devices/diagnoses/{swap}"), 404, "not-found")
    problem(await hub.get(f"/devices/diagnoses/{swap}/events"), 404, "not-found")


async def test_a_first_diagnosis_that_came_to_nothing_is_not_one_that_has_begun(hub):
    asking = asyncio.create_task(hub.get("/devices/lookup?serial=NEVER1&wait_s=60"))
    hub.prefect.end(await hub.run_of(), "CRASHED", "Crashed", "its worker was lost")
    answer = await asking
    assert answer.json()["refresh"]["state"] == "failed"
    assert answer.json()["diagnosis"] is None
    assert answer.status_code == 200, "202 would have its caller wait for an answer"
