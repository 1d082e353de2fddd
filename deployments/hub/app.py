"""The hub's app: routes, who may call them, errors, bounds. See __main__.py for its process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from cpe.settings import HubSettings
from deployments.hub import diagnoses, operations, pages, problems, swaps
from deployments.hub.bounds import Bounds
from deployments.hub.callbacks import Postman
from deployments.hub.guard import Guard
from deployments.hub.services import Services
from deployments.hub.tokens import Tokens

DESCRIPTION: Final = """
Pourquoi la connexion d'un client est-elle mauvaise ? · Why is a customer's connection bad?

Every error is an RFC 9457 problem whose `code` programs may compare. Times are ISO-8601 UTC; a
missing reading is `null`, never 0.
"""


def create_app(services: Services, tokens: Tokens, settings: HubSettings) -> FastAPI:
    """The app on these services, which it closes when it ends."""

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        async with services.running(), Postman(services, settings).running():
            yield

    app = FastAPI(
        title="gigafibre-cpe hub",
        version="1",
        description=DESCRIPTION,
        lifespan=life,
        docs_url=None,  # our own, without a host of somebody else's
        redoc_url=None,
        responses=problems.responses(problems.Kind.ERROR),
    )
    app.state.services = services
    app.state.guard = Guard(tokens, settings.per_minute)
    problems.install(app)
    app.include_router(operations.router)
    app.include_router(swaps.router)
    app.include_router(diagnoses.router)
    pages.install(app)
    _describe_problems(app)
    _surround(app, [origin for text in settings.origins.split(",") if (origin := text.strip())])
    return app


def _surround(app: FastAPI, origins: list[str]) -> None:
    """Put bounds and CORS around everything the app answers.

    `add_middleware` would put them inside of what answers for a bug, and a browser could not read
    that answer.
    """
    build = app.build_middleware_stack

    def surrounded() -> ASGIApp:
        bounded = Bounds(build())
        if not origins:
            return bounded
        return CORSMiddleware(
            bounded,
            allow_origins=origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID"],
            expose_headers=["Location", "Retry-After"],
        )

    app.build_middleware_stack = surrounded  # type: ignore[method-assign]


def _describe_problems(app: FastAPI) -> None:
    """Put the schema that every route's problems refer to into the OpenAPI document."""
    describe = app.openapi

    def openapi() -> dict[str, object]:
        document = describe()
        schemas = document["components"]["schemas"]
        schemas["ProblemDetails"] = problems.ProblemDetails.model_json_schema()
        schemas.pop("HTTPValidationError", None)
        schemas.pop("ValidationError", None)
        return document

    app.openapi = openapi  # type: ignore[method-assign]
