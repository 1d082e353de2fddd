"""The fleet, read once: one streamed query in the order of `_id`, gone on with where it broke off.

Sorted by the indexed `_id`, a stream that ends early is not lost: the next query asks for what
comes after the last whole line. So the same code reads on after a cut, and after a killed process.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import orjson

from cpe.access.genieacs.document import Document
from cpe.access.genieacs.nbi import Nbi, fleet_query, short_of
from cpe.access.genieacs.sweep.plan import sweep_projection
from cpe.access.genieacs.sweep.reader import FleetPart, FleetReader
from cpe.access.genieacs.transport import SYSTEM
from cpe.domain.errors import AccessError, CutOffError, UnexpectedAnswerError
from cpe.domain.redaction import excerpt

PART_SIZE: Final = 4_000
RESUMES: Final = 4
"""How often in a row a stream may break off without one box more."""

Keep = Callable[[FleetPart, int | None], Awaitable[None]]
"""Takes a part and how many boxes the ACS has left, when it said so."""


@dataclass(slots=True)
class FleetRead:
    """How reading went. `whole`: the answer was proved to be all the ACS has."""

    rows: int = 0
    whole: bool = False
    detail: str = ""
    resumed: int = 0


async def read_fleet(
    nbi: Nbi, *, limit_s: float, after: str, keep: Keep, part_size: int = PART_SIZE
) -> FleetRead:
    """Read every box after the id `after` (empty: from the first) and keep part by part.

    Never raises AccessError: what came is kept, and the result says why it is not all. An ACS that
    answers an empty fleet is not believed.
    """
    read, fruitless = FleetRead(), 0
    while True:
        rows_before = read.rows
        try:
            after = await _read_once(nbi, limit_s, after, keep, part_size, read)
        except AccessError as error:
            read.detail = error.message
            after = getattr(error, "after", after)
            if read.rows > rows_before:
                fruitless = 0
            fruitless += 1
            if not error.transient or fruitless > RESUMES:
                return read
            read.resumed += 1
            continue
        read.whole = read.rows > 0 or bool(after)
        if not read.whole:
            read.detail = "the ACS answered that it has no devices at all"
        return read


async def _read_once(
    nbi: Nbi, limit_s: float, after: str, keep: Keep, part_size: int, read: FleetRead
) -> str:
    """One query to its end; the last id. An AccessError carries the last id kept as `after`."""
    part = FleetPart(last_id=after)
    reader: FleetReader | None = None
    total: int | None = None
    seen = 0
    try:
        async with nbi.transport.chunks(
            "/devices/", query=fleet_query(after, sweep_projection())
        ) as (
            total,
            chunks,
        ):
            lines = _Lines(nbi.transport.target)
            async for documents in lines.of(chunks):
                now = nbi.transport.now()
                if reader is None:
                    reader = FleetReader(
                        now=now, limit_s=limit_s, skew_s=nbi.transport.clock_skew_s
                    )
                reader.set_clock(now)
                for document in documents:
                    reader.read(document, part)
                    seen += 1
                    if len(part) >= part_size:
                        part = await _kept(
                            part, keep, read, None if total is None else total - seen
                        )
            if not lines.closed or short_of(seen, total):
                expected = "unknown" if total is None else total
                message = f"the answer ended after {seen} of {expected} devices"
                raise CutOffError(message, system=SYSTEM, target=nbi.transport.target)
    except AccessError as error:
        part = await _kept(part, keep, read, None)
        error.after = part.last_id  # type: ignore[attr-defined]
        raise
    part = await _kept(part, keep, read, 0)
    return part.last_id


async def _kept(part: FleetPart, keep: Keep, read: FleetRead, left: int | None) -> FleetPart:
    if len(part):
        await keep(part, left)
        read.rows += len(part)
    return FleetPart(last_id=part.last_id)


class _Lines:
    """Splits a stream into documents, one a line. `closed`: the closing bracket came."""

    def __init__(self, target: str) -> None:
        self._target = target
        self.closed = False

    async def of(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[list[Document]]:
        rest = b""
        async for chunk in chunks:
            *lines, rest = (rest + chunk).split(b"\n")
            if documents := self._documents(lines):
                yield documents
        # What follows the last line break is the closing bracket, or a line that broke off.
        if rest.strip() == b"]":
            self.closed = True

    def _documents(self, lines: list[bytes]) -> list[Document]:
        found: list[Document] = []
        for line in lines:
            text = line.strip().rstrip(b",")
            if text in (b"", b"["):
                continue
            if text == b"]":
                self.closed = True
                continue
            found.append(self._document(text))
        return found

    def _document(self, text: bytes) -> Document:
        try:
            document: Any = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            message = f"not JSON: {excerpt(text[:200].decode(errors='replace'))}"
            raise UnexpectedAnswerError(message, system=SYSTEM, target=self._target) from error
        if not isinstance(document, dict) or not isinstance(document.get("_id"), str):  # pyright: ignore[reportUnknownMemberType]
            message = f"not a device: {excerpt(text[:200].decode(errors='replace'))}"
            raise UnexpectedAnswerError(message, system=SYSTEM, target=self._target)
        return document  # pyright: ignore[reportUnknownVariableType]
