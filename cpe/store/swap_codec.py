"""A swap's case as a row and back. Pure."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import RowMapping

from cpe.domain.errors import StoreError
from cpe.domain.swap_case import FollowUp, StepRecord, SwapCase, Transition
from cpe.store.canonical import pack, unpack
from cpe.store.scrub import scrub

Row = dict[str, Any]


def case_row(case: SwapCase) -> Row:
    """Every column but the driver's. What looks like a secret in what people wrote is `***`."""
    body = scrub(_cases().dump_python(case, mode="json"))
    return {
        "id": case.id,
        "version": case.version,
        "kind": case.kind.value,
        "state": case.state.value,
        "outcome": case.outcome and case.outcome.value,
        "old_serial": case.old.serial,
        "new_serial": case.new.serial,
        "verdict": case.diagnosis.verdict if case.diagnosis is not None else None,
        "requested_by": case.requested_by,
        "opened_at": case.opened_at,
        "updated_at": case.updated_at,
        "closed_at": case.closed_at,
        "deadline": case.deadline,
        "flow_run_id": case.flow_run_id,
        "body": pack(body),
    }


def case_of(row: RowMapping | Row) -> SwapCase:
    """Inverse. Raises StoreError when this code can't read it."""
    try:
        case = _cases().validate_python(unpack(row["body"]))
    except ValidationError as error:
        raise StoreError(f"swap {row['id']} was kept by other code: {_first(error)}") from error
    return case.but(version=row["version"])


def step_of(row: RowMapping) -> StepRecord:
    after = row["after"]
    return StepRecord(
        step=row["step"],
        actor=row["actor"],
        intended_at=row["intended_at"],
        before=_fields(row["before"]),
        at=row["at"],
        after=None if after is None else _fields(after),
        changed=row["changed"],
    )


def transition_of(row: RowMapping) -> Transition:
    return Transition(**{name: row[name] for name in Transition.__dataclass_fields__})


def follow_up_of(row: RowMapping) -> FollowUp:
    return FollowUp(**{name: row[name] for name in FollowUp.__dataclass_fields__})


def _fields(tree: Any) -> dict[str, object]:
    found = unpack(tree)
    return dict(found) if isinstance(found, dict) else {}


def _first(error: ValidationError) -> str:
    item = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}"


@cache
def _cases() -> TypeAdapter[SwapCase]:
    return TypeAdapter(SwapCase)
