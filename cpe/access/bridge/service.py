"""An existing modem-bridge service over HTTP, in place of a browser of our own.

`POST {url}/read` with `{"modem": {"url", "serial"}, "login": {"user", "password"} | null, "reads":
[{"verb", "oid", "after", "attributes"}], "bound_s"}`; 200 answers `{"rows": {oid: [{attribute:
text}]}, "failed": {oid: why}, "lost": bool}`. 401 and 403 are a refused login, 409 and 423
somebody else's session, 404 and 501 what it does not support, 429 and 5xx trouble of its own.
`login` is null where the service holds the credentials itself. A service that speaks otherwise
needs a small proxy.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import httpx

from cpe.access.bridge.interface import MAX_ROWS, MAX_TEXT, SYSTEM, Harvest, Login, Modem, Row
from cpe.access.http import translated
from cpe.domain.errors import (
    AccessError,
    BusyError,
    LoginRefusedError,
    NotSupportedError,
    OccupiedError,
    TimedOutError,
    UnexpectedAnswerError,
    UnreachableError,
)
from cpe.profiles.bridge_profile import Read

MARGIN_S: Final = 0.5
"""What the service's answer may take on its way: it knows of so much less time than we wait."""
_SAYS: Final[dict[int, tuple[type[AccessError], str]]] = {
    401: (LoginRefusedError, "the login is refused"),
    403: (LoginRefusedError, "the login is refused"),
    404: (NotSupportedError, "the bridge service cannot read this modem"),
    409: (OccupiedError, "somebody is logged in to its admin UI"),
    423: (OccupiedError, "somebody is logged in to its admin UI"),
    429: (BusyError, "the bridge service is busy"),
    501: (NotSupportedError, "the bridge service cannot read this modem"),
    504: (TimedOutError, "the modem did not answer the bridge service in time"),
}


class ServiceBridge:
    """The service's client."""

    def __init__(
        self,
        url: str,
        *,
        login: Login | None,
        token: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        headers = {"Authorization": f"Bearer {token.strip()}"} if token is not None else {}
        self._url, self._login = f"{url.rstrip('/')}/read", login
        with translated(SYSTEM, ""):
            self._http = httpx.AsyncClient(headers=headers, transport=transport, trust_env=False)

    async def read(self, modem: Modem, reads: Sequence[Read], *, bound_s: float) -> Harvest:
        """One session on the modem, by the service. Raises AccessError."""
        login = self._login
        own_s = max(bound_s - MARGIN_S, bound_s / 2)
        wish = {
            "modem": {"url": modem.url, "serial": modem.serial},
            "login": {"user": login.user, "password": login.password} if login else None,
            "reads": [
                {"verb": r.verb, "oid": r.oid, "after": r.after, "attributes": list(r.attributes)}
                for r in reads
            ],
            "bound_s": own_s,
        }
        try:
            async with asyncio.timeout(bound_s):
                answer = await self._http.post(self._url, json=wish, timeout=bound_s)
        except (httpx.TimeoutException, TimeoutError):
            raise TimedOutError(
                "the bridge service did not answer in time", system=SYSTEM, target=modem.serial
            ) from None
        except httpx.RequestError as error:
            raise UnreachableError(
                f"the bridge service cannot be reached ({type(error).__name__})",
                system=SYSTEM,
                target=modem.serial,
            ) from None
        return _harvest(answer, reads, modem)

    async def settle(self) -> None:
        """Sessions are the service's to end."""

    async def close(self) -> None:
        """End the connections."""
        await self._http.aclose()


def _harvest(answer: httpx.Response, reads: Sequence[Read], modem: Modem) -> Harvest:
    status = answer.status_code
    if status in _SAYS:
        kind, said = _SAYS[status]
        raise kind(said, system=SYSTEM, target=modem.serial)
    if status >= 500:
        raise BusyError(f"the bridge service says {status}", system=SYSTEM, target=modem.serial)
    try:
        content: object = answer.json() if status == 200 else None
    except ValueError:
        content = None
    if not isinstance(content, dict) or not isinstance(cast("Any", content).get("rows"), dict):
        raise UnexpectedAnswerError(
            f"the bridge service answers what it should not (HTTP {status})",
            system=SYSTEM,
            target=modem.serial,
        )
    fields = cast("dict[str, Any]", content)
    rows = {read.oid: _rows(fields["rows"].get(read.oid), read.attributes) for read in reads}
    failed = fields.get("failed")
    said = cast("dict[str, Any]", failed) if isinstance(failed, dict) else {}
    return Harvest(
        rows={oid: found for oid, found in rows.items() if found},
        failed={read.oid: str(said[read.oid])[:60] for read in reads if read.oid in said},
        lost=fields.get("lost") is True,
    )


def _rows(value: object, names: Sequence[str]) -> list[Row]:
    """Only what was asked for, whatever the service sends along."""
    if not isinstance(value, list):
        return []
    items = cast("list[object]", value)[:MAX_ROWS]
    return [_picked(cast("Mapping[str, object]", i), names) for i in items if isinstance(i, dict)]


def _picked(row: Mapping[str, object], names: Sequence[str]) -> Row:
    known = {name: row[name] for name in names if name in row}
    return {n: str(v)[:MAX_TEXT] for n, v in known.items() if isinstance(v, str | int | float)}
