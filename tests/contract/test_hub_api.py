"""The hub's API: one run for one question, whoever asks; roles, limits, problems."""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import httpx
import pytest

from cpe.domain.sweep import Sweep, SweepState
from cpe.settings import HubSettings
from deployments.hub.tokens import Role
from tests.support.hub_bench import Bench, answer_of, bearer, running_hub
from tests.support.store.samples import ACS_ID, GPON, SERIAL
from tests.support.waiting import until


@pytest.fixture
async def hub(tmp_path) -> AsyncIterator[Bench]:
    async with running_hub(tmp_path) as bench:
        yield bench


def problem(answer: httpx.Response, status: int, code: str) -> dict:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["code"] == code
    assert body["status"] == status
    assert body["type"] == f"urn:gigafibre-cpe:{code}"
    assert {"title", "detail", "instance"} <= set(body)
    return body


ID = "5f0c7a52-0000-4000-8000-000000000001"
START = {
    "kind": "swap_diagnostic", "old_serial": "A1", "new_serial": "B2", "requested_by": "Marc",
}  # fmt: skip
ROUTES = [
    ("GET", "/me", None, Role.READ),
    ("GET", "/metrics", None, Role.READ),
    ("GET", "/devices/lookup?serial=A1", None, Role.READ),
    ("GET", "/devices/A1/history", None, Role.READ),
    ("GET", f"/devices/diagnoses/{ID}", None, Role.READ),
    ("GET", f"/devices/diagnoses/{ID}/events", None, Role.READ),
    ("GET", "/devices/swaps", None, Role.READ),
    ("GET", f"/devices/swaps/{ID}", None, Role.READ),
    ("POST", "/devices/A1/diagnose", {}, Role.DIAGNOSE),
    ("POST", "/devices/swaps", START, Role.SWAP),
    ("POST", f"/devices/swaps/{ID}/answer", {"result": "passed", "by": "Marc"}, Role.SWAP),
    ("POST", f"/devices/swaps/{ID}/return", {"by": "Marc"}, Role.SWAP),
    ("POST", f"/devices/swaps/{ID}/override", {"by": "Al", "reason": "needed"}, Role.OVERRIDE),
]
MAY = {
    "reader": {Role.READ},
    "csr": {Role.READ, Role.DIAGNOSE},
    "technician": {Role.READ, Role.SWAP},
    "boss": set(Role),
}


def test_every_route_of_the_api_has_its_role_here(tmp_path):
    from deployments.hub import diagnoses, operations, swaps

    open_to_all = {"/healthz", "/readyz"}
    known = {
        (route.path, method)
        for module in (diagnoses, operations, swaps)
        for route in module.router.routes
        for method in route.methods
        if route.path not in open_to_all
    }
    assert len(known) == len(ROUTES)


@pytest.mark.parametrize(("method", "path", "body", "role"), ROUTES)
async def test_a_route_lets_in_whoever_has_its_role_and_nobody_else(hub, method, path, body, role):
    answer = await hub.client.request(method, path, json=body)
    problem(answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"
    wrong = {"Authorization": "Bearer nobody-0123456789abcdef"}
    answer = await hub.client.request(method, path, json=body, headers=wrong)
    problem(answer, 401, "unauthenticated")
    assert "invalid_token" in answer.headers["www-authenticate"]
    basic = {"Authorization": "Basic cmVhZGVyOng="}
    problem(
        await hub.client.request(method, path, json=body, headers=basic), 401, "unauthenticated"
    )
    for who, roles in MAY.items():
        answer = await hub.client.request(method, path, json=body, headers=bearer(who))
        if role in roles:
            assert answer.status_code not in (401, 403), (who, answer.text)
        else:
            assert problem(answer, 403, "forbidden")["role"] == role.value
            assert "insufficient_scope" in answer.headers["www-authenticate"]


async def test_a_diagnosis_is_answered_when_it_is_there_in_time(hub):
    asking = asyncio.create_task(
        hub.post(f"/devices/{SERIAL}/diagnose", {"wait_s": 60, "requested_by": "Marie"}, "csr")
    )
    run_id = await hub.run_of()
    sent = hub.prefect.created[0]
    assert sent["parameters"]["request"]["serial"] == SERIAL
    assert sent["parameters"]["request"]["requested_by"] == "Marie"
    assert sent["state"] == {"type": "SCHEDULED"}
    await hub.finish(run_id)
    answer = await asking
    assert answer.status_code == 200
    assert answer.json()["id"] == run_id
    assert answer.json()["schema"] == "cpe.diagnosis/1"
    asked = await hub.store.hub().asked_by(run_id)
    assert [(a.requested_by, a.token) for a in asked] == [("Marie", "csr")]


async def test_a_diagnosis_that_takes_longer_says_where_to_look(hub):
    answer = await hub.post(f"/devices/{SERIAL}/diagnose", {"wait_s": 0.1})
    assert answer.status_code == 202
    told = answer.json()
    run_id = await hub.run_of()
    assert told["id"] == run_id
    assert told["run"]["url"].endswith(run_id)
    assert answer.headers["location"] == told["self_url"] == f"/devices/diagnoses/{run_id}"
    await hub.step(run_id, "acs: lookup")
    going_on = await hub.get(told["self_url"], params={"wait_s": 0.2})
    assert going_on.status_code == 202
    assert going_on.json()["steps"][0]["text"]["fr"] == "Recherche de la boîte dans l'ACS"
    await hub.finish(run_id)
    assert (await hub.get(told["self_url"])).json()["id"] == run_id


async def test_two_people_asking_for_one_box_share_one_run_and_both_are_kept(hub):
    paths = (SERIAL, SERIAL.lower(), SERIAL)
    asking = [
        asyncio.create_task(
            hub.post(f"/devices/{path}/diagnose", {"wait_s": 60, "requested_by": who})
        )
        for path, who in zip(paths, ("Marie", "Luc", "Ana"), strict=True)
    ]
    run_id = await hub.run_of()
    await hub.watched(run_id, by=3)
    await hub.finish(run_id)
    answers = await asyncio.gather(*asking)
    assert {answer.json()["id"] for answer in answers} == {run_id}
    assert len(hub.prefect.created) == 1
    asked = await hub.store.hub().asked_by(run_id)
    assert {a.requested_by for a in asked} == {"Marie", "Luc", "Ana"}


async def test_a_box_asked_for_by_another_of_its_names_shares_the_run(hub):
    await hub.store.keep(answer_of(str(uuid.uuid4()), age_s=3600))
    first = await hub.post(f"/devices/{SERIAL}/diagnose")
    for name in (GPON, GPON.lower(), ACS_ID, "1C-61-B4-D0-07-45"):
        again = await hub.post(f"/devices/{name}/diagnose")
        assert again.json()["id"] == first.json()["id"], name


async def test_another_question_about_the_same_box_is_another_run(hub):
    await hub.post(f"/devices/{SERIAL}/diagnose")
    await hub.post(f"/devices/{SERIAL}/diagnose", {"speedtest": True})
    await hub.post(f"/devices/{SERIAL}/diagnose", {"measured_mbps": 20})
    assert len(hub.prefect.created) == 3


async def test_two_hub_processes_share_one_run(hub, tmp_path):
    async with running_hub(tmp_path) as other:
        other.prefect.runs, other.prefect.by_key = hub.prefect.runs, hub.prefect.by_key
        both = await asyncio.gather(
            *(bench.post(f"/devices/{SERIAL}/diagnose") for bench in (hub, other) * 4)
        )
        assert len({answer.json()["id"] for answer in both}) == 1
        assert len(hub.prefect.created) + len(other.prefect.created) == 1


async def test_a_question_is_free_again_once_its_run_is_over(hub):
    first = (await hub.post(f"/devices/{SERIAL}/diagnose")).json()["id"]
    await hub.finish(first)
    await hub.get(f"/devices/diagnoses/{first}", params={"wait_s": 60})
    second = await until(lambda: asked_again(hub, first))
    hub.prefect.end(second, "CRASHED", "Crashed", "its worker was lost")
    failed = await hub.get(f"/devices/diagnoses/{second}", params={"wait_s": 60})
    assert "its worker was lost" in problem(failed, 500, "diagnosis-failed")["detail"]
    await until(lambda: asked_again(hub, first, second))


async def asked_again(hub: Bench, *before: str) -> str | None:
    """The run that is asked for now, when it is another one than those before."""
    run_id = (await hub.post(f"/devices/{SERIAL}/diagnose")).json()["id"]
    return None if run_id in before else run_id


async def test_a_run_whose_creation_was_never_confirmed_is_the_next_ones_too(hub, tmp_path):
    hub.prefect.lost_answers = 4
    problem(await hub.post(f"/devices/{SERIAL}/diagnose"), 503, "prefect-unavailable")
    assert len(hub.prefect.created) == 1
    async with running_hub(tmp_path) as other:
        other.prefect.runs, other.prefect.by_key = hub.prefect.runs, hub.prefect.by_key
        answer = await other.post(f"/devices/{SERIAL}/diagnose")
    assert answer.json()["id"] == await hub.run_of()
    assert other.prefect.created == []


async def test_a_passing_503_of_prefect_is_tried_again_with_the_same_key(hub):
    await hub.post("/devices/OTHER/diagnose")  # the deployment is known now
    hub.prefect.fail_with = [503, httpx.ReadError("cut")]
    assert (await hub.post(f"/devices/{SERIAL}/diagnose")).status_code == 202
    assert len(hub.prefect.created) == 2


async def test_an_operators_cancellation_is_told_as_one(hub):
    run_id = (await hub.post(f"/devices/{SERIAL}/diagnose")).json()["id"]
    hub.prefect.end(run_id, "CANCELLED", "Cancelled")
    problem(await hub.get(f"/devices/diagnoses/{run_id}"), 409, "diagnosis-cancelled")


async def test_a_verdict_that_was_not_kept_is_still_told(hub):
    run_id = (await hub.post(f"/devices/{SERIAL}/diagnose")).json()["id"]
    hub.prefect.end(run_id, "COMPLETED", "fibre_cut", "La fibre est coupée.")
    body = problem(await hub.get(f"/devices/diagnoses/{run_id}"), 500, "not-kept")
    assert body["verdict"] == "fibre_cut"
    assert "La fibre est coupée." in body["detail"]


async def test_unknown_ids_and_bad_ones_are_told_apart(hub):
    problem(await hub.get(f"/devices/diagnoses/{ID}"), 404, "not-found")
    problem(await hub.get(f"/devices/diagnoses/{ID}/events"), 404, "not-found")
    problem(await hub.get("/devices/diagnoses/none"), 422, "invalid-request")


async def test_a_lookup_answers_at_once_with_what_is_kept_and_begins_a_refresh_when_it_is_old(hub):
    kept = answer_of(str(uuid.uuid4()), age_s=5)
    await hub.store.keep(kept)
    fresh = (await hub.get(f"/devices/lookup?serial={SERIAL}", "reader")).json()
    assert fresh["is_fresh"] is True
    assert fresh["age_s"] >= 5
    assert fresh["refresh"] is None
    assert fresh["diagnosis"] == kept.document
    assert hub.prefect.created == []


async def test_a_lookup_of_an_old_snapshot_begins_one_refresh_and_says_so(hub):
    await hub.store.keep(answer_of(str(uuid.uuid4()), age_s=300))
    answers = await asyncio.gather(
        *(hub.get(f"/devices/lookup?serial={SERIAL}", "reader") for _ in range(10))
    )
    run_id = await hub.run_of()
    for answer in answers:
        assert answer.status_code == 200
        told = answer.json()
        assert told["age_s"] > 299
        assert told["is_fresh"] is False
        assert told["refresh"]["id"] == run_id
        assert told["refresh"]["state"] == "started"
    assert len(hub.prefect.created) == 1
    waiting = asyncio.create_task(hub.get(f"/devices/lookup?serial={SERIAL}&wait_s=60"))
    await hub.watched(run_id)
    await hub.finish(run_id)
    renewed = (await waiting).json()
    assert renewed["diagnosis"]["id"] == run_id
    assert renewed["refresh"]["state"] == "finished"
    assert renewed["age_s"] < told["age_s"], "of the new one"


async def test_a_lookup_of_a_box_nobody_diagnosed_begins_the_first_diagnosis(hub):
    answer = await hub.get("/devices/lookup?serial=NEVER1")
    assert answer.status_code == 202
    assert answer.json()["diagnosis"] is None
    assert answer.json()["age_s"] is None
    assert len(hub.prefect.created) == 1


async def test_a_lookup_without_prefect_still_tells_what_is_kept(hub):
    await hub.store.keep(answer_of(str(uuid.uuid4()), age_s=300))
    hub.prefect.is_up = False
    told = (await hub.get(f"/devices/lookup?serial={SERIAL}")).json()
    assert told["diagnosis"]["serial"] == SERIAL
    assert told["refresh"]["state"] == "unavailable"


async def test_the_steps_are_streamed_as_they_happen_and_end_with_the_verdict(hub):
    run_id = (await hub.post(f"/devices/{SERIAL}/diagnose")).json()["id"]
    await hub.step(run_id, "run: begun")
    streaming = asyncio.create_task(hub.get(f"/devices/diagnoses/{run_id}/events"))
    await hub.watched(run_id)
    await hub.step(run_id, "olt: read")
    await hub.finish(run_id)
    answer = await streaming
    assert answer.headers["content-type"].startswith("text/event-stream")
    told = [_event(block) for block in answer.text.split("\n\n") if "event:" in block]
    assert [name for name, _ in told] == ["step", "step", "verdict"]
    assert told[1][1]["text"] == {"fr": "Lecture de l'OLT", "en": "Reading the OLT"}
    assert told[2][1]["code"] == "healthy"
    ids = [line for line in answer.text.splitlines() if line.startswith("id:")]
    resumed = await hub.client.get(
        f"/devices/diagnoses/{run_id}/events",
        headers={**bearer("reader"), "Last-Event-ID": ids[0][3:].strip()},
    )
    assert resumed.text.count("event: step") == 1


def _event(block: str) -> tuple[str, dict]:
    fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
    return fields["event"], json.loads(fields["data"])


async def test_history_is_paged_newest_first(hub):
    ids = [str(uuid.uuid4()) for _ in range(5)]
    for number, one in enumerate(ids):
        await hub.store.keep(answer_of(one, age_s=100 - number))
    path, seen = f"/devices/{SERIAL}/history?limit=2", []
    while path:
        found = (await hub.get(path, "reader")).json()
        seen += [item["id"] for item in found["items"]]
        assert len(found["items"]) <= 2
        path = found["next_url"]
    assert seen == ids[::-1]
    assert (await hub.get("/devices/NEVER1/history")).json()["items"] == []


@pytest.mark.parametrize("serial", ["ab-12/34", "AB+1#(2)~é&3", "1,ZTEG=5%2F"])
async def test_a_serial_with_a_slash_or_other_marks_is_one_serial(hub, serial):
    answer = await hub.post(f"/devices/{quote(serial, safe='')}/diagnose")
    assert answer.status_code == 202
    assert hub.prefect.created[0]["parameters"]["request"]["serial"] == serial
    kept = await hub.get("/devices/lookup", params={"serial": serial})
    assert kept.json()["serial"] == serial
    past = await hub.get(f"/devices/{quote(serial, safe='')}/history")
    assert past.json()["serial"] == serial


@pytest.mark.parametrize("serial", ["*", "a*b", "..", "x" * 70, "\0", "a\u200fb", "/x/i"])
async def test_a_serial_that_may_not_be_sent_is_refused_before_anything_is_asked(hub, serial):
    problem(await hub.get("/devices/lookup", params={"serial": serial}), 422, "invalid-request")
    assert hub.prefect.created == []


async def test_bodies_are_read_strictly_and_within_bounds(hub):
    path = f"/devices/{SERIAL}/diagnose"
    body = problem(await hub.post(path, {"wait_s": 6000}), 422, "invalid-request")
    assert body["errors"][0]["where"] == "body.wait_s"
    problem(await hub.post(path, {"surprise": 1}), 422, "invalid-request")
    headers = {**bearer("boss"), "content-type": "application/json"}
    broken = await hub.client.post(path, content=b"{", headers=headers)
    problem(broken, 400, "malformed-request")
    large = b'{"requested_by": "' + b"x" * 70_000 + b'"}'
    problem(await hub.client.post(path, content=large, headers=headers), 413, "too-large")

    async def chunks():
        for _ in range(70):
            yield b" " * 1000

    problem(await hub.client.post(path, content=chunks(), headers=headers), 413, "too-large")
    assert hub.prefect.created == []


async def test_what_is_not_there_is_a_problem_too(hub):
    problem(await hub.client.get("/nowhere"), 404, "not-found")
    problem(await hub.client.delete("/me"), 405, "method-not-allowed")


async def test_a_token_has_its_own_limit_a_minute(tmp_path):
    async with running_hub(tmp_path, settings=HubSettings(per_minute=5)) as hub:
        answers = [await hub.get("/me", "reader") for _ in range(7)]
        assert [a.status_code for a in answers] == [200] * 5 + [429] * 2
        assert answers[-1].headers["retry-after"]
        problem(answers[-1], 429, "too-many-requests")
        assert (await hub.get("/me", "csr")).status_code == 200


async def test_whoever_guesses_tokens_is_slowed_down(hub):
    wrong = {"Authorization": "Bearer wrong-0123456789abcdef"}
    codes = [(await hub.client.get("/me", headers=wrong)).status_code for _ in range(125)]
    assert codes[0] == 401
    assert codes[-1] == 429
    assert (await hub.get("/me")).status_code == 200, "who has a token is let in meanwhile"


async def test_only_configured_origins_may_call_from_a_browser(tmp_path):
    settings = HubSettings(origins="https://ops.example, https://other.example")
    asks = {"Access-Control-Request-Method": "POST"}
    async with running_hub(tmp_path, settings=settings) as hub:
        for origin, allowed in (("https://ops.example", True), ("https://evil.example", False)):
            headers = {"Origin": origin, **asks}
            answer = await hub.client.options("/devices/A1/diagnose", headers=headers)
            assert (answer.headers.get("access-control-allow-origin") == origin) is allowed
    async with running_hub(tmp_path) as hub:
        answer = await hub.client.get("/healthz", headers={"Origin": "https://ops.example"})
        assert "access-control-allow-origin" not in answer.headers


async def test_pages_and_answers_carry_their_policies(hub):
    for path in ("/", f"/devices/{SERIAL}", "/docs", "/assets/main.js", "/assets/words.json"):
        answer = await hub.client.get(path)
        assert answer.status_code == 200, path
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert (await hub.get("/me")).headers["cache-control"] == "no-store"


async def test_health_needs_nobody_and_readiness_says_who_is_missing(hub):
    assert (await hub.client.get("/healthz")).json() == {"status": "ok", "checks": {}}
    assert (await hub.client.get("/readyz")).status_code == 200
    hub.prefect.is_up = False
    assert (await hub.client.get("/healthz")).status_code == 200
    body = problem(await hub.client.get("/readyz"), 503, "not-ready")
    assert body["checks"] == {"database": "ok", "prefect": "does not answer"}


async def test_metrics_count_what_was_diagnosed_and_leave_out_what_nobody_knows(hub):
    await hub.store.keep(answer_of(str(uuid.uuid4())))
    hub.desk.is_up = False
    page = (await hub.get("/metrics")).text
    again = (await hub.get("/metrics")).text
    for text in (page, again):
        assert 'cpe_diagnoses_total{verdict="healthy"} 1.0' in text
        assert 'cpe_source_duration_seconds_count{outcome="ok",source="acs"} 1.0' in text
        assert 'cpe_queue_runs{state="waiting"} 3.0' in text
        assert "cpe_swaps_waiting" not in text
        assert "cpe_last_sweep_age_seconds" not in text


async def test_metrics_tell_the_swaps_that_wait_for_somebody_and_the_last_sweeps_age(hub):
    now = datetime.now(UTC)
    sweep = Sweep("s1", now - timedelta(minutes=20), SweepState.RUNNING)
    await hub.store.fleet().begin(
        sweep, after=now - timedelta(hours=1), owner="me", is_dead=lambda _owner: False
    )
    ended_at = now - timedelta(minutes=10)
    await hub.store.fleet().finish(
        replace(sweep, state=SweepState.INCOMPLETE, finished_at=ended_at)
    )
    page = (await hub.get("/metrics")).text
    assert re.search(r"^cpe_swaps_waiting \d", page, re.MULTILINE)
    assert "# HELP cpe_swaps_waiting Open swaps in which a person has the next word." in page
    (age_s,) = re.findall(r"^cpe_last_sweep_age_seconds ([\d.e+]+)", page, re.MULTILINE)
    assert 600 <= float(age_s) < 660


async def test_a_bug_is_told_as_one_without_its_inside(hub, monkeypatch):
    async def broken(*_args, **_kwargs):
        raise ValueError("CANARY")

    monkeypatch.setattr(hub.desk, "listed", broken)
    answer = await hub.get("/devices/swaps")
    problem(answer, 500, "error")
    assert "CANARY" not in answer.text
