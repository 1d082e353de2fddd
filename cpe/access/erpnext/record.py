"""One document under the optimistic lock: read, changed, read back and compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cpe.access.erpnext.frappe import SYSTEM, Doc, Frappe
from cpe.access.erpnext.text import same
from cpe.domain.errors import DeclinedError, StaleWriteError, UnexpectedAnswerError

STALE_TRIES: Final = 5
"""How often somebody else may write between our read and our write before we give up."""


async def must_read(frappe: Frappe, doctype: str, name: str) -> Doc:
    """The document. Raises DeclinedError when it is gone."""
    doc = await frappe.read(doctype, name)
    if doc is None:
        raise DeclinedError(f"{name} is gone from ERPNext", system=SYSTEM, target=frappe.target)
    return doc


def is_so(doc: Doc, wanted: Mapping[str, object]) -> bool:
    """Whether nothing is left to write."""
    return all(same(doc.get(field), value) for field, value in wanted.items())


def compare(frappe: Frappe, doc: Doc, wanted: Mapping[str, object]) -> None:
    """Raises UnexpectedAnswerError when what was written reads back otherwise."""
    wrong = sorted(field for field, value in wanted.items() if not same(doc.get(field), value))
    if wrong:
        raise UnexpectedAnswerError(
            f"{doc.get('name')}: written, but read back otherwise: {', '.join(wrong)}",
            system=SYSTEM,
            target=frappe.target,
        )


async def put(frappe: Frappe, doctype: str, read: Doc, wanted: Mapping[str, object]) -> Doc:
    """Write on what was read, and read back. Raises StaleWriteError when somebody was faster."""
    name = str(read["name"])
    await frappe.update(doctype, name, read, wanted)
    after = await must_read(frappe, doctype, name)
    compare(frappe, after, wanted)
    return after


def never_still(frappe: Frappe, name: str) -> StaleWriteError:
    """Every try was stale."""
    return StaleWriteError(
        f"{name} is being written to without end", system=SYSTEM, target=frappe.target
    )
