"""What `cpe doctor` asks ERPNext besides who we are: can swaps be written there, and only once?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cpe.access.erpnext import key_field
from cpe.access.erpnext.frappe import Doc, Frappe
from cpe.access.erpnext.names import ErpNames
from cpe.domain.errors import DeclinedError, FieldUnknownError, LoginRefusedError

State = Literal["ok", "warning", "wrong"]


@dataclass(frozen=True, slots=True)
class ErpCheck:
    """One line; `mend` is what to do, empty when nothing is."""

    system: str
    state: State
    detail: str
    mend: str = ""


async def equipment(frappe: Frappe, names: ErpNames) -> ErpCheck:
    """Whether the equipment's doctype has the fields that a swap reads and writes."""
    fields = ["name", "modified", names.serial, names.status, names.customer, names.kind]
    system = "erp equipment"
    try:
        rows: list[Doc] = await frappe.rows(names.equipment, [], fields, limit=1)
    except FieldUnknownError as error:
        mend = "set CPE_ERP_SERIAL_FIELD, …_STATUS_FIELD, …_CUSTOMER_FIELD, …_TYPE_FIELD"
        return ErpCheck(system, "wrong", error.message, mend)
    except LoginRefusedError as error:
        return ErpCheck(system, "wrong", error.message, _rights(names))
    except DeclinedError as error:
        return ErpCheck(system, "wrong", error.message, "set CPE_ERP_EQUIPMENT_DOCTYPE")
    detail = f"{names.equipment}: {', '.join(fields[2:])}"
    if not rows:
        return ErpCheck(system, "warning", f"{detail}; not one unit is there")
    return ErpCheck(system, "ok", detail)


async def comments(frappe: Frappe, names: ErpNames) -> ErpCheck:
    """Whether we may comment on a Task. Only System Manager and Website Manager may, on a fresh
    site; reminders and the end of a swap look for their comment before they write it."""
    system = "erp comments"
    try:
        await frappe.rows("Comment", [("reference_doctype", "=", names.task)], ["name"], limit=1)
    except LoginRefusedError as error:
        return ErpCheck(system, "wrong", error.message, _rights(names))
    return ErpCheck(system, "ok", "Comment: readable")


def _rights(names: ErpNames) -> str:
    made = f"read, write and create on {names.task} and Comment"
    return f"give the API user read and write on {names.equipment}; {made}"


async def idempotency(frappe: Frappe, names: ErpNames, *, fix: bool) -> ErpCheck:
    """Whether a Task can be made once: its key field exists and is unique. `fix` makes it so."""
    system, field = "erp key field", f"{names.task}.{names.idem}"
    found = await key_field.examine(frappe, names)
    if fix and (not found.exists or found.unique is False):
        try:
            await key_field.make(frappe, names)
        except LoginRefusedError as error:
            mend = f"have a System Manager run `cpe doctor --fix`, or make {field} (Data, unique)"
            return ErpCheck(system, "wrong", error.message, mend)
        found = await key_field.examine(frappe, names)
    if not found.exists:
        return ErpCheck(system, "wrong", f"{field} is missing", "run `cpe doctor --fix`")
    if found.unique is None:
        detail = f"{field} exists; whether it is unique may not be seen with this API user"
        return ErpCheck(system, "warning", detail, "check that the field is unique")
    if not found.unique:
        return ErpCheck(system, "wrong", f"{field} is not unique", "run `cpe doctor --fix`")
    return ErpCheck(system, "ok", f"{field}, unique")
