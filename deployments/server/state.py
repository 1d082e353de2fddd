"""Where a running server says that it runs: `home()/server.json`.

Commands look here before they start a server of their own. A file left by a killed process is
recognised (pid gone, or nothing healthy behind the URL) and ignored.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx

from cpe.settings import home
from deployments.server.environment import authorization

HEALTH_TIMEOUT_S = 2.0


@dataclass(frozen=True)
class ServerState:
    """What the file holds. `started_at` is ISO 8601 UTC."""

    api_url: str
    pid: int
    started_at: str


def state_file() -> Path:
    """The file's place; CPE_HOME decides."""
    return home() / "server.json"


def announce(api_url: str) -> None:
    """Write the file for this process, whole or not at all."""
    state = ServerState(api_url, os.getpid(), datetime.now(UTC).isoformat(timespec="seconds"))
    file = state_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".server.{os.getpid()}.json")
    draft.write_text(json.dumps(asdict(state)) + "\n", encoding="utf-8")
    draft.replace(file)


def withdraw() -> None:
    """Remove the file, unless another process has written its own since."""
    state = read_state()
    if state is not None and state.pid == os.getpid():
        with contextlib.suppress(FileNotFoundError):
            state_file().unlink()


def read_state() -> ServerState | None:
    """What the file says, true or not; None when there is none or it isn't ours."""
    try:
        content = json.loads(state_file().read_text(encoding="utf-8"))
        return ServerState(
            api_url=str(content["api_url"]),
            pid=int(content["pid"]),
            started_at=str(content["started_at"]),
        )
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def find_running_server() -> str | None:
    """The API URL of our server when its process lives and answers healthy, else None."""
    state = read_state()
    if state is None or not _alive(state.pid) or not is_healthy(state.api_url):
        return None
    return state.api_url


def is_healthy(api_url: str) -> bool:
    """Whether a Prefect server answers there and says it is well."""
    try:
        # trust_env: a proxy of the machine must not answer for our loopback server.
        url = f"{api_url.rstrip('/')}/health"
        answer = httpx.get(url, timeout=HEALTH_TIMEOUT_S, trust_env=False)
        return answer.status_code == httpx.codes.OK and answer.json() is True
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return False


def is_refused(api_url: str) -> bool:
    """Whether a server that is well does not know us: its health is told to everybody."""
    url = f"{api_url.rstrip('/')}/admin/version"
    try:
        answer = httpx.get(url, headers=authorization(), timeout=HEALTH_TIMEOUT_S, trust_env=False)
    except (httpx.HTTPError, httpx.InvalidURL):
        return False
    return answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
