"""What `cpe doctor` says of an ERPNext in which swaps can or cannot be written."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from cpe.access.erpnext.frappe import Frappe
from cpe.access.erpnext.names import ErpNames
from deployments.commands.doctor_erp import comments, equipment, idempotency
from deployments.lab.erp_server import API_KEY, API_SECRET
from tests.contract.lab_tools import quick_lab

NAMES = ErpNames()


@pytest.fixture
async def site(tmp_path):
    async with quick_lab(tmp_path, devices=4) as (lab, _):
        frappe = Frappe(lab.erp.url, API_KEY, API_SECRET)
        yield frappe
        await frappe.close()


def forbidding(doctype: str) -> Frappe:
    """A site whose user may not read that doctype; every list of another is empty."""

    def reply(request: httpx.Request) -> httpx.Response:
        if request.url.path == f"/api/resource/{doctype}":
            return httpx.Response(403, json={"exc_type": "PermissionError"})
        return httpx.Response(200, json={"data": []})

    return Frappe("http://erp", "k", "s", transport=httpx.MockTransport(reply))


async def test_a_site_that_has_everything_is_well(site):
    found = [await equipment(site, NAMES), await comments(site, NAMES)]
    found.append(await idempotency(site, NAMES, fix=False))
    assert [check.state for check in found] == ["ok", "ok", "ok"]


@pytest.mark.parametrize(
    ("names", "mend"),
    [
        (replace(NAMES, customer="client"), "CPE_ERP_SERIAL_FIELD"),
        (replace(NAMES, equipment="Équipement"), "CPE_ERP_EQUIPMENT_DOCTYPE"),
    ],
)
async def test_a_name_that_the_site_does_not_know_is_told_with_its_variable(site, names, mend):
    found = await equipment(site, names)
    assert found.state == "wrong"
    assert mend in found.mend


async def test_a_missing_key_field_is_told_and_made_on_request(site):
    await site._ask("DELETE", "/api/resource/Custom Field/Task-custom_idem_key")
    assert (await idempotency(site, NAMES, fix=False)).state == "wrong"
    assert (await idempotency(site, NAMES, fix=True)).state == "ok"
    assert (await idempotency(site, NAMES, fix=False)).state == "ok"


async def test_a_user_who_may_not_comment_is_told_before_a_swap_waits_for_it():
    """Only System Manager and Website Manager may read comments on a fresh site: reminders and the
    end of a swap would fail after a week."""
    frappe = forbidding("Comment")
    found = await comments(frappe, NAMES)
    assert found.state == "wrong"
    assert "Comment" in found.mend
    await frappe.close()
