"""What the lab's HTTP servers share: answers with exact headers, and whole-system faults."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aiohttp import web

BREAKS_OFF: Final = ContextVar("breaks_off", default=False)
"""Whether the stream being written is to break off half-way."""
HEADER_LIMIT: Final = 16_384
"""Node refuses request line and headers beyond this with 431."""
FAULTS: Final = {"none", "down", "slow", "http500", "html", "truncated", "hang", "silent"}
_HTML: Final = (
    "<!doctype html><html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
)
Handle = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def say(
    request: web.Request,
    status: int,
    body: str = "",
    *,
    reason: str | None = None,
    headers: Mapping[str, str] | None = None,
    json_body: bool = False,
) -> web.StreamResponse:
    """A short answer, chunked as Node's are, with only the headers Node sends."""
    response = web.StreamResponse(status=status, reason=reason, headers=headers)
    if json_body:
        response.content_type = "application/json"
    response.enable_chunked_encoding()
    await response.prepare(request)
    if body:
        await response.write(body.encode())
    await response.write_eof()
    return response


def header_bytes(request: web.Request) -> int:
    """The size of request line and headers."""
    line = len(request.method) + len(request.raw_path) + 12
    return line + sum(len(name) + len(value) + 4 for name, value in request.raw_headers)


@dataclass(slots=True)
class Trouble:
    """The whole-system fault of one server; `times` requests suffer, None = until lifted."""

    fault: str = "none"
    times: int | None = None
    delay_s: float = 1.0

    def take(self) -> str:
        """The fault that this request suffers."""
        if self.fault == "none" or self.times == 0:
            return "none"
        if self.times is not None:
            self.times -= 1
        return self.fault


class Server:
    """One aiohttp server on loopback that can be troubled."""

    def __init__(self, name: str, handle: Handle, *, headers: Mapping[str, str]) -> None:
        self.name, self._handle, self._headers = name, handle, headers
        self.trouble = Trouble()
        self.requests = 0
        self.port = 0
        app = web.Application(client_max_size=1 << 22)
        app.router.add_route("*", "/{tail:.*}", self._entry)
        app.on_response_prepare.append(self._dress)
        options: dict[str, Any] = {"max_line_size": 1 << 20, "max_field_size": 1 << 20}
        self._runner = web.AppRunner(
            app, access_log=None, keepalive_timeout=5.0, shutdown_timeout=0.2, **options
        )
        self._site: web.TCPSite | None = None

    async def start(self, port: int = 0) -> None:
        """Listen on 127.0.0.1; port 0 takes a free one."""
        await self._runner.setup()
        await self._listen(port)

    async def _listen(self, port: int) -> None:
        self._site = web.TCPSite(self._runner, "127.0.0.1", port, reuse_address=True)
        await self._site.start()
        self.port = self._runner.addresses[0][1]

    @property
    def url(self) -> str:
        """`http://127.0.0.1:<port>`."""
        return f"http://127.0.0.1:{self.port}"

    async def stop(self) -> None:
        """Stop listening and end connections."""
        await self._runner.cleanup()

    async def set_trouble(self, trouble: Trouble) -> None:
        """Begin or lift a fault; `down` really refuses connections."""
        was_down, self.trouble = self.trouble.fault == "down", trouble
        if trouble.fault == "down" and self._site is not None:
            await self._site.stop()
            self._site = None
        elif was_down and self._site is None:
            await self._listen(self.port)

    async def _broken_off(self, request: web.Request) -> web.StreamResponse:
        """A streamed collection breaks off amid its rows, anything else at its start."""
        if self.name != "acs" or request.method != "GET":
            return await _truncated(request)
        token = BREAKS_OFF.set(True)
        try:
            return await self._handle(request)
        finally:
            BREAKS_OFF.reset(token)

    async def _dress(self, request: web.Request, response: web.StreamResponse) -> None:
        del request
        response.headers.update(self._headers)
        response.headers.pop("Server", None)
        if response.headers.get("Content-Type") == "application/octet-stream":
            del response.headers["Content-Type"]

    async def _entry(self, request: web.Request) -> web.StreamResponse:
        self.requests += 1
        fault = self.trouble.take()
        if fault in {"down", "hang", "silent"}:
            if fault != "down":
                await asyncio.sleep(3600)
            return cut_off(request)
        if fault == "slow":
            await asyncio.sleep(self.trouble.delay_s)
        if fault == "http429":
            return web.Response(status=429, headers={"Retry-After": "2"}, text="{}")
        if fault == "http500":
            return web.Response(status=500, text="Internal Server Error")
        if fault == "html":
            return web.Response(status=502, text=_HTML, content_type="text/html")
        if fault == "truncated":
            return await self._broken_off(request)
        if fault == "lost_answer":
            await self._handle(request)  # done, but the proxy in front loses the answer
            return web.Response(status=502, text=_HTML, content_type="text/html")
        try:
            return await self._handle(request)
        except ConnectionResetError:
            return web.Response()  # the client went away; nobody reads this


def cut_off(request: web.Request) -> web.StreamResponse:
    """End the connection as it is."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


async def _truncated(request: web.Request) -> web.StreamResponse:
    """200, the start of a body, and then the connection is gone."""
    response = web.StreamResponse(headers={"Content-Type": "application/json", "total": "1"})
    response.enable_chunked_encoding()
    await response.prepare(request)
    await response.write(b'[\n{"_id":"')
    await asyncio.sleep(0.01)
    return cut_off(request)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text, encoding="utf-8")
