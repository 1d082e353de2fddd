"""Routes: swaps. What they do is the desk's; here is who may, and in which words."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Header, Path, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from deployments.hub.guard import AT_THE_DOOR, OVERRIDERS, READERS, SWAPPERS, Swapper
from deployments.hub.models import Text
from deployments.hub.problems import Kind, Problem, responses
from deployments.hub.services import Hub

router = APIRouter(prefix="/devices/swaps", tags=["swaps"])
_ALWAYS: Final = (
    *AT_THE_DOOR,
    Kind.INVALID_REQUEST,
    Kind.SWAPS_UNAVAILABLE,
    Kind.DATABASE_UNAVAILABLE,
)
_CHANGED: Final = (
    *_ALWAYS,
    Kind.MALFORMED_REQUEST,
    Kind.TOO_LARGE,
    Kind.NOT_FOUND,
    Kind.SWAP_REFUSED,
    Kind.SWAP_RACE,
)
SwapId = Annotated[str, Path(pattern=r"^[A-Za-z0-9\-]{6,64}$")]
Name = Annotated[Text, Field(min_length=2, max_length=140)]
Remarks = Annotated[Text, Field(max_length=2000)]
Json = dict[str, Any]


class Swap(BaseModel):
    """The document `cpe.swap/1`."""

    model_config = ConfigDict(extra="allow")

    id: str
    state: str


class Swaps(BaseModel):
    """Newest first."""

    items: list[Swap]


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StartBody(_Sent):
    """What is swapped, by whom and why."""

    kind: Literal["remplacement_definitif", "swap_diagnostic", "retour_de_diagnostic"]
    old_serial: Annotated[Text, Field(min_length=1, max_length=80)]
    new_serial: Annotated[Text, Field(min_length=1, max_length=80)]
    requested_by: Name
    reason: Remarks = ""
    diagnosis_id: Annotated[Text, Field(max_length=64)] | None = Field(
        default=None, description="Of this box, at most 30 minutes old; else one is made."
    )
    customer: Annotated[Text, Field(max_length=140)] | None = None


class AnswerBody(_Sent):
    """The bench's result for the removed unit."""

    result: Literal["passed", "failed", "returned", "not_tested"]
    by: Name
    remarks: Remarks = ""


class ReturnBody(_Sent):
    """The removed unit went back to the customer."""

    by: Name
    remarks: Remarks = ""


class OverrideBody(_Sent):
    """Who answers for it, and why. Kept and counted."""

    decision: Literal["override", "give_up"] = "override"
    by: Name
    reason: Annotated[Text, Field(min_length=5, max_length=2000)]


@router.post(
    "",
    summary="Start a swap",
    status_code=202,
    responses={202: {"model": Swap}, **responses(*_CHANGED)},
)
async def start(
    hub: Hub,
    token: Swapper,
    body: StartBody,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200)] = None,
) -> Response:
    """Opens a swap; it goes on by itself. Asking twice with one `Idempotency-Key` is one swap."""
    key = f"{token.name}:{idempotency_key}" if idempotency_key else None
    swap = await hub.desk.start(body.model_dump(mode="json"), key)
    return JSONResponse(swap, 202, headers={"Location": f"/devices/swaps/{swap['id']}"})


@router.get(
    "",
    summary="Swaps",
    dependencies=READERS,
    response_model=Swaps,
    responses=responses(*_ALWAYS),
)
async def listed(
    hub: Hub,
    state: Annotated[Text | None, Query(max_length=40, description="`open`, or a state")] = None,
    serial: Annotated[Text | None, Query(max_length=80)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """Newest first."""
    return JSONResponse({"items": await hub.desk.listed(state, serial, limit)})


@router.get(
    "/{id}",
    summary="A swap",
    dependencies=READERS,
    response_model=Swap,
    responses=responses(*_ALWAYS, Kind.NOT_FOUND),
)
async def show(hub: Hub, id: SwapId) -> Response:  # noqa: A002 - the API's name
    """As it stands now."""
    swap = await hub.desk.show(id)
    if swap is None:
        raise Problem(Kind.NOT_FOUND, "no swap of that id is known")
    return JSONResponse(swap)


@router.post(
    "/{id}/answer",
    summary="The bench's result",
    dependencies=SWAPPERS,
    response_model=Swap,
    responses=responses(*_CHANGED),
)
async def answer(hub: Hub, id: SwapId, body: AnswerBody) -> Response:  # noqa: A002
    """`not_tested` keeps the swap waiting."""
    return JSONResponse(await hub.desk.answer(id, body.model_dump(mode="json")))


@router.post(
    "/{id}/return",
    summary="The unit went back to the customer",
    dependencies=SWAPPERS,
    response_model=Swap,
    responses=responses(*_CHANGED),
)
async def give_back(hub: Hub, id: SwapId, body: ReturnBody) -> Response:  # noqa: A002
    """Ends a diagnostic swap (`retour_de_diagnostic`)."""
    return JSONResponse(await hub.desk.give_back(id, body.by, body.remarks))


@router.post(
    "/{id}/override",
    summary="Let a stopped swap through",
    dependencies=OVERRIDERS,
    response_model=Swap,
    responses=responses(*_CHANGED),
)
async def override(hub: Hub, id: SwapId, body: OverrideBody) -> Response:  # noqa: A002
    """By a named person with a reason; kept and counted."""
    return JSONResponse(await hub.desk.override(id, body.model_dump(mode="json")))
