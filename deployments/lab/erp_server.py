"""ERPNext's REST API over the lab's records: Frappe v15's statuses, bodies and oddities."""

from __future__ import annotations

import json
import re
import secrets
from typing import Any, Final, cast
from urllib.parse import parse_qs, unquote

from aiohttp import web

from deployments.lab.erp_store import (
    COMMENT,
    CUSTOM_FIELD,
    EQUIPMENT,
    TASK,
    Doc,
    FrappeError,
    Table,
)
from deployments.lab.plant import Plant

API_KEY: Final = "lab-CANARY-key"
API_SECRET: Final = "lab-CANARY-secret"  # noqa: S105 - the lab's own, worth nothing
_USER: Final = "erp@operateur.invalid"
_PAGE: Final = 20
_ORDER: Final = re.compile(r"`?(?:tab\w+`?\.`?)?(\w+)`?(?:\s+(asc|desc))?", re.IGNORECASE)


class Erp:
    """Handlers of the site."""

    def __init__(self, plant: Plant) -> None:
        self.tables = {
            EQUIPMENT.name: Table(EQUIPMENT, plant, seeded=True),
            **{kind.name: Table(kind, plant, seeded=False) for kind in (TASK, COMMENT)},
            CUSTOM_FIELD.name: Table(CUSTOM_FIELD, plant, seeded=False),
        }
        own = {"dt": TASK.name, "fieldname": "custom_idem_key", "label": "Clé d’idempotence"}
        self.tables[CUSTOM_FIELD.name].insert({**own, "fieldtype": "Data", "unique": 1})

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Any request."""
        try:
            return await self._route(request)
        except FrappeError as wrong:
            return _error(wrong)

    async def _route(self, request: web.Request) -> web.StreamResponse:
        path, _, raw = request.raw_path.partition("?")
        parts = [unquote(part) for part in path.strip("/").split("/")]
        args = {name: values[-1] for name, values in parse_qs(raw).items()}
        if parts[:2] == ["api", "method"]:
            return await self._method(request, "/".join(parts[2:]))
        if parts[:2] != ["api", "resource"] or len(parts) not in {3, 4}:
            raise FrappeError(404, "DoesNotExistError", "")
        _authorise(request, parts[2])
        table = self.tables.get(parts[2])
        if table is None:
            raise FrappeError(404, "DoesNotExistError", f"DocType {parts[2]} introuvable")
        if len(parts) == 3:
            if request.method == "GET":
                return _json({"data": _listing(table, args)})
            if request.method == "POST":
                return _json({"data": self._written(table, table.insert(await _body(request)))})
        elif request.method == "GET":
            return _json({"data": _shown(table, table.get(parts[3]))})
        elif request.method == "PUT":
            doc = table.update(parts[3], await _body(request))
            return _json({"data": self._written(table, doc)})
        elif request.method == "DELETE":
            self._customised(table, table.get(parts[3]), gone=True)
            table.delete(parts[3])
            return _json({"data": "ok"}, status=202)
        raise FrappeError(404, "DoesNotExistError", "")

    def _written(self, table: Table, doc: Doc) -> Doc:
        self._customised(table, doc, gone=False)
        return _shown(table, doc)

    def _customised(self, table: Table, doc: Doc, *, gone: bool) -> None:
        """A Custom Field changes the doctype that it is for, at once."""
        target = self.tables.get(str(doc.get("dt")))
        if table.doctype is not CUSTOM_FIELD or target is None:
            return
        if gone:
            target.curtail(doc["fieldname"])
        else:
            label = str(doc.get("label") or doc["fieldname"])
            target.extend(doc["fieldname"], label, unique=bool(doc.get("unique")))

    async def _method(self, request: web.Request, name: str) -> web.StreamResponse:
        _authorise(request, "User")
        if name == "frappe.auth.get_logged_user":
            return _json({"message": _USER})
        raise FrappeError(417, "ValidationError", f"Impossible de trouver la méthode {name}")


def _authorise(request: web.Request, doctype: str) -> None:
    header = request.headers.get("Authorization", "")
    if not header:
        raise FrappeError(
            403, "PermissionError",
            f"L’utilisateur <strong>Guest</strong> n’a pas accès au document {doctype}",
        )  # fmt: skip
    scheme, _, token = header.partition(" ")
    given, wanted = token.encode(), f"{API_KEY}:{API_SECRET}".encode()
    if scheme.lower() != "token" or not secrets.compare_digest(given, wanted):
        raise FrappeError(401, "AuthenticationError", "")


async def _body(request: web.Request) -> Doc:
    try:
        body: object = json.loads(await request.text() or "{}")
    except json.JSONDecodeError:
        raise FrappeError(500, "JSONDecodeError", "") from None
    if not isinstance(body, dict):
        raise FrappeError(500, "AttributeError", "")
    return cast("Doc", body)


def _shown(table: Table, doc: Doc) -> Doc:
    """A whole document leaves out what is null, as Frappe's does."""
    lost = frozenset(TASK.data) - table.doctype.fields if table.doctype.name == TASK.name else ()
    return {key: value for key, value in doc.items() if value is not None and key not in lost}


# -- lists

Filter = tuple[str, str, Any]


def _listing(table: Table, args: dict[str, str]) -> list[Doc]:
    filters = _filters(table, args.get("filters"))
    either = _filters(table, args.get("or_filters"))
    fields = _loaded(args.get("fields"), ["name"])
    for name in fields:
        if name != "*" and name not in table.doctype.fields:
            raise _not_permitted(name)
    rows = table.all(serials=_asked(filters, "serial_number"), names=_asked(filters, "name"))
    rows = [row for row in rows if all(_holds(row, one) for one in filters)]
    if either:
        rows = [row for row in rows if any(_holds(row, one) for one in either)]
    for name, descending in reversed(_order(args.get("order_by", "modified desc"))):
        rows.sort(key=lambda row: str(row.get(name) or ""), reverse=descending)
    start = int(args.get("limit_start", "0"))
    length = int(args.get("limit_page_length", args.get("limit", str(_PAGE))))
    rows = rows[start : start + length] if length else rows[start:]
    if "*" in fields:
        return [{k: v for k, v in row.items() if k != "doctype"} for row in rows]
    return [{name: row.get(name) for name in fields} for row in rows]


def _asked(filters: list[Filter], field: str) -> list[str] | None:
    """The values that a field may have, when a filter names them."""
    for name, operator, value in filters:
        if name == field and operator == "=":
            return [str(value)]
        if name == field and operator == "in":
            listed = value.split(",") if isinstance(value, str) else value
            return [str(one) for one in cast("list[Any]", listed)]
    return None


def _loaded(text: str | None, default: Any) -> Any:
    if not text:
        return default
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise FrappeError(500, "JSONDecodeError", "") from None


def _filters(table: Table, text: str | None) -> list[Filter]:
    raw = _loaded(text, [])
    found: list[Filter] = []
    if isinstance(raw, dict):
        for name, value in cast("Doc", raw).items():
            pair = cast("list[Any]", value) if isinstance(value, list) else ["=", value]
            found.append((name, str(pair[0]).lower(), pair[1]))
    else:
        for row in cast("list[list[Any]]", raw):
            name, operator, value = row[-3:]
            found.append((str(name), str(operator).lower(), value))
    for name, _, _ in found:
        if name not in table.doctype.fields:
            raise _not_permitted(name)
    return found


def _not_permitted(name: str) -> FrappeError:
    return FrappeError(417, "DataError", f"Champ non permis dans la requête : {name}")


def _holds(row: Doc, one: Filter) -> bool:
    name, operator, value = one
    have = row.get(name)
    if operator in {"=", "!="}:
        return (have == value) == (operator == "=")
    if operator in {"in", "not in"}:
        listed = value.split(",") if isinstance(value, str) else value
        return (have in listed) == (operator == "in")
    if operator == "is":
        return (have not in {None, ""}) == (value == "set")
    text = str(have if have is not None else "")
    if operator in {"like", "not like"}:
        parts = [re.escape(part) for part in str(value).split("%")]
        match = re.fullmatch(".*".join(parts), text, re.IGNORECASE | re.DOTALL)
        return (match is not None) == (operator == "like")
    if operator == "between":
        return have is not None and str(value[0]) <= text <= f"{value[1]}~"
    compared = {
        ">": text > str(value), "<": text < str(value),
        ">=": text >= str(value), "<=": text <= str(value),
    }  # fmt: skip
    if operator not in compared:
        raise FrappeError(417, "ValidationError", f"Opérateur {operator} invalide")
    return have is not None and compared[operator]


def _order(text: str) -> list[tuple[str, bool]]:
    keys: list[tuple[str, bool]] = []
    for part in text.split(","):
        found = _ORDER.fullmatch(part.strip())
        if found is None:
            raise FrappeError(417, "ValidationError", "Tri invalide")
        keys.append((found[1], (found[2] or "asc").lower() == "desc"))
    return keys


# -- bodies


def _json(body: Doc, *, status: int = 200) -> web.Response:
    return web.json_response(body, status=status)


def _error(wrong: FrappeError) -> web.Response:
    body: Doc = {"exc_type": wrong.exc_type}
    if wrong.status != 404:
        body["exception"] = f"frappe.exceptions.{wrong.exc_type}: {wrong.message}".rstrip(": ")
        trace = f"Traceback (most recent call last):\n  …\n{body['exception']}\n"
        body["exc"] = json.dumps([trace])
    if wrong.message:
        message = {"message": wrong.message, "title": wrong.title, "indicator": "red"}
        body["_server_messages"] = json.dumps([json.dumps(message)])
    if wrong.exc_type == "PermissionError":
        body["_error_message"] = "Permission insuffisante"
    headers = {"Retry-After": "2"} if wrong.status == 429 else None
    return web.json_response(body, status=wrong.status, headers=headers)
