"""Telling ERPNext's people that a test is due or late."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from prefect import task

from cpe.domain.swap_case import SwapCase
from cpe.domain.swap_timer import Alarm
from cpe.profiles.swap_wording import both, swap_wording
from tasks import clients
from tasks.policy import ONCE
from tasks.swap_clock import now

REMINDED: Final = "High"
LATE: Final = "Urgent"


@task(name="erp: tell people", task_run_name="erp: {label}", timeout_seconds=120, **ONCE)
async def tell_people(label: str, case: SwapCase, alarm: Alarm) -> str:
    """Raise the Task's priority and comment on it, each once; the priority it has then.

    A Task that was ended or deleted by hand is left alone: the swap itself still waits. Raises
    AccessError, StoreError.
    """
    del label
    book, erp = (await clients.store()).swaps(), clients.erp()
    words = swap_wording().texts["escalation" if alarm.is_escalation else "reminder"]
    name = case.task.name if case.task is not None else ""
    doc = await erp.work.read_task(name) if name else None
    before = {"task": name or None, "priority": doc.get("priority") if doc else None}
    await book.intend(case.id, alarm.name, actor="cpe", at=now(), before=before)
    priority = LATE if alarm.is_escalation else REMINDED
    if doc is None:
        return priority
    if doc.get("priority") == LATE:
        priority = LATE  # set by hand: raised, never lowered
    due = erp.work.site_date(case.deadline) if case.deadline is not None else None
    text = words.fill(serial=case.old.serial, due=due.isoformat() if due else "–")
    await erp.work.comment(name, f"{case.id}/{alarm.name}", both(text))
    done = await erp.work.change_task(name, {"priority": priority}, unless_ended=True)
    return str(done.after.get("priority") or priority)


@task(name="erp: read what swaps left", task_run_name="erp: read {label}", **ONCE)
async def read_left_behind(
    label: str, cases: Sequence[SwapCase]
) -> tuple[dict[str, str], dict[str, str]]:
    """(equipment → status, Task → status) of what these swaps left in ERPNext; what is gone is
    missing. Raises AccessError."""
    del label
    erp = clients.erp()
    units = [unit.equipment for case in cases for unit in (case.old, case.new)]
    statuses = await erp.equipment.statuses(units)
    tasks = await erp.work.statuses(case.task.name for case in cases if case.task is not None)
    return statuses, tasks


@task(name="erp: tell of a unit", task_run_name="erp: {label}", timeout_seconds=120, **ONCE)
async def tell_seen(label: str, case: SwapCase, text: str, seen: dict[str, object]) -> None:
    """A removed unit informs from somewhere: a comment on the Task, once; recorded as step `label`.

    Raises AccessError, StoreError.
    """
    book, erp = (await clients.store()).swaps(), clients.erp()
    await book.intend(case.id, label, actor="cpe", at=now(), before={})
    if case.task is not None and await erp.work.read_task(case.task.name) is not None:
        await erp.work.comment(case.task.name, f"{case.id}/{label}", text)
    await book.finish(case.id, label, at=now(), after=seen, changed=True)
