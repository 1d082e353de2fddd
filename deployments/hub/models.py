"""What is sent to the API and what it answers, besides the diagnosis itself (`diagnosis_model`)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from cpe.domain.errors import InputRefusedError
from cpe.domain.serials import MAX_SERIAL_LENGTH, parse_serial
from deployments.hub.diagnosis_model import Diagnosis
from deployments.hub.problems import Kind, Problem

WAIT_MAX_S = 120.0
SERIAL_PATTERN = r"^[A-Za-z0-9\-_.:%+#()~&@,=!']{1,64}$"
"""For the OpenAPI document; `/`, blanks inside and accents are taken too (cpe.domain.serials)."""
WaitS = Annotated[
    float,
    Field(
        ge=0,
        le=WAIT_MAX_S,
        description="Wait that long for the diagnosis before answering where to look.",
        examples=[30],
    ),
]
Serial = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAX_SERIAL_LENGTH,
        description="TR-069 serial, GPON serial (TPLGB4D00744 or hex) or MAC.",
        examples=["22275A7009001"],
        json_schema_extra={"pattern": SERIAL_PATTERN},
    ),
]


def serial_of(text: str) -> str:
    """The serial as it may be sent on. Raises Problem."""
    try:
        return parse_serial(text)
    except InputRefusedError as error:
        raise Problem(Kind.INVALID_REQUEST, f"serial: {error}") from None


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DiagnoseBody(_Sent):
    """What is known besides the serial; all of it optional."""

    speedtest: bool = Field(
        default=False, description="Have the box measure its own speed (TR-143)."
    )
    measured_mbps: Annotated[float, Field(ge=0, le=100_000)] | None = Field(
        default=None, description="What the customer measured, Mbit/s."
    )
    plan_mbps: Annotated[float, Field(gt=0, le=100_000)] | None = Field(
        default=None, description="The customer's plan, Mbit/s."
    )
    requested_by: Annotated[str, Field(max_length=200)] = Field(
        default="", description="Who asks: kept with the diagnosis. Empty: the token's name."
    )
    wait_s: WaitS = 0


class Words(BaseModel):
    """A text in both languages."""

    fr: str
    en: str


class RunLink(BaseModel):
    """Where a run is looked at. `url`: its page in the Prefect UI."""

    flow_run_id: str
    url: str | None


class StepTaken(BaseModel):
    """A step of a diagnosis that began."""

    step: str
    at: datetime
    text: Words


class Pending(BaseModel):
    """A diagnosis that is being made. `self_url` will be its answer, `events_url` its steps."""

    id: str
    status: Literal["pending"] = "pending"
    run: RunLink
    self_url: str
    events_url: str
    steps: list[StepTaken]


class Refresh(BaseModel):
    """A new diagnosis that a lookup began, or found begun. `id` null: none could be begun."""

    state: Literal["started", "finished", "failed", "unavailable"]
    id: str | None
    run: RunLink | None
    detail: str | None


class Lookup(BaseModel):
    """The last snapshot of a box. `diagnosis` null: never diagnosed.

    `age_s`: since the box was read, or was asked in vain (then its readings are older, as
    `diagnosis.freshness` tells). `is_fresh`: within `limit_s`, so that no refresh is due.
    """

    serial: str
    age_s: float | None
    limit_s: float
    is_fresh: bool
    refresh: Refresh | None
    diagnosis: Diagnosis | None


class VerdictLine(BaseModel):
    """Of a past diagnosis."""

    code: str
    status: str


class HistoryItem(BaseModel):
    """One past diagnosis."""

    id: str
    serial: str
    requested_at: datetime
    duration_ms: int
    verdict: VerdictLine
    rx_dbm: float | None
    freshness: str | None
    model: str | None
    firmware: str | None
    requested_by: str
    ruleset: str
    flow_run_id: str | None


class History(BaseModel):
    """Newest first. `next_url` is null on the last page."""

    serial: str
    items: list[HistoryItem]
    next_url: str | None


class Me(BaseModel):
    """The caller, as its token says."""

    name: str
    roles: list[str]


class Health(BaseModel):
    """`checks`: what is needed, and whether it is well."""

    status: Literal["ok"]
    checks: dict[str, str]


def no_nul(text: str) -> str:
    """Text that every database takes."""
    if "\0" in text:
        raise ValueError("may not hold U+0000")
    return text


Text = Annotated[str, AfterValidator(no_nul)]
Json = dict[str, Any]
