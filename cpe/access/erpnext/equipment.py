"""Equipment in ERPNext: found by serial, moved under the optimistic lock, read back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cpe.access.erpnext.frappe import SYSTEM, Doc, Filter, Frappe
from cpe.access.erpnext.names import ErpNames
from cpe.access.erpnext.patience import patiently, statuses
from cpe.access.erpnext.record import STALE_TRIES, is_so, must_read, never_still, put
from cpe.domain.errors import BusyError, DeclinedError, StaleWriteError
from cpe.domain.serials import spellings
from cpe.domain.swap_case import UnitRef


@dataclass(frozen=True, slots=True)
class Moved:
    """A unit after its move. `before` and `after` hold status and customer; `changed` False: it
    was so already."""

    before: dict[str, object]
    after: dict[str, object]
    changed: bool


@dataclass(frozen=True, slots=True)
class UnitMove:
    """From one status to the next. `sets_customer`: `customer` is written with it on a unit that
    has none, or cleared when it is None. `customers` are those that the unit may belong to when it
    has been moved already, and before when it is `contested`."""

    was: str
    becomes: str
    sets_customer: bool = False
    customer: str | None = None
    customers: tuple[str, ...] = ()
    contested: bool = False

    def hindrance(self, name: str, status: str, holder: str | None) -> str:
        """Why the unit is not where the move starts from; empty when it is."""
        if status != self.was:
            return f"{name} est · is « {status} », pas · not « {self.was} »"
        if self.contested and self.is_others(holder):
            return f"{name} est gardée pour · is kept for {holder}"
        return ""

    def is_others(self, holder: str | None) -> bool:
        """Whether it belongs to a customer who has nothing to do with the move."""
        return holder not in (None, *self.customers)


class OtherStatusError(DeclinedError):
    """The unit has a status that the move does not start from; it was left alone."""

    def __init__(self, message: str, *, system: str, target: str = "", status: str = "") -> None:
        super().__init__(message, system=system, target=target)
        self.status = status

    def __reduce__(self) -> tuple[object, ...]:
        return (_other_status, (self.message, self.system, self.target, self.status))


def _other_status(message: str, system: str, target: str, status: str) -> OtherStatusError:
    return OtherStatusError(message, system=system, target=target, status=status)


class Equipment:
    """The equipment of one site."""

    def __init__(self, frappe: Frappe, names: ErpNames) -> None:
        self._frappe, self._names = frappe, names

    async def find(self, serials: Iterable[str]) -> list[UnitRef]:
        """The units that carry one of these serials, in any notation and case: PostgreSQL tells
        cases apart, MariaDB does not. More than one means that nobody knows which is meant."""
        wanted = list(dict.fromkeys(s for serial in serials for s in spellings(serial)))
        rows = await self._rows((self._names.serial, "in", wanted))
        if not rows:
            # Frappe's `like` disregards case on both; % and _ are wildcards, so look again.
            folded = dict.fromkeys(serial.casefold() for serial in wanted)
            for serial in folded:
                rows += await self._rows((self._names.serial, "like", serial))
            rows = [r for r in rows if str(r.get(self._names.serial)).casefold() in folded]
        return list({str(row.get("name")): self._unit(row) for row in rows}.values())

    async def read(self, name: str) -> UnitRef | None:
        """The unit as it is now."""
        doc = await patiently(lambda: self._frappe.read(self._names.equipment, name))
        return None if doc is None else self._unit(doc)

    async def move(self, name: str, move: UnitMove, *, may_be_there: bool) -> Moved:
        """Bring the unit from one status to another.

        `may_be_there`: a unit that has the next status already is taken as moved, for an earlier
        try may have done it; without it somebody else has taken the unit. Raises OtherStatusError
        when it stands anywhere else, AccessError.
        """
        unsure = may_be_there

        async def once() -> Moved:
            nonlocal unsure
            for _ in range(STALE_TRIES):
                doc = await must_read(self._frappe, self._names.equipment, name)
                wanted = self._wanted(doc, move)
                if self._is_there(doc, wanted, move, unsure=unsure):
                    return Moved(self._fields(doc), self._fields(doc), changed=False)
                try:
                    after = await put(self._frappe, self._names.equipment, doc, wanted)
                except StaleWriteError:
                    continue  # somebody wrote meanwhile: look again what it is now
                except BusyError:
                    unsure = True  # a proxy's 502 may hide a write that was done
                    raise
                return Moved(self._fields(doc), self._fields(after), changed=True)
            raise never_still(self._frappe, name)

        return await patiently(once)

    def _is_there(
        self, doc: Doc, wanted: dict[str, object], move: UnitMove, *, unsure: bool
    ) -> bool:
        """Whether nothing is left to write. Raises OtherStatusError when nothing may be."""
        unit = self._unit(doc)
        why = move.hindrance(unit.equipment, unit.status, unit.customer)
        if not why:
            return False
        ours = self._names.customer not in wanted or not move.is_others(unit.customer)
        if unsure and ours and unit.status == move.becomes:
            return is_so(doc, wanted)
        raise OtherStatusError(why, system=SYSTEM, target=self._frappe.target, status=unit.status)

    def _wanted(self, doc: Doc, move: UnitMove) -> dict[str, object]:
        """The fields to write. A customer that is there stays: it may have been renamed since."""
        wanted: dict[str, object] = {self._names.status: move.becomes}
        if move.sets_customer and self._names.move_customer:
            holder = doc.get(self._names.customer) or None
            wanted[self._names.customer] = move.customer and (holder or move.customer)
        return wanted

    async def statuses(self, names: Iterable[str]) -> dict[str, str]:
        """Name → status of these units; one that is gone is missing."""
        return await statuses(self._frappe, self._names.equipment, self._names.status, names)

    async def _rows(self, one: Filter) -> list[Doc]:
        n = self._names
        fields = ["name", "modified", n.serial, n.status, n.customer, n.kind]
        return await patiently(lambda: self._frappe.rows(n.equipment, [one], fields))

    def _fields(self, doc: Doc) -> dict[str, object]:
        return {
            "status": doc.get(self._names.status),
            "customer": doc.get(self._names.customer) or None,
        }

    def _unit(self, doc: Doc) -> UnitRef:
        n = self._names
        return UnitRef(
            serial=str(doc.get(n.serial) or ""),
            equipment=str(doc["name"]),
            status=str(doc.get(n.status) or ""),
            customer=str(doc[n.customer]) if doc.get(n.customer) else None,
            equipment_type=str(doc[n.kind]) if doc.get(n.kind) else None,
        )
