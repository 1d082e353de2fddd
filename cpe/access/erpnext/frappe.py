"""Frappe's REST API: one request, one answer, every failure one of ours.

Errors are told apart by HTTP status and `exc_type` only: the texts are translated and hold HTML.
Requests are not repeated here, for repeating a write is a decision (see `patience`).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast
from urllib.parse import quote

import httpx

from cpe.access.erpnext.text import dropped, left_out, without_tags
from cpe.access.http import translated
from cpe.domain.errors import (
    AccessError,
    BusyError,
    DeclinedError,
    DuplicateError,
    FieldUnknownError,
    InputRefusedError,
    LoginRefusedError,
    StaleWriteError,
    TimedOutError,
    UnexpectedAnswerError,
)
from cpe.domain.redaction import excerpt, redact

SYSTEM: Final = "erp"
PAGE: Final = 100
"""Rows asked for at a time. Frappe gives 20 when nothing is said."""
MAX_PAGES: Final = 1000
Doc = dict[str, Any]
Filter = tuple[str, str, object]

KINDS: Final[dict[str, type[AccessError]]] = {
    "AuthenticationError": LoginRefusedError,
    "PermissionError": LoginRefusedError,
    "TimestampMismatchError": StaleWriteError,
    "UniqueValidationError": DuplicateError,
    "DuplicateEntryError": DuplicateError,
    "DataError": FieldUnknownError,
}
"""`exc_type` to ours; any other is understood and not done (DeclinedError)."""
MISSING: Final = "DoesNotExistError"


class FrappeBusyError(BusyError):
    """429 or 5xx. `retry_after_s` is what the server asked for, None when it did not say."""

    def __init__(
        self, message: str, *, system: str, target: str = "", retry_after_s: float | None = None
    ) -> None:
        super().__init__(message, system=system, target=target)
        self.retry_after_s = retry_after_s

    def __reduce__(self) -> tuple[object, ...]:
        return (_busy, (self.message, self.system, self.target, self.retry_after_s))


def _busy(message: str, system: str, target: str, retry_after_s: float | None) -> FrappeBusyError:
    return FrappeBusyError(message, system=system, target=target, retry_after_s=retry_after_s)


class Frappe:
    """One site, one connection pool, one event loop."""

    def __init__(
        self,
        url: str,
        api_key: str,
        api_secret: str,
        *,
        timeout_s: float = 10.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.target = redact(url)
        self._timeout_s = timeout_s
        with translated(SYSTEM, self.target):
            self._client = httpx.AsyncClient(
                base_url=url.rstrip("/"),
                headers={
                    "Authorization": f"token {api_key.strip()}:{api_secret.strip()}",
                    "Accept": "application/json",
                },
                timeout=timeout_s,
                transport=transport,
            )

    async def close(self) -> None:
        """Close the pool."""
        await self._client.aclose()

    async def read(self, doctype: str, name: str) -> Doc | None:
        """The whole document, None when there is none of that name."""
        return await self._one("GET", _path(doctype, name))

    async def rows(
        self,
        doctype: str,
        filters: Sequence[Filter],
        fields: Sequence[str],
        *,
        limit: int = PAGE,
        order_by: str = "name asc",
    ) -> list[Doc]:
        """At most `limit` rows (≤ PAGE). Raises FieldUnknownError for a field it does not have."""
        return await self._page(doctype, filters, fields, 0, min(limit, PAGE), order_by)

    async def every_row(
        self,
        doctype: str,
        filters: Sequence[Filter],
        fields: Sequence[str],
        *,
        page: int = PAGE,
    ) -> list[Doc]:
        """Every row, `page` at a time in the order of their names, which no write changes."""
        found: list[Doc] = []
        for number in range(MAX_PAGES):
            rows = await self._page(doctype, filters, fields, number * page, page, "name asc")
            found += rows
            if len(rows) < page:
                return found
        raise UnexpectedAnswerError(
            f"{doctype}: more than {MAX_PAGES * page} rows", system=SYSTEM, target=self.target
        )

    async def insert(self, doctype: str, fields: Mapping[str, object]) -> Doc:
        """A new document as the server kept it. Raises DuplicateError for a key that is taken,
        FieldUnknownError when it dropped a field."""
        kept = await self._one("POST", _path(doctype), dict(fields))
        if kept is None:
            raise self._declined(f"there is no doctype {doctype}")
        self._all_there(doctype, dropped(kept, fields), "it was dropped")
        return kept

    async def update(self, doctype: str, name: str, read: Doc, fields: Mapping[str, object]) -> Doc:
        """Change fields of a document that was read; `read["modified"]` is the lock.

        Raises StaleWriteError when somebody wrote since, FieldUnknownError when a field was
        dropped.
        """
        modified = read.get("modified")
        if not isinstance(modified, str) or not modified:
            raise UnexpectedAnswerError(
                f"{doctype} {name} came without `modified`", system=SYSTEM, target=self.target
            )
        kept = await self._one("PUT", _path(doctype, name), {**fields, "modified": modified})
        if kept is None:
            raise self._declined(f"{doctype} {name} is gone")
        self._all_there(doctype, dropped(kept, fields), "it was dropped")
        return kept

    async def method(self, name: str) -> object:
        """What a whitelisted method answers to a GET."""
        body = await self._ask("GET", f"/api/method/{quote(name, safe='.')}")
        return body.get("message")

    # -- one request

    async def _page(
        self,
        doctype: str,
        filters: Sequence[Filter],
        fields: Sequence[str],
        start: int,
        length: int,
        order_by: str,
    ) -> list[Doc]:
        params = {
            "fields": json.dumps(list(fields)),
            "filters": json.dumps([list(one) for one in filters], ensure_ascii=False),
            "limit_start": str(start),
            "limit_page_length": str(length),
            "order_by": order_by,
        }
        body = await self._ask("GET", _path(doctype), params=params)
        rows: object = body.get("data")
        if not isinstance(rows, list):
            raise self._strange("a list without rows", json.dumps(body))
        found: list[Doc] = []
        for row in cast("list[object]", rows):
            if not isinstance(row, dict):
                raise self._strange("a row that is no object", str(row))
            found.append(cast("Doc", row))
        self._all_there(doctype, left_out(found, fields), "or it is not ours to read")
        return found

    async def _one(self, method: str, path: str, body: Doc | None = None) -> Doc | None:
        answer = await self._ask(method, path, body=body, missing_is_none=True)
        if not answer:
            return None
        data: object = answer.get("data")
        if not isinstance(data, dict):
            raise self._strange("an answer without a document", json.dumps(answer))
        return cast("Doc", data)

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, str] | None = None,
        body: Doc | None = None,
        missing_is_none: bool = False,
    ) -> Doc:
        with translated(SYSTEM, self.target):
            try:
                async with asyncio.timeout(2 * self._timeout_s):
                    answer = await self._client.request(method, path, params=params, json=body)
            except TimeoutError as error:
                message = "no whole answer in time"
                raise TimedOutError(message, system=SYSTEM, target=self.target) from error
        return self._understood(answer, missing_is_none=missing_is_none)

    def _understood(self, answer: httpx.Response, *, missing_is_none: bool) -> Doc:
        status = answer.status_code
        if status == 429 or status >= 500:
            raise FrappeBusyError(
                f"HTTP {status} {_said(answer)}".rstrip(),
                system=SYSTEM,
                target=self.target,
                retry_after_s=_retry_after_s(answer.headers.get("Retry-After")),
            )
        body = _body(answer)
        if body is None:
            hint = " (is CPE_ERP_URL the site's?)" if status in (301, 302, 307, 308, 404) else ""
            if status in (401, 403):
                raise LoginRefusedError(f"HTTP {status}", system=SYSTEM, target=self.target)
            raise self._strange(f"HTTP {status}, no JSON object{hint}", answer.text)
        if 200 <= status < 300:
            return body
        kind = body.get("exc_type")
        if kind == MISSING and missing_is_none:
            return {}
        raise self._error(status, kind if isinstance(kind, str) else "", _said(answer))

    def _error(self, status: int, exc_type: str, said: str) -> AccessError:
        found = KINDS.get(exc_type)
        if found is None:
            found = LoginRefusedError if status in (401, 403) else DeclinedError
        message = f"{exc_type or f'HTTP {status}'} {said}".rstrip()
        return found(message, system=SYSTEM, target=self.target)

    def _all_there(self, doctype: str, lost: Sequence[str], why: str) -> None:
        if lost:
            raise FieldUnknownError(
                f"{doctype} has no field {', '.join(lost)}: {why}",
                system=SYSTEM,
                target=self.target,
            )

    def _declined(self, message: str) -> DeclinedError:
        return DeclinedError(message, system=SYSTEM, target=self.target)

    def _strange(self, what: str, text: str) -> UnexpectedAnswerError:
        return UnexpectedAnswerError(f"{what}: {excerpt(text)}", system=SYSTEM, target=self.target)


def _path(doctype: str, name: str | None = None) -> str:
    path = f"/api/resource/{quote(doctype, safe='')}"
    if name is None:
        return path
    if not name.strip(". "):
        raise InputRefusedError("a document's name may not be empty")
    return f"{path}/{quote(name, safe='')}"


def _body(answer: httpx.Response) -> Doc | None:
    try:
        body: object = answer.json()
    except ValueError:
        return None
    return cast("Doc", body) if isinstance(body, dict) else None


def _said(answer: httpx.Response) -> str:
    """The first message for people, stripped and short; never the traceback (`exc`)."""
    body = _body(answer) or {}
    try:
        first: object = json.loads(json.loads(str(body.get("_server_messages") or "[]"))[0])
    except (ValueError, IndexError, TypeError):
        return ""
    text = cast("Doc", first).get("message") if isinstance(first, dict) else first
    return f"({excerpt(without_tags(str(text)))})"


def _retry_after_s(header: str | None) -> float | None:
    """Seconds; a date is not waited for."""
    try:
        seconds = float(header or "")
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None
