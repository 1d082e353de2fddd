"""What ERPNext 16 keeps otherwise than 15, on the lab's site with that one difference."""

from __future__ import annotations

import pytest

from cpe.access.erpnext.frappe import Frappe
from cpe.access.erpnext.work import Work
from cpe.domain.errors import UnexpectedAnswerError
from deployments.lab.erp_server import API_KEY, API_SECRET
from tests.contract.lab_tools import quick_lab
from tests.contract.test_erpnext_lab import NAMES, a_task


@pytest.fixture
async def site(tmp_path):
    async with quick_lab(tmp_path, devices=4) as (lab, _):
        frappe = Frappe(lab.erp.url, API_KEY, API_SECRET)
        yield frappe
        await frappe.close()


@pytest.fixture
def work(site):
    return Work(site, NAMES)


@pytest.fixture
def times_of_erpnext_16(site):
    """v16 made `exp_end_date` a Datetime: what was sent as a date reads back with midnight."""
    read, rows = site.read, site.rows

    def timed(doc):
        due = doc and doc.get("exp_end_date")
        return doc | {"exp_end_date": f"{due} 00:00:00"} if due and len(due) == 10 else doc

    async def timed_read(doctype, name):
        return timed(await read(doctype, name))

    async def timed_rows(*args, **options):
        return [timed(row) for row in await rows(*args, **options)]

    site.read, site.rows = timed_read, timed_rows


async def test_a_task_is_made_where_its_dates_have_a_time(site, work, times_of_erpnext_16):
    task = await a_task(work)
    assert (task.after["exp_end_date"], task.changed) == ("2026-12-04", True)
    assert len(await site.every_row("Task", [], ["name"])) == 1


async def test_a_task_is_not_late_on_the_very_day(site, work, times_of_erpnext_16):
    """ERPNext calls a Task overdue when its time is past, and midnight is before the day."""
    task = await a_task(work)
    assert (await work.read_task(task.name))["exp_end_date"] == "2026-12-04 23:59:59"
    await work.change_task(task.name, {"exp_end_date": "2026-12-04 00:00:00"})  # died before
    again = await a_task(work)
    assert (again.name, again.changed) == (task.name, False)
    assert (await work.read_task(task.name))["exp_end_date"] == "2026-12-04 23:59:59"


async def test_a_task_that_reads_back_with_another_day_is_announced(site, work):
    read = site.read

    async def another_day(doctype, name):
        return await read(doctype, name) | {"exp_end_date": "2026-12-05 00:00:00"}

    site.read = another_day
    with pytest.raises(UnexpectedAnswerError, match="exp_end_date"):
        await a_task(work)
