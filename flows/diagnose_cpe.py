"""Why is this customer's connection bad? Ask the ACS, the OLT and our memory; say one cause."""

from __future__ import annotations

import asyncio
from typing import Any

from prefect import flow
from prefect.logging import get_run_logger
from prefect.runtime import flow_run

from cpe.answer.markdown import page
from cpe.domain.errors import ProfileError
from cpe.profiles.check import check_profiles
from cpe.profiles.thresholds import load_thresholds
from cpe.profiles.wording import wording
from cpe.settings import DiagnosisSettings
from flows.conduct import Reached, as_task_run, diagnose, keep
from flows.final_state import judged, unusable
from flows.links import flow_run_url
from flows.naming import named
from flows.request import DiagnosisRequest, run_name
from flows.telling import telling
from tasks.clients import settle_bridges
from tasks.memory import kept_already
from tasks.report import publish_report


@flow(
    name="diagnose-cpe",
    description=__doc__,
    persist_result=True,
    result_serializer="json",
    timeout_seconds=300,
    validate_parameters=True,
)
async def diagnose_cpe(request: DiagnosisRequest) -> Any:
    """Diagnostique une boîte avant tout échange · Diagnoses one box before any swap.

    Returns the answer `cpe.diagnosis/1`; the run's final state is named after the verdict's code.

    Args:
        request: La boîte et ce qu'on en sait · The box and what is known of it.
    """
    run_id = str(flow_run.id)
    if flow_run.run_count > 1 and (kept := await kept_already(run_id)) is not None:
        # Its worker was lost after the answer was kept: that is the answer, also of this attempt.
        return judged(kept.verdict, kept.document)
    try:
        check_profiles()
    except ProfileError as error:
        return unusable(error)
    run = {"flow_run_id": run_id, "url": flow_run_url(run_id)}
    async with named(run_name(request.serial)):
        with telling(run_id):
            reached = await diagnose(request.to_domain(), run_id, run, as_task_run)
        # The report first: Prefect's server works on it while we pack what our database gets.
        told, kept, _ = await asyncio.gather(
            report(reached), keep(reached, as_task_run), settle_bridges()
        )
    lost = [text for text in (told, kept) if text]
    verdict = reached.judgement.verdict
    for text in lost:
        get_run_logger().error("verdict %s reached, but not kept: %s", verdict.code, text)
    return judged(verdict, reached.answer)


async def report(reached: Reached) -> str:
    """Publish the page; the failure in words when Prefect did not take it."""
    settings = DiagnosisSettings.current()
    verdict, request = reached.judgement.verdict, reached.casebook.request
    markdown = page(
        reached.kept.snapshot,
        reached.judgement.findings,
        verdict,
        wording(),
        load_thresholds(settings.rules),
    )
    try:
        await publish_report(request.serial, markdown, verdict.code.value)
    except Exception as error:  # noqa: BLE001 - whatever Prefect's API did, the verdict stands
        return f"artifact: {type(error).__name__}: {error}"
    return ""
