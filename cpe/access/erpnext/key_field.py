"""The unique field that makes a Task once: examined, and made on request."""

from __future__ import annotations

from dataclasses import dataclass

from cpe.access.erpnext.frappe import Doc, Frappe
from cpe.access.erpnext.names import ErpNames
from cpe.access.erpnext.patience import patiently
from cpe.domain.errors import DuplicateError, FieldUnknownError, LoginRefusedError


@dataclass(frozen=True, slots=True)
class KeyField:
    """`unique` None: it exists, and who we are may not see whether it is unique."""

    exists: bool
    unique: bool | None


async def examine(frappe: Frappe, names: ErpNames) -> KeyField:
    """Whether Task has the field, and whether it is unique. Raises AccessError."""
    await patiently(lambda: frappe.rows(names.task, [], ["name"], limit=1))  # may we read at all?
    wanted = (names.idem, "is", "set")
    try:
        await patiently(lambda: frappe.rows(names.task, [wanted], ["name"], limit=1))
    except (FieldUnknownError, LoginRefusedError):
        # DataError from Frappe 15, PermissionError from 16, which lists unknown fields as nothing.
        return KeyField(exists=False, unique=False)
    try:
        found = await patiently(lambda: _custom(frappe, names))
    except LoginRefusedError:
        return KeyField(exists=True, unique=None)
    return KeyField(exists=True, unique=bool(found and found.get("unique")))


async def make(frappe: Frappe, names: ErpNames) -> None:
    """Make the field, or make it unique. Needs System Manager. Raises AccessError."""

    async def once() -> None:
        found = await _custom(frappe, names)
        if found is None:
            fields = {
                "dt": names.task,
                "fieldname": names.idem,
                "label": "CPE idempotency key",
                "fieldtype": "Data",
                "unique": 1,
                "read_only": 1,
                "no_copy": 1,
            }
            try:
                await frappe.insert("Custom Field", fields)
            except DuplicateError:
                found = await _custom(frappe, names)
        if found is not None and not found.get("unique"):
            doc = await frappe.read("Custom Field", str(found["name"]))
            if doc is not None:
                await frappe.update("Custom Field", str(doc["name"]), doc, {"unique": 1})

    await patiently(once)


async def _custom(frappe: Frappe, names: ErpNames) -> Doc | None:
    about = [("dt", "=", names.task), ("fieldname", "=", names.idem)]
    rows = await frappe.rows("Custom Field", about, ["name", "unique"], limit=1)
    return rows[0] if rows else None
