"""How bytes travel to and from an NBI. Every httpx error leaves as one of ours."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

from cpe.access.http import is_refused, translated
from cpe.domain.errors import (
    BusyError,
    InputRefusedError,
    LoginRefusedError,
    NotSupportedError,
    TimedOutError,
    UnexpectedAnswerError,
)
from cpe.domain.redaction import excerpt, redact

SYSTEM: Final = "acs"
KEEPALIVE_S: Final = 4.0
"""The NBI drops idle connections after 5 s (Keep-Alive: timeout=5)."""
MAX_CONNECTIONS: Final = 200
"""A task for a silent box holds one for its whole wait; lookups beside must not starve."""
SAME_CLOCK_S: Final = 2.0
"""The Date header has whole seconds; below this the clocks count as one."""
RESTART_S: Final = 2.5
"""How long a refused connection is tried again; GenieACS respawns a worker in 0.4-1 s."""
STILL_DOWN_S: Final = 30.0
"""An ACS that did not come back in RESTART_S: who asks within so long is told at once."""
MAX_URL: Final = 15_000
"""Node's header cap is 16 KiB; longer requests are answered 431."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. `reason` is the HTTP/1.1 reason phrase, empty behind an HTTP/2 proxy."""

    status: int
    reason: str
    text: str
    total: int | None


class NbiTransport:
    """One NBI, one connection pool, one event loop."""

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        timeout_s: float = 3.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        headers = {"Accept": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token.strip()}"
        self.target = redact(url)
        self._offset = timedelta()
        self._down_until = 0.0
        with translated(SYSTEM, self.target):
            self._client = httpx.AsyncClient(
                base_url=url.rstrip("/"),
                headers=headers,
                timeout=timeout_s,
                transport=transport,
                limits=httpx.Limits(max_connections=MAX_CONNECTIONS, keepalive_expiry=KEEPALIVE_S),
            )

    async def close(self) -> None:
        """Close the pool."""
        await self._client.aclose()

    def now(self) -> datetime:
        """The ACS's clock, as of the last answer's Date header."""
        return datetime.now(UTC) + self._offset

    @property
    def clock_skew_s(self) -> float:
        """The ACS's clock minus ours, 0 when they count as one."""
        return self._offset.total_seconds()

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: str = "",
        json: object = None,
        timeout_s: float | None = None,
    ) -> Answer:
        """One request, whole answer. Raises AccessError; 2xx, 400 and 404 are answers.

        `path` and `query` are already percent-encoded.
        """
        url = f"{path}?{query}" if query else path
        if len(url) > MAX_URL:
            raise InputRefusedError(f"the request line has {len(url)} characters: too long")
        timeout = httpx.USE_CLIENT_DEFAULT if timeout_s is None else httpx.Timeout(timeout_s)
        with translated(SYSTEM, self.target):
            try:
                async with asyncio.timeout(timeout_s or self._total_s()):
                    request = self._client.build_request(method, url, json=json, timeout=timeout)
                    response = await self._send(request)
            except TimeoutError as error:
                message = "no whole answer in time"
                raise TimedOutError(message, system=SYSTEM, target=self.target) from error
        self._note_clock(response)
        self._check(response)
        return Answer(response.status_code, response.reason_phrase, response.text, _total(response))

    @contextlib.asynccontextmanager
    async def lines(
        self, path: str, *, query: str, idle_s: float = 30.0
    ) -> AsyncGenerator[tuple[int | None, AsyncIterator[str]]]:
        """A streamed GET: (`total` header, its lines). `idle_s` bounds the wait for each piece."""
        async with self._stream(path, query, idle_s) as response:
            yield _total(response), response.aiter_lines()

    @contextlib.asynccontextmanager
    async def chunks(
        self, path: str, *, query: str, idle_s: float = 60.0
    ) -> AsyncGenerator[tuple[int | None, AsyncIterator[bytes]]]:
        """As `lines`, in pieces of bytes as they come: the reader of a whole fleet splits them."""
        async with self._stream(path, query, idle_s) as response:
            yield _total(response), response.aiter_bytes()

    @contextlib.asynccontextmanager
    async def _stream(self, path: str, query: str, idle_s: float) -> AsyncGenerator[httpx.Response]:
        url = f"{path}?{query}" if query else path
        if len(url) > MAX_URL:
            raise InputRefusedError(f"the request line has {len(url)} characters: too long")
        with translated(SYSTEM, self.target):
            request = self._client.build_request("GET", url, timeout=idle_s)
            async with contextlib.aclosing(await self._send(request, stream=True)) as response:
                self._note_clock(response)
                if response.status_code != 200:
                    await response.aread()
                    self._check(response)
                    raise UnexpectedAnswerError(
                        f"HTTP {response.status_code}", system=SYSTEM, target=self.target
                    )
                yield response

    async def _send(self, request: httpx.Request, *, stream: bool = False) -> httpx.Response:
        """Send a request; again and again for RESTART_S while nobody listens there."""
        clock = asyncio.get_running_loop().time
        patience_ends, pause_s = clock() + RESTART_S, 0.1
        while True:
            try:
                response = await self._client.send(request, stream=stream)
            except httpx.ConnectError as error:
                was_down = clock() < self._down_until
                if was_down or not is_refused(error) or clock() + pause_s > patience_ends:
                    self._down_until = clock() + STILL_DOWN_S
                    raise
                await asyncio.sleep(pause_s)
                pause_s = min(0.5, 2 * pause_s)
            else:
                self._down_until = 0.0
                return response

    def _total_s(self) -> float:
        return 2 * (self._client.timeout.read or 10.0)

    def _note_clock(self, response: httpx.Response) -> None:
        try:
            date = parsedate_to_datetime(response.headers.get("Date", ""))
        except ValueError:
            return
        if date.tzinfo is None:
            return
        offset = date + timedelta(seconds=0.5) - datetime.now(UTC)
        same = abs(offset.total_seconds()) <= SAME_CLOCK_S
        self._offset = timedelta() if same else offset

    def _check(self, response: httpx.Response) -> None:
        status = response.status_code
        if status in (401, 403):
            raise LoginRefusedError(
                f"HTTP {status}: check CPE_ACS_TOKEN", system=SYSTEM, target=self.target
            )
        if status in (414, 431):
            raise NotSupportedError(
                f"HTTP {status}: a URL of {len(str(response.url))} characters is refused;"
                " let the proxy before the NBI take lines of 16 KiB",
                system=SYSTEM,
                target=self.target,
            )
        if status == 429 or (status >= 500 and status != 504):
            said = excerpt(response.text)
            raise BusyError(f"HTTP {status}: {said}", system=SYSTEM, target=self.target)


def _total(response: httpx.Response) -> int | None:
    value = response.headers.get("total")
    return int(value) if value is not None and value.isdigit() else None
