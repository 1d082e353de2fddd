"""A sweep of a plant that speaks the real protocols: what it finds, and what it must not claim."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from cpe.domain.errors import AlreadyRunningError
from cpe.domain.sweep import SweepState
from cpe.store import sweeps
from cpe.store.repository import Store
from deployments.lab.serve import running_lab
from deployments.lab.web_server import Trouble
from flows import sweep as runbook
from tasks import clients
from tasks import refreshing as tasks_refreshing
from tasks import sweep as tasks_sweep
from tasks.clients import close_clients
from tests.support.sweeping import plant_past, swept

DEVICES = 400


@pytest.fixture
async def lab(tmp_path, monkeypatch):
    """Four hundred healthy boxes on three OLTs, and a database of the test's own."""
    async with running_lab(devices=DEVICES, folder=tmp_path, tour=False) as running:
        for name, value in running.exports().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("CPE_DATABASE_URL", f"sqlite:///{tmp_path / 'cpe.db'}")
        monkeypatch.setenv("CPE_SWEEP_QUIET_HOURS", "")
        monkeypatch.setenv("CPE_ACS_TIMEOUT_S", "60")
        yield running


def open_store(tmp_path):
    return Store.open(f"sqlite:///{tmp_path / 'cpe.db'}")


def pon_of(lab, serial):
    where = lab.plant.place(lab.plant.index_of(serial))
    return [
        who.serial for who in lab.plant.identities[:DEVICES]
        if (at := lab.plant.place(who.index)) and (at.olt, at.pon) == (where.olt, where.pon)
    ]  # fmt: skip


async def test_a_healthy_fleet_is_complete_and_healthy(lab, tmp_path):
    answer = (await swept()).answer
    covered = answer["coverage"]
    assert answer["state"] == "complete"
    assert answer["reasons"] == []
    assert (covered["expected"], covered["seen"], covered["pct"]) == (DEVICES, DEVICES, 100.0)
    assert answer["verdicts"] == {"healthy": DEVICES}
    assert answer["outages"] == answer["fading_pons"] == answer["worst"] == []
    assert answer["stock"]["configured"] is True
    assert answer["stock"]["active_never_seen"]["count"] == 0
    async with open_store(tmp_path) as store:
        last = await store.last_sweep()
        assert last.state is SweepState.COMPLETE
        assert last.coverage["pct"] == 100.0
        recalled = await store.recall("LAB0042", now=last.finished_at)
    assert recalled.identity.olt is not None
    assert {r.name for r in recalled.history.readings} == {
        "optical.rx_dbm", "optical.olt_rx_dbm",
    }  # fmt: skip


async def test_a_cut_feeder_is_one_incident_and_not_one_for_each_home(lab):
    lab.set_scenario("LAB0101", "pon-outage", since_s=240)
    answer = (await swept()).answer
    siblings = pon_of(lab, "LAB0101")
    assert answer["state"] == "complete"
    [outage] = answer["outages"]
    assert outage["kind"] == "feeder_cut"
    assert (outage["down"], outage["of"]) == (len(siblings), len(siblings))
    assert answer["verdicts"]["pon_outage"] == len(siblings)
    assert not answer["worst"]


async def test_an_area_without_power_is_told_from_a_cut_cable(lab):
    lab.set_scenario("LAB0101", "area-power-cut", since_s=240)
    answer = (await swept()).answer
    siblings = pon_of(lab, "LAB0101")
    [outage] = answer["outages"]
    assert outage["kind"] == "area_power_cut"
    assert outage["dying_gasp"] == len(siblings)
    assert answer["verdicts"]["power_off"] == len(siblings)


async def test_a_stream_that_breaks_off_once_is_gone_on_with(lab):
    await lab.set_fault("acs", "truncated", times=2)  # also of how many there are
    before = lab.acs.requests
    answer = (await swept()).answer
    assert answer["state"] == "complete"
    assert answer["coverage"]["acs"]["rows"] == DEVICES
    assert answer["verdicts"] == {"healthy": DEVICES}
    assert lab.acs.requests - before == 3


@pytest.mark.parametrize("fault", ["truncated", "http500", "html", "down"])
async def test_an_acs_that_gives_half_an_answer_or_none_is_no_outage(lab, fault):
    await swept()
    lab.set_scenario("LAB0101", "pon-outage", since_s=240)
    await lab.set_fault("acs", fault)
    answer = (await swept()).answer
    assert answer["state"] == "incomplete"
    assert answer["outages"] == []
    assert answer["outages_withheld"] == 1
    assert not answer["coverage"]["acs"]["whole"]
    assert answer["coverage"]["expected"] == DEVICES
    assert answer["verdicts"].get("management_silent", 0) == 0
    assert any(reason.startswith("acs") for reason in answer["reasons"])
    assert answer["stock"]["active_never_seen"]["count"] is None


async def test_an_acs_that_answers_an_empty_fleet_is_not_believed(lab, monkeypatch):
    await swept()
    monkeypatch.setattr(lab._devices, "next_tick", lambda key: float("inf"))  # none comes back
    for index in range(DEVICES):
        lab._devices.forget(index)
    answer = (await swept()).answer
    assert answer["state"] == "incomplete"
    assert "no devices at all" in answer["coverage"]["acs"]["detail"]
    assert answer["coverage"]["expected"] == DEVICES
    assert answer["coverage"]["unseen"] == 0  # the OLTs show them
    assert answer["verdicts"].get("management_silent", 0) == 0


async def test_an_answer_much_shorter_than_last_time_is_not_believed(lab, monkeypatch):
    await swept()
    monkeypatch.setattr(lab._devices, "next_tick", lambda key: float("inf"))  # none comes back
    for index in range(DEVICES * 3 // 4):
        lab._devices.forget(index)
    answer = (await swept()).answer
    assert answer["state"] == "incomplete"
    assert answer["coverage"]["acs"]["detail"] == f"only {DEVICES // 4} rows, {DEVICES} last time"


async def test_an_acs_that_hears_of_nobody_does_not_make_the_whole_fleet_silent(lab, monkeypatch):
    await swept()
    real = lab._devices.last_inform
    monkeypatch.setattr(lab._devices, "last_inform", lambda key: real(key) - 7_200)
    answer = (await swept()).answer
    assert answer["state"] == "incomplete"
    assert answer["verdicts"].get("management_silent", 0) == 0
    assert "0% of its boxes inform" in answer["reasons"][0]


async def test_an_olt_that_is_silent_is_not_read_and_not_down(lab):
    await swept()
    await lab.set_fault("olt:olt-nord", "silent")
    answer = (await swept()).answer
    onts = sum(1 for _ in lab.plant.onts(0))
    [unread] = [one for one in answer["coverage"]["olts"] if not one["whole"]]
    assert (unread["olt"], unread["rows"], unread["before"]) == ("olt-nord", 0, onts)
    assert answer["outages"] == []
    assert answer["verdicts"] == {"healthy": DEVICES}  # they answer the ACS
    assert answer["state"] == "incomplete"  # a third of the ONTs was not read
    assert answer["coverage"]["pct"] < 70


async def test_half_a_walk_counts_the_pons_it_read_and_leaves_the_rest_unknown(lab, monkeypatch):
    """The feeder that is cut lies beyond where the walk breaks off: nothing may be said of it."""
    monkeypatch.setattr("cpe.access.olt.fleet_walk.PAUSE_S", 0.01)
    await swept()
    monkeypatch.setenv("CPE_SWEEP_WALK_S", "8")
    nord = lab.agents[0]
    last = max(lab.plant.onts(0), key=lambda row: (row[0].pon, row[0].ont))
    cut = lab.plant.identities[last[1]].serial
    lab.set_scenario(cut, "pon-outage", since_s=240)
    start = nord.pdus

    async def break_off():
        while nord.pdus - start < 9:  # noqa: ASYNC110 - the agent tells nobody
            await asyncio.sleep(0)
        await nord.set_trouble(Trouble("silent"))

    breaking = asyncio.create_task(break_off())
    answer = (await swept()).answer
    await breaking
    [unread] = [one for one in answer["coverage"]["olts"] if not one["whole"]]
    assert 0 < unread["rows"] < unread["before"]
    assert answer["outages"] == []
    assert answer["verdicts"].get("pon_outage", 0) == 0
    assert answer["verdicts"].get("fibre_cut", 0) == 0
    table = [p for p in answer["pons"] if p["olt"] == "olt-nord"]
    assert sum(p["boxes"] for p in table) == unread["before"], "they keep their old place"


async def test_a_slow_decay_of_one_drop_is_found_before_it_is_weak(lab):
    await swept()
    rx = {who.serial for who in lab.plant.identities[:DEVICES]}
    dying = "LAB0150"
    assert dying in rx
    await plant_past(lambda serial, day: 4.0 * day / 30 if serial == dying else 0.0)
    answer = (await swept()).answer
    assert answer["fading_pons"] == []
    [found] = answer["fading"]
    assert found["serial"] == dying
    assert found["kind"] == "drop_or_connector"
    assert found["hint"] == "connector"
    assert found["per_month_db"] == pytest.approx(-4.0, abs=0.3)
    assert found["days_left"] > 0
    assert answer["worst"][0]["serial"] == dying
    assert answer["worst"][0]["verdict"] == "healthy"


async def test_a_slow_decay_of_several_siblings_is_their_feeder(lab):
    await swept()
    siblings = set(pon_of(lab, "LAB0101")[:6])
    await plant_past(lambda serial, day: 3.2 * day / 30 if serial in siblings else 0.0)
    answer = (await swept()).answer
    [pon] = answer["fading_pons"]
    assert pon["siblings"] == len(siblings)
    assert {f["kind"] for f in answer["fading"]} == {"feeder_or_splitter"}


async def test_a_bend_is_told_by_the_downstream_falling_more(lab):
    await swept()
    await plant_past(
        lambda serial, day: 3.0 if serial == "LAB0150" else 0.0,
        olt_changes=lambda serial, day: 1.0 if serial == "LAB0150" else 0.0,
    )
    [found] = (await swept()).answer["fading"]
    assert found["hint"] == "bend"


async def test_a_gap_of_the_poller_is_no_decay_and_two_readings_are_no_baseline(lab):
    await swept()
    await plant_past(lambda serial, day: 3.0 if day in (20, 25) else None)
    answer = (await swept()).answer
    assert answer["fading"] == []
    assert answer["findings"]["optical.rx_power_is_steady"]["unknown"] == DEVICES


async def test_the_same_reading_told_night_after_night_counts_once(lab, tmp_path):
    await swept()
    await swept()
    async with open_store(tmp_path) as store:
        found = await store.recall("LAB0042", now=datetime.now(UTC))
    rx = [r for r in found.history.readings if r.name == "optical.rx_dbm"]
    assert len(rx) == 1


async def test_a_killed_sweep_goes_on_without_reading_everything_again(lab, monkeypatch, tmp_path):
    """Killed after the second part and one OLT: the next one reads what is missing, only."""
    monkeypatch.setattr("cpe.access.genieacs.sweep.stream.PART_SIZE", 50)
    from cpe.access.genieacs.sweep import stream

    monkeypatch.setattr(stream.read_fleet, "__kwdefaults__", {"part_size": 50})
    kept, real = [], tasks_sweep.keep_part

    async def dies(sweep_id, part):
        if part.kind == "acs" and len([k for k in kept if k[0] == "acs"]) == 2:
            await asyncio.sleep(3600)  # until a walk has ended too
        await real(sweep_id, part)
        kept.append((part.kind, part.name, part.rows))
        if len([k for k in kept if k[0] == "acs"]) == 2 and any(k[0] == "olt" for k in kept):
            raise RuntimeError("killed")

    monkeypatch.setattr(tasks_sweep, "keep_part", dies)
    with pytest.raises(RuntimeError, match="killed"):
        await swept()
    async with open_store(tmp_path) as store:
        [left] = [s for s in [await sweeps.load(store._database, None, ended=False)] if s]
        read_before = sum(p.rows for p in await store.fleet().parts(left.id, "acs"))
        walked = {p.name for p in await store.fleet().parts(left.id, "olt")}
    assert read_before in (100, 150)
    assert walked
    pdus = {agent.name: agent.pdus for agent in lab.agents}
    again = []

    async def lives(sweep_id, part):
        await real(sweep_id, part)
        again.append((part.kind, part.name, part.rows))

    monkeypatch.setattr(tasks_sweep, "keep_part", lives)
    answer = (await swept()).answer
    assert sum(rows for kind, _, rows in again if kind == "acs") == DEVICES - read_before
    assert answer["coverage"]["acs"]["rows"] == DEVICES
    assert {name for kind, name, _ in again if kind == "olt"} == set(pdus) - walked
    for agent in lab.agents:
        assert (agent.pdus == pdus[agent.name]) is (agent.name in walked)
    assert answer["state"] == "complete"
    assert answer["verdicts"] == {"healthy": DEVICES}


async def test_two_sweeps_never_run_at_once(lab, monkeypatch):
    monkeypatch.setattr(tasks_sweep, "_is_dead", lambda owner: False)
    first = await tasks_sweep.begin_sweep.fn("first", "", None)
    with pytest.raises(AlreadyRunningError, match="sweep first is running"):
        await tasks_sweep.begin_sweep.fn("second", "", None)
    monkeypatch.setattr(tasks_sweep, "_is_dead", lambda owner: True)
    resumed = await tasks_sweep.begin_sweep.fn("second", "", None)
    assert (resumed.id, resumed.started_at) == ("first", first.started_at)
    await close_clients()


async def test_equipment_in_stock_that_informs_and_active_that_is_gone_are_told(lab):
    table = lab.erp._handle.__self__.tables["Service Equipment"]
    table.update("EQP-00021", {"status": "En inventaire"})
    table.insert({"serial_number": "LOST0001", "status": "Actif", "equipment_type": "ONT"})
    table.insert({"serial_number": "TV0001", "status": "Actif", "equipment_type": "TV Box"})
    stock = (await swept()).answer["stock"]
    assert [b["equipment"] for b in stock["informing_in_stock"]["boxes"]] == ["EQP-00021"]
    assert [b["serial"] for b in stock["active_never_seen"]["boxes"]] == ["LOST0001"]
    covered = stock["gpon_serial_twice"]
    assert covered["count"] == 0


async def test_nothing_secret_of_the_plant_is_kept(lab, tmp_path):
    answer = (await swept()).answer
    assert "CANARY" not in json.dumps(answer)
    assert b"CANARY" not in (tmp_path / "cpe.db").read_bytes()


async def test_without_an_olt_the_acs_alone_is_swept(lab, monkeypatch):
    monkeypatch.delenv("CPE_OLTS")
    answer = (await swept()).answer
    assert answer["state"] == "complete"
    assert answer["coverage"]["olts"] == []
    assert answer["verdicts"] == {"healthy": DEVICES}


async def test_stale_boxes_that_matter_are_asked_again_within_the_budget(lab, monkeypatch):
    monkeypatch.setenv("CPE_SWEEP_FRESHNESS_S", "60")
    monkeypatch.setenv("CPE_SWEEP_REFRESH_TOTAL", "8")
    monkeypatch.setenv("CPE_SWEEP_REFRESH_PER_S", "50")
    answer = (await swept(refresh=True)).answer
    assert answer["acted"]["refreshed"] == {"asked": 8, "answered": 8, "read": 8, "skipped": ""}
    assert answer["coverage"]["fresh"] == 8
    assert answer["coverage"]["not_evaluable"] == DEVICES - 8
    assert answer["verdicts"] == {"healthy": 8, "inconclusive": DEVICES - 8}


async def test_in_quiet_hours_no_box_is_asked(lab, monkeypatch):
    monkeypatch.setenv("CPE_SWEEP_FRESHNESS_S", "60")
    monkeypatch.setenv("CPE_SWEEP_QUIET_HOURS", "0-24")
    answer = (await swept(refresh=True)).answer
    assert answer["acted"]["refreshed"]["asked"] == 0
    assert "quiet hours" in answer["acted"]["refreshed"]["skipped"]


async def test_a_sweep_killed_after_refreshing_reads_nothing_and_asks_nobody_again(
    lab, monkeypatch, tmp_path
):
    monkeypatch.setenv("CPE_SWEEP_FRESHNESS_S", "60")
    monkeypatch.setenv("CPE_SWEEP_REFRESH_TOTAL", "4")
    monkeypatch.setenv("CPE_SWEEP_REFRESH_PER_S", "50")
    real = runbook.keep_fleet

    async def killed(judged):
        raise RuntimeError("killed")

    monkeypatch.setattr(runbook, "keep_fleet", SimpleNamespace(fn=killed))
    with pytest.raises(RuntimeError, match="killed"):
        await swept(refresh=True)
    async with open_store(tmp_path) as store:
        left = await sweeps.load(store._database, None, ended=False)
        kept = [(p.name, p.position, p.rows) for p in await store.fleet().parts(left.id, "acs")]
    assert ("refreshed", 0, 4) in kept
    again, really = [], tasks_sweep.keep_part

    async def watched(sweep_id, part):
        again.append(part)
        await really(sweep_id, part)

    for module in (tasks_sweep, tasks_refreshing):
        monkeypatch.setattr(module, "keep_part", watched)
    monkeypatch.setattr(runbook, "keep_fleet", real)
    answer = (await swept(refresh=True)).answer
    assert again == []
    assert answer["id"] == left.id
    assert answer["coverage"]["acs"]["rows"] == DEVICES
    assert answer["coverage"]["fresh"] == 4
    assert answer["acted"]["refreshed"]["asked"] == 0


async def test_refreshing_ends_where_the_quiet_hours_begin(lab, monkeypatch):
    monkeypatch.setenv("CPE_SWEEP_FRESHNESS_S", "60")
    monkeypatch.setenv("CPE_SWEEP_REFRESH_TOTAL", "8")
    monkeypatch.setenv("CPE_SWEEP_REFRESH_PER_S", "50")
    hours = iter([False] * 4)  # when it begins, and before each of three boxes
    monkeypatch.setattr(tasks_refreshing, "is_quiet", lambda settings: next(hours, True))
    refreshed = (await swept(refresh=True)).answer["acted"]["refreshed"]
    assert (refreshed["asked"], refreshed["read"]) == (3, 3)
    assert "quiet hours" in refreshed["skipped"]


async def test_refreshing_leaves_the_sweep_time_to_end(lab, monkeypatch):
    monkeypatch.setenv("CPE_SWEEP_FRESHNESS_S", "60")
    monkeypatch.setenv("CPE_SWEEP_REFRESH_PER_S", "50")
    monkeypatch.setattr(tasks_refreshing, "ASK_S", 0.0)
    answer = (await swept(refresh=True)).answer
    assert answer["acted"]["refreshed"]["asked"] == 0
    assert "time" in answer["acted"]["refreshed"]["skipped"]
    assert answer["coverage"]["seen"] == DEVICES


async def test_a_walk_that_fails_on_resuming_takes_no_rows_away(lab, monkeypatch):
    begun = await tasks_sweep.begin_sweep.fn("killed", "", None)
    whole = await tasks_sweep.walk_olt.fn(begun.id, "olt-nord")
    half = replace(whole, whole=False, detail="broke off")
    await tasks_sweep.keep_part(begun.id, half)
    await lab.set_fault("olt:olt-nord", "silent")
    monkeypatch.setenv("CPE_SWEEP_WALK_S", "1")
    again = await tasks_sweep.walk_olt.fn(begun.id, "olt-nord")
    fleet = (await clients.store()).fleet()
    [kept] = await fleet.parts(begun.id, "olt")
    await close_clients()
    assert again.rows == kept.rows == whole.rows > 0
    assert (kept.whole, kept.data) == (False, whole.data)


async def test_a_resumed_sweep_asks_erpnext_again_that_did_not_answer(lab, monkeypatch):
    await lab.set_fault("erp", "down")
    real = runbook.keep_fleet

    async def killed(judged):
        raise RuntimeError("killed")

    monkeypatch.setattr(runbook, "keep_fleet", SimpleNamespace(fn=killed))
    with pytest.raises(RuntimeError, match="killed"):
        await swept()
    await lab.set_fault("erp", "none")
    monkeypatch.setattr(runbook, "keep_fleet", real)
    answer = (await swept()).answer
    assert answer["stock"]["configured"] is True
