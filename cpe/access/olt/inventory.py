"""The operator's list of OLTs (`CPE_OLTS`): one `[[olt]]` a device, credentials included.

[[olt]]
name = "olt-centre"
host = "192.0.2.10"
profile = "huawei"            # or "auto"
community = "…"               # v2c; for v3 instead: user, auth_key, priv_key, auth, priv
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal, cast

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)

from cpe.domain.errors import ProfileError
from cpe.profiles.loading import describe
from cpe.profiles.olt_profile import AUTO, olt_ids

SAME_PROTOCOL = {
    "sha1": "sha",
    "aes128": "aes",
    "tripledes": "3des",
    "aes192blumenthal": "aes192-blumenthal",
    "aes256blumenthal": "aes256-blumenthal",
}


def _protocol(name: object) -> object:
    """`SHA-256`, `sha256` and `AES128` are how people and OLTs write the same protocols."""
    if not isinstance(name, str):
        return name
    plain = name.lower().replace("-", "").replace("_", "").replace(" ", "")
    return SAME_PROTOCOL.get(plain, plain)


Auth = Annotated[
    Literal["md5", "sha", "sha224", "sha256", "sha384", "sha512"], BeforeValidator(_protocol)
]
Priv = Annotated[
    Literal["des", "3des", "aes", "aes192", "aes256", "aes192-blumenthal", "aes256-blumenthal"],
    BeforeValidator(_protocol),
]
MIN_KEY_LENGTH = 8


class OltTarget(BaseModel):
    """One OLT: where it is, which family, and how to log in. Secrets never show in a repr."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,62}$")]
    host: Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9_.:\-]+$")]
    port: Annotated[int, Field(ge=1, le=65535)] = 161
    profile: str = AUTO
    community: SecretStr | None = None
    user: SecretStr | None = None
    auth_key: SecretStr | None = None
    priv_key: SecretStr | None = None
    auth: Auth = "sha"
    priv: Priv = "aes"

    @model_validator(mode="after")
    def _usable(self) -> OltTarget:
        if self.profile not in (known := (*olt_ids(), AUTO)):
            raise ValueError(f"profile: unknown; one of {', '.join(known)}")
        if (self.community is None) == (self.user is None):
            raise ValueError("community (v2c) or user (v3): one of them")
        if self.community is not None and not self.community.get_secret_value():
            raise ValueError("community: is empty")
        if self.user is not None and not self.user.get_secret_value():
            raise ValueError("user: is empty")
        _check_keys(self)
        return self

    @property
    def is_v3(self) -> bool:
        """SNMPv3 rather than v2c."""
        return self.user is not None


def _check_keys(target: OltTarget) -> None:
    for name in ("community", "user", "auth_key", "priv_key"):
        secret = getattr(target, name)
        text = secret.get_secret_value() if secret is not None else ""
        if not (text.isascii() and text.isprintable()):
            # OLTs disagree on any other, and the SNMP library quotes it when it cannot be sent.
            raise ValueError(f"{name}: holds a character that is not printable ASCII")
    if target.community is not None and (target.auth_key or target.priv_key):
        raise ValueError("auth_key, priv_key: only with a v3 user")
    if target.priv_key is not None and target.auth_key is None:
        raise ValueError("priv_key: privacy needs an auth_key")
    for name, key in (("auth_key", target.auth_key), ("priv_key", target.priv_key)):
        if key is not None and len(key.get_secret_value()) < MIN_KEY_LENGTH:
            raise ValueError(f"{name}: shorter than {MIN_KEY_LENGTH} characters (RFC 3414 § 11.2)")


def load_inventory(path: Path) -> tuple[OltTarget, ...]:
    """Every OLT of the file, in order.

    Raises ProfileError naming file, entry and key; never a value that may be a secret.
    """
    olt_ids()  # what is wrong with one is not the inventory's mistake
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ProfileError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ProfileError(f"{path}: cannot be read: not UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"{path}: not TOML: {_where(str(error))}") from None
    if strange := sorted(set(content) - {"olt"}):
        raise ProfileError(f"{path}: unknown key {strange[0]!r}; every OLT is an [[olt]]")
    rows = content.get("olt", [])
    if not isinstance(rows, list) or not rows:
        raise ProfileError(f"{path}: olt: no [[olt]] entry")
    targets = tuple(
        _entry(path, number, row) for number, row in enumerate(cast("list[object]", rows), 1)
    )
    _refuse_duplicates(path, targets)
    return targets


def _where(message: str) -> str:
    # tomllib quotes the offending text only in some messages; its place is enough.
    place = message[message.rfind("(at ") :] if "(at " in message else "(place unknown)"
    return f"syntax error {place}"


def _entry(path: Path, number: int, row: object) -> OltTarget:
    label = f"olt {number}"
    if isinstance(row, dict):
        name = cast("dict[str, object]", row).get("name")
        label = f"olt {number} ({name})" if isinstance(name, str) else label
    try:
        return OltTarget.model_validate(row)
    except ValidationError as error:
        raise ProfileError(f"{path}: {label}: {describe(error)}") from None


def _refuse_duplicates(path: Path, targets: tuple[OltTarget, ...]) -> None:
    seen: set[str] = set()
    for number, target in enumerate(targets, 1):
        if target.name in seen:
            raise ProfileError(f"{path}: olt {number}: name: {target.name!r} is given twice")
        seen.add(target.name)
