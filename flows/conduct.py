"""The runbook of a diagnosis: lookup → refresh beside the OLT → speed test → verdict → keep.

How each source is asked is in `flows.sources`; beside them the box's own admin UI is asked for what
is lacking (`flows.bridge`).

`Step` runs a task: as a Prefect task run in a flow, or as its plain function. The order, the
races and the judgement are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from prefect import Task
from prefect.utilities.annotations import quote

from cpe.answer.document import Json, document
from cpe.domain.casebook import Casebook
from cpe.domain.errors import StoreError
from cpe.domain.memory import KeptDiagnosis
from cpe.domain.observation import SourceReport
from cpe.domain.snapshot import Request
from cpe.profiles.thresholds import Thresholds, load_thresholds
from cpe.rules.judge import Judgement, judge
from cpe.settings import DiagnosisSettings
from flows.bridge import Bridge
from flows.sources import Sources, Step
from tasks.endings import run_named
from tasks.memory import keep_diagnosis

witness: ContextVar[Callable[[Json], None] | None] = ContextVar("witness", default=None)
"""Told the answer the moment it is reached, so that nothing that fails later can lose it."""

progress: ContextVar[Callable[[str], None] | None] = ContextVar("progress", default=None)
"""Told each step as it begins, for people who wait."""

answered: ContextVar[Callable[[SourceReport], None] | None] = ContextVar("answered", default=None)
"""Called with how each source fared, as soon as that is known."""


async def as_task_run(task: Task[..., Any], *args: Any) -> Any:
    """Run the step as a Prefect task run; Prefect need not look into what it is given."""
    return await run_named(task, *(a if isinstance(a, str) else quote(a) for a in args))


async def as_function(task: Task[..., Any], *args: Any) -> Any:
    """Run the step as the plain function it wraps."""
    return await task.fn(*args)


@dataclass(frozen=True, slots=True)
class Reached:
    """A verdict that was reached, and what could not be done with it."""

    judgement: Judgement
    casebook: Casebook
    answer: Json
    kept: KeptDiagnosis


async def diagnose(
    request: Request, diagnosis_id: str, run: dict[str, str | None], step: Step
) -> Reached:
    """Ask whom it takes, then judge. Never fails because a source failed."""
    settings = DiagnosisSettings.current()
    book = Casebook(diagnosis_id, request, datetime.now(UTC), settings.freshness_s)
    book.on_note = answered.get()
    sources = Sources(book, step, _thresholds, _say)
    early = await sources.look_up_and_recall()
    bridge = Bridge(book, step, _thresholds, _say)
    bridge.begin()
    try:
        await sources.read_the_line(early)
        bridge.line_is_read()
        await sources.test_speed()
        await bridge.end()
    except BaseException:
        await bridge.give_up()
        raise
    sources.skip_the_rest()
    _say("verdict")
    judged_at = datetime.now(UTC)
    snapshot = book.close(judged_at)
    judgement = judge(snapshot, _thresholds())
    finished_at = datetime.now(UTC)
    answer = document(
        snapshot,
        judgement.findings,
        judgement.verdict,
        judgement.ruleset,
        finished_at=finished_at,
        run=run,
    )
    if (tell := witness.get()) is not None:
        tell(answer)
    kept = KeptDiagnosis(
        id=diagnosis_id,
        snapshot=snapshot,
        findings=judgement.findings,
        verdict=judgement.verdict,
        ruleset=judgement.ruleset,
        document=answer,
        finished_at=finished_at,
        duration_ms=answer["duration_ms"],
        flow_run_id=run.get("flow_run_id"),
    )
    return Reached(judgement, book, answer, kept)


async def keep(reached: Reached, step: Step) -> str:
    """Keep the diagnosis; the failure in words when our database did not take it."""
    try:
        await step(keep_diagnosis, reached.kept)
    except (StoreError, TimeoutError) as error:
        return f"database: {error}"
    return ""


def _thresholds() -> Thresholds:
    return load_thresholds(DiagnosisSettings.current().rules)


def _say(step_name: str) -> None:
    if (tell := progress.get()) is not None:
        tell(step_name)
