"""Routes: looking a box up, diagnosing it, following the steps, its past."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Header, Path, Query, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from cpe.answer.past import past_line
from cpe.store.canonical import column_text
from deployments.hub.diagnosis_model import Diagnosis
from deployments.hub.documents import Document, encoded
from deployments.hub.guard import AT_THE_DOOR, READERS, Diagnoser, Reader
from deployments.hub.models import (
    SERIAL_PATTERN,
    DiagnoseBody,
    History,
    Lookup,
    Pending,
    Refresh,
    Serial,
    WaitS,
    serial_of,
)
from deployments.hub.outcome import JSON, answered, came_to_nothing, kept, last_event
from deployments.hub.prefect_api import PrefectUnavailableError
from deployments.hub.problems import Kind, Problem, responses
from deployments.hub.services import Hub, Services
from deployments.hub.steps import run_link, step_taken
from deployments.hub.watch import Watched
from flows.request import DiagnosisRequest

router = APIRouter(prefix="/devices", tags=["devices"])
STEPS_S: Final = 330.0
"""A stream ends by then; the flow's own limit is 300 s. Who still waits takes it up again."""
AT_ONCE_S: Final = 4.0
"""A lookup gives Prefect that long to begin a refresh: 0.05 s, and 2 s when 50 come at once."""
_EVENT_ID: Final = re.compile(r"[0-9]{1,18}")

_RUN: Final = (
    Kind.PREFECT_UNAVAILABLE,
    Kind.DATABASE_UNAVAILABLE,
    Kind.DIAGNOSIS_CANCELLED,
    Kind.DIAGNOSIS_FAILED,
    Kind.NOT_KEPT,
)
_ASKED: Final = (
    *AT_THE_DOOR,
    Kind.INVALID_REQUEST,
    Kind.NOT_FOUND,
    Kind.DATABASE_UNAVAILABLE,
)
RunId = Annotated[
    str,
    Path(
        pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
        description="The diagnosis's id, which is its Prefect run's.",
    ),
]
PathSerial = Annotated[
    str, Path(min_length=1, max_length=80, json_schema_extra={"pattern": SERIAL_PATTERN})
]


@router.get(
    "/lookup",
    summary="The last snapshot of a box, at once",
    responses={
        200: {"model": Lookup},
        202: {"model": Lookup, "description": "Never diagnosed: a first diagnosis has begun"},
        **responses(*_ASKED),
    },
)
async def lookup(
    hub: Hub,
    token: Reader,
    serial: Annotated[Serial, Query()],
    wait_s: Annotated[WaitS, Query()] = 0,
) -> Response:
    """Answers at once with what is kept, and how old that is.

    When its readings are older than the limit (60 s) a new diagnosis is begun, and `refresh` says
    so; `wait_s` waits for it. A diagnosis that goes on already is shared.
    """
    wanted = serial_of(serial)
    last = await hub.documents.latest(wanted)
    if last is not None and last.age_s(datetime.now(UTC)) <= hub.freshness_s:
        return _found(hub, wanted, last, None)
    request = DiagnosisRequest(serial=wanted, requested_by=f"{token.name} (lookup)")
    try:
        async with asyncio.timeout(max(wait_s, AT_ONCE_S)):
            run_id = await hub.diagnoser.ask(request, token.name)
    except (Problem, TimeoutError) as error:
        why = error.detail if isinstance(error, Problem) else "Prefect's API has not answered yet"
        refresh = Refresh(state="unavailable", id=None, run=None, detail=why)
        return _found(hub, wanted, last, refresh)
    with hub.watcher.watching(run_id) as run:
        if wait_s:
            await run.over(wait_s)
        if run.is_kept:
            last = await hub.documents.get(run_id) or last
        return _found(hub, wanted, last, _refresh(hub, run))


def _refresh(hub: Services, run: Watched) -> Refresh:
    state: Literal["started", "finished", "failed"] = "started"
    detail = None
    if run.is_kept:
        state = "finished"
    elif run.ended is not None:
        state, detail = "failed", came_to_nothing(hub, run).detail
    return Refresh(state=state, id=run.run_id, run=run_link(hub, run.run_id), detail=detail)


def _found(hub: Services, serial: str, last: Document | None, refresh: Refresh | None) -> Response:
    age_s = last.age_s(datetime.now(UTC)) if last is not None else None
    head: dict[str, Any] = {
        "serial": serial,
        "age_s": age_s,
        "limit_s": hub.freshness_s,
        "is_fresh": age_s is not None and age_s <= hub.freshness_s,
        "refresh": refresh.model_dump(mode="json") if refresh is not None else None,
    }
    body = last.body if last is not None else b"null"
    # The answer is bytes already: it is set in, not made again for each of 200 requests a second.
    content = encoded(head)[:-1] + b',"diagnosis":' + body + b"}"
    begun = last is None and refresh is not None and refresh.state == "started"
    return Response(content, 202 if begun else 200, media_type=JSON)


@router.post(
    "/{serial:path}/diagnose",
    summary="Diagnose a box",
    responses={
        200: {"model": Diagnosis},
        202: {"model": Pending, "description": "It goes on: where to look"},
        **responses(*_ASKED, Kind.MALFORMED_REQUEST, Kind.TOO_LARGE, *_RUN),
    },
)
async def diagnose(
    hub: Hub, token: Diagnoser, serial: PathSerial, body: DiagnoseBody | None = None
) -> Response:
    """Begins a diagnosis, or joins the one of the same box and options that goes on.

    With `wait_s` it answers with the diagnosis when that is there in time.
    """
    body = body or DiagnoseBody()
    request = DiagnosisRequest(
        serial=serial_of(serial),
        speedtest=body.speedtest,
        measured_mbps=body.measured_mbps,
        plan_mbps=body.plan_mbps,
        requested_by=column_text(body.requested_by) or token.name,
    )
    run_id = await hub.diagnoser.ask(request, token.name)
    with hub.watcher.watching(run_id) as run:
        return await answered(hub, run, body.wait_s)


@router.get(
    "/diagnoses/{id}",
    summary="A diagnosis",
    dependencies=READERS,
    responses={
        200: {"model": Diagnosis},
        202: {"model": Pending, "description": "It goes on"},
        **responses(*_ASKED, *_RUN),
    },
)
async def diagnosis(
    hub: Hub,
    id: RunId,  # noqa: A002 - the API's name
    wait_s: Annotated[WaitS, Query()] = 0,
) -> Response:
    """The answer `cpe.diagnosis/1`, once it is there."""
    if (document := await hub.documents.get(id)) is not None:
        return kept(document)
    with hub.watcher.watching(id) as run:
        if await _is_unknown(hub, run):
            raise Problem(Kind.NOT_FOUND, "no diagnosis and no run of that id is known")
        await hub.watcher.look_at(run)
        return await answered(hub, run, wait_s)


async def _is_unknown(hub: Services, run: Watched) -> bool:
    """Whether no run of that id is known. One that ended without an answer is over at once."""
    try:
        found = (await hub.prefect.runs([run.run_id])).get(run.run_id)
    except PrefectUnavailableError as error:
        raise Problem(Kind.PREFECT_UNAVAILABLE, str(error)) from error
    if found is None:
        return True
    if found.is_final and not run.is_over and await hub.documents.get(run.run_id) is None:
        run.end(found)
    return False


async def _known(hub: Hub, id: RunId) -> None:  # noqa: A002 - the API's name
    """Raises Problem before a stream begins for an id that leads nowhere."""
    if await hub.documents.get(id) is not None:
        return
    try:
        if id not in await hub.prefect.runs([id]):
            raise Problem(Kind.NOT_FOUND, "no diagnosis and no run of that id is known")
    except PrefectUnavailableError as error:
        raise Problem(Kind.PREFECT_UNAVAILABLE, str(error)) from error


@router.get(
    "/diagnoses/{id}/events",
    summary="The steps of a diagnosis, as they happen",
    response_class=EventSourceResponse,
    dependencies=[*READERS, Depends(_known)],
    responses=responses(*_ASKED, Kind.PREFECT_UNAVAILABLE),
)
async def events(
    hub: Hub,
    id: RunId,  # noqa: A002 - the API's name
    last_event_id: Annotated[str | None, Header()] = None,
) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events: `step` for each step, then `verdict` or `problem`.

    `data` of a step is `{step, at, text{fr,en}}`, of the verdict `{id, code, status, text, url}`.
    """
    last = last_event_id or ""
    after = int(last) if _EVENT_ID.fullmatch(last) else 0
    ends_at = time.monotonic() + STEPS_S
    with hub.watcher.watching(id) as run:
        told = 0
        while True:
            change = run.changed
            for seen in run.steps[told:]:
                told += 1
                if seen.at_us > after:
                    step = step_taken(seen).model_dump(mode="json")
                    yield ServerSentEvent(event="step", id=str(seen.at_us), data=step)
            if run.is_over:
                yield await last_event(hub, run)
                return
            if (left_s := ends_at - time.monotonic()) <= 0:
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left_s):
                    await change.wait()


@router.get(
    "/{serial:path}/history",
    summary="What was found on a box before",
    dependencies=READERS,
    response_model=History,
    responses=responses(*_ASKED),
)
async def history(
    hub: Hub,
    serial: PathSerial,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
    before: Annotated[
        datetime | None, Query(description="Only those asked for before this time.")
    ] = None,
) -> Response:
    """Newest first; `next_url` leads to older ones."""
    wanted = serial_of(serial)
    if before is not None and before.tzinfo is None:
        before = before.replace(tzinfo=UTC)
    found = await hub.store.summaries(wanted, limit=limit + 1, before=before)
    items = [past_line(summary) for summary in found[:limit]]
    more = None
    if len(found) > limit:
        last = found[limit - 1].requested_at.isoformat()
        more = f"/devices/{quote(wanted, safe='')}/history?limit={limit}&before={quote(last)}"
    return Response(encoded({"serial": wanted, "items": items, "next_url": more}), media_type=JSON)
