"""Every recorded answer of a real Frappe 15 + ERPNext 15 becomes the right thing of ours."""

from __future__ import annotations

import json
import re

import httpx
import pytest

from cpe.access.erpnext import key_field
from cpe.access.erpnext.frappe import Frappe, FrappeBusyError
from cpe.access.erpnext.names import ErpNames
from cpe.domain import errors
from tests.support.tools import ROOT

pytestmark = pytest.mark.recorded
RECORDED = ROOT.parent / "shared" / "data" / "erpnext"
HEAD = re.compile(r"### (?P<name>.+?) -> (?P<status>\d{3}) application/json\n    (?P<body>\{.*)")


def answers() -> dict[str, tuple[int, str]]:
    text = "\n".join(f.read_text(encoding="utf-8") for f in sorted(RECORDED.glob("rest-*.txt")))
    return {m["name"]: (int(m["status"]), m["body"]) for m in HEAD.finditer(text)}


def site(status: int, body: str, seen: list[httpx.Request] | None = None) -> Frappe:
    def reply(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(request)
        return httpx.Response(status, content=body.encode())

    return Frappe("http://erp", "key-CANARY", "secret-CANARY", transport=httpx.MockTransport(reply))


def whole(name: str) -> tuple[int, str]:
    """The recording; where it was cut, its body closed after `exc_type`, which comes first."""
    status, body = answers()[name]
    try:
        json.loads(body)
    except ValueError:
        kind = re.search(r'"exc_type": "(\w+)"', body)
        body = json.dumps({"exc_type": kind[1]}) if kind else '{"data": {"name": "x"}}'
    return status, body


REFUSALS = [
    ("no auth list", errors.LoginRefusedError),
    ("bad token", errors.LoginRefusedError),
    ("bad token format", errors.LoginRefusedError),
    ("csr list Task", errors.LoginRefusedError),
    ("unknown doctype", errors.DeclinedError),
    ("create eq dup", errors.DuplicateError),
    ("create eq bad select", errors.DeclinedError),
    ("create eq mandatory", errors.DeclinedError),
    ("list bad field", errors.FieldUnknownError),
    ("list bad filter field", errors.FieldUnknownError),
    ("bad json filters", FrappeBusyError),
    ("PUT with stale modified", errors.StaleWriteError),
    ("PUT stale again", errors.StaleWriteError),
    ("create Task bad status", errors.DeclinedError),
    ("create Task past end", errors.DeclinedError),
    ("unknown method", errors.DeclinedError),
    ("unwhitelisted", errors.LoginRefusedError),
    ("swap case dup -> 409?", errors.DuplicateError),
    ("bad link custom", errors.DeclinedError),
    ("iso datetime with Z", FrappeBusyError),
    ("task idem 2", errors.DuplicateError),
    ("insert_many atomic", errors.DuplicateError),
    ("long subject", errors.DeclinedError),
]


@pytest.mark.parametrize(("name", "kind"), REFUSALS, ids=[name for name, _ in REFUSALS])
async def test_an_error_is_told_by_its_type_and_never_by_its_words(name, kind):
    status, body = whole(name)
    content = json.loads(body)
    for text in ("exception", "_server_messages", "exc"):
        translated = json.dumps([json.dumps({"message": "<b>Impossible</b> de <i>lire</i>"})])
        if text in content:
            content[text] = translated if text == "_server_messages" else "autre chose"
    for said in (body, json.dumps(content)):
        frappe = site(status, said)
        with pytest.raises(errors.AccessError) as caught:
            await frappe.rows("Task", [], ["name"])
        assert type(caught.value) is kind, said
        assert "CANARY" not in str(caught.value)
        assert "<" not in str(caught.value)
        assert "Traceback" not in str(caught.value)
        await frappe.close()


@pytest.mark.parametrize("name", ["missing doc", "PUT missing doc", "unknown doctype"])
async def test_a_document_that_is_not_there_is_none(name):
    frappe = site(*whole(name))
    assert await frappe.read("Task", "TASK-NOPE") is None
    await frappe.close()


async def test_a_kept_document_is_given_as_it_is_and_an_update_carries_the_lock():
    seen: list[httpx.Request] = []
    frappe = site(*whole("PUT with fresh modified"), seen)
    read = {"modified": "2026-11-23 23:34:13.240061"}
    kept = await frappe.update("Service Equipment", "EQP-00001", read, {"status": "Défectueux"})
    assert kept["modified"] == "2026-11-23 23:34:13.286196"
    assert seen[0].url.raw_path == b"/api/resource/Service%20Equipment/EQP-00001"
    sent = json.loads(seen[0].content)
    assert sent == {"status": "Défectueux", "modified": "2026-11-23 23:34:13.240061"}
    assert seen[0].headers["Authorization"] == "token key-CANARY:secret-CANARY"
    await frappe.close()


async def test_a_field_that_the_server_dropped_is_noticed():
    frappe = site(*whole("PUT unknown field ignored?"))
    with pytest.raises(errors.FieldUnknownError, match="custom_idem_key"):
        await frappe.update(
            "Service Equipment", "EQP-00001", {"modified": "x"}, {"custom_idem_key": "k"}
        )
    await frappe.close()


async def test_an_empty_value_may_be_missing_from_the_answer():
    frappe = site(*whole("create eq"))
    kept = await frappe.insert("Service Equipment", {"serial_number": "S1", "customer": None})
    assert kept["name"] == "EQP-00001"
    await frappe.close()


@pytest.mark.parametrize(
    ("status", "headers", "waits_s"),
    [(429, {"Retry-After": "2"}, 2.0), (429, {"Retry-After": "Wed, 21 Oct"}, None),
     (503, {}, None), (502, {"Retry-After": "-1"}, None), (500, {"Retry-After": "inf"}, None)],
)  # fmt: skip
async def test_a_busy_site_says_for_how_long(status, headers, waits_s):
    def reply(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status, headers=headers, text="<html>502</html>")

    frappe = Frappe("http://erp", "k", "s", transport=httpx.MockTransport(reply))
    with pytest.raises(FrappeBusyError) as caught:
        await frappe.read("Task", "T")
    assert caught.value.retry_after_s == waits_s
    assert caught.value.transient
    await frappe.close()


@pytest.mark.parametrize(
    ("status", "text", "kind"),
    [
        (200, "<html>Connexion</html>", errors.UnexpectedAnswerError),
        (200, "[]", errors.UnexpectedAnswerError),
        (200, "{}", errors.UnexpectedAnswerError),
        (200, '{"data": 3}', errors.UnexpectedAnswerError),
        (302, "", errors.UnexpectedAnswerError),
        (404, "<html>nginx</html>", errors.UnexpectedAnswerError),
        (403, "<html>Forbidden</html>", errors.LoginRefusedError),
        (401, "{}", errors.LoginRefusedError),
        (418, '{"exc_type": 3}', errors.DeclinedError),
    ],
)
async def test_a_stranger_is_announced(status, text, kind):
    frappe = site(status, text)
    with pytest.raises(errors.AccessError) as caught:
        await frappe.rows("Task", [], ["name"])
    assert type(caught.value) is kind
    await frappe.close()


async def test_a_list_that_leaves_a_field_out_is_noticed():
    """Frappe 16 lists without the fields that it does not have or that the user may not read; what
    is empty is null."""
    rows = '{"data": [{"name": "EQP-1", "status": "En inventaire"}]}'
    frappe = site(200, rows)
    assert len(await frappe.rows("Service Equipment", [], ["name", "status"])) == 1
    with pytest.raises(errors.FieldUnknownError, match="customer"):
        await frappe.rows("Service Equipment", [], ["name", "status", "customer"])
    await frappe.close()


@pytest.mark.parametrize(
    ("status", "kind"), [(417, "DataError"), (403, "PermissionError")], ids=["v15", "v16"]
)
async def test_a_key_field_that_is_missing_is_seen_on_a_site_without_one_task(status, kind):
    """Frappe 16 refuses a filter on a field that is not there as PermissionError."""

    def reply(request: httpx.Request) -> httpx.Response:
        if "custom_idem_key" in request.url.params["filters"]:
            return httpx.Response(status, json={"exc_type": kind})
        return httpx.Response(200, json={"data": []})

    frappe = Frappe("http://erp", "k", "s", transport=httpx.MockTransport(reply))
    found = await key_field.examine(frappe, ErpNames())
    assert found == key_field.KeyField(exists=False, unique=False)
    await frappe.close()


async def test_a_user_who_may_not_read_tasks_is_not_told_to_make_a_field():
    frappe = site(403, json.dumps({"exc_type": "PermissionError"}))
    with pytest.raises(errors.LoginRefusedError):
        await key_field.examine(frappe, ErpNames())
    await frappe.close()
