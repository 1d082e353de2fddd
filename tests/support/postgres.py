"""A throw-away PostgreSQL cluster from Debian's binaries, for tests.

PostgreSQL refuses to run as root, so a root test run starts it as `postgres` or `nobody`.
The cluster lives in a folder of its own below the system's temporary folder: pytest's tmp_path is
closed (0700) to any other user.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg

from tests.support.ports import free_port

# Nothing in it outlives the run: durability is switched off.
_SERVER_OPTIONS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class PostgresCluster:
    """One running cluster. `database()` makes a fresh, empty database and returns its URL."""

    def __init__(self, folder: Path, bin_folder: Path) -> None:
        self._folder = folder
        self._bin = bin_folder
        self._password = secrets.token_urlsafe(16)
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = "postgres") -> str:
        """Plain SQLAlchemy URL over loopback TCP, with the throw-away password in it."""
        return f"postgresql://cpe:{self._password}@127.0.0.1:{self._port}/{database}"

    @property
    def socket_folder(self) -> Path:
        """Where the unix socket is, for `?host=` URLs."""
        return self._folder

    async def database(self) -> str:
        """A new database from template1; its URL."""
        name = f"t_{secrets.token_hex(6)}"
        connection = await asyncpg.connect(self.url())
        try:
            await connection.execute(f'CREATE DATABASE "{name}"')
        finally:
            await connection.close()
        return self.url(name)

    def start(self) -> None:
        """Make the cluster, wait until it takes connections; raises RuntimeError with its log."""
        password_file = self._folder / "password"
        password_file.write_text(self._password)
        if owner := _unprivileged():
            for path in (self._folder, password_file):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        self._initialise(password_file)
        arguments = [str(self._bin / "postgres"), "-D", str(self._data), "-p", str(self._port)]
        arguments += ["-k", str(self._folder), "-h", "127.0.0.1"]
        for option in _SERVER_OPTIONS:
            arguments += ["-c", option]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                arguments, stdout=log, stderr=log, cwd=self._folder, **_as_owner()
            )
        self._wait_until_ready()

    def stop(self) -> None:
        """Fast shutdown."""
        if self._process is None:
            return
        self._process.send_signal(2)  # SIGINT: PostgreSQL's fast shutdown
        self._process.wait()
        self._process = None

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    @property
    def _log(self) -> Path:
        return self._folder / "postgres.log"

    def _initialise(self, password_file: Path) -> None:
        command = [str(self._bin / "initdb"), "-D", str(self._data), "-U", "cpe", "--no-sync"]
        command += ["--auth=scram-sha-256", f"--pwfile={password_file}", "--encoding=UTF8"]
        command += ["--locale=C.UTF-8"]
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=self._folder, check=False, **_as_owner()
        )
        if done.returncode != 0:
            raise RuntimeError(f"initdb failed: {done.stdout}{done.stderr}")

    def _wait_until_ready(self) -> None:
        assert self._process is not None
        ready = [str(self._bin / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self._port)]
        while self._process.poll() is None:
            if subprocess.run(ready, check=False).returncode == 0:
                return
            time.sleep(0.05)
        self.stop()
        raise RuntimeError(f"PostgreSQL did not start: {self._log.read_text(errors='replace')}")


@contextlib.contextmanager
def running_postgres(bin_folder: Path) -> Iterator[PostgresCluster]:
    """A cluster for the length of the block; its folder is removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="cpe-postgres-"))
    cluster = PostgresCluster(folder, bin_folder)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged() -> pwd.struct_passwd | None:
    """Whom to run as: None means ourselves (not root)."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise RuntimeError("root can't run PostgreSQL and the machine has no user postgres or nobody")


def _as_owner() -> dict[str, object]:
    if (owner := _unprivileged()) is None:
        return {}
    return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
