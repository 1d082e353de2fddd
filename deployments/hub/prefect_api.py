"""What the hub asks of Prefect's API, as any client of it could: runs created, looked at, counted.

Plain HTTP: the hub answers lookups while Prefect's client library, two seconds and 80 MB, is not
loaded.
"""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Self

import httpx

from cpe.domain.redaction import excerpt
from deployments.server.environment import authorization, ui_url
from flows.request import run_name

FLOW: Final = "diagnose-cpe"
DEPLOYMENT: Final = f"{FLOW}/on-demand"
POOL: Final = "cpe"
TRIES: Final = 4
PAUSE_S: Final = 0.15
TIMEOUT_S: Final = 10.0
KNOWN_S: Final = 60.0
TOLD_AT_ONCE: Final = 200
"""Prefect's API refuses a higher limit with 422."""
FINAL: Final = frozenset({"COMPLETED", "FAILED", "CRASHED", "CANCELLED"})


class PrefectUnavailableError(Exception):
    """Prefect's API did not do it. `is_certain`: nothing came of the request."""

    def __init__(self, message: str, *, is_certain: bool) -> None:
        super().__init__(message)
        self.is_certain = is_certain


@dataclass(frozen=True, slots=True)
class Run:
    """A flow run's state."""

    id: str
    type: str
    name: str
    message: str

    @property
    def is_final(self) -> bool:
        """Whether it goes on no more."""
        return self.type in FINAL

    @classmethod
    def of(cls, found: dict[str, Any]) -> Self:
        """From the API's JSON."""
        state = found.get("state") or {}
        text = str(state.get("message") or "")
        return cls(str(found["id"]), str(state.get("type")), str(state.get("name")), text)


class PrefectApi:
    """One connection pool to one server."""

    def __init__(self, api_url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.ui_url = os.environ.get("PREFECT_UI_URL") or ui_url(api_url)
        self._api = httpx.AsyncClient(
            base_url=api_url,
            timeout=TIMEOUT_S,
            headers=authorization(),
            transport=transport,
            limits=httpx.Limits(max_connections=20),
            # A proxy of the machine must not answer for a server on loopback.
            trust_env=not api_url.startswith(("http://127.0.0.1", "http://localhost")),
        )
        self._deployment: tuple[float, str] | None = None

    async def close(self) -> None:
        """End its connections."""
        await self._api.aclose()

    def run_url(self, run_id: str) -> str:
        """Where people look at a run."""
        return f"{self.ui_url}/runs/flow-run/{run_id}"

    async def diagnose(self, request: dict[str, Any], ticket: str) -> str:
        """Create a run; the same one for the same ticket. Its id.

        Raises PrefectUnavailableError.
        """
        body = {
            "name": run_name(request["serial"]),
            "parameters": {"request": request},
            "state": {"type": "SCHEDULED"},
            "idempotency_key": f"hub:{ticket}",
            # Made from the flow's own model a moment ago, which the run checks again.
            "enforce_parameter_schema": False,
            "tags": ["hub"],
        }
        path = f"/deployments/{await self._deployment_id()}/create_flow_run"
        created = await self._ask("POST", path, body)
        if created is None:
            raise PrefectUnavailableError(f"{DEPLOYMENT} is gone", is_certain=True)
        return str(created["id"])

    async def run(self, run_id: str) -> Run | None:
        """A run's state; None when there is no such run."""
        found = await self._ask("GET", f"/flow_runs/{run_id}")
        return Run.of(found) if found is not None else None

    async def runs(self, run_ids: list[str]) -> dict[str, Run]:
        """The states of several diagnoses; those that are gone are missing."""
        told: dict[str, Run] = {}
        for start in range(0, len(run_ids), TOLD_AT_ONCE):
            some = run_ids[start : start + TOLD_AT_ONCE]
            body = {
                "flow_runs": {"id": {"any_": some}},
                "flows": {"name": {"any_": [FLOW]}},
                "limit": len(some),
            }
            found = await self._ask("POST", "/flow_runs/filter", body)
            told |= {run.id: run for run in map(Run.of, found)}
        return told

    async def queue_depth(self) -> dict[str, int]:
        """How many runs of the pool are due and wait, and how many run."""
        pools = {"name": {"any_": [POOL]}}
        due = {
            "state": {"type": {"any_": ["SCHEDULED"]}},
            # What the schedules have planned for later waits for its time, not for a worker.
            "next_scheduled_start_time": {"before_": datetime.now(UTC).isoformat()},
        }
        begun = {"state": {"type": {"any_": ["PENDING", "RUNNING"]}}}
        counts = [
            await self._ask("POST", "/flow_runs/count", {"flow_runs": what, "work_pools": pools})
            for what in (due, begun)
        ]
        return {"waiting": int(counts[0]), "running": int(counts[1])}

    async def is_healthy(self) -> bool:
        """Whether the API answers."""
        try:
            answer = await self._api.get("/health", timeout=2.0)
        except httpx.HTTPError:
            return False
        return answer.is_success

    async def _deployment_id(self) -> str:
        known = self._deployment
        if known is None or time.monotonic() - known[0] > KNOWN_S:
            found = await self._ask("GET", f"/deployments/name/{DEPLOYMENT}")
            if found is None:
                raise PrefectUnavailableError(f"{DEPLOYMENT} is not deployed", is_certain=True)
            known = self._deployment = (time.monotonic(), str(found["id"]))
        return known[1]

    async def _ask(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON answer; None for 404. A passing failure is tried again: all is idempotent."""
        said = ""
        for number in range(TRIES):
            if number:
                await asyncio.sleep(PAUSE_S * 2**number)
            try:
                answer = await self._api.request(method, path, json=body)
            except httpx.TransportError as error:
                said = f"Prefect's API: {type(error).__name__}"
                continue
            if answer.status_code == httpx.codes.NOT_FOUND:
                self._deployment = None
                return None
            if answer.is_success:
                try:
                    return answer.json()
                except ValueError:  # a proxy's own page, while the server behind it is away
                    said = f"Prefect's API answered no JSON: {excerpt(answer.text)}"
                    continue
            said = f"Prefect's API answered {answer.status_code}: {excerpt(answer.text)}"
            if answer.is_client_error and answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
                raise PrefectUnavailableError(said, is_certain=True)
        raise PrefectUnavailableError(said, is_certain=False)
