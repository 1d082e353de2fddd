"""At the door: both units looked up in ERPNext, and refused before anything is written."""

from __future__ import annotations

from cpe.domain.errors import AccessError, NotSupportedError, StoreError
from cpe.domain.swap import UNDER_TEST, Kind, Outcome, SwapState, Unit, UnitStatus, expected
from cpe.domain.swap_case import SwapCase, SwapFile, UnitRef
from cpe.domain.swap_errors import SwapRefusedError, SwapUnavailableError
from cpe.profiles.swap_wording import both, swap_wording
from flows.conduct import Step
from flows.swap_request import SwapRequest
from tasks import swap_book as book
from tasks.swap_clock import now
from tasks.swap_effects import find_units

OPENED = "opened"
ANSWERED = (*UNDER_TEST, SwapState.CONCLUDING)
"""A return ends such a swap, or hears who was first."""


async def opened(
    request: SwapRequest, swap_id: str, step: Step, *, run_id: str | None, run_url: str | None
) -> SwapFile:
    """The swap of that id, opened now when it is not yet.

    Raises SwapRefusedError, and SwapUnavailableError when a system could not be asked; nothing is
    written then.
    """
    swaps = await reachable_book()
    if (known := await swaps.load(swap_id)) is not None:
        return known
    old, new = await _both_units(request, step)
    await _hold_no_other(old, new)
    _check_statuses(request.kind, old, new)
    _check_customers(request, old, new)
    at = now()
    case = SwapCase(
        id=swap_id,
        kind=request.kind,
        state=SwapState.REQUESTED,
        old=old,
        new=new,
        customer=old.customer,
        requested_by=request.requested_by,
        opened_at=at,
        updated_at=at,
        reason=request.reason,
        named_diagnosis=request.diagnosis_id,
        flow_run_id=run_id,
        run_url=run_url,
        runs=1 if run_id else 0,
    )
    _, holder = await swaps.open(case, OPENED, request.requested_by)
    if holder is not None:
        raise refused("unit_in_swap", swap=holder)
    return await book.load(swap_id)


async def to_be_returned(request: SwapRequest, step: Step) -> SwapFile:
    """The diagnostic swap that this `retour_de_diagnostic` ends, or ended when it is asked for
    again. Raises as `opened` does."""
    swaps = await reachable_book()
    old, new = await _both_units(request, step)
    for file in await swaps.found(states=ANSWERED, equipment=old.equipment):
        if _is_of(file.case, old, new):
            _check_customers(request, old, new)
            return file
    for file in await swaps.found(serial=old.serial, limit=1):
        if _is_of(file.case, old, new) and _was_returned_by(file.case, request.requested_by):
            return file  # asked for again: the answer to the first time was not heard
    raise refused("no_diagnostic_swap", old=old.serial, new=new.serial)


def _is_of(case: SwapCase, old: UnitRef, new: UnitRef) -> bool:
    return (case.old.equipment, case.new.equipment) == (old.equipment, new.equipment)


def _was_returned_by(case: SwapCase, by: str) -> bool:
    said = case.answer
    return case.outcome is Outcome.RETURNED and said is not None and said.by == by


async def reachable_book() -> book.Swaps:
    """Our swaps. Raises SwapUnavailableError."""
    try:
        return await book.book()
    except StoreError as error:
        raise unavailable(str(error)) from error


def refused(reason: str, *, accepted: tuple[str, ...] = (), **details: object) -> SwapRefusedError:
    """The refusal of that code, in both languages."""
    message = both(swap_wording().refusals[reason].fill(**details))
    return SwapRefusedError(message, reason=reason, accepted=accepted)


def unavailable(detail: str) -> SwapUnavailableError:
    """A system that had to be asked did not answer."""
    return SwapUnavailableError(both(swap_wording().texts["unavailable"].fill(detail=detail)))


async def _both_units(request: SwapRequest, step: Step) -> tuple[UnitRef, UnitRef]:
    if request.old_serial.casefold() == request.new_serial.casefold():
        raise refused("same_unit", serial=request.old_serial)
    old = await _unit(request.old_serial, step)
    new = await _unit(request.new_serial, step)
    if old.equipment == new.equipment:
        raise refused("same_unit", serial=old.serial)
    return old, new


async def _unit(serial: str, step: Step) -> UnitRef:
    try:
        found: list[UnitRef] = await step(find_units, serial)
    except NotSupportedError as error:
        raise refused("not_configured", detail=error.message) from error
    except (AccessError, StoreError, TimeoutError) as error:
        raise unavailable(str(error) or "ERPNext") from error
    if not found:
        raise refused("unknown_serial", serial=serial)
    exact = [unit for unit in found if unit.serial == serial]
    if len(found) > 1 and len(exact) != 1:
        names = ", ".join(sorted(unit.equipment for unit in found))
        raise refused("ambiguous_serial", serial=serial, names=names)
    return exact[0] if exact else found[0]


async def _hold_no_other(old: UnitRef, new: UnitRef) -> None:
    swaps = await book.book()
    for unit in (old, new):
        for file in await swaps.found(equipment=unit.equipment, limit=1):
            raise refused("unit_in_swap", swap=file.case.id)


def _check_statuses(kind: Kind, old: UnitRef, new: UnitRef) -> None:
    wanted = expected(kind, Unit.OLD).value
    if old.status != wanted:
        raise refused(
            "wrong_status",
            serial=old.serial,
            status=old.status,
            expected=wanted,
            accepted=(wanted,),
        )
    stock = UnitStatus.IN_STOCK.value
    if new.status != stock:
        raise refused(
            "not_in_stock",
            serial=new.serial,
            status=new.status,
            expected=stock,
            accepted=(stock,),
        )


def _check_customers(request: SwapRequest, old: UnitRef, new: UnitRef) -> None:
    if request.customer and request.customer != old.customer:
        holder = old.customer or "–"
        raise refused("other_customer", serial=old.serial, holder=holder, customer=request.customer)
    if new.customer not in (None, old.customer):
        raise refused(
            "other_customer",
            serial=new.serial,
            holder=new.customer,
            customer=old.customer or "–",
        )
