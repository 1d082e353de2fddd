"""One swap as it is kept: who, what, why, how far, and how it ended. Pure data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from cpe.domain.swap import Kind, Outcome, SwapState


class BenchResult(StrEnum):
    """What the warehouse answers."""

    PASSED = "passed"
    FAILED = "failed"
    RETURNED = "returned"
    NOT_TESTED = "not_tested"


class Permission(StrEnum):
    """What the guard made of the diagnosis."""

    ALLOWED = "allowed"
    DIAGNOSTIC = "diagnostic"
    BLOCKED = "blocked"
    NONE = "none"
    """There is no diagnosis; that counts as such."""


@dataclass(frozen=True, slots=True)
class UnitRef:
    """A unit as ERPNext knew it when the swap was opened."""

    serial: str
    equipment: str
    """The document's name."""
    status: str
    customer: str | None = None
    equipment_type: str | None = None


@dataclass(frozen=True, slots=True)
class DiagnosisRef:
    """The diagnosis that led to the swap, as far as the ledger needs it."""

    id: str
    verdict: str
    swap: str
    rules: tuple[str, ...] = ()
    model: str | None = None
    firmware: str | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Guarded:
    """What the guard said. `named` tells what became of the diagnosis that was named:
    `used stale other_serial not_found none`."""

    permission: Permission
    passed: bool
    named: str
    at: datetime
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Override:
    """A named person lets a blocked swap through, or gives it up (`granted` False)."""

    by: str
    reason: str
    at: datetime
    granted: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of the test, and who says so."""

    result: BenchResult
    by: str
    at: datetime
    remarks: str = ""


@dataclass(frozen=True, slots=True)
class TaskRef:
    """The ERPNext Task that asks for the test. `due` is a date at the site."""

    name: str
    due: date
    priority: str


@dataclass(frozen=True, slots=True)
class SwapCase:
    """A swap. `version` grows with each change; `wait` numbers the forms that were shown."""

    id: str
    kind: Kind
    state: SwapState
    old: UnitRef
    new: UnitRef
    customer: str | None
    requested_by: str
    opened_at: datetime
    updated_at: datetime
    reason: str = ""
    named_diagnosis: str | None = None
    diagnosis: DiagnosisRef | None = None
    guard: Guarded | None = None
    override: Override | None = None
    answer: Answer | None = None
    outcome: Outcome | None = None
    installed_at: datetime | None = None
    deadline: datetime | None = None
    closed_at: datetime | None = None
    task: TaskRef | None = None
    problem: str = ""
    """Why it does not go on, in words; empty when nothing is in its way."""
    troubles: int = 0
    """How often in a row it did not go on."""
    try_after: datetime | None = None
    """Not tried again before."""
    differences: tuple[str, ...] = ()
    """How ERPNext differs from what this swap left there, at the last reconciliation."""
    wait: int = 0
    wait_key: str | None = None
    """The form that is being shown, not answered yet."""
    flow_run_id: str | None = None
    run_url: str | None = None
    runs: int = 0
    """How many runs have carried it."""
    version: int = 0

    def but(self, **changes: object) -> SwapCase:
        """The same with changes."""
        return replace(self, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One effect. `before` and `after` are the fields it concerns; `at` None: not finished."""

    step: str
    actor: str
    intended_at: datetime
    before: dict[str, object]
    at: datetime | None = None
    after: dict[str, object] | None = None
    changed: bool | None = None


@dataclass(frozen=True, slots=True)
class Transition:
    """One move of the swap itself."""

    number: int
    event: str
    was: str
    became: str
    actor: str
    at: datetime
    detail: str = ""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A diagnosis of the replacement, planned or done. `says`: `stayed left not_comparable`."""

    name: str
    due_at: datetime
    done_at: datetime | None = None
    diagnosis_id: str | None = None
    verdict: str | None = None
    says: str | None = None
    why: str = ""
    flow_run_id: str | None = None


@dataclass(frozen=True, slots=True)
class SwapFile:
    """A swap with everything that belongs to it."""

    case: SwapCase
    steps: tuple[StepRecord, ...] = ()
    transitions: tuple[Transition, ...] = ()
    follow_ups: tuple[FollowUp, ...] = ()

    def step(self, name: str) -> StepRecord | None:
        """The effect of that name, if it was ever begun."""
        return next((s for s in self.steps if s.step == name), None)

    def did(self, name: str) -> bool:
        """Whether that effect is done."""
        found = self.step(name)
        return found is not None and found.at is not None
