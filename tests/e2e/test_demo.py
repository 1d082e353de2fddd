"""The demo as a new user runs it, and the Prefect UI's form as a network engineer fills it in."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.chromium import chromium, new_page
from tests.support.waiting import until

pytestmark = pytest.mark.e2e
CPE = str(Path(sys.executable).with_name("cpe"))
TOUR = {
    "fibre_weak", "fibre_cut", "pon_outage", "power_off", "wifi_interference", "mesh_backhaul",
    "client_device", "management_silent", "hardware_fault", "healthy", "inconclusive",
}  # fmt: skip

SHOWN = (
    "Que faire · What to do",
    "Le signal de la fibre arrive trop faible à la boîte.",
    "The fibre signal reaching the box is too weak.",
    "Puissance reçue par la boîte",
    "▼",
)


def fresh(home: Path) -> dict[str, str]:
    """The environment of somebody who has just installed us: nothing of ours, an empty home."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("CPE_", "PREFECT_"))}
    return {**kept, "HOME": str(home), "CPE_HOME": str(home / "cpe"), "COLUMNS": "200"}


def test_the_demo_ends_by_itself_with_every_verdict_as_planted(tmp_path):
    done = subprocess.run(
        [CPE, "demo", "--once", "--port", "0", "--hub-port", "0"],
        env=fresh(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    found = set(re.findall(r"→ (\w+) ·", done.stdout))
    assert found >= TOUR, sorted(TOUR - found)
    assert "✗ " not in re.sub(r"(?m)^  .*$", "", done.stdout)
    assert len(re.findall(r"http://127\.0\.0\.1:\d+/v2/runs/flow-run/", done.stdout)) >= len(TOUR)
    assert "Traceback" not in done.stdout + done.stderr
    assert "CANARY" not in done.stdout + done.stderr
    for file in (tmp_path / "cpe").rglob("*"):
        secret = file.is_file() and b"CANARY" in file.read_bytes()
        assert not secret or file.name in {"olts.toml", "lab.env"}, file
        if secret:
            assert file.stat().st_mode & 0o077 == 0, f"{file} is readable by others"


@dataclass(frozen=True)
class Demo:
    """Where a demo is reached."""

    ui: str
    hub: str
    token: str


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo that stays up, for every test here. Ended by SIGTERM, which must be clean."""
    tmp_path = tmp_path_factory.mktemp("demo")
    log = tmp_path / "demo.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [CPE, "demo", "--port", "0", "--hub-port", "0"],
            env=fresh(tmp_path),
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        while "Ctrl-C" not in log.read_text():
            assert process.poll() is None, log.read_text()[-3000:]
            time.sleep(0.1)
        text = log.read_text()
        hub = re.findall(r"Hub\s+(http://[^/]+)", text)[0]
        tokens = Path(re.findall(r"Jeton\s+(\S+)", text)[0]).read_text()
        token = re.findall(r'secret = "([^"]+)"', tokens)[0]
        yield Demo(re.findall(r"Prefect UI\s+(\S+)", text)[0], hub, token)
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 0, log.read_text()[-3000:]
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


@pytest.mark.browser
async def test_a_flow_started_from_the_uis_form_shows_its_artifact_there(demo, tmp_path):
    foreign: list[str] = []
    async with chromium() as browser:
        page = await new_page(browser, viewport={"width": 1400, "height": 1200})
        page.on(
            "request",
            lambda r: foreign.append(r.url) if not r.url.startswith((demo.ui, "data:")) else None,
        )
        await page.goto(f"{demo.ui}v2/deployments")
        await page.get_by_text("on-demand").first.click()
        await page.get_by_role("button", name="Run").first.click()
        await page.get_by_text("Custom run").first.click()
        await page.get_by_label("Numéro de série").fill("lab0002")
        await page.get_by_role("button", name="Submit").click()
        run_id = await _run_of(demo.ui, "diagnose lab0002")
        await page.goto(f"{demo.ui}v2/runs/flow-run/{run_id}?tab=Artifacts")
        await page.get_by_text("fibre_weak").first.wait_for()
        await page.goto(f"{demo.ui}v2/artifacts/key/diagnosis-lab0002")
        await page.get_by_role("link", name=re.compile("^[0-9a-f]{8}")).first.click()
        for words in SHOWN:
            await page.get_by_text(words).first.wait_for()
        await page.screenshot(path=str(tmp_path / "artifact.png"), full_page=True)
    assert [url for url in foreign if "127.0.0.1" not in url] == []


async def test_the_hub_diagnoses_a_box_of_the_lab_in_its_worker_and_streams_the_steps(demo):
    headers = {"Authorization": f"Bearer {demo.token}"}
    async with httpx.AsyncClient(base_url=demo.hub, headers=headers, timeout=None) as hub:
        begun = await hub.post("/devices/LAB0004/diagnose", json={"requested_by": "Marie"})
        assert begun.status_code == 202, begun.text
        run_id = begun.json()["id"]
        steps = (await hub.get(f"/devices/diagnoses/{run_id}/events")).text
        answer = (await hub.get(f"/devices/diagnoses/{run_id}")).json()
        found = (await hub.get("/devices/lookup", params={"serial": "lab0004"})).json()
        metrics = (await hub.get("/metrics")).text
    assert answer["verdict"]["code"] == "fibre_cut"
    for wanted in ("acs: lookup", "olt: read", "event: verdict"):
        assert wanted in steps
    assert found["diagnosis"]["id"] == run_id
    assert 'cpe_diagnoses_total{verdict="fibre_cut"}' in metrics
    async with httpx.AsyncClient(base_url=f"{demo.ui}api", timeout=None) as api:
        run = (await api.get(f"/flow_runs/{run_id}")).json()
    assert run["infrastructure_pid"].startswith("warm-")
    assert run["tags"] == ["hub"] or set(run["tags"]) == {"hub", "diagnostic"}
    assert run["parameters"]["request"]["requested_by"] == "Marie"


@pytest.mark.browser
async def test_the_hubs_page_shows_a_real_diagnosis(demo, tmp_path):
    async with chromium() as browser:
        page = await new_page(browser, viewport={"width": 390, "height": 844})
        await page.goto(f"{demo.hub}/devices/LAB0016#token={demo.token}")
        await page.get_by_text("La liaison d'une borne satellite est mauvaise.").first.wait_for()
        await page.get_by_role("button", name="Diagnostiquer").click()
        await page.get_by_text("Jugement des mesures").wait_for()
        await page.get_by_text("Deco-salon").first.wait_for()
        await page.screenshot(path=str(tmp_path / "page.png"), full_page=True)


async def _run_of(ui: str, name: str) -> str:
    """The id of the finished flow run of that name."""
    async with httpx.AsyncClient(base_url=f"{ui}api", timeout=None) as api:

        async def ended() -> dict[str, Any] | None:
            body = {"flow_runs": {"name": {"any_": [name]}}, "sort": "EXPECTED_START_TIME_DESC"}
            found = (await api.post("/flow_runs/filter", json=body)).json()
            final = ("COMPLETED", "FAILED", "CRASHED")
            return found[0] if found and found[0]["state"]["type"] in final else None

        run = await until(ended)
    assert run["state"]["type"] == "COMPLETED", run["state"]
    return run["id"]
