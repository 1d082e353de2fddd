"""How a diagnosis that was waited for is answered."""

from __future__ import annotations

import json
from typing import Any, Final

from fastapi import Response
from fastapi.responses import JSONResponse
from fastapi.sse import ServerSentEvent

from deployments.hub.documents import Document
from deployments.hub.problems import Kind, Problem
from deployments.hub.services import Services
from deployments.hub.steps import pending
from deployments.hub.watch import Watched

JSON: Final = "application/json"


def kept(document: Document) -> Response:
    """The diagnosis. It never changes."""
    return Response(document.body, media_type=JSON)


def under_way(hub: Services, run: Watched) -> Response:
    """202 and where to look."""
    told = pending(hub, run)
    headers = {"Location": told.self_url, "Retry-After": "1"}
    return JSONResponse(told.model_dump(mode="json"), 202, headers=headers)


def came_to_nothing(hub: Services, run: Watched) -> Problem:
    """Why a run that is over left no answer."""
    ended = run.ended
    assert ended is not None  # noqa: S101 - only for runs that ended
    link = {"run": {"flow_run_id": run.run_id, "url": hub.prefect.run_url(run.run_id)}}
    if ended.type == "DELETED":
        return Problem(Kind.NOT_FOUND, "no diagnosis and no run of that id is known")
    if ended.type == "CANCELLED":
        return Problem(Kind.DIAGNOSIS_CANCELLED, ended.message or "cancelled in Prefect", **link)
    if ended.type == "COMPLETED":
        said = f"verdict {ended.name}: {ended.message}"
        return Problem(Kind.NOT_KEPT, said, verdict=ended.name, **link)
    return Problem(Kind.DIAGNOSIS_FAILED, f"{ended.name}: {ended.message}", **link)


async def answered(hub: Services, run: Watched, wait_s: float) -> Response:
    """The diagnosis within that time, else where to look. Raises Problem when there is none."""
    if not await run.over(wait_s):
        return under_way(hub, run)
    if run.is_kept and (document := await hub.documents.get(run.run_id)) is not None:
        return kept(document)
    raise came_to_nothing(hub, run)


async def last_event(hub: Services, run: Watched) -> ServerSentEvent:
    """What ends the stream of a run that is over: its verdict, or why there is none."""
    document = await hub.documents.get(run.run_id) if run.is_kept else None
    if document is None:
        problem = came_to_nothing(hub, run)
        data: dict[str, Any] = {
            "code": problem.kind.code,
            "title": problem.kind.title,
            "detail": problem.detail,
        }
        return ServerSentEvent(event="problem", data=data)
    verdict = json.loads(document.body)["verdict"]
    data = {
        "id": run.run_id,
        "code": verdict["code"],
        "status": verdict["status"],
        "text": verdict["text"],
        "url": f"/devices/diagnoses/{run.run_id}",
    }
    return ServerSentEvent(event="verdict", data=data)
