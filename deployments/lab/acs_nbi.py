"""The GenieACS NBI over HTTP/1.1: reason phrases, chunked bodies, the 431, the crashes."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Awaitable, Callable
from typing import Final, cast

from aiohttp import web

from deployments.lab.acs_answers import (
    BREATHE,
    Listing,
    arguments,
    decode,
    ids_in,
    integer,
    json_of,
    not_allowed,
    seconds,
    stream,
)
from deployments.lab.acs_devices import AcsDevices
from deployments.lab.acs_projection import (
    Projection,
    include,
    parse_projection,
    parse_sort,
    project,
    sort_value,
)
from deployments.lab.acs_query import CrashError, Doc, Query, parse_query
from deployments.lab.acs_sessions import Sessions
from deployments.lab.acs_tasks import HEX24, Tasks, check_shape, fault_id
from deployments.lab.web_server import HEADER_LIMIT, header_bytes, say

_OTHERS: Final = {
    "presets", "provisions", "virtual_parameters", "objects", "files", "operations", "config",
    "users", "permissions", "cache", "locks",
}  # fmt: skip
_QUEUED: Final = "Task queued but not processed"


class Nbi:
    """Handlers of the northbound interface."""

    def __init__(
        self, devices: AcsDevices, tasks: Tasks, sessions: Sessions, crash_hang_s: float
    ) -> None:
        self._devices, self._tasks, self._sessions = devices, tasks, sessions
        self._plant = devices.plant
        self._crash_hang_s = crash_hang_s
        self.crashes: list[str] = []
        """Why each crashing request crashed; a good client leaves this empty."""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Any request."""
        if header_bytes(request) > HEADER_LIMIT:
            return await say(request, 431)
        try:
            return await self._route(request)
        except CrashError as crash:
            self.crashes.append(str(crash))
            await asyncio.sleep(self._crash_hang_s)
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)

    async def _route(self, request: web.Request) -> web.StreamResponse:
        path = request.raw_path.partition("?")[0]
        parts = path.strip("/").split("/")
        name, rest = parts[0], parts[1:]
        if name not in _OTHERS | {"devices", "tasks", "faults"}:
            return await say(request, 404, "404 Not Found")
        if not rest:
            if request.method not in {"GET", "HEAD"}:
                return await not_allowed(request, "GET, HEAD")
            return await self._collection(request, name)
        routes: dict[tuple[str, ...], tuple[str, Handler]] = {
            ("devices", "1"): ("DELETE", self._delete_device),
            ("devices", "tasks"): ("POST", self._post_task),
            ("devices", "tags"): ("POST, DELETE", self._tag),
            ("tasks", "1"): ("DELETE", self._delete_task),
            ("tasks", "retry"): ("POST", self._retry),
            ("faults", "1"): ("DELETE", self._delete_fault),
        }
        kind = "1" if len(rest) == 1 else rest[1] if len(rest) <= 3 else ""
        if kind == "tags" and len(rest) != 3:
            kind = ""
        if (name, kind) not in routes:
            return await say(request, 404, "404 Not Found")
        allowed, handler = routes[name, kind]
        if request.method not in allowed.split(", "):
            shown = "PUT DELETE" if (name, kind) == ("tasks", "1") else allowed
            return await not_allowed(request, shown)
        return await handler(request, [decode(part) for part in rest])

    # -- reading

    async def _collection(self, request: web.Request, name: str) -> web.StreamResponse:
        args = arguments(request)
        expand = name == "devices"
        try:
            query = parse_query(args["query"], expand=expand) if "query" in args else None
            sort = parse_sort(args.get("sort"), expand=expand)
        except json.JSONDecodeError as wrong:
            return await say(request, 400, f"SyntaxError: {wrong.msg} in JSON")
        if name == "tasks" and query is not None and "_id" in query.fields:
            for text in ids_in(args["query"]):
                if not HEX24.fullmatch(text):
                    raise CrashError("tasks query with a bad ObjectId")
        projection = parse_projection(args.get("projection"))
        found = await self._find(name, query, [field for field, _ in sort])
        total = len(found)
        for field, descending in reversed(sort):
            found.sort(key=lambda item: sort_value(item[1], field), reverse=descending)
        skip, limit = integer(args.get("skip")), abs(integer(args.get("limit")))
        chosen = found[skip : skip + limit] if limit else found[skip:]
        docs = (self._whole(name, key, doc, projection) for key, doc in chosen)
        return await stream(request, Listing(total, docs))

    async def _find(
        self, name: str, query: Query | None, sorted_by: list[str]
    ) -> list[tuple[int, Doc]]:
        if name != "devices":
            docs = self._others(name)
            return [(0, doc) for doc in docs if query is None or query.test(doc)]
        needed: Projection = {}
        for field in [*(query.fields if query is not None else ()), *sorted_by]:
            include(needed, field)
        found: list[tuple[int, Doc]] = []
        for number, key in enumerate(self._devices.candidates(query)):
            if number % (BREATHE * 4) == 0:
                await asyncio.sleep(0)
            if set(needed) <= {"_id"}:  # the index that every MongoDB has
                partial: Doc = {"_id": self._devices.who(key).acs_id} if needed else {}
            else:
                partial = self._devices.document(key, needed)
            if query is None or query.test(partial):
                found.append((key, partial))
        return found

    def _whole(self, name: str, key: int, doc: Doc, projection: Projection | None) -> Doc:
        if name == "devices":
            return self._devices.document(key, projection)
        return project(doc, projection)

    def _others(self, name: str) -> list[Doc]:
        if name == "tasks":
            return list(self._tasks.tasks.values())
        if name == "faults":
            return [fault.doc for fault in self._tasks.faults.values()]
        if name == "users":
            return [{"_id": "admin", "password": "hash-CANARY", "salt": "salt-CANARY",
                     "roles": "admin"}]  # fmt: skip
        return []

    # -- writing

    async def _post_task(self, request: web.Request, parts: list[str]) -> web.StreamResponse:
        args, text = arguments(request), await request.text()
        calling = "connection_request" in args
        key = self._devices.resolve(parts[0])
        if not text and not calling:
            return await say(request, 400)
        try:
            body: object = json.loads(text) if text else None
        except json.JSONDecodeError as wrong:
            return await say(request, 400, f"SyntaxError: {wrong.msg} in JSON")
        if key is None:
            return await say(request, 404, "No such device")
        if not text:
            reason = await self._sessions.connection_request(key)
            return await say(request, 504 if reason else 200, reason, reason=reason or None)
        if body is None:
            wrong_body = "TypeError: Cannot set properties of null (setting 'device')"
            return await say(request, 400, wrong_body)
        now = self._plant.clock()
        if isinstance(body, list):
            items = [check_shape(item) for item in cast("list[object]", body)]
            stored = [self._tasks.insert(None, item, now) for item in items]
            return await say(request, 202, json_of(stored), json_body=True)
        task = check_shape(body)
        if not calling:
            stored_task = self._tasks.insert(parts[0], task, now)
            self._sessions.expect_inform(key)
            return await say(request, 202, json_of(stored_task), json_body=True)
        return await self._call_and_wait(request, key, parts[0], task, args.get("timeout"))

    async def _call_and_wait(
        self, request: web.Request, key: int, acs_id: str, task: Doc, timeout_ms: str | None
    ) -> web.StreamResponse:
        timing = self._sessions.timing
        timeout = timing.online_threshold_s if timeout_ms is None else seconds(timeout_ms)
        free = await self._sessions.wait_idle(key, timing.lock_wait_s)
        if not free:
            await asyncio.sleep(0 if math.isnan(timeout) else timeout)
        record = self._devices.record(key)
        before = record.last_session
        stored = self._tasks.insert(acs_id, task, self._plant.clock())
        body = json_of(stored)
        self._sessions.expect_inform(key)
        if not free:
            return await say(request, 202, body, reason=_QUEUED, json_body=True)
        reason = await self._sessions.connection_request(key)
        if not reason and not await self._started(key, before, timeout):
            reason = _QUEUED
        if not reason and not await self._ended(key, timing.session_limit_s):
            reason = _QUEUED
        if not reason and stored["_id"] in self._tasks.tasks:
            reason = "Task faulted" if fault_id(stored) in self._tasks.faults else _QUEUED
        return await say(
            request, 202 if reason else 200, body, reason=reason or None, json_body=True
        )

    async def _started(self, key: int, before: float, timeout: float) -> bool:
        poll = self._sessions.timing.poll_s
        while not self._sessions.in_session(key):
            if self._devices.record(key).last_session > before:
                return True
            if timeout < poll:
                return False
            await asyncio.sleep(poll)
            timeout -= poll
        return True

    async def _ended(self, key: int, timeout: float) -> bool:
        poll = self._sessions.timing.poll_s
        while self._sessions.in_session(key):
            if timeout < poll:
                return False
            await asyncio.sleep(poll)
            timeout -= poll
        return True

    async def _delete_device(self, request: web.Request, parts: list[str]) -> web.StreamResponse:
        key = self._devices.resolve(parts[0])
        if key is not None:
            if self._sessions.in_session(key):
                return await say(request, 503, "Device is in session")
            self._tasks.forget_device(parts[0])
            self._devices.forget(key)
        return await say(request, 200)

    async def _tag(self, request: web.Request, parts: list[str]) -> web.StreamResponse:
        key = self._devices.resolve(parts[0])
        if key is None:
            return await say(request, 404, "No such device")
        record = self._devices.record(key)
        tags = record.tags or []
        others = [tag for tag in tags if tag != parts[2]]
        record.tags = [*others, parts[2]] if request.method == "POST" else others
        return await say(request, 200)

    async def _delete_task(self, request: web.Request, parts: list[str]) -> web.StreamResponse:
        if not HEX24.fullmatch(parts[0]):
            raise CrashError("DELETE of a bad ObjectId")
        task = self._tasks.tasks.get(parts[0])
        if task is None:
            return await say(request, 404, "Task not found")
        key = self._devices.resolve(task.get("device", ""))
        if key is not None and self._sessions.in_session(key):
            return await say(request, 503, "Device is in session")
        self._tasks.delete(parts[0])
        return await say(request, 200)

    async def _retry(self, request: web.Request, parts: list[str]) -> web.StreamResponse:
        task = self._tasks.tasks.get(parts[0])
        if task is None:
            raise CrashError("retry of an unknown task")
        self._tasks.faults.pop(fault_id(task), None)
        return await say(request, 200)

    async def _delete_fault(self, request: web.Request, parts: list[str]) -> web.StreamResponse:
        device, _, channel = parts[0].rpartition(":")
        key = self._devices.resolve(device)
        if key is not None and self._sessions.in_session(key):
            return await say(request, 503, "Device is in session")
        self._tasks.faults.pop(parts[0], None)
        if channel.startswith("task_"):
            self._tasks.delete(channel.removeprefix("task_"))
        return await say(request, 200)


Handler = Callable[[web.Request, list[str]], Awaitable[web.StreamResponse]]
