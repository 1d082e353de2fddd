"""A swap on a real server and worker: killed amid its writes, everything restarted, answered in
the Prefect UI's own form by a real browser."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web

from deployments.lab.serve import Lab, running_lab
from deployments.server.environment import ui_url
from tests.e2e.test_demo import CPE, fresh
from tests.support.chromium import chromium
from tests.support.prefect_ui import fill_form, open_form
from tests.support.waiting import until, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.timeout(1800)]
OLD, NEW = "LAB0005", "SPARE01"
HEALTHY, OTHER = "LAB0006", "SPARE02"
BLOCKED = ("PAUSED", "Bloqué, attend une décision")
ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


@contextlib.contextmanager
def up(environment: dict[str, str], log: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """`cpe up` as an operator runs it: its API, and the process to be killed."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            [CPE, "up", "--port", "0", "--hub-port", "0"],
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    said = len(log.read_text())
    try:
        found = wait_until(
            lambda: re.findall(r"Prefect (http://\S+) · worker", log.read_text()[said:])
        )
        yield f"{found[0]}/api", process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait()


def cpe(environment: dict[str, str], *words: str) -> Any:
    done = subprocess.run(
        [CPE, *words, "--json"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def workers_of(process: subprocess.Popen[bytes]) -> list[int]:
    """The warm workers that this `cpe up` keeps, which run swaps in their own process."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            words = (folder / "cmdline").read_bytes().split(b"\0")
            if parent == process.pid and b"deployments.warm" in words:
                found.append(int(folder.name))
    return found


async def test_a_swap_survives_sigkill_amid_its_writes_and_a_restart_of_everything(
    tmp_path, migrated_prefect
):
    environment = fresh(tmp_path)
    shutil.copytree(migrated_prefect, Path(environment["CPE_HOME"]) / "prefect")
    async with running_lab(devices=60, folder=tmp_path, tour=False) as lab:
        environment |= lab.exports()
        environment["CPE_DATABASE_URL"] = f"sqlite:///{tmp_path / 'cpe.db'}"
        environment["CPE_SWAP_LEASE_S"] = "3"
        lab.set_scenario(OLD, "radio-down")
        await asyncio.to_thread(the_story, environment, tmp_path, HeldWrites(lab))


class HeldWrites:
    """ERPNext does nothing that it is told to do until that may go on; it answers questions."""

    def __init__(self, lab: Lab) -> None:
        self.has_begun, self.may_go_on = threading.Event(), threading.Event()
        self._handle, lab.erp._handle = lab.erp._handle, self._held

    async def _held(self, request: web.Request) -> web.StreamResponse:
        if request.method != "GET":
            self.has_begun.set()
            await until(self.may_go_on.is_set)
        return await self._handle(request)


def the_story(environment: dict[str, str], folder: Path, writes: HeldWrites) -> None:
    """In a thread: the lab's loop must go on answering."""
    log = folder / "up.log"
    with up(environment, log) as (api_url, process):
        env = {**environment, "PREFECT_API_URL": api_url}
        api = httpx.Client(base_url=api_url, timeout=None)
        swap = opened(env, "swap_diagnostic", OLD, NEW)
        run_id = swap["run"]["flow_run_id"]
        writes.has_begun.wait()
        (pid,) = workers_of(process)
        os.kill(pid, signal.SIGKILL)
        assert any(step["at"] is None for step in shown(env, swap)["steps"])
        writes.may_go_on.set()
        # No human, and here not even the round of swaps: the next worker adopts the run.
        wait_until(lambda: state_of(api, run_id) == ("PAUSED", "En test au banc"))
        assert workers_of(process) != [pid]
        swap = shown(env, swap)
        assert [s["step"] for s in swap["steps"] if not s["changed"]] == []
        scheduled = {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}, "limit": 50}
        names = [r["name"] for r in api.post("/flow_runs/filter", json=scheduled).json()]
        assert len(names) >= 4, "a deadline and three follow-ups"
        # Prefect loses the run: the round that comes by every ten minutes gives the swap another.
        assert api.delete(f"/flow_runs/{run_id}").status_code == 204
        round_of_swaps(api)
        lost, run_id = run_id, shown(env, swap)["run"]["flow_run_id"]
        assert run_id != lost
        wait_until(lambda: state_of(api, run_id) == ("PAUSED", "En test au banc"))
        assert [s["step"] for s in shown(env, swap)["steps"]] == [s["step"] for s in swap["steps"]]
        # The server, its worker and whatever it runs: gone at once.
        process.send_signal(signal.SIGKILL)
        process.wait()
    # Seven days have all but passed: it is time to remind.
    with up(environment | {"CPE_SWAP_REMIND_BEFORE_S": str(7 * 86_400)}, log) as (api_url, _):
        env = {**environment, "PREFECT_API_URL": api_url}
        api = httpx.Client(base_url=api_url, timeout=None)
        assert state_of(api, run_id) == ("PAUSED", "En test au banc")
        stopped = opened(env, "remplacement_definitif", HEALTHY, OTHER)
        stopped_id = stopped["run"]["flow_run_id"]
        # Unless the round of swaps has come by first.
        assert run_now(api, "remind-swap/at-its-time", swap_id=swap["id"]) in (
            "Rappelé", "Rien à faire",
        )  # fmt: skip
        wait_until(lambda: state_of(api, stopped_id) == BLOCKED)
        runs_url = f"{ui_url(api_url)}/runs/flow-run"
        asyncio.run(answered_by_hand(f"{runs_url}/{run_id}", f"{runs_url}/{stopped_id}"))
        wait_until(lambda: state_of(api, run_id)[0] == "COMPLETED")
        assert state_of(api, run_id) == ("COMPLETED", "Bonne au banc")
        swap = shown(env, swap)
        assert (swap["outcome"], swap["answer"]["by"]) == ("passed", "Marc à l'entrepôt")
        assert swap["answer"]["remarks"] == "rien trouvé"
        assert swap["old"]["status"]["after"] == "En inventaire"
        page = api.post(
            "/artifacts/latest/filter",
            json={"artifacts": {"key": {"any_": [f"swap-{swap['id']}"]}}},
        ).json()
        assert "Bonne au banc" in page[0]["data"]
        assert "CANARY" not in page[0]["data"]
        wait_until(lambda: state_of(api, stopped_id) == ("COMPLETED", "Remplacé"))
        stopped = shown(env, stopped)
        assert stopped["old"]["status"]["after"] == "Défectueux"
        assert stopped["override"]["by"] == "Anne, chef d'équipe"
        assert stopped["override"]["reason"] == "le client insiste"
        event = the_event(api, swap["id"])
        assert event["event"] == "cpe.swap.reminder"
        assert event["payload"]["alarm"] == "reminder"
        assert f"prefect.flow-run.{run_id}" in json.dumps(event["related"])


def opened(env: dict[str, str], kind: str, old: str, new: str) -> dict[str, Any]:
    """Start from the desk, as the hub does: at once, without waiting for the guard."""
    code = (
        "import asyncio, json, sys\n"
        "from deployments.swaps import desk\n"
        "request = desk.SwapRequest(**json.loads(sys.argv[1]))\n"
        "print(json.dumps(asyncio.run(desk.start(request))))\n"
    )
    request = {"kind": kind, "old_serial": old, "new_serial": new, "requested_by": "Luc"}
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(request)],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])


def shown(env: dict[str, str], swap: dict[str, Any]) -> dict[str, Any]:
    return cpe(env, "swap", "show", swap["id"])


def state_of(api: httpx.Client, run_id: str) -> tuple[str, str]:
    state = api.get(f"/flow_runs/{run_id}").json()["state"]
    return state["type"], state["name"]


def run_now(api: httpx.Client, deployment: str, **parameters: str) -> str:
    """Have a deployment run and wait for its end; the name of the state it ended in."""
    found = api.get(f"/deployments/name/{deployment}").json()
    body = {"state": {"type": "SCHEDULED"}, "parameters": parameters}
    run_id = api.post(f"/deployments/{found['id']}/create_flow_run", json=body).json()["id"]
    wait_until(lambda: state_of(api, run_id)[0] in ENDED)
    return state_of(api, run_id)[1]


def round_of_swaps(api: httpx.Client) -> None:
    """That round, sooner, and as often as its conditions need."""
    deployment = "sweep-swaps/every-ten-minutes"
    assert api.get(f"/deployments/name/{deployment}").json()["schedules"][0]["active"]
    while run_now(api, deployment) != "Repris":
        time.sleep(1)


def the_event(api: httpx.Client, swap_id: str) -> dict[str, Any]:
    """What Prefect's automations can act upon: the one event of that swap, as the server has it."""
    wanted = {"filter": {"resource": {"id": [f"cpe.swap.{swap_id}"]}}}
    (event,) = wait_until(lambda: api.post("/events/filter", json=wanted).json()["events"])
    return event


async def answered_by_hand(tested: str, stopped: str) -> None:
    """Both forms of a swap: the warehouse's, and that of whoever answers for an override."""
    async with chromium() as browser:
        page = await open_form(browser, tested)
        form = page.get_by_role("dialog")
        for words in ("Testez la boîte", OLD, NEW, "CUST-00005", "hardware_fault", "30min"):
            await form.get_by_text(words).first.wait_for()
        passed = ("Résultat du banc", "Bonne : retour en inventaire")
        said = {"Votre nom": "Marc à l'entrepôt", "Remarques": "rien trouvé"}
        await fill_form(page, passed, said)
        page = await open_form(browser, stopped)
        form = page.get_by_role("dialog")
        for words in ("Le diagnostic ne permet pas cet échange", HEALTHY, OTHER, "healthy"):
            await form.get_by_text(words).first.wait_for()
        all_the_same = ("Décision", "Faire l'échange quand même")
        said = {"Votre nom": "Anne, chef d'équipe", "Motif": "le client insiste"}
        await fill_form(page, all_the_same, said)
