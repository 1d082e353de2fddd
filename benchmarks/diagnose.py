"""What a diagnosis costs, as ratios within one run, against the lab.

    .venv/bin/python benchmarks/diagnose.py [--rounds 12] [--no-postgres]

The lab is a process of its own: its CPU is not ours. Prefect's server is the embedded one, full,
in a thread of this process, as `cpe demo` and `cpe up` host it; its client is new for each run, as
for a run that somebody starts. Whatever is compared takes turns in the same rounds, the warm-up is
thrown away, and medians are shown: on a machine with other work, lower than means and steadier.

Exit code 1 when a target is missed; PostgreSQL is measured without one.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
BOXES = 700

if TYPE_CHECKING:
    from benchmarks.speed.tally import Claim


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--rounds", type=int, default=12, help="of the comparison with Prefect")
    options.add_argument("--no-postgres", action="store_true")
    chosen = options.parse_args()
    started = time.monotonic()
    sys.path.insert(0, str(ROOT))
    with tempfile.TemporaryDirectory(prefix="cpe-bench-") as folder:
        _enter(Path(folder))
        claims = _measure(Path(folder), chosen.rounds, postgres=not chosen.no_postgres)
    missed = [claim for claim in claims if not claim.holds]
    print(f"{len(claims) - len(missed)} of {len(claims)} targets met", end="")
    print(f" in {time.monotonic() - started:.0f} s")
    return 1 if missed else 0


def _enter(folder: Path) -> None:
    """Nothing of the operator's is read or written. Before anything of Prefect is imported."""
    for name in [n for n in os.environ if n.startswith(("CPE_", "PREFECT_"))]:
        del os.environ[name]
    os.environ["CPE_HOME"] = str(folder)
    os.environ["PREFECT_HOME"] = str(folder / "prefect-home")
    from deployments.commands.orchestra import quiet_console  # noqa: PLC0415

    quiet_console()


def _measure(folder: Path, rounds: int, *, postgres: bool) -> list[Claim]:
    from benchmarks.speed import added, refresh, stale, unreachable, where  # noqa: PLC0415
    from benchmarks.speed.lab import lab_process  # noqa: PLC0415

    claims: list[Claim] = []

    def say(*claimed: Claim) -> None:
        claims.extend(claimed)
        print(*claimed, sep="\n", flush=True)

    async def on_sqlite() -> None:
        say(await added.measure(lab, "SQLite", rounds))
        say(await stale.measure(lab, rounds=6))
        say(await refresh.measure(lab, rounds=6))
        say(*await unreachable.measure(lab, rounds=3))
        await where.show(lab, rounds=3)

    async def on_postgres() -> None:
        # The target is the embedded server's; here it is only to be compared with.
        print("not a target:", await added.measure(lab, "PostgreSQL", max(rounds // 2, 5)))

    with lab_process(folder / "lab", devices=BOXES) as lab:
        os.environ.update(lab.exports)
        del os.environ["CPE_BRIDGE_PASSWORD"]  # the bridge is benchmarks/bridge.py's
        with _server(folder / "sqlite", None):
            asyncio.run(_closing(on_sqlite()))
        for prefects, ours in _postgres_urls() if postgres else ():
            os.environ["CPE_DATABASE_URL"] = ours
            with _server(folder / "postgres", prefects):
                asyncio.run(_closing(on_postgres()))
    return claims


@contextmanager
def _server(folder: Path, database_url: str | None) -> Iterator[None]:
    from deployments.server.embedded import EmbeddedServer  # noqa: PLC0415

    started = time.monotonic()
    with EmbeddedServer(folder=folder, database_url=database_url):
        print(f"server up in {time.monotonic() - started:.0f} s", flush=True)
        yield


def _postgres_urls() -> Iterator[tuple[str, str]]:
    """A database for Prefect and one for us in a throw-away cluster; none without its binaries."""
    from tests.support.postgres import running_postgres  # noqa: PLC0415
    from tests.support.tools import postgres_bin  # noqa: PLC0415

    if (programs := postgres_bin()) is None:
        print("no PostgreSQL on this machine: not measured")
        return
    with running_postgres(programs) as cluster:
        yield asyncio.run(cluster.database()), asyncio.run(cluster.database())


async def _closing(work: Awaitable[None]) -> None:
    from tasks.clients import close_clients  # noqa: PLC0415

    try:
        await work
    finally:
        await close_clients()


if __name__ == "__main__":
    raise SystemExit(main())
