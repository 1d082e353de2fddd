"""A light Prefect server as a process of its own: `python -m tests.support.prefect_server FOLDER`.

In a test's own process it would share its database with whatever server the test starts there:
Prefect keeps what it writes to in one place a process.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.tools import ROOT


@dataclass(frozen=True)
class SharedServer:
    """Where it answers, and the home of whoever runs flows on it."""

    api_url: str
    folder: Path


@contextmanager
def running_server(migrated: Path, folder: Path) -> Iterator[SharedServer]:
    """On a copy of a migrated Prefect folder. It ends with us, however we end: our end of its
    standard input is closed then."""
    shutil.copytree(migrated, folder / "server")
    command = [sys.executable, "-m", "tests.support.prefect_server", str(folder / "server")]
    log = folder / "server.log"
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
        ) as process,
    ):
        assert process.stdout is not None
        api_url = process.stdout.readline().decode().strip()
        assert api_url, log.read_text()[-3000:]
        yield SharedServer(api_url, folder / "client")
        process.kill()  # nobody wants what it holds


def main(folder: Path) -> None:
    """Serve until standard input is closed."""
    from deployments.server.embedded import EmbeddedServer

    server = EmbeddedServer(light=True, folder=folder)
    server.start()
    sys.stdout.write(f"{server.api_url}\n")
    sys.stdout.flush()
    sys.stdin.buffer.read()
    server.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
