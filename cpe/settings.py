"""The environment variables of the design, one settings class per system, read in one place.

Built by tasks and commands and passed into `cpe` functions; nothing else reads the environment.
"""

from __future__ import annotations

import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, cast
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from cpe.domain.errors import StoreError
from cpe.profiles.overlay import found_by
from cpe.signing import signable

PositiveSeconds = Annotated[float, Field(gt=0, le=600)]
LongSeconds = Annotated[float, Field(gt=0, le=366 * 86_400)]
FieldName = Annotated[str, Field(min_length=1, max_length=140, pattern=r"^[A-Za-z][\w \-]*$")]
"""A doctype or field of ERPNext; it becomes part of a URL and a query."""


def _known_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, OSError, ValueError):
        raise ValueError("must be a time zone like America/Toronto") from None
    return value


TimeZone = Annotated[str, AfterValidator(_known_zone)]


def _http_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # a bad port or IPv6 address; its message quotes what may be a password
        usable = False
    if not usable:
        raise ValueError("must be http://HOST[:PORT] or https://HOST[:PORT]")
    return value


HttpUrl = Annotated[str, AfterValidator(_http_url)]


def _database_url(value: SecretStr) -> SecretStr:
    from cpe.store.url import async_url  # noqa: PLC0415 - SQLAlchemy; whoever is here opens it next

    try:
        async_url(value.get_secret_value(), make_folder=False)
    except StoreError as error:  # which quotes no part of it
        raise ValueError(str(error)) from None
    return value


def _json_list(value: object) -> object:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        raise ValueError("must be a JSON list as [1800, 86400]") from None


def _env(prefix: str) -> SettingsConfigDict:
    return SettingsConfigDict(
        env_prefix=prefix,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )


class Settings(BaseSettings):
    """What the environment says. A process that diagnoses often asks `current()`."""

    @classmethod
    def current(cls) -> Self:
        """The settings of the environment as it is now, parsed once for as long as it is the same.

        Parsing takes 0.4 ms and more, and a diagnosis asks a dozen times. Raises pydantic's
        ValidationError.
        """
        names = (name for name in os.environ if name.upper().startswith("CPE_"))
        return cast("Self", _parsed(cls, tuple((name, os.environ[name]) for name in names)))


@lru_cache(maxsize=64)
def _parsed(settings: type[Settings], _environment: tuple[tuple[str, str], ...]) -> Settings:
    return settings()


class AcsSettings(Settings):
    """GenieACS NBI. `url` None means no ACS is configured."""

    model_config = _env("CPE_ACS_")

    url: HttpUrl | None = None
    token: SecretStr | None = None
    timeout_s: PositiveSeconds = 4.0
    """One read of the NBI. An unindexed serial lookup took 10–45 ms on 2,000–10,000 devices."""
    refresh_s: Annotated[float, Field(gt=0, le=45)] = 12.0
    """Upper bound for a refresh from POST to proof."""
    speedtest_s: Annotated[float, Field(gt=0, le=120)] = 40.0
    """Upper bound for a TR-143 test from the first look to its result."""


class OltSettings(Settings):
    """Where the OLT inventory is. `path` None means no OLT is configured."""

    model_config = _env("CPE_OLT_")

    path: Path | None = Field(default=None, validation_alias="CPE_OLTS")
    lookup_s: PositiveSeconds = Field(default=15.0, validation_alias="CPE_OLT_LOOKUP_S")
    """Overall deadline for finding and reading one ONT on all OLTs."""


def _address_template(value: str) -> str:
    if value.count("{") != value.count("{ip}") or value.count("}") != value.count("{ip}"):
        raise ValueError("must hold no other placeholder than {ip}")
    _http_url(value.replace("[{ip}]", "{ip}").replace("{ip}", "192.0.2.1"))
    return value


class BridgeSettings(Settings):
    """The admin UI of the boxes themselves. `password` None means that no bridge is configured."""

    model_config = _env("CPE_BRIDGE_")

    user: str = "user"
    password: SecretStr | None = None
    url: Annotated[str, AfterValidator(_address_template)] = "http://{ip}"
    browser: Path | None = None
    """A Chromium; found by itself otherwise."""
    service: HttpUrl | None = None
    """A modem-bridge HTTP service to ask instead of a browser of our own."""
    service_token: SecretStr | None = None
    session_s: Annotated[float, Field(gt=0, le=60)] = 15.0
    """Upper bound for one session, login and all. A login took 0.4 s, ten reads 3 s with pauses."""

    @property
    def is_configured(self) -> bool:
        """Whether there is anything to ask with."""
        return self.service is not None or self.password is not None


class ErpSettings(Settings):
    """ERPNext REST."""

    model_config = _env("CPE_ERP_")

    url: HttpUrl | None = None
    api_key: SecretStr | None = None
    api_secret: SecretStr | None = None
    equipment_doctype: FieldName = "Service Equipment"
    serial_field: FieldName = "serial_number"
    status_field: FieldName = "status"
    customer_field: FieldName = "customer"
    type_field: FieldName = "equipment_type"
    task_doctype: FieldName = "Task"
    idem_field: FieldName = "custom_idem_key"
    """A Data field of Task, unique: `cpe doctor --fix` makes it."""
    move_customer: bool = True
    """Whether a swap also moves the equipment's customer; false leaves that field alone."""
    time_zone: TimeZone = "America/Toronto"
    """The site's: System Settings → Time Zone. Dates and times are kept in it without saying so."""
    timeout_s: PositiveSeconds = 10.0


class SwapSettings(Settings):
    """How long people have, in seconds."""

    model_config = _env("CPE_SWAP_")

    test_s: LongSeconds = 7 * 86_400.0
    remind_before_s: LongSeconds = 2 * 86_400.0
    repeat_s: LongSeconds = 7 * 86_400.0
    override_s: LongSeconds = 86_400.0
    """How long a blocked swap waits for an override before it is refused."""
    # NoDecode: pydantic-settings would fail at bad JSON with an error that names no variable.
    follow_ups_s: Annotated[tuple[LongSeconds, ...], NoDecode, BeforeValidator(_json_list)] = (
        1800.0,
        86_400.0,
        259_200.0,
    )
    """When the replacement is diagnosed after a diagnostic swap; a JSON list."""
    lease_s: Annotated[float, Field(ge=2, le=300)] = 30.0
    """A driver that has not been heard of for so long is dead."""


def home() -> Path:
    """Where everything we keep on disk lives: `CPE_HOME`, else the XDG data folder."""
    if folder := os.environ.get("CPE_HOME"):
        return Path(folder).expanduser()
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(data).expanduser() / "gigafibre-cpe"


def profiles_folder() -> Path | None:
    """The operator's own profiles: `CPE_PROFILES`. Read directly, a sweep asks for each box."""
    folder = os.environ.get("CPE_PROFILES")
    return Path(folder).expanduser() if folder else None


found_by(profiles_folder)


class StoreSettings(Settings):
    """Our database. `url` is a plain SQLAlchemy URL; the async driver is chosen by the store."""

    model_config = _env("CPE_DATABASE_")

    url: Annotated[SecretStr, AfterValidator(_database_url)] | None = None
    keep_days: Annotated[int, Field(ge=31, le=3650)] = Field(
        default=180, validation_alias="CPE_KEEP_DAYS"
    )
    """Diagnoses and result files older than that are deleted; baselines look back 30 days."""

    def plain_url(self) -> str:
        """The configured URL, or the SQLite file in `home()`."""
        if self.url is not None:
            return self.url.get_secret_value()
        return f"sqlite:///{home() / 'cpe.db'}"


class HubSettings(Settings):
    """The hub's HTTP API. `tokens`: a TOML file or `NAME:ROLE+ROLE:SECRET,…` (deployments/hub)."""

    model_config = _env("CPE_HUB_")

    tokens: SecretStr | None = None
    origins: str = ""
    """Web origins that may call the API from a browser, separated by commas."""
    per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 1200
    """Requests a token may make a minute, unless it says otherwise itself."""
    callback_url: HttpUrl | None = None
    """Told of every finished diagnosis and every change of a swap."""
    callback_secret: Annotated[SecretStr, AfterValidator(signable)] | None = None
    """Signs the calls back; without it none is made."""

    @property
    def calls_back(self) -> bool:
        """Whether anybody is to be told."""
        return self.callback_url is not None and self.callback_secret is not None


class DiagnosisSettings(Settings):
    """How fresh is fresh, in which language people read, and which rules are loaded."""

    model_config = _env("CPE_")

    freshness_s: PositiveSeconds = 60.0
    language: Literal["fr", "en"] = "fr"
    speedtest_url: str | None = None
    rules: Path | None = None
    """A thresholds file that overrides the shipped one."""


def _hours(value: str) -> str:
    if value:
        first, _, last = value.partition("-")
        if not (first.isdigit() and last.isdigit() and int(first) < 24 and int(last) <= 24):
            raise ValueError("must be two hours of the day as 17-23, or empty")
    return value


Hours = Annotated[str, AfterValidator(_hours)]


class SweepSettings(Settings):
    """How a sweep reads and what it may do by itself."""

    # An empty CPE_SWEEP_QUIET_HOURS says something; any other empty variable is none.
    model_config = _env("CPE_SWEEP_") | SettingsConfigDict(env_ignore_empty=False)

    freshness_s: Annotated[float, Field(gt=0, le=30 * 86_400)] = 86_400.0
    """How old a reading may be to be judged; nobody waits on the phone."""
    walks_at_once: Annotated[int, Field(ge=1, le=200)] = 32
    """OLTs walked at the same time; each still gets one request at a time. They are waited for more
    than worked for: 25 of them, twelve at a time, are three rounds."""
    walk_s: Annotated[float, Field(gt=0, le=7200)] = 900.0
    """Overall deadline of one OLT's walk."""
    resume_s: Annotated[float, Field(gt=0, le=86_400)] = 7200.0
    """A sweep that was killed is gone on with this long; after it what was read is too old."""
    worst: Annotated[int, Field(ge=0, le=200)] = 10
    """How many of the worst boxes are diagnosed in full."""
    refresh_total: Annotated[int, Field(ge=0, le=10_000)] = 200
    """How many stale boxes that matter are asked again; 0 asks none."""
    refresh_per_s: Annotated[float, Field(gt=0, le=50)] = 4.0
    quiet_hours: Hours = "17-23"
    """Local hours in which no box is asked, from-to; empty for none."""
    timezone: TimeZone = "America/Montreal"
    shards: Annotated[int, Field(ge=1, le=64)] = 1
    """Above 1 the OLTs are walked by that many deployment runs, on as many workers."""

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, told: Any) -> Any:
        return {k: v for k, v in dict(told).items() if v != "" or k == "quiet_hours"}


_ALL: Final = {
    model.__name__: model
    for model in (
        AcsSettings,
        OltSettings,
        BridgeSettings,
        ErpSettings,
        SwapSettings,
        StoreSettings,
        HubSettings,
        SweepSettings,
        DiagnosisSettings,
    )
}


def mistakes(error: ValidationError) -> str:
    """`CPE_FRESHNESS_S: Input should be greater than 0; …`, without the values.

    Raises KeyError for what is not an error of the settings.
    """
    prefix = str(_ALL[error.title].model_config.get("env_prefix", ""))
    said: list[str] = []
    for item in error.errors(include_url=False, include_input=False, include_context=False):
        name = str(item["loc"][0])
        variable = name if name.startswith("CPE_") else f"{prefix}{name.upper()}"
        said.append(f"{variable}: {item['msg'].removeprefix('Value error, ')}")
    return "; ".join(said)
