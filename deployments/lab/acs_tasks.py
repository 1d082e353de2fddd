"""GenieACS's `tasks` and `faults` collections."""

from __future__ import annotations

import itertools
import json
import os
import re
from dataclasses import dataclass
from typing import Any, Final, cast

from deployments.lab.acs_query import CrashError, Doc
from deployments.lab.truth import IsoDate

HEX24: Final = re.compile(r"[0-9a-fA-F]{24}")
MAX_PER_SESSION: Final = 255
RETRY_DELAY_S: Final = 300.0
_RUN: Final = os.urandom(5).hex()


@dataclass(slots=True)
class Fault:
    """A fault document and when the task may run again."""

    doc: Doc
    retry_at: float


class Tasks:
    """Queue and faults of all devices."""

    def __init__(self) -> None:
        self.tasks: dict[str, Doc] = {}
        self.faults: dict[str, Fault] = {}
        self._counter = itertools.count(0x10BF58)

    def new_id(self, now: float) -> str:
        """A Mongo ObjectId."""
        return f"{int(now) & 0xFFFFFFFF:08x}{_RUN}{next(self._counter) & 0xFFFFFF:06x}"

    def insert(self, acs_id: str | None, body: Doc, now: float) -> Doc:
        """Store a task (validated) and return it as the NBI does: given fields first."""
        task: Doc = dict(body)
        expiry = task.get("expiry")
        if isinstance(expiry, int | float):
            task["expiry"] = IsoDate.at(now + expiry)
        elif isinstance(expiry, str):
            task["expiry"] = IsoDate.at(IsoDate(expiry).epoch_s)
        if acs_id is not None:
            task["device"] = acs_id
            if key := task.get("uniqueKey"):
                for old in [t for t in self.of(acs_id) if t.get("uniqueKey") == key]:
                    self.tasks.pop(old["_id"])  # Its fault stays behind, as with GenieACS.
        task["timestamp"] = IsoDate.at(now)
        task["_id"] = self.new_id(now)
        self.tasks[task["_id"]] = task
        return task

    def of(self, acs_id: str) -> list[Doc]:
        """The device's queue, oldest first."""
        mine = [task for task in self.tasks.values() if task.get("device") == acs_id]
        return sorted(mine, key=lambda task: task["timestamp"])

    def delete(self, task_id: str) -> Doc | None:
        """Remove a task and its fault."""
        task = self.tasks.pop(task_id, None)
        if task is not None:
            self.faults.pop(fault_id(task), None)
        return task

    def forget_device(self, acs_id: str) -> None:
        """Remove everything of a device."""
        for task in self.of(acs_id):
            self.delete(task["_id"])

    def fault(self, task: Doc, now: float, code: str, message: str, detail: Doc | None) -> None:
        """Record that a task faulted; it stays queued."""
        name = fault_id(task)
        before = self.faults.get(name)
        retries = before.doc["retries"] + 1 if before is not None else 0
        doc: Doc = {
            "_id": name, "device": task["device"], "channel": f"task_{task['_id']}",
            "timestamp": IsoDate.at(now), "code": code, "message": message,
        }  # fmt: skip
        if detail is not None:
            doc["detail"] = detail
        doc |= {"retries": retries, "provisions": _provisions(task)}
        if "expiry" in task:
            doc["expiry"] = task["expiry"]
        self.faults[name] = Fault(doc, now + RETRY_DELAY_S * 2**retries)

    def due(self, acs_id: str, started: float) -> list[Doc]:
        """The tasks a session that began then will run; the expired are dropped unexecuted."""
        start = IsoDate.at(started)
        ready: list[Doc] = []
        for task in self.of(acs_id):
            if "expiry" in task and task["expiry"] <= start:
                self.delete(task["_id"])
                continue
            fault = self.faults.get(fault_id(task))
            if task["timestamp"] < start and (fault is None or fault.retry_at <= started):
                ready.append(task)
        return ready


def fault_id(task: Doc) -> str:
    """`<device>:task_<id>`."""
    return f"{task.get('device')}:task_{task['_id']}"


def cwmp_fault(code: str) -> tuple[str, str, Doc]:
    """Code, message and detail of a CWMP fault."""
    text = {"9001": "Request denied", "9002": "Internal error", "9003": "Invalid arguments"}
    message = text.get(code, "CPE fault")
    detail: Doc = {"faultCode": code, "faultString": message, "setParameterValuesFault": None}
    return f"cwmp.{code}", message, detail


def _provisions(task: Doc) -> str:
    name = task["name"]
    rows: list[list[Any]]
    if name == "getParameterValues":
        rows = [["refresh", path] for path in task["parameterNames"]]
    elif name == "setParameterValues":
        rows = [["value", entry[0], entry[1]] for entry in task["parameterValues"]]
    elif name == "refreshObject":
        rows = [["refresh", task["objectName"]]]
    else:
        rows = [[name]]
    return json.dumps(rows, separators=(",", ":"), ensure_ascii=False)


def check_shape(task: object) -> Doc:
    """The task if the lab can run it. Raises CrashError for what kills a real NBI's handler,
    and for what the lab does not know (download, addObject …): nothing is silently accepted.
    """
    if not isinstance(task, dict):
        raise CrashError("a task is an object")
    doc = cast("Doc", task)
    name = doc.get("name")
    if "_id" in doc:
        raise CrashError("a client-supplied _id")
    if name == "getParameterValues":
        _need(_texts(doc.get("parameterNames")), name)
    elif name == "refreshObject":
        _need(isinstance(doc.get("objectName"), str), name)
    elif name == "setParameterValues":
        entries = doc.get("parameterValues")
        _need(isinstance(entries, list) and bool(entries), name)
        for entry in cast("list[object]", entries):
            _need(_assignment(entry), name)
    elif name not in {"reboot", "factoryReset"}:
        raise CrashError(f"unknown task {name!r}")
    return doc


def _need(condition: bool, name: object) -> None:
    if not condition:
        raise CrashError(f"malformed {name}")


def _texts(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, str) for v in value)  # pyright: ignore[reportUnknownVariableType]


def _assignment(entry: object) -> bool:
    if not isinstance(entry, list) or not 2 <= len(cast("list[object]", entry)) <= 3:
        return False
    parts = cast("list[object]", entry)
    return isinstance(parts[0], str) and isinstance(parts[1], str | int | float | bool)
