"""How the NBI reads a request line and streams an answer."""

from __future__ import annotations

import asyncio
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import parse_qs, unquote

from aiohttp import web

from deployments.lab.acs_query import CrashError, Doc
from deployments.lab.web_server import BREAKS_OFF, cut_off, say

BREATHE: Final = 40
"""Documents between two turns of the event loop."""
_BAD_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(slots=True)
class Listing:
    """A GET that has been understood."""

    total: int
    docs: Iterator[Doc]


def json_of(value: object) -> str:
    """JSON as Node prints it."""
    return _ENCODER.encode(value)


_ENCODER: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)


async def stream(request: web.Request, listing: Listing) -> web.StreamResponse:
    """`[\\n` + one document a line + `\\n]`, chunked, headers first."""
    response = web.StreamResponse(
        headers={"Content-Type": "application/json", "total": str(listing.total)}
    )
    if request.method == "HEAD":
        await response.prepare(request)
        return response
    response.enable_chunked_encoding()
    await response.prepare(request)
    batch, half = ["[\n"], listing.total // 2 if BREAKS_OFF.get() else -1
    for number, doc in enumerate(listing.docs):
        row = json_of(doc) if number == 0 else ",\n" + json_of(doc)
        if number == half:
            await response.write(("".join(batch) + row[: len(row) // 2]).encode())
            await asyncio.sleep(0.01)
            return cut_off(request)
        batch.append(row)
        if number % BREATHE == BREATHE - 1:
            await response.write("".join(batch).encode())
            batch.clear()
            await asyncio.sleep(0)
    batch.append("\n]")
    await response.write("".join(batch).encode())
    await response.write_eof()
    return response


async def not_allowed(request: web.Request, allowed: str) -> web.StreamResponse:
    return await say(request, 405, "405 Method Not Allowed", headers={"Allow": allowed})


def arguments(request: web.Request) -> dict[str, str]:
    raw = request.raw_path.partition("?")[2]
    return {name: values[-1] for name, values in parse_qs(raw, keep_blank_values=True).items()}


def decode(part: str) -> str:
    if _BAD_PERCENT.search(part):
        raise CrashError("URI malformed")
    return unquote(part)


def integer(text: str | None) -> int:
    """JavaScript's parseInt; what is no number is 0."""
    found = re.match(r"\s*[+-]?\d+", text or "")
    return int(found[0]) if found else 0


def seconds(text: str) -> float:
    """Milliseconds as given; what is no number waits for ever, as NaN does."""
    found = re.match(r"\s*\d+", text)
    return int(found[0]) / 1000 if found else math.nan


def ids_in(query: str) -> Iterator[str]:
    wanted: Any = json.loads(query).get("_id")
    if isinstance(wanted, dict):
        for operand in cast("dict[str, object]", wanted).values():
            yield from (str(v) for v in (operand if isinstance(operand, list) else [operand]))  # pyright: ignore[reportUnknownVariableType]
    elif wanted is not None:
        yield str(wanted)
