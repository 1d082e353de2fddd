"""The bridge's place in a diagnosis: TP-Links only, for what is lacking only, beside the rest."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import uuid

import pytest

from cpe.domain.snapshot import Request
from flows import bridge as flow_bridge
from flows.conduct import as_function, diagnose
from tasks.clients import close_clients, settle_bridges
from tests.contract.lab_tools import QUICK, befall
from tests.contract.test_answer_shape import check
from tests.support.tools import ROOT

pytestmark = pytest.mark.browser
PROBE = """
import sys
import flows.diagnose_cpe, flows.conduct, tasks.bridge, tasks.clients
import deployments.commands.diagnose, deployments.lab.serve
raise SystemExit("playwright" in sys.modules)
"""


@pytest.fixture
async def lab(tmp_path, monkeypatch):
    from deployments.lab.serve import running_lab

    async with running_lab(devices=60, folder=tmp_path, tour=False, timing=QUICK) as running:
        for name, value in running.exports().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("CPE_OLTS", str(first_olt(tmp_path)))
        monkeypatch.setenv("CPE_DATABASE_URL", f"sqlite:///{tmp_path / 'cpe.db'}")
        monkeypatch.setenv("CPE_BRIDGE_SESSION_S", "60")
        monkeypatch.setattr(flow_bridge, "PATIENCE_S", 60)
        yield running
        await close_clients()


def first_olt(folder):
    """An inventory of the OLT of boxes 1 to 12: nobody is cancelled amid the index cache."""
    _, first, *_ = (folder / "olts.toml").read_text().split("[[olt]]")
    path = folder / "first.toml"
    path.write_text(f"[[olt]]{first}")
    return path


async def ask(serial, **options):
    run: dict[str, str | None] = {"flow_run_id": None, "url": None}
    wish = Request(serial=serial, **options)
    answer = (await diagnose(wish, str(uuid.uuid4()), run, as_function)).answer
    check(answer)
    return answer


def source(answer, name="bridge"):
    return next(s for s in answer["sources"] if s["name"] == name)


async def test_light_that_only_the_box_knows_of_decides(lab):
    lab.set_scenario("LAB0001", "optics-at-bridge")
    answer = await ask("LAB0001")
    assert (answer["verdict"]["code"], answer["verdict"]["swap"]) == ("fibre_weak", "blocked")
    assert answer["opticalStatus"]["source"] == "bridge"
    assert answer["opticalStatus"]["rx_dbm"] == pytest.approx(-27.4, abs=0.1)
    assert source(answer)["outcome"] == "ok"
    rx = next(
        m
        for m in answer["measurements"]
        if (m["name"], m["source"]) == ("optical.rx_dbm", "bridge")
    )
    assert rx["path"] == "DEV2_OPTC_GPON_CFG.RXPower"
    assert rx["conversion"] == "tenth_microwatt_to_dbm"
    assert "not confirmed" in rx["note"]
    assert "CANARY" not in str(answer)


@pytest.fixture
def patient(monkeypatch):
    """The others have all the time they take, on whatever machine this is."""
    monkeypatch.setattr(flow_bridge, "HEAD_START_S", 60)


async def test_a_box_that_lacks_nothing_is_not_logged_in_to(lab, patient):
    answer = await ask("LAB0002")
    assert answer["verdict"]["code"] == "healthy"
    assert source(answer) == {
        "name": "bridge", "outcome": "skipped", "duration_ms": 0,
        "detail": "not needed: nothing is lacking",
    }  # fmt: skip
    assert lab.modem.requests == 0


async def test_what_the_olt_knows_is_not_asked_of_the_box_again(lab, patient):
    lab.set_scenario("LAB0003", "missing-optics")
    answer = await ask("LAB0003")
    assert answer["opticalStatus"]["source"] == "olt"
    assert source(answer)["outcome"] == "skipped"
    assert lab.modem.requests == 0


async def test_another_makers_box_is_never_asked(lab):
    other = next(w for w in lab.plant.identities if not w.is_tplink)
    befall(lab, other.serial, optics="missing")
    answer = await ask(other.serial)
    assert source(answer)["detail"] == "not a TP-Link that is known"


async def test_somebody_logged_in_is_a_busy_source_and_the_diagnosis_goes_on(lab):
    lab.set_scenario("LAB0005", "optics-at-bridge")
    lab.modems.state("LAB0005").mischief.human = True
    answer = await ask("LAB0005")
    assert source(answer)["outcome"] == "busy"
    assert answer["verdict"]["code"] == "inconclusive"
    assert "optical.rx_power_in_band" in [n["rule"] for n in answer["verdict"]["not_evaluable"]]
    assert answer["opticalStatus"]["rx_dbm"] is None


async def test_a_refused_login_is_a_refused_source(lab, monkeypatch):
    monkeypatch.setenv("CPE_BRIDGE_PASSWORD", "wrong")
    lab.set_scenario("LAB0006", "optics-at-bridge")
    first, second = await ask("LAB0006"), await ask("LAB0006")
    assert (source(first)["outcome"], source(second)["outcome"]) == ("refused", "refused")
    assert lab.modems.state("LAB0006").failures == 1


async def test_a_box_silent_to_the_acs_is_read_beside_the_waiting(lab):
    lab.set_scenario("LAB0007", "silent")
    answer = await ask("LAB0007")
    assert answer["verdict"]["code"] == "management_silent"
    assert source(answer)["outcome"] == "ok"
    assert {m["source"] for m in answer["measurements"]} >= {"acs", "olt", "bridge"}


async def test_a_dead_box_is_not_asked(lab, patient):
    lab.set_scenario("LAB0008", "fibre-cut", since_s=300)
    answer = await ask("LAB0008")
    assert answer["verdict"]["code"] == "fibre_cut"
    assert source(answer)["outcome"] == "skipped"
    assert lab.modem.requests == 0


async def test_without_a_password_there_is_no_bridge(lab, monkeypatch):
    monkeypatch.delenv("CPE_BRIDGE_PASSWORD")
    lab.set_scenario("LAB0009", "optics-at-bridge")
    answer = await ask("LAB0009")
    assert source(answer)["outcome"] == "skipped"
    assert "CPE_BRIDGE_PASSWORD" in source(answer)["detail"]


async def test_without_a_browser_the_source_is_unsupported_and_says_what_to_do(lab, monkeypatch):
    monkeypatch.setenv("CPE_BRIDGE_BROWSER", "/nowhere/chromium")
    lab.set_scenario("LAB0010", "optics-at-bridge")
    answer = await ask("LAB0010")
    assert source(answer)["outcome"] == "unsupported"
    assert "CPE_BRIDGE_BROWSER" in source(answer)["detail"]
    assert answer["verdict"]["code"] == "inconclusive"


async def test_a_diagnosis_that_is_cancelled_logs_out_before_the_process_ends(lab):
    lab.set_scenario("LAB0011", "optics-at-bridge")
    state = lab.modems.state("LAB0011")
    state.mischief.slow_s = 0.4
    running = asyncio.create_task(ask("LAB0011"))
    while not state.reads:  # noqa: ASYNC110 - the lab has no event for it
        await asyncio.sleep(0.02)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await close_clients()
    assert (state.logins, state.logouts) == (1, 1)


async def test_a_bridge_that_never_answers_costs_its_bound_and_no_verdict(lab, monkeypatch):
    monkeypatch.setenv("CPE_BRIDGE_SESSION_S", "2")
    lab.set_scenario("LAB0014", "optics-at-bridge")
    await lab.set_fault("modem", "hang")
    answer = await ask("LAB0014")
    assert source(answer)["outcome"] == "unreachable"
    await lab.set_fault("modem", "none")


async def test_a_session_nobody_needs_any_more_is_left(lab, monkeypatch):
    """The bridge begins because the refresh takes long; then the refresh brings everything."""
    monkeypatch.setattr(flow_bridge, "HEAD_START_S", 0.05)
    lab.set_scenario("LAB0015", "slow-inform")
    befall(lab, "LAB0015", inform_delay_s=1.5)
    state = lab.modems.state("LAB0015")
    state.mischief.slow_s = 2.0
    answer = await ask("LAB0015")
    assert answer["freshness"]["outcome"] == "refreshed"
    assert source(answer)["detail"] == "not needed any more: left"
    await settle_bridges()
    assert state.logins == state.logouts
    assert state.session is None


def test_who_never_needs_the_bridge_does_not_pay_for_its_driver():
    done = subprocess.run([sys.executable, "-c", PROBE], cwd=ROOT, check=False)
    assert done.returncode == 0
