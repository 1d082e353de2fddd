"""What an operator teaches, from the ACS to the verdict; what the ACS says of a box besides."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cpe.access.genieacs.lookup import find
from cpe.access.genieacs.outcome import TaskOutcome
from cpe.access.genieacs.refresh import Refresher
from cpe.access.genieacs.standing import with_standing_faults
from cpe.domain.snapshot import Request
from deployments.cli import app
from deployments.lab.parameters import Box
from deployments.lab.serve import Lab
from deployments.lab.truth import Knowledge, Optics
from flows.conduct import as_function, diagnose
from tasks.clients import acs, close_clients
from tests.contract.lab_tools import Client, befall, quick_lab

VIRTUAL = "VirtualParameters.RXPower"
OVERLAY = """
id: {family}
extends: {family}
quantities:
  optical.rx_dbm: [{{path: VirtualParameters.RXPower, typical: -21.9}}]
"""


def rx_power(box: Box) -> str:
    """The script: dBm as text."""
    return f"{box.truth.rx_dbm:.1f}"


@pytest.fixture
async def plant(tmp_path: Path, monkeypatch) -> AsyncIterator[tuple[Lab, Client]]:
    """A lab, the ACS of this process; a box's light is told by a virtual parameter alone."""
    async with quick_lab(tmp_path) as (lab, client):
        monkeypatch.setenv("CPE_ACS_URL", lab.acs.url)
        monkeypatch.setenv("CPE_ACS_REFRESH_S", "8")
        lab.devices.set_virtual_parameter("RXPower", rx_power)
        yield lab, client
        await close_clients()


@pytest.fixture
def teach(tmp_path: Path, monkeypatch):
    def lay_over(*families: str) -> None:
        folder = tmp_path / "taught" / "cpe"
        folder.mkdir(parents=True)
        for family in families:
            (folder / f"{family}.yaml").write_text(OVERLAY.format(family=family))
        monkeypatch.setenv("CPE_PROFILES", str(folder.parent))

    return lay_over


async def diagnosed(serial: str):
    run = {"flow_run_id": None, "url": None}
    return (await diagnose(Request(serial=serial), str(uuid.uuid4()), run, as_function)).answer


def serial_of(lab: Lab, family: str) -> str:
    return next(who.serial for who in lab.plant.identities if str(who.family) == family)


FAMILIES = [("tp-link-xx230v", "tplink"), ("huawei-eg8145v5", "huawei"), ("nokia-g240w", "nokia")]


@pytest.mark.parametrize(("make", "family"), FAMILIES)
@pytest.mark.parametrize("knowledge", [Knowledge.ALL, Knowledge.INFORM_ONLY])
async def test_weak_light_that_only_a_virtual_parameter_tells_is_found(
    plant, teach, make, family, knowledge
):
    lab, _ = plant
    serial = serial_of(lab, make)
    befall(lab, serial, rx_dbm=-27.9, optics=Optics.MISSING, knowledge=knowledge)
    untaught = await diagnosed(serial)
    assert untaught["verdict"]["code"] == "inconclusive"
    assert untaught["opticalStatus"]["rx_dbm"] is None
    teach(family)
    answer = await diagnosed(serial)
    assert answer["verdict"]["code"] == "fibre_weak"
    assert answer["freshness"]["outcome"] == "refreshed"
    assert answer["opticalStatus"] | {"rx_dbm": -27.9, "source": "acs"} == answer["opticalStatus"]
    rx = next(m for m in answer["measurements"] if m["name"] == "optical.rx_dbm")
    assert (rx["path"], rx["unit"], rx["raw"]) == (VIRTUAL, "dBm", "-27.9")


async def test_a_virtual_parameter_is_read_again_and_its_time_proves_it(plant, teach):
    lab, _ = plant
    teach("tplink")
    serial = serial_of(lab, "tp-link-xx230v")
    befall(lab, serial, optics=Optics.MISSING)
    nbi = acs().nbi
    before = await find(nbi, serial, limit_s=60)
    assert before is not None
    assert VIRTUAL in before.refresh_paths
    assert VIRTUAL in before.proof_paths
    befall(lab, serial, rx_dbm=-26.6, optics=Optics.MISSING)
    done = await Refresher(nbi, bound_s=8, limit_s=60).refresh(before)
    assert done.outcome is TaskOutcome.EXECUTED
    rx = next(m for m in done.sighting.measurements if m.name == "optical.rx_dbm")
    assert (rx.value, rx.path, rx.usable) == (-26.6, VIRTUAL, True)


async def test_a_virtual_parameter_that_nobody_defined_costs_nothing(plant, teach):
    lab, _ = plant
    lab.devices.forget_virtual_parameters()
    teach("tplink")
    answer = await diagnosed(serial_of(lab, "tp-link-xx230v"))
    assert answer["verdict"]["code"] == "healthy"
    assert answer["freshness"]["outcome"] == "refreshed"


async def test_a_virtual_parameter_put_first_is_judged_and_not_what_the_box_shows(plant, teach):
    lab, _ = plant
    teach("tplink")
    lab.devices.set_virtual_parameter("RXPower", lambda _: "-27.9")
    serial = serial_of(lab, "tp-link-xx230v")
    befall(lab, serial, rx_dbm=-18.0, knowledge=Knowledge.INFORM_ONLY)
    assert (await diagnosed(serial))["verdict"]["code"] == "fibre_weak"


# -- tags and standing faults


async def faulted(client: Client, acs_id: str, key: str | None = None) -> str:
    """A task that faults and stays: an invalid path."""
    body = '{"name":"getParameterValues","parameterNames":["Device.X."]'
    body += f',"uniqueKey":"{key}"}}' if key else "}"
    path = f"/devices/{acs_id.replace('%', '%25')}/tasks?timeout=300&connection_request"
    answer = await client.ask("POST", path, body)
    assert answer.status == 202
    return answer.json()["_id"]


async def test_tags_and_standing_faults_of_the_box_are_in_the_answer(plant):
    lab, client = plant
    who = lab.plant.identities[0]
    await client.ask("POST", f"/devices/{who.acs_id.replace('%', '%25')}/tags/vip")
    await faulted(client, who.acs_id)
    device = (await diagnosed(who.serial))["device"]
    assert device["tags"] == ["vip"]
    [fault] = device["acs_faults"]
    assert (fault["code"], fault["message"]) == ("script.Error", "Invalid parameter path")
    assert fault["at"].endswith("Z")
    quiet = (await diagnosed(lab.plant.identities[1].serial))["device"]
    assert (quiet["tags"], quiet["acs_faults"]) == ([], [])


async def test_a_fault_of_ours_is_no_fault_of_the_box(plant):
    lab, client = plant
    who = lab.plant.identities[0]
    await faulted(client, who.acs_id, "gigafibre-cpe-speedtest-read")
    seen = await find(acs().nbi, who.serial, limit_s=60)
    assert seen is not None
    assert (await with_standing_faults(acs().nbi, seen)).device.acs_faults == ()


async def test_faults_that_cannot_be_read_are_unknown_and_not_none(plant, monkeypatch):
    lab, _ = plant
    monkeypatch.setattr("cpe.access.genieacs.standing.BOUND_S", 0.0)
    device = (await diagnosed(lab.plant.identities[0].serial))["device"]
    assert device["acs_faults"] is None
    assert device["tags"] == []


async def test_a_box_that_the_acs_does_not_know_has_unknown_tags_and_faults(plant):
    device = (await diagnosed("NOBODY12345"))["device"]
    assert (device["tags"], device["acs_faults"]) == (None, None)


# -- what doctor says


async def told(*arguments: str) -> tuple[int, str]:
    """Exit code and stdout of the command, run beside the lab."""
    done = await asyncio.to_thread(CliRunner().invoke, app, list(arguments))
    return done.exit_code, done.stdout


async def test_doctor_says_of_a_box_which_family_it_is_of_and_what_fed_each_reading(plant, teach):
    lab, _ = plant
    serial = serial_of(lab, "huawei-eg8145v5")
    befall(lab, serial, optics=Optics.MISSING)
    teach("huawei")
    key = lab.plant.index_of(serial)
    code, out = await told("doctor", "--serial", serial, "--json")
    examined = json.loads(out)
    assert code == 0
    assert examined["family"] == "huawei"
    chosen = examined["families"][-1]
    assert chosen["id"] == "huawei"
    assert chosen["matches"]
    rx = next(r for r in examined["readings"] if r["name"] == "optical.rx_dbm")
    assert (rx["path"], rx["quality"]) == (VIRTUAL, "stale")
    assert rx["age_s"] > 60
    taken, other = rx["tried"]
    assert (taken["path"], taken["own"], taken["why"]) == (VIRTUAL, True, "")
    assert other["why"] == "the ACS has no such parameter"
    assert lab.devices.record(key).last_session == 0, "the box was asked"


async def test_doctor_names_what_of_a_boxs_identity_was_never_read(plant):
    lab, _ = plant
    serial = serial_of(lab, "tp-link-xx230v")
    befall(lab, serial, knowledge=Knowledge.INFORM_ONLY)
    code, out = await told("doctor", "--serial", serial)
    assert code == 0
    assert "gpon_serial was never read" in out
    assert "the box was not asked" in out


async def test_doctor_prints_for_every_family_what_was_taken_exactly_once(plant):
    lab, _ = plant
    for make in ("tp-link-xx230v", "huawei-eg8145v5", "zte-f660", "nokia-g240w"):
        _, out = await told("doctor", "--serial", serial_of(lab, make), "--json")
        readings = json.loads(out)["readings"]
        assert len(readings) > 10
        for reading in readings:
            taken = [t for t in reading["tried"] if not t["why"]]
            assert len(taken) == 1, reading
            assert taken[0]["path"] == reading["path"]


@pytest.mark.parametrize(("serial", "code"), [("NOBODY123", 3), ("a/../b", 2)])
async def test_doctor_cannot_tell_of_a_box_that_nobody_knows(plant, serial, code):
    assert (await told("doctor", "--serial", serial))[0] == code


async def test_doctor_checks_each_file_of_the_operator(plant, teach, tmp_path):
    teach("tplink")
    bad = tmp_path / "taught" / "cpe" / "bad.yaml"
    bad.write_text("id: acme\nextends: tr181\nmatch: {root: Device}\n")
    code, out = await told("doctor", "--json")
    checks = {check["system"]: check for check in json.loads(out)}
    assert code == 4
    assert checks["profile cpe/tplink.yaml"]["state"] == "ok"
    assert checks["profile cpe/bad.yaml"]["state"] == "wrong"
    assert "match" in checks["profile cpe/bad.yaml"]["detail"]
    assert str(bad) in checks["profile cpe/bad.yaml"]["mend"]
    assert checks["profiles"]["state"] == "wrong"
    assert checks["acs"]["state"] == "ok"
