"""A content security policy on every answer of the embedded server.

UI v2 asks an analytics host for its configuration on every page, even with analytics off
(reference/prefect.md § 1); the policy lets a page talk to nobody but the server it came from.
"""

from __future__ import annotations

import re
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_DIRECTIVES: Final = (
    "default-src 'self'",
    # index.html boots with an inline script; the run graph (pixi.js) compiles its shaders' glue
    # and throws "Current environment does not allow unsafe-eval" without it.
    "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
    "style-src 'self' 'unsafe-inline'",  # both UIs set styles at run time
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "worker-src 'self' blob:",  # the run graph lays itself out in a worker made from a blob
    "object-src 'none'",
    "base-uri 'self'",
    "form-action 'self'",
    "frame-ancestors 'self'",
)
_HOST = re.compile(r"[A-Za-z0-9.\-]+(?::\d{1,5})?|\[[0-9A-Fa-f:]+\](?::\d{1,5})?")


def policy(host: str) -> str:
    """The header's value for a page served as `host` (the request's Host header).

    Chromium and Firefox count same-origin websockets as 'self'; Safari before 16 needs them named.
    """
    connect = "connect-src 'self'"
    if _HOST.fullmatch(host):
        connect += f" ws://{host} wss://{host}"
    return "; ".join((*_DIRECTIVES, connect))


class ContentSecurityPolicy:
    """ASGI wrapper that adds the policy to every HTTP answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        value = policy(_host(scope))

        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["content-security-policy"] = value
            await send(message)

        await self._app(scope, receive, send_with_policy)


def _host(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"host":
            return value.decode("latin-1")
    return ""
