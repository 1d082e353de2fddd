"""Calls back: a finished diagnosis or a swap's change, pushed to CPE_HUB_CALLBACK_URL.

After the Standard Webhooks specification: `webhook-id` (the same at every attempt, so it is the
receiver's idempotency key), `webhook-timestamp` and `webhook-signature`, which is `v1,` and the
base64 of HMAC-SHA256 over `id.timestamp.body` with CPE_HUB_CALLBACK_SECRET. At least once: a letter
is in our database until the receiver has answered 2xx, whichever process dies.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

import httpx

from cpe.answer.document import utc
from cpe.domain.errors import StoreError
from cpe.settings import HubSettings
from cpe.signing import signing_key
from cpe.store.outbox import Letter
from deployments.hub.documents import encoded
from deployments.hub.services import Services

LOOK_S: Final = 0.5
TIMEOUT_S: Final = 10.0
LEASE_S: Final = 30.0
AT_ONCE: Final = 8
PAUSES_S: Final = (5, 30, 120, 600, 1800, 3600, 7200, 14400, 28800, 57600)
"""After each failure; some 33 hours in all, then the letter is given up and stays in the table."""
PRUNE_EVERY_S: Final = 3600.0
KEEP_DAYS: Final = 90

_log = logging.getLogger("hub")


def signed(secret: str, letter_id: str, body: bytes, at: datetime) -> dict[str, str]:
    """The headers that prove who sent it, and when. `secret` may be `whsec_…` (base64)."""
    stamp = str(int(at.timestamp()))
    said = b".".join((letter_id.encode(), stamp.encode(), body))
    digest = base64.b64encode(hmac.new(signing_key(secret), said, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": letter_id,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{digest}",
        "idempotency-key": letter_id,
        "content-type": "application/json",
    }


class Postman:
    """Of one hub process; several share the letters."""

    def __init__(
        self,
        services: Services,
        settings: HubSettings,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._services, self._settings, self._transport = services, settings, transport
        self._outbox = services.store.hub().outbox

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Deliver, and tidy our tables, while the block runs."""
        tasks = [asyncio.create_task(self._tidy())]
        if self._settings.calls_back:
            tasks.append(asyncio.create_task(self._deliver()))
        elif self._settings.callback_url is not None:
            _log.warning("nobody is called back: CPE_HUB_CALLBACK_SECRET is not set")
        elif self._settings.callback_secret is not None:
            _log.warning("nobody is called back: CPE_HUB_CALLBACK_URL is not set")
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _deliver(self) -> None:
        async with httpx.AsyncClient(timeout=TIMEOUT_S, transport=self._transport) as client:
            while True:
                try:
                    sent = await self.deliver_due(client)
                except StoreError as error:
                    _log.warning("calls back: %s", error)
                    sent = 0
                if not sent:
                    await asyncio.sleep(LOOK_S)

    async def deliver_due(self, client: httpx.AsyncClient) -> int:
        """Try every letter that is due once; how many that were."""
        letters = await self._outbox.due(now=datetime.now(UTC), lease_s=LEASE_S, limit=AT_ONCE)
        await asyncio.gather(*(self._send(client, letter) for letter in letters))
        return len(letters)

    async def _send(self, client: httpx.AsyncClient, letter: Letter) -> None:
        secret, url = self._settings.callback_secret, self._settings.callback_url
        assert secret is not None and url is not None  # noqa: S101, PT018 - `calls_back` was asked
        now = datetime.now(UTC)
        body = await self._body(letter)
        headers = signed(secret.get_secret_value(), letter.id, body, now)
        try:
            async with asyncio.timeout(TIMEOUT_S):  # the client's own begins anew with each byte
                answer = await client.post(url, content=body, headers=headers)
            failure = "" if answer.is_success else f"the receiver answered {answer.status_code}"
        except (httpx.HTTPError, TimeoutError) as error:
            failure = type(error).__name__
        if not failure:
            await self._outbox.delivered(letter.id, now=datetime.now(UTC))
            return
        again = None
        if letter.attempts < len(PAUSES_S):
            again = datetime.now(UTC) + timedelta(seconds=PAUSES_S[letter.attempts])
        _log.warning("%s: %s, %s", letter.id, failure, "again later" if again else "given up")
        await self._outbox.failed(letter.id, error=failure, again_at=again)

    async def _body(self, letter: Letter) -> bytes:
        if letter.body is not None:
            data: object = letter.body
        else:
            document = await self._services.documents.get(letter.subject)
            data = json.loads(document.body) if document is not None else None
        told = {"type": letter.kind, "timestamp": utc(letter.created_at), "data": data}
        return encoded(told)

    async def _tidy(self) -> None:
        while True:
            await asyncio.sleep(PRUNE_EVERY_S)
            try:
                hub = self._services.store.hub()
                await hub.prune(now=datetime.now(UTC), keep_days=KEEP_DAYS)
            except StoreError as error:
                _log.warning("tidying: %s", error)
