"""Every piece of equipment ERPNext knows, as columns: serial, status, customer. Read only."""

from __future__ import annotations

from typing import Any, Final

from cpe.access.erpnext.frappe import Frappe
from cpe.access.erpnext.names import ErpNames

PAGE: Final = 2_000
COLUMNS: Final = ("equipment", "serial", "status", "customer")


async def every_unit(frappe: Frappe, names: ErpNames, *, page: int = PAGE) -> dict[str, list[Any]]:
    """All units in the order of their names; what is empty is None.

    Raises AccessError; a page that cannot be read is an error, never the end of the list.
    """
    fields = ("name", names.serial, names.status, names.customer)
    rows = await frappe.every_row(names.equipment, (), fields, page=page)
    return {
        column: [None if row.get(field) in (None, "") else str(row[field]) for row in rows]
        for column, field in zip(COLUMNS, fields, strict=True)
    }
