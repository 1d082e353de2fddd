"""`cpe up` as an operator runs it: server, warm worker and hub, each in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "benchmark-0123456789abcdef"
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
START_S = 400.0


@dataclass(frozen=True, slots=True)
class House:
    """Where it is reached, and the processes it is made of."""

    api_url: str
    hub_url: str
    pid: int

    @property
    def processes(self) -> dict[str, int]:
        """Process ids by what they do. The launcher hosts Prefect's server."""
        found = {"server": self.pid}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                command = (folder / "cmdline").read_bytes().split(b"\0")
                parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except (OSError, IndexError):
                continue
            if parent == self.pid:
                if b"deployments.warm" in command:
                    found["worker"] = int(folder.name)
                elif b"deployments.hub" in command:
                    found["hub"] = int(folder.name)
        return found

    def cpu_s(self) -> dict[str, float]:
        """CPU that each process has used so far."""
        return {name: _cpu_s(pid) for name, pid in self.processes.items()}

    def rss_mb(self) -> dict[str, int]:
        """Memory that each process holds."""
        return {name: _rss_mb(pid) for name, pid in self.processes.items()}


@contextmanager
def running_house(home: Path, database_url: str | None = None) -> Iterator[House]:
    """Up for the length of the block, on the lab in the environment."""
    environment = {
        **os.environ,
        "CPE_HOME": str(home),
        "CPE_HUB_TOKENS": f"bench:read+diagnose:{TOKEN}",
        "CPE_HUB_PER_MINUTE": "1000000",
        "PYTHONUNBUFFERED": "1",
    }
    if database_url is not None:
        environment["PREFECT_SERVER_DATABASE_CONNECTION_URL"] = database_url
    command = [sys.executable, "-m", "deployments.cli", "up", "--port", "0", "--hub-port", "0"]
    log = home / "up.log"
    home.mkdir(parents=True, exist_ok=True)
    with (
        log.open("w") as out,
        subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT
        ) as process,
    ):
        try:
            yield _once_up(process, log, home)
        finally:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()


def _once_up(process: subprocess.Popen[bytes], log: Path, home: Path) -> House:
    deadline = time.monotonic() + START_S
    worker = home / "logs" / "worker-cpe.log"
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        text = log.read_text()
        api = re.search(r"Prefect (http://\S+)", text)
        hub = re.search(r"Hub (http://[^/]+)", text)
        if api and hub and worker.exists() and "serves pool" in worker.read_text():
            return House(f"{api[1]}/api", hub[1], process.pid)
        time.sleep(0.2)
    raise RuntimeError(f"cpe up did not come up: {log.read_text()}")


def hub_client(house: House) -> httpx.AsyncClient:
    """As the ops app calls it."""
    return httpx.AsyncClient(
        base_url=house.hub_url,
        headers={"Authorization": f"Bearer {TOKEN}"},
        timeout=120,
        trust_env=False,
        limits=httpx.Limits(max_connections=200),
    )


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _rss_mb(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE // 1_000_000
