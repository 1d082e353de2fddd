"""The effects of a swap: each a guarded conversation with ERPNext, written down before and after.

A step that is recorded as done is never done again, whatever became of the code that did it: the
record is ours and keyed `swap/step`, not Prefect's cache, which a changed comment empties.
"""

from __future__ import annotations

from datetime import datetime

from prefect import task

from cpe.access.erpnext.equipment import Equipment, OtherStatusError, UnitMove
from cpe.domain.errors import DeclinedError
from cpe.domain.serials import gpon_serial, gpon_spellings
from cpe.domain.swap import Unit
from cpe.domain.swap_case import StepRecord, SwapCase, UnitRef
from cpe.domain.swap_plan import INSTALL_NEW, CloseTask, Effect, MoveUnit, OpenTask
from cpe.profiles.swap_wording import both, swap_wording
from cpe.store.swaps import Swaps
from tasks import clients
from tasks.policy import ONCE
from tasks.swap_clock import now

OPENING_PRIORITY = "Medium"


@task(name="swap: effect", task_run_name="swap: {label}", timeout_seconds=120, **ONCE)
async def do_effect(label: str, case: SwapCase, effect: Effect, actor: str) -> StepRecord:
    """Do it, or finish what an earlier try began. `label` names the task run.

    Raises OtherStatusError when a unit is not where the transition starts from, AccessError,
    StoreError.
    """
    del label
    book = (await clients.store()).swaps()
    match effect:
        case MoveUnit():
            return await _move(book, case, effect, actor)
        case OpenTask():
            return await _open_task(book, case, effect.step, actor)
        case CloseTask():
            return await _close_task(book, case, effect.step, actor)


async def _move(book: Swaps, case: SwapCase, effect: MoveUnit, actor: str) -> StepRecord:
    equipment = clients.erp().equipment
    known = case.old if effect.unit is Unit.OLD else case.new
    begun = await _begun(book, case.id, effect.step)
    if begun is not None and begun.at is not None:
        return begun
    # Only the new unit is contested: the old one may have been moved by hand, which is welcome.
    may_be_there = begun is not None or effect.step != INSTALL_NEW
    move = unit_move(case, effect)
    unit = await _found_again(equipment, known)
    if begun is None:
        why = move.hindrance(unit.equipment, unit.status, unit.customer)
        if why and not (may_be_there and unit.status == effect.becomes):
            raise OtherStatusError(why, system="erp", status=unit.status)  # nothing is intended
        before = {"status": unit.status, "customer": unit.customer}
        begun = await book.intend(case.id, effect.step, actor=actor, at=now(), before=before)
    moved = await equipment.move(unit.equipment, move, may_be_there=may_be_there)
    changed = begun.before != moved.after
    await book.finish(case.id, effect.step, at=now(), after=moved.after, changed=changed)
    return await _finished(book, case.id, effect.step)


async def _found_again(equipment: Equipment, known: UnitRef) -> UnitRef:
    """The unit as it is now; its record may have been renamed since the swap was opened."""
    if (unit := await equipment.read(known.equipment)) is not None:
        return unit
    found = await equipment.find([known.serial])
    if len(found) != 1:
        raise DeclinedError(f"{known.equipment} is gone from ERPNext", system="erp")
    return found[0]


def unit_move(case: SwapCase, effect: MoveUnit) -> UnitMove:
    """The effect in ERPNext's terms."""
    holders = {case.customer, case.old.customer, case.new.customer}
    sets = effect.customer == "clear" or (effect.customer == "set" and case.customer is not None)
    return UnitMove(
        was=effect.was.value,
        becomes=effect.becomes.value,
        sets_customer=sets,
        customer=case.customer if effect.customer == "set" else None,
        customers=tuple(sorted(holder for holder in holders if holder)),
        contested=effect.step == INSTALL_NEW,
    )


async def _open_task(book: Swaps, case: SwapCase, step: str, actor: str) -> StepRecord:
    work, words = clients.erp().work, swap_wording().texts
    begun = await book.intend(case.id, step, actor=actor, at=now(), before={})
    if begun.at is not None:
        return begun
    due = work.site_date(_deadline(case))
    verdict = case.diagnosis.verdict if case.diagnosis is not None else "–"
    lines = [
        both(
            words["task_body"].fill(
                old=case.old.serial,
                new=case.new.serial,
                customer=case.customer or "–",
                verdict=verdict,
                due=due.isoformat(),
                by=case.requested_by,
            )
        )
    ]
    if case.reason:
        lines.append(both(words["task_complaint"].fill(text=case.reason)))
    if case.run_url:
        lines.append(both(words["task_where"].fill(url=case.run_url)))
    made = await work.open_task(
        f"{case.id}/{step}",
        subject=words["task_subject"].fill(serial=case.old.serial).fr,
        description="\n".join(lines),
        due=due,
        priority=OPENING_PRIORITY,
    )
    after = {"task": made.name, "due": due.isoformat(), "priority": OPENING_PRIORITY}
    await book.finish(case.id, step, at=now(), after=after, changed=True)
    return await _finished(book, case.id, step)


async def _close_task(book: Swaps, case: SwapCase, step: str, actor: str) -> StepRecord:
    work, words = clients.erp().work, swap_wording()
    begun = await _begun(book, case.id, step)
    if begun is not None and begun.at is not None:
        return begun
    name = case.task.name if case.task is not None else ""
    task = await work.read_task(name) if name else None
    if begun is None:
        before = {"task": name or None, "status": task.get("status") if task else None}
        begun = await book.intend(case.id, step, actor=actor, at=now(), before=before)
    after: dict[str, object] = {"task": name or None, "status": None}
    if task is not None and case.answer is not None:
        said = words.texts["task_result"].fill(
            result=words.results[case.answer.result.value].fill(),
            by=case.answer.by,
            remarks=case.answer.remarks,
        )
        await work.comment(name, f"{case.id}/{step}", both(said))
        done = await work.complete_task(name, work.site_date(case.answer.at))
        after["status"] = done.after.get("status")
    changed = begun.before.get("status") != after["status"]
    await book.finish(case.id, step, at=now(), after=after, changed=changed)
    return await _finished(book, case.id, step)


async def _begun(book: Swaps, swap_id: str, step: str) -> StepRecord | None:
    file = await book.load(swap_id)
    return file.step(step) if file is not None else None


async def _finished(book: Swaps, swap_id: str, step: str) -> StepRecord:
    found = await _begun(book, swap_id, step)
    if found is None:
        raise DeclinedError(f"swap {swap_id} has no step {step}", system="store")
    return found


def _deadline(case: SwapCase) -> datetime:
    if case.deadline is None:
        raise ValueError(f"swap {case.id} has no deadline")
    return case.deadline


@task(name="erp: find unit", task_run_name="erp: find {serial}", timeout_seconds=60, **ONCE)
async def find_units(serial: str) -> list[UnitRef]:
    """The equipment of a serial, else by all the names we know of the box: a bar code may hold
    the GPON serial in hex, ERPNext what is printed beside. Raises AccessError, StoreError."""
    identity = await (await clients.store()).identity(serial)
    equipment = clients.erp().equipment
    if exact := await equipment.find([serial]):
        return exact
    known: list[str | None] = [serial]
    if identity is not None:
        known += [identity.tr069_serial, identity.gpon_serial, identity.mac]
    names = [name for name in known if name]
    labels = [canonical for name in names if (canonical := gpon_serial(name))]
    names += [spelt for canonical in labels for spelt in gpon_spellings(canonical)]
    others = list(dict.fromkeys(names))[1:]
    return await equipment.find(others) if others else []
