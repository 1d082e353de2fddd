"""The one redaction table: what may never reach a log, artifact, result, row or exception."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

HIDDEN: Final = "***"

SECRET_NAMES: Final = re.compile(
    r"pass(?:word|wd|phrase)|secret|community|presharedkey|keypassphrase|wepkey|"
    r"(?:api|auth|priv)_?key|\bpsk\b|token|authorization|connectionrequest(?:user|url)|"
    r"ppp_?user|username|gponpwd|loid|cookie",
    re.IGNORECASE,
)
"""Leaf, header, field or setting names whose values are never shown."""

# Both begin where a word begins: tried at each letter of a long word they take quadratic time (35 s
# for 16 kB).
_URL_CREDENTIALS: Final = re.compile(
    r"(?P<scheme>(?<![a-z0-9+.\-])[a-z0-9+.\-]+://)[^/@\s]+@", re.IGNORECASE
)
_ASSIGNMENT: Final = re.compile(
    rf"(?P<name>(?<![\w.\-])[\"']?[\w.\-]*(?:{SECRET_NAMES.pattern})[\w.\-]*[\"']?\s*[:=]\s*)"
    r"(?P<value>\"[^\"]*\"|'[^']*'|(?:(?:token|basic|bearer)\s+)?[^\s,;&}\]]+)",
    re.IGNORECASE,
)
_WRITTEN: Final = re.compile(
    r"(?P<name>(?<!\w)(?:mots?[ \-]de[ \-]passe|mdp|cl(?:é|e\u0301?)[ \-]"
    r"(?:wi-?fi|wpa\d?|r[ée]seau))(?: [\w\-]{1,20}){0,3}\s*[:=]\s*)"
    r"(?P<value>«[^»]*»|\"[^\"]*\"|'[^']*'|[^\s,;&}\]]+)",
    re.IGNORECASE,
)
"""What technicians write into a complaint: « mot de passe du wifi : … »."""
EXCERPT_LENGTH: Final = 120


@lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Whether a parameter, header or setting of this name holds a secret."""
    return SECRET_NAMES.search(name.rsplit(".", 1)[-1]) is not None


def redact(text: str) -> str:
    """The text with the values of secret-named assignments and URL credentials hidden."""
    if ":" not in text and "=" not in text:
        return text  # both patterns ask for one: nine tenths of what the store scrubs have none
    text = _URL_CREDENTIALS.sub(lambda m: f"{m['scheme']}{HIDDEN}@", text)
    text = _WRITTEN.sub(lambda m: f"{m['name']}{HIDDEN}", text)
    return _ASSIGNMENT.sub(lambda m: f"{m['name']}{HIDDEN}", text)


def excerpt(text: str) -> str:
    """A short redacted one-line excerpt of a foreign answer, safe to put in an exception."""
    flat = " ".join(redact(text).split())
    return flat if len(flat) <= EXCERPT_LENGTH else flat[: EXCERPT_LENGTH - 1] + "…"
