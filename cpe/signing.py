"""Secrets that sign calls back: any text, or `whsec_` and base64 (Standard Webhooks)."""

from __future__ import annotations

import base64
from typing import Final

from pydantic import SecretStr

_PREFIX: Final = "whsec_"


def signing_key(secret: str) -> bytes:
    """The bytes to sign with. Raises ValueError, which does not quote the secret."""
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except ValueError:
        key = b""
    if not key:
        raise ValueError(f"must hold base64 after {_PREFIX}")
    return key


def signable(secret: SecretStr) -> SecretStr:
    """The same secret. Raises ValueError when nothing can be signed with it."""
    signing_key(secret.get_secret_value())
    return secret
