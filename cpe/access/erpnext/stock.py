"""Every CPE that ERPNext knows, as columns: serial, status, customer. Read only."""

from __future__ import annotations

import logging
from typing import Any, Final

from cpe.access.erpnext.frappe import Frappe
from cpe.access.erpnext.names import ErpNames
from cpe.domain.errors import AccessError

log = logging.getLogger("cpe.sweep")
PAGE: Final = 2_000
ELSEWHERE: Final = ("TV Box", "IP Phone")
"""Kinds behind a CPE: neither an ACS of CPEs nor an OLT shows one, so none is missed."""
COLUMNS: Final = ("equipment", "serial", "status", "customer")


async def every_unit(frappe: Frappe, names: ErpNames, *, page: int = PAGE) -> dict[str, list[Any]]:
    """All units that may be seen, in the order of their names; what is empty is None.

    Raises AccessError; a page that cannot be read is an error, never the end of the list.
    """
    fields = ("name", names.serial, names.status, names.customer)
    rows = await frappe.every_row(names.equipment, (), fields, page=page)
    others = await _elsewhere(frappe, names, page)
    rows = [row for row in rows if row["name"] not in others]
    return {
        column: [None if row.get(field) in (None, "") else str(row[field]) for row in rows]
        for column, field in zip(COLUMNS, fields, strict=True)
    }


async def _elsewhere(frappe: Frappe, names: ErpNames, page: int) -> set[str]:
    """The names of units that no sweep can see; none where the doctype does not tell kinds."""
    wanted = ((names.kind, "in", list(ELSEWHERE)),)
    try:
        rows = await frappe.every_row(names.equipment, wanted, ("name",), page=page)
    except AccessError as error:
        log.info("erp: the kinds of the equipment were not read: %s", error.message)
        return set()
    return {str(row["name"]) for row in rows}
