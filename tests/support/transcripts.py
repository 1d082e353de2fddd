"""The recorded transcripts of a real GenieACS, replayed below httpx."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import httpx

from cpe.access.genieacs.nbi import Nbi
from cpe.access.genieacs.transport import NbiTransport

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "genieacs-nbi"


def transcript(name: str) -> dict[str, Any]:
    """One recording."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def response(recorded: dict[str, Any], *, date: str | None = None) -> httpx.Response:
    """The recorded answer, reason phrase included. A closed connection is raised as httpx does."""
    if recorded["status"] is None:
        raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
    headers = {k: v for k, v in (recorded.get("headers") or {}).items() if k != "Transfer-Encoding"}
    if date is None:
        headers.pop("Date", None)
    else:
        headers["Date"] = date
    return httpx.Response(
        recorded["status"],
        headers=headers,
        text=recorded.get("body") or "",
        extensions={"reason_phrase": (recorded.get("reason") or "").encode()},
    )


def nbi(handler: Callable[[httpx.Request], httpx.Response]) -> Nbi:
    """An NBI client whose every request goes to `handler`."""
    transport = httpx.MockTransport(handler)
    return Nbi(NbiTransport("http://acs.test:7557", transport=transport, timeout_s=2.0))


@dataclass
class Script:
    """A strict NBI: each (method, collection) answers by its function; anything else fails."""

    answers: dict[tuple[str, str], Callable[[httpx.Request], httpx.Response]]
    seen: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = urlsplit(str(request.url)).path
        collection = "tasks" if path.endswith("/tasks") else path.strip("/").split("/")[0]
        self.seen.append((request.method, path))
        key = (request.method, collection)
        if key not in self.answers:
            raise AssertionError(f"unexpected {request.method} {request.url}")
        return self.answers[key](request)


def rows(*documents: Any) -> httpx.Response:
    """A collection's answer in the NBI's own shape."""
    body = "[\n" + ",\n".join(json.dumps(d) for d in documents) + "\n]"
    return httpx.Response(200, headers={"total": str(len(documents))}, text=body)


def query_of(request: httpx.Request) -> Any:
    """The Mongo query of a request."""
    raw = parse_qs(urlsplit(str(request.url)).query).get("query", ["{}"])[0]
    return json.loads(unquote(raw))
