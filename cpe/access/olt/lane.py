"""What all conversations with one OLT share."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from cpe.access.olt.single_flight import SingleFlight
from cpe.domain.errors import UnreachableError


@dataclass(frozen=True, slots=True)
class SerialTable:
    """What a walk of the serial column gave: dotted indexes by serial (or ONT-ID).

    `complete`: the column, or the PON's part of it, was read to its end. `rows` counts all rows,
    those without a readable serial too; `detail` says why it ended early.
    """

    indexes: Mapping[str, tuple[str, ...]]
    rows: int
    complete: bool
    detail: str = ""


@dataclass(slots=True)
class Lane:
    """One OLT's: `turn` is held during a request, `profile_id` is what `auto` found.

    Silence costs seconds. Who began to ask before it was noticed (and queued behind the one who
    noticed it) is told so at once; who asks later asks for himself.
    """

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    walks: SingleFlight[SerialTable] = field(default_factory=SingleFlight[SerialTable])
    profile_id: str | None = None
    _heard_at: float = float("-inf")
    _silent: tuple[float, UnreachableError] | None = None

    def heard(self) -> None:
        """The OLT answered just now."""
        self._heard_at = _now()
        self._silent = None

    def note_silence(self, since: float, error: UnreachableError) -> None:
        """A conversation that began at `since` (loop time) ended without an answer."""
        if self._heard_at < since:
            self._silent = (_now(), error)

    def refuse_silence(self, asked_at: float) -> None:
        """Raise UnreachableError when the OLT was found silent after `asked_at` (loop time)."""
        if self._silent is not None and self._silent[0] >= asked_at:
            error = self._silent[1]
            raise UnreachableError(error.message, system=error.system, target=error.target)


def _now() -> float:
    return asyncio.get_running_loop().time()
