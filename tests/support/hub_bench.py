"""A hub on a real database, with a Prefect and a swap desk that a test holds in its hands."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from cpe.answer.document import document
from cpe.domain.memory import KeptDiagnosis
from cpe.domain.snapshot import Freshness, FreshnessOutcome, Request
from cpe.settings import HubSettings
from cpe.store.repository import Store
from cpe.store.steps import StepSeen
from deployments.hub.app import create_app
from deployments.hub.prefect_api import PrefectApi
from deployments.hub.problems import Kind, Problem
from deployments.hub.services import Services
from deployments.hub.tokens import load_tokens
from tests.support.store import samples
from tests.support.waiting import until

SECRETS = {
    "reader": "reader-0123456789abcdef",
    "csr": "csr-0123456789abcdef",
    "technician": "technician-0123456789abcdef",
    "boss": "boss-0123456789abcdef",
}
TOKENS = ",".join(
    (
        f"reader:read:{SECRETS['reader']}",
        f"csr:diagnose:{SECRETS['csr']}",
        f"technician:swap:{SECRETS['technician']}",
        f"boss:read+diagnose+swap+override:{SECRETS['boss']}",
    )
)


def bearer(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {SECRETS[name]}"}


class FakePrefect:
    """Prefect's API below HTTP: it makes runs, and tells of them. Strict: a stranger fails."""

    def __init__(self) -> None:
        self.runs: dict[str, dict[str, Any]] = {}
        self.by_key: dict[str, str] = {}
        self.created: list[dict[str, Any]] = []
        self.fail_with: list[int | Exception] = []
        self.is_up = True
        self.is_hidden = False
        """By a proxy, which answers in its place."""
        self.lost_answers = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if not self.is_up:
            raise httpx.ConnectError("refused", request=request)
        if self.is_hidden:
            return httpx.Response(200, html="<h1>We are back in a minute</h1>")
        if self.fail_with:
            failure = self.fail_with.pop(0)
            if isinstance(failure, Exception):
                raise failure
            return httpx.Response(failure, json={"detail": "as the test wants"})
        return self._answer(request)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api")
        match request.method, path.strip("/").split("/"):
            case "GET", ["health"]:
                return httpx.Response(200, json=True)
            case "GET", ["deployments", "name", "diagnose-cpe", "on-demand"]:
                return httpx.Response(200, json={"id": "the-deployment"})
            case "POST", ["deployments", "the-deployment", "create_flow_run"]:
                return self._create(httpx.Response, request)
            case "GET", ["flow_runs", run_id] if run_id in self.runs:
                return httpx.Response(200, json=self.runs[run_id])
            case "GET", ["flow_runs", _]:
                return httpx.Response(404, json={"detail": "not found"})
            case "POST", ["flow_runs", "filter"]:
                body = _json(request)
                wanted = body["flow_runs"]["id"]["any_"]
                if body["limit"] > 200:  # Prefect 3.8.8
                    said = "Invalid limit: must be less than or equal to 200."
                    return httpx.Response(422, json={"detail": said})
                flows = body.get("flows", {}).get("name", {}).get("any_")
                found = [self.runs[i] for i in wanted if i in self.runs]
                found = [run for run in found if flows is None or run["flow"] in flows]
                return httpx.Response(200, json=found)
            case "POST", ["flow_runs", "count"]:
                return httpx.Response(200, json=_counted(_json(request)["flow_runs"]))
        raise AssertionError(f"the hub asked {request.method} {path}")

    def _create(self, response: type[httpx.Response], request: httpx.Request) -> httpx.Response:
        body = _json(request)
        key = body["idempotency_key"]
        if key not in self.by_key:
            run_id = str(uuid.uuid4())
            self.by_key[key] = run_id
            self.created.append(body)
            self.end(run_id, "SCHEDULED", "Scheduled")
        if self.lost_answers:
            self.lost_answers -= 1
            raise httpx.ReadTimeout("lost", request=request)
        return response(201, json=self.runs[self.by_key[key]])

    def end(
        self, run_id: str, kind: str, name: str, message: str = "", *, flow: str = "diagnose-cpe"
    ) -> None:
        """Let a run be in a state."""
        state = {"type": kind, "name": name, "message": message}
        self.runs[run_id] = {"id": run_id, "state": state, "flow": flow}


def _counted(wanted: dict[str, Any]) -> int:
    """Three runs are due or running; the schedules have made 14 more for later."""
    later = wanted["state"]["type"]["any_"] == ["SCHEDULED"]
    if later and (due := wanted.get("next_scheduled_start_time")):
        later = datetime.fromisoformat(due["before_"]) > datetime.now(UTC) + timedelta(minutes=1)
    return 3 + 14 * later


def _json(request: httpx.Request) -> Any:
    return json.loads(request.content)


class FakeDesk:
    """Swaps in memory, with the desk's manners."""

    def __init__(self) -> None:
        self.swaps: dict[str, dict[str, Any]] = {}
        self.keys: dict[str, str] = {}
        self.said: list[tuple[str, Any]] = []
        self.is_up = True

    async def start(self, said: dict[str, Any], key: str | None) -> dict[str, Any]:
        self._up()
        self.said.append(("start", said))
        if said["old_serial"] == said["new_serial"]:
            raise Problem(Kind.SWAP_REFUSED, "same unit", reason="same_unit", accepted=[])
        if key is not None and key in self.keys:
            return self.swaps[self.keys[key]]
        swap_id = str(uuid.uuid4())
        self.swaps[swap_id] = {"schema": "cpe.swap/1", "id": swap_id, "state": "requested"}
        if key is not None:
            self.keys[key] = swap_id
        return self.swaps[swap_id]

    async def answer(self, swap_id: str, said: dict[str, Any]) -> dict[str, Any]:
        return self._move("answer", swap_id, said)

    async def give_back(self, swap_id: str, by: str, remarks: str) -> dict[str, Any]:
        return self._move("return", swap_id, {"by": by, "remarks": remarks})

    async def override(self, swap_id: str, said: dict[str, Any]) -> dict[str, Any]:
        return self._move("override", swap_id, said)

    async def show(self, swap_id: str) -> dict[str, Any] | None:
        self._up()
        return self.swaps.get(swap_id)

    async def listed(self, state: str | None, serial: str | None, limit: int) -> list[Any]:
        self._up()
        return list(self.swaps.values())[:limit]

    def _move(self, what: str, swap_id: str, said: Any) -> dict[str, Any]:
        self._up()
        self.said.append((what, said))
        if swap_id not in self.swaps:
            raise Problem(Kind.NOT_FOUND, "no swap of that id is kept")
        self.swaps[swap_id]["state"] = what
        return self.swaps[swap_id]

    def _up(self) -> None:
        if not self.is_up:
            raise Problem(Kind.SWAPS_UNAVAILABLE, "ERPNext does not answer")


class Bench:
    """One hub process as its callers see it, and the hands of a worker."""

    def __init__(self, app: FastAPI, store: Store, prefect: FakePrefect, desk: FakeDesk) -> None:
        self.app, self.store, self.prefect, self.desk = app, store, prefect, desk
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://hub"
        )

    async def get(self, path: str, who: str = "boss", **options: Any) -> httpx.Response:
        return await self.client.get(path, headers=bearer(who), **options)

    async def post(self, path: str, body: Any = None, who: str = "boss") -> httpx.Response:
        return await self.client.post(path, headers=bearer(who), json=body)

    async def step(self, run_id: str, step: str) -> None:
        """A worker begins a step."""
        at_us = int(datetime.now(UTC).timestamp() * 1_000_000)
        await self.store.hub().saw([StepSeen(run_id, at_us, step)])

    async def finish(self, run_id: str, serial: str = samples.SERIAL, **options: Any) -> None:
        """A worker keeps its answer, then its run ends."""
        await self.store.keep(answer_of(run_id, serial), **options)
        self.prefect.end(run_id, "COMPLETED", "healthy")

    async def run_of(self, number: int = 0) -> str:
        """The id of the number-th run that was created, once it is."""
        await until(lambda: len(self.prefect.created) > number)
        return list(self.prefect.by_key.values())[number]

    async def watched(self, run_id: str, by: int = 1) -> None:
        """Return once so many requests wait for the run, which the hub itself began and follows."""
        watched = self.app.state.services.watcher._watched
        await until(lambda: run_id in watched and watched[run_id].watchers == by + 1)


def answer_of(run_id: str, serial: str = samples.SERIAL, *, age_s: float = 0) -> KeptDiagnosis:
    """A kept diagnosis of a healthy box, asked for that long ago."""
    at = datetime.now(UTC) - timedelta(seconds=age_s)
    device = samples.box()
    if serial != samples.SERIAL:
        device = samples.box(serial=serial, acs_id=f"00AA00-XX230v-{serial}", gpon_serial=None)
    snapshot = samples.snapshot(
        id=run_id,
        at=at,
        request=Request(serial=serial, requested_by="Amélie"),
        device=device,
        freshness=Freshness(at, 0.0, 60.0, FreshnessOutcome.REFRESHED),
    )
    kept = samples.kept(snapshot)
    made = document(
        snapshot, kept.findings, kept.verdict, kept.ruleset, finished_at=kept.finished_at
    )
    return replace(kept, document=made)


@asynccontextmanager
async def running_hub(
    folder: Path, *, settings: HubSettings | None = None, tokens: str = TOKENS
) -> AsyncIterator[Bench]:
    """A hub on `folder`'s database; a second one on the same folder is another process."""
    store = Store.open(f"sqlite:///{folder / 'cpe.db'}")
    await store.migrate()
    prefect, desk = FakePrefect(), FakeDesk()
    api = PrefectApi("http://prefect/api", transport=httpx.MockTransport(prefect))
    services = Services.assemble(store, api, desk, freshness_s=60)
    app = create_app(services, load_tokens(tokens), settings or HubSettings())
    async with app.router.lifespan_context(app):
        bench = Bench(app, store, prefect, desk)
        async with bench.client:
            yield bench
