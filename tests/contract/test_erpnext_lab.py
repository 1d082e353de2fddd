"""Equipment, Tasks and comments on a site that speaks Frappe: locked, keyed, read back."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from cpe.access.erpnext import key_field
from cpe.access.erpnext.equipment import Equipment, OtherStatusError, UnitMove
from cpe.access.erpnext.frappe import Frappe, FrappeBusyError
from cpe.access.erpnext.names import ErpNames
from cpe.access.erpnext.patience import patiently
from cpe.access.erpnext.text import escaped
from cpe.access.erpnext.work import Work
from cpe.domain.errors import (
    DeclinedError,
    FieldUnknownError,
    LoginRefusedError,
    UnreachableError,
)
from deployments.lab.erp_server import API_KEY, API_SECRET
from tests.contract.lab_tools import quick_lab

NAMES = ErpNames()
TO_TEST = UnitMove("Actif", "En diagnostic")
INSTALL = UnitMove("En inventaire", "Actif", True, "CUST-00003", ("CUST-00003",))
DUE = date(2026, 12, 4)


@pytest.fixture
async def site(tmp_path):
    async with quick_lab(tmp_path, devices=120) as (lab, _):
        frappe = Frappe(lab.erp.url, API_KEY, API_SECRET, timeout_s=5)
        frappe.lab = lab
        yield frappe
        await frappe.close()


@pytest.fixture
def equipment(site):
    return Equipment(site, NAMES)


@pytest.fixture
def work(site):
    return Work(site, NAMES)


async def name_of(equipment, serial):
    (unit,) = await equipment.find([serial])
    return unit.equipment


async def a_task(work, key="swap-1/test-task-opened", **changes):
    fields = {"subject": "Tester", "description": "x", "due": DUE, "priority": "Medium"} | changes
    return await work.open_task(key, **fields)


async def comments(site):
    return await site.every_row("Comment", [], ["name", "content"])


@pytest.mark.parametrize("typed", ["LAB0003", "lab0003", "Lab0003"])
async def test_a_unit_is_found_in_any_case_on_a_database_that_tells_them_apart(equipment, typed):
    (unit,) = await equipment.find([typed])
    assert (unit.serial, unit.status, unit.customer) == ("LAB0003", "Actif", "CUST-00003")


@pytest.mark.parametrize("typed", ["LAB%", "LAB000_", "", "' or 1=1", 'x"]]', "LAB0003\\"])
async def test_no_wildcard_and_no_quote_finds_another_unit(equipment, typed):
    assert await equipment.find([typed]) == []


async def test_all_rows_come_although_a_page_has_only_so_many(site):
    rows = await site.every_row("Service Equipment", [], ["name"])
    assert len(rows) == len({row["name"] for row in rows}) == 130


async def test_a_move_is_written_once_and_read_back(equipment):
    name = await name_of(equipment, "LAB0003")
    moved = await equipment.move(name, TO_TEST, may_be_there=False)
    assert (moved.before["status"], moved.after["status"]) == ("Actif", "En diagnostic")
    assert moved.changed
    again = await equipment.move(name, TO_TEST, may_be_there=True)
    assert not again.changed
    with pytest.raises(OtherStatusError) as caught:
        await equipment.move(name, TO_TEST, may_be_there=False)
    assert caught.value.status == "En diagnostic"


async def test_a_unit_that_somebody_else_took_is_never_taken_from_them(equipment):
    name = await name_of(equipment, "SPARE01")
    theirs = replace(INSTALL, customer="CUST-9", customers=("CUST-9",))
    await equipment.move(name, theirs, may_be_there=False)
    for may_be_there in (False, True):
        with pytest.raises(OtherStatusError):
            await equipment.move(name, INSTALL, may_be_there=may_be_there)
    assert (await equipment.read(name)).customer == "CUST-9"


async def test_of_many_who_take_one_unit_one_gets_it(equipment):
    name = await name_of(equipment, "SPARE01")
    moves = [replace(INSTALL, customer=f"CUST-{n}", customers=(f"CUST-{n}",)) for n in range(8)]
    done = await asyncio.gather(
        *(equipment.move(name, move, may_be_there=False) for move in moves), return_exceptions=True
    )
    assert sum(isinstance(one, OtherStatusError) for one in done) == 7
    (winner,) = [n for n, one in enumerate(done) if not isinstance(one, Exception)]
    assert (await equipment.read(name)).customer == f"CUST-{winner}"


async def test_the_customer_is_left_alone_where_the_operator_wants_it_so(site):
    equipment = Equipment(site, replace(NAMES, move_customer=False))
    name = await name_of(equipment, "SPARE01")
    await equipment.move(name, INSTALL, may_be_there=False)
    assert await equipment.read(name) == replace(
        (await equipment.find(["SPARE01"]))[0], status="Actif", customer=None
    )


async def test_a_write_whose_answer_was_lost_is_not_taken_for_somebody_elses(site, equipment):
    name = await name_of(equipment, "SPARE01")

    async def trouble_the_put(*args, **options):
        site.update = update
        await site.lab.set_fault("erp", "lost_answer", times=1)
        return await update(*args, **options)

    update, site.update = site.update, trouble_the_put
    moved = await equipment.move(name, INSTALL, may_be_there=False)
    assert moved.after == {"status": "Actif", "customer": "CUST-00003"}


async def test_a_task_is_made_once_whoever_asks_how_often(site, work):
    made = await asyncio.gather(*(a_task(work) for _ in range(6)))
    assert len({task.name for task in made}) == 1
    assert sum(task.changed for task in made) == 1
    assert len(await site.every_row("Task", [], ["name"])) == 1
    assert made[0].after == {"status": "Open", "priority": "Medium", "exp_end_date": "2026-12-04"}


async def test_a_task_whose_answer_was_lost_is_found_by_its_key(site, work):
    async def trouble_the_post(*args, **options):
        site.insert = insert
        await site.lab.set_fault("erp", "lost_answer", times=1)
        return await insert(*args, **options)

    insert, site.insert = site.insert, trouble_the_post
    await a_task(work)
    assert len(await site.every_row("Task", [], ["name"])) == 1


async def test_without_the_key_field_no_task_is_made_at_all(site, work):
    site.lab_field = (await site.rows("Custom Field", [], ["name"]))[0]["name"]
    await site._ask("DELETE", f"/api/resource/Custom Field/{site.lab_field}")
    with pytest.raises(FieldUnknownError):
        await a_task(work)
    assert await site.every_row("Task", [], ["name"]) == []


async def test_the_key_field_is_made_and_made_unique(site, work):
    await site._ask("DELETE", "/api/resource/Custom Field/Task-custom_idem_key")
    assert await key_field.examine(site, NAMES) == key_field.KeyField(exists=False, unique=False)
    await key_field.make(site, NAMES)
    await key_field.make(site, NAMES)
    assert await key_field.examine(site, NAMES) == key_field.KeyField(exists=True, unique=True)
    doc = await site.read("Custom Field", "Task-custom_idem_key")
    await site.update("Custom Field", "Task-custom_idem_key", doc, {"unique": 0})
    assert (await key_field.examine(site, NAMES)).unique is False
    await key_field.make(site, NAMES)
    assert (await key_field.examine(site, NAMES)).unique is True
    await a_task(work)


async def test_what_people_wrote_stays_text(site, work):
    nasty = '<script>alert(1)</script> & <img src=x onerror="y"> «é»'
    task = await a_task(work, subject=nasty * 4, description=f"{nasty}\n{nasty}")
    doc = await work.read_task(task.name)
    assert len(doc["subject"]) <= 140
    for text in (doc["subject"], doc["description"].replace("<p>", "").replace("</p>", "")):
        assert "<" not in text
    assert doc["description"].count("<p>") == 2
    await work.comment(task.name, "swap-1/x", nasty)
    (comment,) = await comments(site)
    assert "<script" not in comment["content"]
    assert "<img" not in comment["content"]


@pytest.mark.parametrize("text", ["a" * 300, "<" * 300, "é&" * 200, "x", ""])
def test_a_short_field_is_cut_between_its_escapes(text):
    cut = escaped(text, limit=140)
    assert len(cut) <= 140
    assert "<" not in cut
    assert not cut.rstrip("…").endswith(("&", "&l", "&lt", "&a", "&am", "&amp"))


async def test_a_comment_is_made_once_by_its_key(site, work):
    task = await a_task(work)
    for _ in range(3):
        await work.comment(task.name, "swap-1/reminder", "Rappel")
    await work.comment(task.name, "swap-1/escalation-0", "EN RETARD")
    assert len(await comments(site)) == 2


async def test_a_task_that_people_ended_is_left_as_they_left_it(site, work):
    task = await a_task(work)
    await work.change_task(task.name, {"status": "Cancelled"})
    done = await work.complete_task(task.name, DUE)
    assert (done.changed, done.after["status"]) == (False, "Cancelled")
    raised = await work.change_task(task.name, {"priority": "Urgent"}, unless_ended=True)
    assert not raised.changed


async def test_a_date_is_the_sites(site):
    late = datetime(2026, 12, 5, 3, 0, tzinfo=UTC)
    assert Work(site, NAMES).site_date(late) == date(2026, 12, 4)
    assert Work(site, replace(NAMES, time_zone="Europe/Paris")).site_date(late) == date(2026, 12, 5)


@pytest.mark.parametrize("fault", ["http429", "http500", "html"])
async def test_a_site_that_is_busy_is_asked_again_and_not_for_ever(site, fault):
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    async def ask():
        return await site.rows("Task", [], ["name"])

    await site.lab.set_fault("erp", fault, times=2)
    assert await patiently(ask, sleep=sleep) == []
    assert slept == [2.0, 2.0] if fault == "http429" else len(slept) == 2
    await site.lab.set_fault("erp", fault)
    with pytest.raises(FrappeBusyError):
        await patiently(ask, sleep=sleep)
    assert len(slept) == 5


@pytest.mark.parametrize(("fault", "kind"), [("down", UnreachableError)])
async def test_anything_else_is_final(site, fault, kind):
    await site.lab.set_fault("erp", fault)
    asked = []

    async def ask():
        asked.append(1)
        return await site.rows("Task", [], ["name"])

    with pytest.raises(kind):
        await patiently(ask)
    assert len(asked) == 1
    await site.lab.set_fault("erp", "none")


async def test_refused_credentials_and_bad_options_are_not_tried_again(site, work):
    stranger = Frappe(site.lab.erp.url, "a", "b")
    before = site.lab.erp.requests
    with pytest.raises(LoginRefusedError):
        await Work(stranger, NAMES).read_task("T")
    task = await a_task(work)
    with pytest.raises(DeclinedError):
        await work.change_task(task.name, {"priority": "Haute"})
    assert site.lab.erp.requests - before < 8
    await stranger.close()
