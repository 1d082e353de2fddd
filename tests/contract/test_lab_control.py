"""The lab's own API, its launcher, and that its secrets are where they should be."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tomllib
from pathlib import Path

import aiohttp
import pytest

from deployments.lab.plant import LabRefusedError
from deployments.lab.scenarios import SCENARIOS
from deployments.lab.serve import COMMUNITY
from tests.contract.lab_tools import Client, quick_lab

EXPORTS = {
    "CPE_ACS_URL",
    "CPE_OLTS",
    "CPE_SPEEDTEST_URL",
    "CPE_ERP_URL",
    "CPE_ERP_API_KEY",
    "CPE_ERP_API_SECRET",
    "CPE_BRIDGE_URL",
    "CPE_BRIDGE_USER",
    "CPE_BRIDGE_PASSWORD",
    "CPE_LAB_URL",
}


@pytest.fixture
async def lab(tmp_path):
    async with (
        quick_lab(tmp_path, devices=60, tour=True) as (running, nbi),
        aiohttp.ClientSession() as session,
    ):
        yield running, Client(session, running.control.url), nbi


async def test_every_scenario_is_listed_with_what_to_expect(lab):
    rows = (await lab[1].ask("GET", "/lab/scenarios")).json()
    assert {row["id"] for row in rows} == set(SCENARIOS)
    assert all(row["title"]["fr"] and row["title"]["en"] and row["expected"] for row in rows)


async def test_a_scenario_is_set_while_it_runs_and_seen_by_the_acs(lab):
    _, control, nbi = lab
    body = json.dumps({"scenario": "weak-fibre"})
    answer = await control.ask("POST", "/lab/devices/ab-12%2F34/scenario", body)
    assert answer.json()["scenario"] == "weak-fibre"
    rx = "Device.Optical.Interface.1.X_TP_GPON_Config.RXPower"
    task = json.dumps({"name": "getParameterValues", "parameterNames": [rx]})
    device = "1C61B4-Device2-ab%252D12%252F34"
    assert (
        await nbi.ask("POST", f"/devices/{device}/tasks?connection_request", task)
    ).status == 200
    query = '{"_deviceId._SerialNumber":"ab-12/34"}'
    doc = (await nbi.ask("GET", f"/devices?query={query}&projection={rx}._value")).json()[0]
    value = doc["Device"]["Optical"]["Interface"]["1"]["X_TP_GPON_Config"]["RXPower"]["_value"]
    assert value == 18


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/lab/devices/NOPE/scenario", {"scenario": "healthy"}, 400),
        ("/lab/devices/LAB0001/scenario", {"scenario": "nope"}, 400),
        ("/lab/devices/LAB0001/scenario", {}, 400),
        ("/lab/faults", {"system": "acs", "fault": "wrong_community"}, 400),
        ("/lab/faults", {"system": "olt:nope", "fault": "silent"}, 400),
        ("/lab/nope", {}, 404),
    ],
)
async def test_what_the_lab_does_not_have_is_refused(lab, path, body, status):
    answer = await lab[1].ask("POST", path, json.dumps(body))
    assert answer.status == status
    assert "error" in answer.json()


async def test_a_scenario_that_a_box_cannot_have_is_refused_with_the_reason(lab):
    running = lab[0]
    huawei = running.plant.identities[26].serial
    with pytest.raises(LabRefusedError, match="needs a TP-Link"):
        running.set_scenario(huawei, "mesh-weak-backhaul")
    with pytest.raises(LabRefusedError, match="cannot be told"):
        running.set_scenario("LAB0014", "rogue-ont")


async def test_a_replacement_takes_the_old_boxs_place(lab):
    running, control, _ = lab
    body = json.dumps({"old": "LAB0009", "new": "SPARE01"})
    before = (await control.ask("GET", "/lab/devices/LAB0009")).json()
    after = (await control.ask("POST", "/lab/install", body)).json()
    assert (after["olt"], after["pon"], after["ont"]) == (
        before["olt"],
        before["pon"],
        before["ont"],
    )
    shelf = (await control.ask("GET", "/lab/devices/LAB0009")).json()
    assert (shelf["olt"], shelf["reachable"]) == (None, False)
    assert running.plant.conditions(running.plant.index_of("SPARE01")).known_to_acs


async def test_requests_are_counted_by_system(lab):
    _, control, nbi = lab
    await nbi.ask("GET", "/devices?limit=1")
    stats = (await control.ask("GET", "/lab/stats")).json()
    assert stats["acs"] == {"requests": 1, "crashes": []}
    assert set(stats["olts"]) == {"olt-nord", "olt-centre", "olt-sud"}


async def test_the_acs_can_be_down_and_come_back_on_its_port(lab):
    running, _, nbi = lab
    await running.set_fault("acs", "down")
    with pytest.raises(aiohttp.ClientConnectorError):
        await nbi.ask("GET", "/devices?limit=1")
    await running.set_fault("acs", "none")
    assert (await nbi.ask("GET", "/devices?limit=1")).status == 200


async def test_sixty_boxes_are_up_with_their_tour(tmp_path):
    async with quick_lab(tmp_path, devices=60, tour=True) as (_, nbi):
        assert (await nbi.ask("GET", "/devices?limit=1")).headers["total"] == "60"


async def test_the_exports_point_at_a_private_inventory(lab):
    running, control, _ = lab
    exports = (await control.ask("GET", "/lab/exports")).json()
    assert set(exports) == EXPORTS
    path = Path(exports["CPE_OLTS"])
    mode, text = _mode_and_text(path)
    assert mode == 0o600
    olts = tomllib.loads(text)["olt"]
    assert [olt["profile"] for olt in olts] == ["huawei", "zte-1082", "nokia"]
    assert {olt["community"] for olt in olts} == {COMMUNITY}
    assert [olt["port"] for olt in olts] == [agent.port for agent in running.agents]


def _mode_and_text(path: Path) -> tuple[int, str]:
    return path.stat().st_mode & 0o777, path.read_text()


async def test_canaries_are_in_the_documents_for_tests_to_find(lab):
    text = (await lab[2].ask("GET", "/devices?limit=60")).body
    for line in text.strip("[]\n").split(",\n"):
        assert line.count("CANARY") >= 3


async def test_the_tour_is_the_documented_one(lab):
    stops = (await lab[1].ask("GET", "/lab/tour")).json()
    assert len(stops) >= 10
    assert len({stop["scenario"] for stop in stops}) == len(stops)
    assert "ab-12/34" in {stop["serial"] for stop in stops}
    for stop in stops:
        described = (
            await lab[1].ask("GET", f"/lab/devices/{stop['serial'].replace('/', '%2F')}")
        ).json()
        assert described["scenario"] == stop["scenario"]


async def test_the_launcher_prints_exports_and_ends_on_sigterm(tmp_path):
    code = (
        "import asyncio,pathlib,sys;from deployments.lab.serve import run_lab;"
        "asyncio.run(run_lab(devices=6,folder=pathlib.Path(sys.argv[1])))"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, str(tmp_path), stdout=-1, env={**os.environ}
    )
    lines = [(await process.stdout.readline()).decode() for _ in EXPORTS]
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0
    assert {line.removeprefix("export ").partition("=")[0] for line in lines} == EXPORTS
