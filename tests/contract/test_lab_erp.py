"""The lab's ERPNext against what a real Frappe 15 answered (see shared/data/erpnext)."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import quote

import aiohttp
import pytest

from deployments.lab.erp_server import API_KEY, API_SECRET
from tests.contract.lab_tools import Client, quick_lab

TOKEN = {"Authorization": f"token {API_KEY}:{API_SECRET}"}
EQUIPMENT = "/api/resource/Service%20Equipment"
TASK = "/api/resource/Task"


@pytest.fixture
async def erp(tmp_path):
    async with quick_lab(tmp_path, devices=24) as (lab, _), aiohttp.ClientSession() as session:
        client = Client(session, lab.erp.url)

        async def ask(method, path, body=None, headers=TOKEN):
            return await client.ask(method, path, json.dumps(body) if body else None, headers)

        ask.lab = lab
        yield ask


def where(**filters) -> str:
    rows = [[name, "=", value] for name, value in filters.items()]
    fields = quote('["name","serial_number","status","modified"]')
    return f"{EQUIPMENT}?filters={quote(json.dumps(rows))}&fields={fields}"


async def test_every_box_is_active_equipment_and_spares_are_in_stock(erp):
    row = (await erp("GET", where(serial_number="LAB0003"))).json()["data"][0]
    assert (row["name"], row["status"]) == ("EQP-00003", "Actif")
    full = (await erp("GET", f"{EQUIPMENT}/EQP-00003")).json()["data"]
    assert full["customer"] == "CUST-00003"
    stock = (await erp("GET", where(status="En inventaire"))).json()["data"]
    assert {row["serial_number"][:5] for row in stock} == {"SPARE"}


async def test_a_list_has_twenty_rows_unless_all_are_asked_for(erp):
    assert len((await erp("GET", EQUIPMENT)).json()["data"]) == 20
    everything = await erp("GET", f"{EQUIPMENT}?limit_page_length=0")
    assert len(everything.json()["data"]) == 34


@pytest.mark.parametrize(
    ("headers", "status", "kind"),
    [
        ({}, 403, "PermissionError"),
        ({"Authorization": "token a:b"}, 401, "AuthenticationError"),
        ({"Authorization": "nonsense"}, 401, "AuthenticationError"),
    ],
)
async def test_credentials_are_checked(erp, headers, status, kind):
    answer = await erp("GET", EQUIPMENT, headers=headers)
    assert (answer.status, answer.json()["exc_type"]) == (status, kind)


async def test_the_logged_in_user_is_told(erp):
    answer = await erp("GET", "/api/method/frappe.auth.get_logged_user")
    assert answer.json()["message"].startswith("erp@")


async def test_only_one_of_twelve_writers_with_one_modified_wins(erp):
    modified = (await erp("GET", f"{EQUIPMENT}/EQP-00003")).json()["data"]["modified"]
    body = {"status": "En diagnostic", "modified": modified}
    answers = await asyncio.gather(*(erp("PUT", f"{EQUIPMENT}/EQP-00003", body) for _ in range(12)))
    assert sorted(answer.status for answer in answers) == [200] + [417] * 11
    assert {a.json()["exc_type"] for a in answers if a.status == 417} == {"TimestampMismatchError"}


async def test_only_one_of_twelve_tasks_with_one_key_is_made(erp):
    body = {"subject": "Tester l’ancien boîtier", "custom_idem_key": "swap-1/task"}
    answers = await asyncio.gather(*(erp("POST", TASK, body) for _ in range(12)))
    assert sorted(answer.status for answer in answers) == [200] + [417] * 11
    refused = next(a for a in answers if a.status == 417).json()
    assert refused["exc_type"] == "UniqueValidationError"
    message = json.loads(json.loads(refused["_server_messages"])[0])["message"]
    assert message == "Clé d’idempotence doit être unique"


async def test_a_serial_number_is_taken_even_before_anyone_looked_at_it(erp):
    body = {"serial_number": "LAB0009", "equipment_type": "ONT"}
    assert (await erp("POST", EQUIPMENT, body)).json()["exc_type"] == "UniqueValidationError"
    body["serial_number"] = "NEW-1"
    assert (await erp("POST", EQUIPMENT, body)).json()["data"]["name"] == "EQP-00035"


async def test_options_are_checked_and_unknown_fields_dropped(erp):
    bad = await erp("PUT", f"{EQUIPMENT}/EQP-00003", {"status": "Bidon"})
    assert (bad.status, bad.json()["exc_type"]) == (417, "ValidationError")
    dropped = await erp("PUT", f"{EQUIPMENT}/EQP-00003", {"bogus": 1})
    assert dropped.status == 200
    assert "bogus" not in dropped.json()["data"]


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"custom_idem_key": "k"}, 417, "MandatoryError"),
        ({"subject": "x" * 141}, 417, "CharacterLengthExceededError"),
        ({"subject": "x", "priority": "Haute"}, 417, "ValidationError"),
        ({"subject": "x", "exp_end_date": "2026-11-23T10:00:00Z"}, 500, "OperationalError"),
        (
            {"subject": "x", "exp_start_date": "2026-12-02", "exp_end_date": "2026-12-01"},
            417,
            "InvalidDates",
        ),
    ],
)
async def test_a_bad_task_is_refused_with_its_class(erp, body, status, kind):
    answer = await erp("POST", TASK, body)
    assert (answer.status, answer.json()["exc_type"]) == (status, kind)


async def test_a_task_gets_its_own_name_and_is_gone_after_delete(erp):
    made = (await erp("POST", TASK, {"subject": "x", "name": "MINE"})).json()["data"]
    assert made["name"].startswith("TASK-")
    assert (made["status"], made["priority"]) == ("Open", "Low")
    gone = await erp("DELETE", f"{TASK}/{made['name']}")
    assert (gone.status, gone.json()) == (202, {"data": "ok"})
    missing = await erp("GET", f"{TASK}/{made['name']}")
    assert (missing.status, missing.json()["exc_type"]) == (404, "DoesNotExistError")
    assert "exception" not in missing.json()


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("/api/resource/Nope", 404, "DoesNotExistError"),
        (f"{EQUIPMENT}?fields=%5B%22nofield%22%5D", 417, "DataError"),
        (f"{EQUIPMENT}?filters=%7B%22nofield%22%3A1%7D", 417, "DataError"),
        (f"{EQUIPMENT}?filters=%5B%5Bbad", 500, "JSONDecodeError"),
        ("/api/method/frappe.nope", 417, "ValidationError"),
    ],
)
async def test_what_does_not_exist_is_an_error(erp, path, status, kind):
    answer = await erp("GET", path)
    assert (answer.status, answer.json()["exc_type"]) == (status, kind)


@pytest.mark.parametrize(("fault", "status"), [("http429", 429), ("http500", 500), ("html", 502)])
async def test_the_site_can_be_troubled(erp, fault, status):
    await erp.lab.set_fault("erp", fault, times=1)
    assert (await erp("GET", EQUIPMENT)).status == status
    assert (await erp("GET", EQUIPMENT)).status == 200
