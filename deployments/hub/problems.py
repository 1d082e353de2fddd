"""Every error of the API as RFC 9457 problem details. Programs read `code`, people `detail`."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from cpe.domain.errors import StoreError
from cpe.domain.redaction import redact

MEDIA_TYPE: Final = "application/problem+json"
_log = logging.getLogger("hub")


class Kind(Enum):
    """Status and title of each kind; its name, in kebab case, is the `code`."""

    INVALID_REQUEST = (422, "What was sent cannot be used")
    MALFORMED_REQUEST = (400, "The request cannot be read")
    UNAUTHENTICATED = (401, "A bearer token is needed")
    FORBIDDEN = (403, "This token may not do that")
    NOT_FOUND = (404, "There is no such thing")
    METHOD_NOT_ALLOWED = (405, "That cannot be done here")
    NOT_ACCEPTABLE = (406, "Not in that form")
    TOO_LARGE = (413, "The request is too large")
    TOO_MANY_REQUESTS = (429, "Too many requests")
    DIAGNOSIS_CANCELLED = (409, "The diagnosis was cancelled")
    DIAGNOSIS_FAILED = (500, "The diagnosis came to no verdict")
    NOT_KEPT = (500, "A verdict was reached, but our database did not take it")
    SWAP_REFUSED = (409, "The swap is refused")
    SWAP_RACE = (409, "Somebody else was first")
    ERROR = (500, "An error of ours")
    PREFECT_UNAVAILABLE = (503, "Diagnoses cannot be started now")
    DATABASE_UNAVAILABLE = (503, "Our database does not answer")
    SWAPS_UNAVAILABLE = (503, "Swaps cannot be handled now")
    NOT_READY = (503, "The hub is not ready")

    @property
    def status(self) -> int:
        return self.value[0]

    @property
    def title(self) -> str:
        return self.value[1]

    @property
    def code(self) -> str:
        """As programs compare it."""
        return self.name.lower().replace("_", "-")


class ProblemDetails(BaseModel):
    """RFC 9457. Further members depend on `code`."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    code: str
    instance: str


class Problem(HTTPException):
    """Raised anywhere below a route, and answered as what it is.

    An HTTPException, or FastAPI would take one that is raised while it reads a body for a bad body.
    """

    def __init__(
        self, kind: Kind, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(kind.status, detail, dict(headers or {}))
        self.kind, self.more = kind, more


def responses(*kinds: Kind) -> dict[int | str, dict[str, Any]]:
    """For OpenAPI: the problems a route may answer."""
    schema = {"$ref": "#/components/schemas/ProblemDetails"}
    told: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        entry = told.setdefault(
            kind.status, {"description": "", "content": {MEDIA_TYPE: {"schema": schema}}}
        )
        entry["description"] = " · ".join(filter(None, (entry["description"], f"`{kind.code}`")))
    return told


def answer(request: Request, problem: Problem) -> JSONResponse:
    """The problem as a response."""
    body = {
        **problem.more,
        "type": f"urn:gigafibre-cpe:{problem.kind.code}",
        "title": problem.kind.title,
        "status": problem.kind.status,
        "detail": redact(problem.detail),
        "code": problem.kind.code,
        "instance": request.url.path,
    }
    return JSONResponse(body, problem.kind.status, media_type=MEDIA_TYPE, headers=problem.headers)


def install(app: FastAPI) -> None:
    """Answer every error of the app as a problem."""

    @app.exception_handler(Problem)
    async def problem(request: Request, error: Problem) -> JSONResponse:
        return answer(request, error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        wrong = [
            {"where": ".".join(str(part) for part in item["loc"]), "what": item["msg"]}
            for item in error.errors()
        ]
        kind = Kind.INVALID_REQUEST
        if any(item["type"] == "json_invalid" for item in error.errors()):
            kind = Kind.MALFORMED_REQUEST
        said = "; ".join(f"{item['where']}: {item['what']}" for item in wrong)
        return answer(request, Problem(kind, said, errors=wrong))

    @app.exception_handler(StoreError)
    async def store(request: Request, error: StoreError) -> JSONResponse:
        headers = {"Retry-After": "2"}
        return answer(request, Problem(Kind.DATABASE_UNAVAILABLE, str(error), headers=headers))

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        kinds = {kind.status: kind for kind in reversed(Kind)}
        kind = kinds.get(error.status_code, Kind.MALFORMED_REQUEST)
        headers = dict(error.headers or {})
        return answer(request, Problem(kind, str(error.detail), headers=headers))

    @app.exception_handler(Exception)
    async def bug(request: Request, error: Exception) -> JSONResponse:
        _log.error("%s %s", request.method, request.url.path, exc_info=error)
        return answer(request, Problem(Kind.ERROR, "see the hub's log"))
