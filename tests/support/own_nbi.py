"""A small NBI after the reference alone: MongoDB's projection, tasks, sessions, faults, locks.

Independent of the lab on purpose: what both get wrong in the same way shows nowhere else.
"""

from __future__ import annotations

import asyncio
import copy
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import httpx

from cpe.access.genieacs.nbi import Nbi
from cpe.access.genieacs.transport import NbiTransport
from tests.support.boxes import put, stamp

HEX = re.compile(r"[0-9a-f]{24}")


@dataclass
class Cpe:
    """A box: its parameters and how it takes a connection request and a session."""

    parameters: dict[str, Any]
    calls: str = "answers"
    session_s: float = 0.02
    gone: set[str] = field(default_factory=set[str])
    fault: str | None = None
    faults_after: int | None = None
    refuses: set[str] = field(default_factory=set[str])
    """Leaves for which any task that asks for them faults."""
    sessions: int = 0
    in_session: asyncio.Event = field(default_factory=asyncio.Event)


class OwnNbi:
    """Documents by `_id`, tasks and faults; `cwmp_ahead` is the CWMP host's clock minus ours."""

    def __init__(self, *, cwmp_ahead: timedelta = timedelta()) -> None:
        self.documents: dict[str, dict[str, Any]] = {}
        self.boxes: dict[str, Cpe] = {}
        self.tasks: dict[str, dict[str, Any]] = {}
        self.faults: dict[str, dict[str, Any]] = {}
        self.posts: list[dict[str, Any]] = []
        self.posted = asyncio.Semaphore(0)
        self.cut_next_read = False
        self.ahead, self._count = cwmp_ahead, 0

    def add(self, document: dict[str, Any], cpe: Cpe) -> None:
        """A device that the ACS knows, and the box behind it."""
        self.documents[document["_id"]] = document
        self.boxes[document["_id"]] = cpe

    def client(self) -> Nbi:
        """An NBI client of ours that talks to this one."""
        transport = httpx.MockTransport(self)
        return Nbi(NbiTransport("http://acs.test:7557", transport=transport, timeout_s=2.0))

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        raw_path = request.url.raw_path.decode().split("?", 1)[0]
        steps = [unquote(step) for step in raw_path.strip("/").split("/")]
        if request.method == "GET" and len(steps) == 1:
            return self._rows(steps[0], request)
        if request.method == "POST" and steps[0] == "devices" and steps[2:] == ["tasks"]:
            return await self._post(steps[1], request)
        if request.method == "DELETE" and steps[0] == "tasks":
            return self._delete(steps[1])
        raise AssertionError(f"out of contract: {request.method} {request.url}")

    def _rows(self, collection: str, request: httpx.Request) -> httpx.Response:
        parameters = parse_qs(urlsplit(str(request.url)).query)
        query = json.loads(parameters.get("query", ["{}"])[0])
        held = {"devices": self.documents, "tasks": self.tasks, "faults": self.faults}[collection]
        if collection == "tasks" and "_id" in query:
            assert HEX.fullmatch(query["_id"]), "crashes a worker"
        found = [d for d in held.values() if matches(d, query)]
        names = [n for n in parameters.get("projection", [""])[0].split(",") if n]
        rows = [json.dumps(projected(d, names) if names else d) for d in found]
        body = "[\n" + ",\n".join(rows) + "\n]"
        if self.cut_next_read:
            self.cut_next_read, body = False, body[:-2]
        return httpx.Response(200, headers={"total": str(len(rows))}, text=body)

    async def _post(self, acs_id: str, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        assert "_id" not in body
        assert "timestamp" not in body
        assert body["parameterNames"]
        if acs_id not in self.documents:
            return httpx.Response(404, text="No such device")
        document, cpe = self.documents[acs_id], self.boxes[acs_id]
        assert "_lastInform" in document, "crashes a worker"
        for key in [k for k, t in self.tasks.items() if t["device"] == acs_id]:
            if self.tasks[key].get("uniqueKey") == body.get("uniqueKey") is not None:
                del self.tasks[key]
        self._count += 1
        now = datetime.now(UTC)
        task = {
            **body,
            "device": acs_id,
            "timestamp": now.isoformat(),
            "_id": f"{self._count:024x}",
        }
        self.tasks[task["_id"]] = task
        self.posts.append(task)
        self.posted.release()
        if "connection_request" not in str(request.url):
            return httpx.Response(202, json=task, extensions={"reason_phrase": b"Accepted"})
        status, reason = await self._call(acs_id, cpe, task)
        text = {"reason_phrase": reason.encode()}
        return httpx.Response(status, json=task, extensions=text)

    async def _call(self, acs_id: str, cpe: Cpe, task: dict[str, Any]) -> tuple[int, str]:
        if cpe.calls == "offline":
            return 202, "Device is offline"
        if cpe.calls == "behind a proxy that gives up":
            return 502, "Bad Gateway"
        if cpe.calls == "hangs":
            await asyncio.sleep(3600)
        if cpe.calls == "silent":
            await asyncio.sleep(0.1)
            return 202, "Task queued but not processed"
        session = asyncio.create_task(self._session(acs_id, cpe))
        if cpe.calls == "long":
            await asyncio.sleep(0.05)
            return 202, "Task queued but not processed"
        await asyncio.shield(session)  # A client that hangs up ends no session.
        if f"{acs_id}:task_{task['_id']}" in self.faults:
            return 202, "Task faulted"
        return 200, "OK"

    async def _session(self, acs_id: str, cpe: Cpe) -> None:
        """Every queued task, oldest first; the document is written once, at the end."""
        start = datetime.now(UTC) + self.ahead
        cpe.in_session.set()
        await asyncio.sleep(cpe.session_s)
        cpe.in_session.clear()
        document = self.documents[acs_id]
        document["_lastInform"] = start.isoformat()
        cpe.sessions += 1
        for task in [t for t in self.tasks.values() if t["device"] == acs_id]:
            fault_id = f"{acs_id}:task_{task['_id']}"
            if fault_id in self.faults:
                continue
            for pattern in task["parameterNames"]:
                self._list(document, cpe, pattern, start)
            names = self._known(cpe, task["parameterNames"])
            fault = "cwmp.9002" if cpe.refuses.intersection(names) else cpe.fault
            done = names if fault is None else names[: cpe.faults_after or 0]
            for name in done:
                if name in cpe.gone:
                    remove(document, name)
                else:
                    put(document, name, cpe.parameters[name], start + timedelta(milliseconds=2))
            if fault is None:
                self.tasks.pop(task["_id"], None)
            else:
                self.faults[fault_id] = {
                    "_id": fault_id, "device": acs_id, "code": fault, "message": "no",
                }  # fmt: skip

    def _list(self, document: dict[str, Any], cpe: Cpe, pattern: str, at: datetime) -> None:
        """GetParameterNames below each `*`, and where a name on the way is missing."""
        steps = pattern.split(".")
        for number in range(1, len(steps)):
            for path in self._objects(document, steps[:number]):
                below = f"{path}."
                there = {
                    n[len(below) :].split(".")[0] for n in cpe.parameters if n.startswith(below)
                }
                wanted = steps[number]
                if not there or (wanted != "*" and wanted in there):
                    continue
                node = document
                for part in path.split("."):
                    node = node.setdefault(part, {"_object": True})
                node["_timestamp"] = stamp(at)
                for name in [k for k in node if k.isdecimal() and k not in there]:
                    del node[name]
                for name in there:
                    node.setdefault(name, {"_object": f"{below}{name}" not in cpe.parameters})

    def _objects(self, document: dict[str, Any], steps: list[str]) -> list[str]:
        found: list[tuple[str, dict[str, Any]]] = [("", document)]
        for step in steps:
            found = [
                (f"{path}.{key}".lstrip("."), child)
                for path, node in found
                for key, child in node.items()
                if isinstance(child, dict) and (key.isdecimal() if step == "*" else key == step)
            ]
        return [path for path, _ in found]

    def _known(self, cpe: Cpe, asked: list[str]) -> list[str]:
        names: list[str] = []
        for pattern in asked:
            regex = re.compile(re.escape(pattern).replace(r"\*", r"\d+"))
            names += [n for n in (*cpe.parameters, *cpe.gone) if regex.fullmatch(n)]
        return list(dict.fromkeys(names))

    def _delete(self, task_id: str) -> httpx.Response:
        assert HEX.fullmatch(task_id), "crashes a worker"
        task = self.tasks.get(task_id)
        if task is None:
            return httpx.Response(404, text="Task not found")
        if self.boxes[task["device"]].in_session.is_set():
            return httpx.Response(503, text="Device is in session")
        del self.tasks[task_id]
        self.faults.pop(f"{task['device']}:task_{task_id}", None)
        return httpx.Response(200)


def matches(document: dict[str, Any], query: dict[str, Any]) -> bool:
    """`$or`, `$in` and equality, `._value` appended where GenieACS does."""
    for key, wanted in query.items():
        if key == "$or":
            if not any(matches(document, part) for part in wanted):
                return False
            continue
        path = key if key.rsplit(".", 1)[-1].startswith("_") or "." not in key else f"{key}._value"
        value: Any = document
        for step in path.split("."):
            value = value.get(step) if isinstance(value, dict) else None
        allowed = wanted["$in"] if isinstance(wanted, dict) else [wanted]
        if value not in allowed:
            return False
    return True


def projected(document: dict[str, Any], paths: list[str]) -> dict[str, Any]:
    """MongoDB's inclusion: what exists of each path, its parents as bare objects."""
    result: dict[str, Any] = {"_id": document["_id"]}
    for path in paths:
        source: Any = document
        target = result
        *parents, last = path.split(".")
        for step in parents:
            source = source.get(step) if isinstance(source, dict) else None
            if source is None:
                break
            target = target.setdefault(step, {})
        if isinstance(source, dict) and last in source:
            target[last] = copy.deepcopy(source[last])
    return result


def remove(document: dict[str, Any], path: str) -> None:
    """What GenieACS does after a 9005."""
    node: Any = document
    *parents, last = path.split(".")
    for step in parents:
        node = node.get(step, {})
    node.pop(last, None)
