"""One full server and one warm worker for a module's tests, and a plain API client."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from deployments.server.child import ChildProcess
from deployments.server.deploy import ensure_pool
from deployments.server.embedded import EmbeddedServer
from deployments.server.environment import ui_url
from tests.support.waiting import wait_until

POOL = "cpe"
FLOWS = (
    "stages", "threaded", "failing", "endless", "suspending", "steady", "killer", "exiting",
)  # fmt: skip
FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


class Bench:
    """A Prefect server as somebody sees it who only has its API."""

    def __init__(self, api_url: str, home: Path) -> None:
        self.api_url, self.home = api_url, home
        self.ui_url = ui_url(api_url)
        self.api = httpx.Client(base_url=api_url, timeout=None, trust_env=False)
        ensure_pool(api_url, POOL)
        self.deployments = {name: self._deploy(name) for name in FLOWS}

    def worker(self, *arguments: str, module: str = "deployments.warm") -> ChildProcess:
        """A supervised worker, not yet started."""
        log = self.home / "logs" / "worker.log"
        return ChildProcess(
            [module, POOL, *arguments], "worker", self.api_url, log, stop_timeout_s=20
        )

    def start(self, flow: str, **parameters: Any) -> str:
        """A run, as the UI or the hub creates one; its id."""
        body = {"parameters": parameters, "state": {"type": "SCHEDULED"}}
        path = f"/deployments/{self.deployments[flow]}/create_flow_run"
        return self._ok(self.api.post(path, json=body))["id"]

    def run(self, run_id: str) -> dict[str, Any]:
        return self._ok(self.api.get(f"/flow_runs/{run_id}"))

    def state(self, run_id: str) -> str:
        return self.run(run_id)["state"]["name"]

    def states(self, run_id: str) -> list[str]:
        """Every state the run has been in, in order."""
        found = self._ok(self.api.get("/flow_run_states/", params={"flow_run_id": run_id}))
        return [s["name"] for s in sorted(found, key=lambda s: s["timestamp"])]

    def set_state(self, run_id: str, **state: Any) -> None:
        self._ok(self.api.post(f"/flow_runs/{run_id}/set_state", json={"state": state}))

    def ended(self, *run_ids: str) -> Mapping[str, str]:
        """The runs' final states' names, once all have one."""
        wait_until(lambda: all(self.run(i)["state"]["type"] in FINAL for i in run_ids))
        return {run_id: self.state(run_id) for run_id in run_ids}

    def workers(self) -> list[str]:
        found = self._ok(self.api.post(f"/work_pools/{POOL}/workers/filter", json={}))
        return [worker["name"] for worker in found]

    def _deploy(self, name: str) -> str:
        flow = self._ok(self.api.post("/flows/", json={"name": name}))
        body = {
            "name": "test",
            "flow_id": flow["id"],
            "entrypoint": f"tests.support.warm_flows:{name}",
            "work_pool_name": POOL,
        }
        return self._ok(self.api.post("/deployments/", json=body))["id"]

    def _ok(self, answer: httpx.Response) -> Any:
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None


@contextmanager
def running_bench(
    home: Path, migrated_prefect: Path | None, database_url: str | None = None
) -> Iterator[Bench]:
    """A full embedded server on a database of its own."""
    folder = home / "prefect"
    if migrated_prefect is not None:
        shutil.copytree(migrated_prefect, folder)
    with EmbeddedServer(folder=folder, database_url=database_url) as server:
        bench = Bench(server.api_url, home)
        yield bench
        bench.api.close()


def notes(folder: Path, run_id: str | None = None) -> list[str]:
    """What the flows noted, without their processes' ids."""
    file = folder / "notes.txt"
    lines = file.read_text().splitlines() if file.exists() else []
    found = [line.split() for line in lines]
    return [what for run, what, _pid in found if run_id in (None, run)]


def pids(folder: Path) -> set[str]:
    """The processes that flows ran in."""
    return {line.split()[2] for line in (folder / "notes.txt").read_text().splitlines()}
