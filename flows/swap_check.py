"""Comparing what waiting swaps left in ERPNext, and with the ACS, with what is there now."""

from __future__ import annotations

import logging
from typing import Final

from cpe.answer.swap_page import at_site
from cpe.domain.errors import AccessError
from cpe.domain.snapshot import AcsSighting
from cpe.domain.swap import UNDER_TEST
from cpe.domain.swap_case import SwapCase, SwapFile
from cpe.domain.swap_reconcile import Difference, differences, moved_without_papers
from cpe.profiles.swap_wording import both, swap_wording
from cpe.settings import ErpSettings
from flows.conduct import Step
from tasks import swap_book as book
from tasks import swap_runs as runs
from tasks.acs import find_acs_device
from tasks.swap_alarm import read_left_behind, tell_seen

log: Final = logging.getLogger("cpe.swap")
SEEN: Final = "old-unit-seen"


async def reconcile(step: Step) -> dict[str, tuple[str, ...]]:
    """Swap → how ERPNext differs, for every swap that differs; kept with the swap.

    Raises AccessError when ERPNext cannot be asked, StoreError.
    """
    swaps = await book.book()
    waiting = await swaps.found(states=UNDER_TEST)
    said: dict[str, tuple[str, ...]] = {}
    if not waiting:
        return said
    cases = [file.case for file in waiting]
    statuses, tasks = await step(read_left_behind, "swaps", cases)
    for known in cases:
        case = (await book.load(known.id)).case  # answered meanwhile, it differs by itself
        task = tasks.get(case.task.name) if case.task is not None else None
        found = tuple(_in_words(one) for one in differences(case, statuses, task))
        if found:
            said[case.id] = found
        if found != case.differences:
            await book.edited(case.id, lambda c, f=found: _differing(c, f))
            _emit(case, found)
    return said


def _differing(case: SwapCase, found: tuple[str, ...]) -> SwapCase:
    return case.but(differences=found) if case.state in UNDER_TEST else case


async def look_for_removed_units(step: Step) -> list[str]:
    """Swaps whose removed unit informs from somewhere; each is told once."""
    swaps = await book.book()
    said: list[str] = []
    for file in await swaps.found(states=UNDER_TEST):
        if file.did(SEEN):
            continue
        try:
            sighting: AcsSighting | None = await step(find_acs_device, file.case.old.serial)
        except (AccessError, TimeoutError) as error:
            log.warning("the ACS could not be asked for removed units: %s", error)
            return said
        last = sighting.last_inform if sighting is not None else None
        if sighting is not None and moved_without_papers(file.case, last):
            await _tell(file, sighting, step)
            said.append(file.case.id)
    return said


async def _tell(file: SwapFile, sighting: AcsSighting, step: Step) -> None:
    case, ip = file.case, sighting.device.ip or "?"
    at = at_site(sighting.last_inform or sighting.asked_at, ErpSettings().time_zone)
    text = both(swap_wording().texts["seen"].fill(serial=case.old.serial, at=at, ip=ip))
    log.warning("swap %s: %s", case.id, text)
    await step(tell_seen, SEEN, case, text, {"last_inform": at, "ip": ip})


def _in_words(one: Difference) -> str:
    words = swap_wording().texts
    found = words["gone"].fill() if one.found is None else one.found
    return both(words["differs"].fill(what=one.what, expected=one.expected, found=found))


def _emit(case: SwapCase, found: tuple[str, ...]) -> None:
    for text in found:
        log.warning("swap %s: %s", case.id, text)
    what = "differs" if found else "agrees"
    runs.emit(what, case.id, case.flow_run_id, {"differences": list(found)})
