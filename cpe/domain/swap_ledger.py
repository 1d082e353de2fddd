"""The no-fault-found ledger: what swaps cost that were not needed, and which rule was right. Pure.

A test that found nothing (`passed`), and a unit that went back to the customer (`returned`), are
no-fault-found; `failed` confirms the fault. A replacement for good is never tested: it counts as
untested, not as right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cpe.domain.swap import ENDED, Outcome, SwapState
from cpe.domain.swap_case import SwapFile

NO_DIAGNOSIS: Final = "none"
OPEN: Final = "open"
UNKNOWN: Final = "?"
_FOUND: Final = (Outcome.PASSED, Outcome.FAILED, Outcome.RETURNED)
_NOTHING: Final = (Outcome.PASSED, Outcome.RETURNED)


@dataclass(frozen=True, slots=True)
class Tally:
    """Swaps of one model, firmware, technician or rule. `rate` is None while none was tested."""

    name: str
    swaps: int
    tested: int
    no_fault: int
    faulty: int

    @property
    def rate(self) -> float | None:
        """No-fault-found among the tested, 0 to 1."""
        return self.no_fault / self.tested if self.tested else None


@dataclass(frozen=True, slots=True)
class Overdue:
    """A unit whose test is late."""

    swap_id: str
    serial: str
    customer: str | None
    since: datetime
    days: float


@dataclass(frozen=True, slots=True)
class Override:
    """A swap that a named person let through."""

    swap_id: str
    by: str
    reason: str
    verdict: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """`by_verdict[verdict][outcome]` counts swaps; open ones count as `open`. Days are of those
    diagnostic swaps whose test is over (`tested`) or not (`waiting`)."""

    swaps: int
    by_verdict: dict[str, dict[str, int]]
    total: Tally
    by_model: tuple[Tally, ...]
    by_firmware: tuple[Tally, ...]
    by_technician: tuple[Tally, ...]
    by_rule: tuple[Tally, ...]
    overrides: tuple[Override, ...]
    refused: int
    tested_days_median: float | None
    waiting_days_median: float | None
    overdue: tuple[Overdue, ...]
    follow_ups: dict[str, int]


def ledger(files: Iterable[SwapFile], now: datetime) -> Ledger:
    """Count everything."""
    known = list(files)
    carried_out = [f for f in known if f.case.outcome is not Outcome.REFUSED]
    by_verdict: dict[str, Counter[str]] = {}
    for file in known:
        by_verdict.setdefault(_verdict(file), Counter())[_outcome(file)] += 1
    return Ledger(
        swaps=len(known),
        by_verdict={v: dict(sorted(by_verdict[v].items())) for v in sorted(by_verdict)},
        total=_tally("total", carried_out),
        by_model=_tallies(carried_out, _model),
        by_firmware=_tallies(carried_out, _firmware),
        by_technician=_tallies(carried_out, lambda f: (f.case.requested_by,)),
        by_rule=_tallies(carried_out, _rules),
        overrides=tuple(_overrides(known)),
        refused=len(known) - len(carried_out),
        tested_days_median=_median(_waited(known, now, ended=True)),
        waiting_days_median=_median(_waited(known, now, ended=False)),
        overdue=_late(known, now),
        follow_ups=dict(
            sorted(Counter(u.says for f in known for u in f.follow_ups if u.says).items())
        ),
    )


def _verdict(file: SwapFile) -> str:
    return file.case.diagnosis.verdict if file.case.diagnosis is not None else NO_DIAGNOSIS


def _outcome(file: SwapFile) -> str:
    return file.case.outcome.value if file.case.outcome is not None else OPEN


def _model(file: SwapFile) -> tuple[str, ...]:
    found = file.case.diagnosis.model if file.case.diagnosis is not None else None
    return (found or UNKNOWN,)


def _firmware(file: SwapFile) -> tuple[str, ...]:
    found = file.case.diagnosis
    if found is None or found.firmware is None:
        return (UNKNOWN,)
    return (f"{found.model or UNKNOWN} {found.firmware}",)


def _rules(file: SwapFile) -> tuple[str, ...]:
    return file.case.diagnosis.rules if file.case.diagnosis is not None else ()


def _tallies(
    files: list[SwapFile], names: Callable[[SwapFile], tuple[str, ...]]
) -> tuple[Tally, ...]:
    """The worst rate first, then the most swaps; what was never tested comes last."""
    groups: dict[str, list[SwapFile]] = {}
    for file in files:
        for name in names(file):
            groups.setdefault(name, []).append(file)
    found = [_tally(name, members) for name, members in groups.items()]
    return tuple(sorted(found, key=lambda t: (-(t.rate or 0.0), -t.swaps, t.name)))


def _tally(name: str, files: list[SwapFile]) -> Tally:
    outcomes = Counter(file.case.outcome for file in files)
    return Tally(
        name=name,
        swaps=len(files),
        tested=sum(outcomes[outcome] for outcome in _FOUND),
        no_fault=sum(outcomes[outcome] for outcome in _NOTHING),
        faulty=outcomes[Outcome.FAILED],
    )


def _overrides(files: list[SwapFile]) -> Iterable[Override]:
    for file in files:
        said = file.case.override
        if said is not None and said.granted:
            yield Override(file.case.id, said.by, said.reason, _verdict(file), _outcome(file))


def _waited(files: list[SwapFile], now: datetime, *, ended: bool) -> list[float]:
    days: list[float] = []
    for file in files:
        case = file.case
        if case.installed_at is None or case.outcome is Outcome.REPLACED:
            continue
        if (case.state in ENDED) is ended:
            days.append(_days(case.installed_at, case.closed_at or now))
    return days


def _late(files: list[SwapFile], now: datetime) -> tuple[Overdue, ...]:
    waiting = (SwapState.AWAITING_TEST, SwapState.OVERDUE)
    late = [
        Overdue(c.id, c.old.serial, c.customer, c.deadline, _days(c.deadline, now))
        for c in (file.case for file in files)
        if c.state in waiting and c.deadline is not None and c.deadline < now
    ]
    return tuple(sorted(late, key=lambda one: one.since))


def _days(start: datetime, end: datetime) -> float:
    return round((end - start).total_seconds() / 86_400, 2)


def _median(numbers: list[float]) -> float | None:
    if not numbers:
        return None
    ordered, half = sorted(numbers), len(numbers) // 2
    if len(ordered) % 2:
        return ordered[half]
    return round((ordered[half - 1] + ordered[half]) / 2, 2)
