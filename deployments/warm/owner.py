"""Who holds a flow run: a mark that Prefect keeps with the run, and whether its process lives.

The mark is in the message of the Pending state, so claiming and signing are one transition, and
from the start of the engine in `infrastructure_pid`. Nothing else is needed to find, from any
machine, the runs of a worker that was killed.
"""

from __future__ import annotations

import hashlib
import os
import re
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from prefect.client.schemas.objects import FlowRun, StateType

PREFIX = "warm"
_MARK = re.compile(r"\bwarm-(?P<host>[a-z0-9\-]+)-(?P<pid>\d+)-(?P<started>\d+)\b")


@dataclass(frozen=True, slots=True)
class Owner:
    """One life of one worker. `started` tells two processes with one pid apart."""

    host: str
    pid: int
    started: int

    @property
    def name(self) -> str:
        """As the worker is called in Prefect; never used by two lives."""
        return f"{PREFIX}-{self.host}-{self.pid}-{self.started}"

    @classmethod
    def here(cls) -> Self:
        """This process."""
        pid = os.getpid()
        return cls(_host(), pid, _started(pid) or 0)

    @classmethod
    def find(cls, text: str | None) -> Self | None:
        """The mark in a text; None when there is none."""
        match = _MARK.search(text or "")
        if match is None:
            return None
        return cls(match["host"], int(match["pid"]), int(match["started"]))

    @property
    def is_gone(self) -> bool | None:
        """Whether the process has ended; None where it can't be seen: on another machine, in
        another container, before the last boot."""
        return _started(self.pid) != self.started if self.host == _host() else None


def owner_of(run: FlowRun) -> Owner | None:
    """The warm worker that holds the run; None when another kind of worker does, or nobody."""
    if run.state is not None and run.state.type is StateType.PENDING:
        return Owner.find(run.state.message)
    return Owner.find(run.infrastructure_pid)


def _host() -> str:
    """The machine's name, and where on it a process can be seen by its pid: its boot and pid
    namespace. Cloned machines and containers on the host's network share the name alone."""
    name = re.sub(r"[^a-z0-9]+", "-", socket.gethostname().lower()).strip("-") or "host"
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
    sight = hashlib.sha256(f"{boot}{Path('/proc/self/ns/pid').readlink()}".encode())
    return f"{name}-{sight.hexdigest()[:6]}"


def _started(pid: int) -> int | None:
    """Clock ticks since boot at which the process began; None when it has ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rsplit(")", 1)[1].split()  # a program's name may hold blanks and brackets
    return None if fields[0] == "Z" else int(fields[19])
