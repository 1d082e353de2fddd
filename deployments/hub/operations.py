"""Routes: whether the hub is well, its metrics, who is calling."""

from __future__ import annotations

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from cpe.domain.errors import StoreError
from deployments.hub.guard import AT_THE_DOOR, READERS, Reader
from deployments.hub.models import Health, Me
from deployments.hub.problems import Kind, Problem, responses
from deployments.hub.services import Hub

router = APIRouter(tags=["operations"])


@router.get("/healthz", summary="Whether the process lives")
async def healthz() -> Health:
    """Asks nothing of anybody."""
    return Health(status="ok", checks={})


@router.get(
    "/readyz",
    summary="Whether the hub can do its work",
    response_model=Health,
    responses=responses(Kind.NOT_READY),
)
async def readyz(hub: Hub) -> Health:
    """Asks our database and Prefect's API."""
    checks = {"database": "ok", "prefect": "ok"}
    try:
        await hub.store.hub().outbox.waiting()
    except StoreError:
        checks["database"] = "does not answer"
    if not await hub.prefect.is_healthy():
        checks["prefect"] = "does not answer"
    if set(checks.values()) != {"ok"}:
        down = ", ".join(name for name, state in checks.items() if state != "ok")
        raise Problem(Kind.NOT_READY, f"no answer: {down}", checks=checks)
    return Health(status="ok", checks=checks)


@router.get(
    "/metrics",
    summary="For Prometheus",
    dependencies=READERS,
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
        **responses(*AT_THE_DOOR, Kind.DATABASE_UNAVAILABLE),
    },
)
async def metrics(hub: Hub) -> Response:
    """What is not known is absent."""
    return Response(await hub.metrics.page(), media_type=CONTENT_TYPE_LATEST)


@router.get("/me", summary="Who is calling", responses=responses(*AT_THE_DOOR))
async def me(token: Reader) -> Me:
    """The token's name and roles: what the page asks first."""
    return Me(name=token.name, roles=sorted(role.value for role in token.roles))
