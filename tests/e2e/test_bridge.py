"""`cpe diagnose` of a box whose light only its own admin UI knows, as a CSR runs it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from deployments.lab.serve import running_lab

pytestmark = [pytest.mark.e2e, pytest.mark.browser]
CPE = str(Path(sys.executable).with_name("cpe"))


async def run(environment, *arguments):
    process = await asyncio.create_subprocess_exec(
        CPE, *arguments, env=environment, stdout=-1, stderr=-1
    )
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def test_light_that_only_the_bridge_knows_is_diagnosed(prefect_home, tmp_path):
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("CPE_", "PREFECT_"))}
    async with running_lab(devices=60, folder=tmp_path / "lab", tour=False) as lab:
        lab.set_scenario("LAB0001", "optics-at-bridge")
        environment = {**kept, **lab.exports(), "CPE_HOME": str(prefect_home)}
        environment["CPE_BRIDGE_SESSION_S"] = "60"
        code, out, err = await run(environment, "diagnose", "LAB0001", "--json")
        assert code == 0, err
        state = lab.modems.state("LAB0001").as_json(lab.plant.clock())
    answer = json.loads(out)
    assert answer["verdict"]["code"] == "fibre_weak"
    assert answer["verdict"]["swap"] == "blocked"
    assert answer["opticalStatus"]["source"] == "bridge"
    assert "−27,4" in answer["verdict"]["text"]["fr"]
    assert state["logged_in"] is False
    assert (state["logins"], state["logouts"], state["writes"]) == (1, 1, [])
    assert "CANARY" not in out + err
    for file in prefect_home.rglob("*"):
        assert not file.is_file() or b"CANARY" not in file.read_bytes(), file
