"""Who may call the API: named bearer tokens with roles.

`CPE_HUB_TOKENS` is the path of a TOML file, readable by its owner only,

    [[token]]
    name = "ops-app"                # kept with everything that is asked with it
    roles = ["diagnose", "swap"]    # read diagnose swap override; the last three may also read
    secret = "…"                    # at least 16 characters; or, not to keep it in clear:
    # secret_sha256 = "…"           # printf %s SECRET | sha256sum
    per_minute = 6000               # instead of CPE_HUB_PER_MINUTE

or the tokens themselves: `NAME:ROLE+ROLE:SECRET`, separated by commas.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from cpe.domain.errors import ProfileError

MIN_SECRET: Final = 16


class Role(StrEnum):
    """What a token may do. `override` lets a swap through that the guard stopped."""

    READ = "read"
    DIAGNOSE = "diagnose"
    SWAP = "swap"
    OVERRIDE = "override"


@dataclass(frozen=True, slots=True)
class Token:
    """One caller. `digest`: SHA-256 of its secret."""

    name: str
    roles: frozenset[Role]
    digest: bytes
    per_minute: int | None = None

    def may(self, role: Role) -> bool:
        """Whoever may do something may read."""
        return role in self.roles or (role is Role.READ and bool(self.roles))


class Tokens:
    """All callers."""

    def __init__(self, tokens: Iterable[Token] = ()) -> None:
        self._tokens = tuple(tokens)
        for what, values in (
            ("name", [t.name for t in self._tokens]),
            ("secret", [t.digest for t in self._tokens]),
        ):
            if len(set(values)) != len(values):
                raise ProfileError(f"CPE_HUB_TOKENS: two tokens have one {what}")

    def __len__(self) -> int:
        return len(self._tokens)

    def find(self, secret: str) -> Token | None:
        """The caller of a secret, in the same time whichever it is."""
        digest = hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
        found = None
        for token in self._tokens:
            if hmac.compare_digest(token.digest, digest):
                found = token
        return found


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._\-]{1,64}$")]
    roles: Annotated[frozenset[Role], Field(min_length=1)]
    secret: Annotated[SecretStr, Field(min_length=MIN_SECRET, max_length=512)] | None = None
    secret_sha256: Annotated[SecretStr, Field(min_length=64, max_length=64)] | None = None
    per_minute: Annotated[int, Field(ge=1, le=1_000_000)] | None = None

    @model_validator(mode="after")
    def _one_secret(self) -> _Entry:
        if (self.secret is None) == (self.secret_sha256 is None):
            raise ValueError("needs either secret or secret_sha256")
        return self

    def token(self) -> Token:
        if self.secret is not None:
            digest = hashlib.sha256(self.secret.get_secret_value().encode()).digest()
        else:
            assert self.secret_sha256 is not None  # noqa: S101 - validated above
            digest = bytes.fromhex(self.secret_sha256.get_secret_value())
        return Token(self.name, self.roles, digest, self.per_minute)


def load_tokens(setting: str) -> Tokens:
    """What CPE_HUB_TOKENS holds. Raises ProfileError, which quotes no secret."""
    text = setting.strip()
    rows: Sequence[Any] = _inline(text) if _is_inline(text) else _file(Path(text).expanduser())
    found: list[Token] = []
    for number, row in enumerate(rows, start=1):
        try:
            found.append(_Entry.model_validate(row).token())
        except ValidationError as error:
            wrong = "; ".join(
                f"{'.'.join(map(str, item['loc'])) or 'token'}: {item['msg']}"
                for item in error.errors(include_url=False, include_input=False)
            )
            raise ProfileError(f"CPE_HUB_TOKENS: token {number}: {wrong}") from None
        except ValueError:
            wrong = "secret_sha256 must be hexadecimal"
            raise ProfileError(f"CPE_HUB_TOKENS: token {number}: {wrong}") from None
    return Tokens(found)


def new_secret() -> str:
    """A secret nobody guesses, without characters that a shell or a form would mind."""
    return secrets.token_urlsafe(32)


def _is_inline(text: str) -> bool:
    return not text.startswith(("/", "~", ".")) and text.count(":") >= 2


def _inline(text: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, _, rest = item.partition(":")
        roles, _, secret = rest.partition(":")
        rows.append({"name": name, "roles": roles.split("+"), "secret": secret})
    return rows


def _file(path: Path) -> list[Any]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ProfileError(f"CPE_HUB_TOKENS: {path}: {why}") from None
    except tomllib.TOMLDecodeError as error:
        # Its message may quote a line; the place is enough.
        place = str(error).rpartition("(")[2].rstrip(")")
        raise ProfileError(f"CPE_HUB_TOKENS: {path}: not TOML ({place})") from None
    rows = content.get("token")
    if not isinstance(rows, list) or set(content) != {"token"}:
        raise ProfileError(f"CPE_HUB_TOKENS: {path}: expected [[token]] tables and nothing else")
    return rows
