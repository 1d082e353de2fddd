"""What goes over the wire in our own terms, so that only the engine knows the SNMP library."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import Enum

Oid = tuple[int, ...]


class Missing(Enum):
    """Why a varbind has no value."""

    NO_OBJECT = "noSuchObject"
    NO_INSTANCE = "noSuchInstance"
    END = "endOfMibView"
    NULL = "null"
    NOT_ANSWERED = "not in the answer"
    FAILED = "the OLT answered an error for it"


@dataclass(frozen=True, slots=True)
class ObjectId:
    """A value of type OBJECT IDENTIFIER."""

    text: str


Value = int | bytes | ObjectId | Missing
Varbind = tuple[Oid, Value]


@dataclass(frozen=True, slots=True)
class Response:
    """One response PDU. `error_index` counts from 1."""

    error_status: int
    error_index: int
    varbinds: tuple[Varbind, ...]


def parse_oid(text: str) -> Oid:
    """`1.3.6` → (1, 3, 6)."""
    return tuple(int(part) for part in text.split(".")) if text else ()


def oid_text(oid: Oid) -> str:
    """(1, 3, 6) → `1.3.6`."""
    return ".".join(map(str, oid))


def inside(oid: Oid, prefix: Oid) -> bool:
    """Whether the OID is strictly below the prefix."""
    return len(oid) > len(prefix) and oid[: len(prefix)] == prefix


class Deadline:
    """A moment on the running loop's clock. It can be moved later while it is being watched."""

    __slots__ = ("_at", "_loop")

    def __init__(self, seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._at = self._loop.time() + seconds

    def left_s(self) -> float:
        """Seconds left; negative when passed."""
        return self._at - self._loop.time()

    def extend_to(self, other: Deadline) -> None:
        """Move to the other's moment when that is later."""
        self._at = max(self._at, other._at)
