"""The experiment after a diagnostic swap: another box in the same place, and is the fault there?"""

from __future__ import annotations

from cpe.domain.finding import Status
from cpe.domain.memory import KeptDiagnosis
from cpe.domain.swap import OPEN, Outcome
from cpe.domain.swap_case import FollowUp, SwapCase, SwapFile
from cpe.domain.swap_compare import Says, compare
from cpe.domain.swap_plan import REMOVE_OLD
from flows.conduct import Step
from flows.swap_guard import diagnosed, diagnosis_id
from tasks import swap_book as book
from tasks.swap_clock import now


async def follow_up(swap_id: str, name: str, step: Step, run_id: str | None) -> FollowUp | None:
    """Diagnose the replacement and attach what it says; None when that was done already.

    Raises SwapNotFoundError, StoreError.
    """
    file = await book.load(swap_id)
    planned = next((one for one in file.follow_ups if one.name == name), None)
    if planned is None or planned.done_at is not None:
        return None
    done = await _done(file, planned, step, run_id)
    swaps = await book.book()
    return done if await swaps.followed_up(file.case.id, done) else None


async def _done(file: SwapFile, planned: FollowUp, step: Step, run_id: str | None) -> FollowUp:
    case = file.case
    if not _was_kept(case) or await _was_swapped_out(case):
        return _concluded(planned, None, Says.NOT_COMPARABLE.value, "not_installed", run_id)
    wanted = diagnosis_id(case.id, planned.name)
    kept = await diagnosed(wanted, case.new.serial, f"swap:{case.id}", step)
    verdict = kept.verdict.code.value if kept is not None else None
    in_place = now() - (case.installed_at or now())
    said = compare(case.diagnosis, verdict, _statuses(kept), in_place)
    return _concluded(planned, kept, said.says.value, said.why, run_id)


def _was_kept(case: SwapCase) -> bool:
    return case.state in OPEN or case.outcome in (Outcome.PASSED, Outcome.FAILED)


async def _was_swapped_out(case: SwapCase) -> bool:
    """Whether a later swap took the replacement away: it may inform from the bench by now."""
    later = await (await book.book()).found(serial=case.new.serial, since=case.installed_at)
    return any(
        file.did(REMOVE_OLD) and file.case.outcome is not Outcome.RETURNED
        for file in later
        if file.case.old.equipment == case.new.equipment
    )


def _statuses(kept: KeptDiagnosis | None) -> dict[str, Status]:
    return {} if kept is None else {f.rule: f.status for f in kept.findings}


def _concluded(
    planned: FollowUp, kept: KeptDiagnosis | None, says: str, why: str, run_id: str | None
) -> FollowUp:
    return FollowUp(
        name=planned.name,
        due_at=planned.due_at,
        done_at=now(),
        diagnosis_id=kept.id if kept is not None else None,
        verdict=kept.verdict.code.value if kept is not None else None,
        says=says,
        why=why,
        flow_run_id=run_id,
    )
