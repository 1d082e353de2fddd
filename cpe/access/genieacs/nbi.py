"""How requests to a GenieACS NBI are phrased. Nothing that crashes an NBI worker can be built here.

GenieACS 1.2.13–1.2.16 hangs 21 s and respawns a worker on malformed tasks, operators, ids and
sorts; see reference/genieacs-nbi.md § 6.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast
from urllib.parse import quote

from cpe.access.genieacs.document import Document, parse_time
from cpe.access.genieacs.transport import SYSTEM, Answer, NbiTransport
from cpe.domain.errors import BusyError, CutOffError, InputRefusedError, UnexpectedAnswerError
from cpe.domain.redaction import excerpt

_TASK_ID: Final = re.compile(r"[0-9a-f]{24}")
_PARAMETER: Final = re.compile(r"[A-Za-z_][\w\-]*(?:\.(?:[A-Za-z_][\w\-]*|\d+|\*))*")
PART_LENGTH: Final = 7_600
"""Of a projection: nginx and Apache, where one stands before the NBI, take lines of 8 kB."""
MAX_FAULTS: Final = 20
SPARE_ROWS: Final = 5
"""`total` and the rows are two queries: they may differ while devices come and go."""


@dataclass(frozen=True, slots=True)
class PostedTask:
    """What the NBI answered to a task. `done_says_status` is a hint, never a proof."""

    id: str
    timestamp: datetime
    done_says_status: bool
    reason: str


@dataclass(frozen=True, slots=True)
class QueuedTask:
    """A task that waits for its device's next session, past its `expiry` too."""

    id: str
    unique_key: str
    expiry: datetime | None


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault the CWMP side recorded for a task."""

    code: str
    message: str


def encode_query(query: Mapping[str, object]) -> str:
    """A Mongo query for the URL, `$and` first: a numeric-looking value expands to an implicit
    `$and` that a later explicit one would overwrite."""
    ordered = dict(sorted(query.items(), key=lambda item: item[0] != "$and"))
    return quote(json.dumps(ordered, separators=(",", ":"), ensure_ascii=False), safe="")


def fleet_query(after: str, projection: Sequence[str]) -> str:
    """Every device after an id, in the order of ids (the only index there always is)."""
    query = encode_query({"_id": {"$gt": after}} if after else {})
    sort = quote('{"_id":1}', safe="")
    return f"query={query}&sort={sort}&projection={_projection(projection)}"


def in_parts(projection: Sequence[str]) -> list[list[str]]:
    """The paths in order, as many together as one URL may hold."""
    parts: list[list[str]] = []
    room = 0
    for path in projection:
        room -= len(path) + 1
        if room < 0:
            parts.append([])
            room = PART_LENGTH - len(path) - 1
        parts[-1].append(path)
    return parts


def short_of(seen: int, total: int | None) -> bool:
    """Whether clearly fewer rows came than the `total` header promised."""
    return total is not None and seen < total - max(SPARE_ROWS, total // 1000)


class Nbi:
    """The GenieACS northbound interface, async, one transport."""

    def __init__(self, transport: NbiTransport) -> None:
        self.transport = transport

    async def devices(
        self, query: Mapping[str, object], projection: Sequence[str], *, limit: int = 20
    ) -> list[Document]:
        """Matching devices, at most `limit`. Raises AccessError."""
        url_query = (
            f"query={encode_query(query)}&projection={_projection(projection)}&limit={limit}"
        )
        return await self._rows("/devices/", url_query)

    async def stream_devices(
        self, query: Mapping[str, object], projection: Sequence[str], *, idle_s: float = 30.0
    ) -> AsyncIterator[Document]:
        """Every matching device, one line at a time with bounded memory.

        Raises CutOffError when the stream ends without its closing bracket or holds clearly fewer
        rows than the `total` header promised; what was yielded before is then incomplete.
        """
        async for document in self._stream("devices", query, projection, idle_s):
            yield document

    async def _stream(
        self, collection: str, query: Mapping[str, object], projection: Sequence[str], idle_s: float
    ) -> AsyncIterator[Document]:
        url_query = f"query={encode_query(query)}&projection={_projection(projection)}"
        async with self.transport.lines(f"/{collection}/", query=url_query, idle_s=idle_s) as (
            total,
            lines,
        ):
            seen, closed = 0, False
            async for line in lines:
                text = line.strip().rstrip(",")
                if text in ("", "["):
                    continue
                if text == "]":
                    closed = True
                    continue
                yield _document(text, self.transport.target)
                seen += 1
            if not closed or short_of(seen, total):
                expected = "unknown" if total is None else total
                raise CutOffError(
                    f"the answer ended after {seen} of {expected} {collection}",
                    system=SYSTEM,
                    target=self.transport.target,
                )

    async def device(self, acs_id: str, projection: Sequence[str]) -> Document | None:
        """One device by its `_id`, a long projection in parts; None when it is gone.

        A session that ends between two parts is in the later one only, with its times.
        """
        document: dict[str, Any] = {}
        for part in in_parts(projection):
            rows = await self.devices({"_id": acs_id}, part, limit=1)
            if not rows:
                return None
            merge(document, rows[0])
        return document

    async def post_task(
        self,
        acs_id: str,
        task: Mapping[str, object],
        *,
        wait_ms: int | None,
        timeout_s: float,
    ) -> PostedTask | None:
        """Queue a task; with `wait_ms` also send a connection request and wait that long for the
        session to begin. None when the NBI does not know the device."""
        flags = "" if wait_ms is None else f"timeout={int(wait_ms)}&connection_request"
        answer = await self.transport.request(
            "POST",
            f"/devices/{quote(acs_id, safe='')}/tasks",
            query=flags,
            json=dict(task),
            timeout_s=timeout_s,
        )
        if answer.status == 404:
            return None
        if answer.status not in (200, 202):
            raise self._unexpected(answer)
        body = _document(answer.text, self.transport.target)
        task_id, timestamp = body.get("_id"), parse_time(body.get("timestamp"))
        if not isinstance(task_id, str) or timestamp is None:
            raise self._unexpected(answer)
        return PostedTask(task_id, timestamp, answer.status == 200, answer.reason)

    async def task_is_queued(self, task_id: str) -> bool:
        """Whether the task is still in the queue."""
        query = f"query={encode_query({'_id': _checked_id(task_id)})}&projection=_id"
        return bool(await self._rows("/tasks/", query))

    async def queued_by_key(self, acs_id: str, unique_key: str) -> list[str]:
        """Ids of this device's queued tasks that carry our key (after an unknown outcome)."""
        query = encode_query({"device": acs_id, "uniqueKey": unique_key})
        rows = await self._rows("/tasks/", f"query={query}&projection=_id")
        return [row["_id"] for row in rows if isinstance(row.get("_id"), str)]

    async def queued_of(self, acs_id: str) -> list[QueuedTask]:
        """This device's queued tasks that carry a key, anybody's. Raises AccessError."""
        query = encode_query({"device": acs_id})
        rows = await self._rows("/tasks/", f"query={query}&projection=_id,expiry,uniqueKey")
        return [task for row in rows if (task := _queued(row)) is not None]

    async def stream_queued(
        self, key_prefix: str, *, idle_s: float = 30.0
    ) -> AsyncIterator[QueuedTask]:
        """Every queued task of any device whose key begins so, as the answer comes.

        The NBI turns only `_id` and `timestamp` of a tasks query into what they are stored as: a
        query by `expiry` compares a date with a text and finds nothing. Raises as stream_devices.
        """
        query = {"uniqueKey": {"$regex": f"^{re.escape(key_prefix)}"}}
        async for row in self._stream("tasks", query, ["_id", "expiry", "uniqueKey"], idle_s):
            if (task := _queued(row)) is not None:
                yield task

    async def fault_of(self, acs_id: str, task_id: str) -> Fault | None:
        """The fault recorded for a task, if any."""
        fault_id = f"{acs_id}:task_{_checked_id(task_id)}"
        rows = await self._rows("/faults/", f"query={encode_query({'_id': fault_id})}")
        if not rows:
            return None
        code, message = rows[0].get("code"), rows[0].get("message")
        return Fault(str(code), excerpt(str(message)))

    async def faults_of_device(self, acs_id: str) -> list[Document]:
        """Every fault that stands for a device, the newest first, at most MAX_FAULTS."""
        query, sort = encode_query({"device": acs_id}), quote('{"timestamp":-1}', safe="")
        return await self._rows("/faults/", f"query={query}&sort={sort}&limit={MAX_FAULTS}")

    async def unique_keys(self, acs_id: str) -> dict[str, str]:
        """The unique keys of this device's queued tasks that have one, by task id."""
        query = encode_query({"device": acs_id})
        rows = await self._rows("/tasks/", f"query={query}&projection=_id,uniqueKey")
        return {str(row.get("_id")): str(row["uniqueKey"]) for row in rows if "uniqueKey" in row}

    async def delete_task(self, task_id: str) -> bool:
        """Remove a queued task and its fault. False when it was already gone.

        Raises BusyError while the device is in session (503).
        """
        answer = await self.transport.request("DELETE", f"/tasks/{_checked_id(task_id)}")
        return answer.status == 200

    async def count(self) -> int | None:
        """How many devices the ACS has, from the `total` header; for doctor."""
        answer = await self.transport.request("GET", "/devices/", query="projection=_id&limit=1")
        self._parse_rows(answer)
        return answer.total

    async def _rows(self, path: str, url_query: str) -> list[Document]:
        answer = await self.transport.request("GET", path, query=url_query)
        return self._parse_rows(answer)

    def _parse_rows(self, answer: Answer) -> list[Document]:
        if answer.status != 200:
            raise self._unexpected(answer)
        text = answer.text.strip()
        if text.startswith("[") and not text.endswith("]"):
            raise CutOffError("the answer ended early", system=SYSTEM, target=self.transport.target)
        try:
            rows: Any = json.loads(text)
        except ValueError as error:
            raise self._unexpected(answer) from error
        if not isinstance(rows, list) or not all(
            isinstance(row, dict) for row in cast("list[object]", rows)
        ):
            raise self._unexpected(answer)
        return cast("list[Document]", rows)

    def _unexpected(self, answer: Answer) -> UnexpectedAnswerError | BusyError:
        kind = BusyError if answer.status == 504 else UnexpectedAnswerError
        return kind(
            f"HTTP {answer.status}: {excerpt(answer.text) or 'empty answer'}",
            system=SYSTEM,
            target=self.transport.target,
        )


def get_parameter_values(
    names: Sequence[str], *, unique_key: str, expiry_s: int
) -> dict[str, object]:
    """A getParameterValues task. Raises InputRefusedError on names that would fault or crash."""
    if not names:
        raise InputRefusedError("a getParameterValues task needs at least one name")
    for name in names:
        _checked_parameter(name)
    return {
        "name": "getParameterValues",
        "parameterNames": list(names),
        "uniqueKey": unique_key,
        "expiry": expiry_s,
    }


def set_parameter_values(
    values: Sequence[tuple[str, str | int | bool, str]], *, unique_key: str, expiry_s: int
) -> dict[str, object]:
    """A setParameterValues task from (name, value, xsd type). Raises InputRefusedError."""
    if not values:
        raise InputRefusedError("a setParameterValues task needs at least one value")
    for name, _, _ in values:
        if "*" in _checked_parameter(name):
            raise InputRefusedError(f"{name!r}: a value is set on one parameter")
    return {
        "name": "setParameterValues",
        "parameterValues": [list(value) for value in values],
        "uniqueKey": unique_key,
        "expiry": expiry_s,
    }


def _checked_parameter(name: str) -> str:
    if not _PARAMETER.fullmatch(name):
        raise InputRefusedError(f"{name!r} is not a parameter path")
    return name


def _checked_id(task_id: str) -> str:
    if not _TASK_ID.fullmatch(task_id):
        raise InputRefusedError("a task id has 24 hexadecimal digits")
    return task_id


def _projection(paths: Sequence[str]) -> str:
    if not paths:
        raise InputRefusedError("a projection names at least one path")
    return quote(",".join(_checked_parameter(path) for path in paths), safe=",")


def merge(into: dict[str, Any], other: Mapping[str, Any]) -> None:
    """Add what another projection of the same device holds."""
    for key, value in other.items():
        known = into.get(key)
        if isinstance(known, dict) and isinstance(value, dict):
            merge(cast("dict[str, Any]", known), cast("dict[str, Any]", value))
        else:
            into[key] = value


def _queued(row: Document) -> QueuedTask | None:
    """None for a task whose id is none: another client chose it, and the NBI dies of it."""
    task_id, key = row.get("_id"), row.get("uniqueKey")
    if not isinstance(task_id, str) or not _TASK_ID.fullmatch(task_id) or not isinstance(key, str):
        return None
    return QueuedTask(task_id, key, parse_time(row.get("expiry")))


def _document(text: str, target: str) -> Document:
    try:
        body: Any = json.loads(text)
    except ValueError as error:
        raise UnexpectedAnswerError(
            f"not JSON: {excerpt(text)}", system=SYSTEM, target=target
        ) from error
    if not isinstance(body, dict):
        raise UnexpectedAnswerError(f"not an object: {excerpt(text)}", system=SYSTEM, target=target)
    return cast("Document", body)
