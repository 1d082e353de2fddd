"""What the hub costs, against the lab, in one run.

    .venv/bin/python benchmarks/hub.py [--rounds 12] [--rate 200] [--seconds 10] [--postgres]

The house is up as `cpe up` puts it up. A fresh box through `POST …/diagnose?wait` takes turns with
the same steps as plain functions; then fifty stale boxes at once; then lookups at a steady rate,
each sent when it is due whether or not the ones before have been answered.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
WARM_UP = 2
AT_ONCE = 50
SETTLE_S = 1.05

if TYPE_CHECKING:
    import httpx

    from benchmarks.speed.house import House
    from benchmarks.speed.lab import LabProcess
    from benchmarks.speed.tally import Claim


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--rounds", type=int, default=12)
    options.add_argument("--rate", type=int, default=200, help="lookups a second")
    options.add_argument("--seconds", type=int, default=10)
    options.add_argument("--postgres", action="store_true")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="cpe-bench-") as folder:
        from benchmarks.diagnose import _enter  # noqa: PLC0415
        from benchmarks.speed.house import running_house  # noqa: PLC0415
        from benchmarks.speed.lab import lab_process  # noqa: PLC0415

        _enter(Path(folder))
        with lab_process(Path(folder) / "lab", devices=900) as lab:
            os.environ.update(lab.exports)
            with (
                _database(chosen.postgres) as prefects,
                running_house(Path(folder) / "house", prefects) as house,
            ):
                claims = asyncio.run(_measure(house, lab, chosen))
    return 0 if all(claim.holds for claim in claims) else 1


@contextmanager
def _database(postgres: bool) -> Iterator[str | None]:
    from benchmarks.diagnose import _postgres_urls  # noqa: PLC0415

    urls = _postgres_urls() if postgres else iter(())
    for prefects, ours in urls:
        os.environ["CPE_DATABASE_URL"] = ours
        yield prefects
        return
    yield None


async def _measure(house: House, lab: LabProcess, chosen: argparse.Namespace) -> list[Claim]:
    from benchmarks.speed.house import hub_client  # noqa: PLC0415
    from tasks.clients import close_clients  # noqa: PLC0415

    claims: list[Claim] = []
    async with hub_client(house) as hub:
        for measured in (
            _added(hub, lab, chosen.rounds),
            _burst(house, hub, lab),
            _lookups(house, hub, lab, chosen.rate, chosen.seconds),
        ):
            claim = await measured
            claims.append(claim)
            print(claim, flush=True)
    await close_clients()
    return claims


async def _added(hub: httpx.AsyncClient, lab: LabProcess, rounds: int) -> Claim:
    from benchmarks.speed.runs import plain  # noqa: PLC0415
    from benchmarks.speed.tally import Claim, Times  # noqa: PLC0415
    from cpe.domain.snapshot import FreshnessOutcome  # noqa: PLC0415

    through, functions = Times(), Times()
    for _ in range(WARM_UP + rounds):
        box = lab.box("healthy")
        await through.take(_diagnosed(hub, box, "fresh"))
        await asyncio.sleep(SETTLE_S)
        await functions.take(plain(box, FreshnessOutcome.FRESH))
    for times in (through, functions):
        times.drop(WARM_UP)
    added = through.median - functions.median
    how = f"hub {through}, plain functions {functions}, n={rounds}"
    return Claim("POST …/diagnose?wait adds to the plain steps", added, 300, how, " ms")


async def _burst(house: House, hub: httpx.AsyncClient, lab: LabProcess) -> Claim:
    from benchmarks.speed.tally import Claim  # noqa: PLC0415

    boxes = [lab.box() for _ in range(AT_ONCE)]
    before, started = house.cpu_s(), time.perf_counter()
    await asyncio.gather(*(_diagnosed(hub, box, "refreshed") for box in boxes))
    took_s = time.perf_counter() - started
    await asyncio.sleep(2)  # what is recorded afterwards costs CPU too
    used = {name: (s - before[name]) / AT_ONCE * 1000 for name, s in house.cpu_s().items()}
    cost = ", ".join(f"{name} {ms:.0f} ms" for name, ms in used.items())
    how = f"{AT_ONCE} answered of {AT_ONCE}, {AT_ONCE / took_s:.1f}/s; CPU a diagnosis: {cost}"
    return Claim(f"{AT_ONCE} stale boxes at once, s a diagnosis", took_s / AT_ONCE, 0.2, how, " s")


async def _lookups(
    house: House, hub: httpx.AsyncClient, lab: LabProcess, rate: int, seconds: int
) -> Claim:
    import aiohttp  # noqa: PLC0415

    from benchmarks.speed.house import TOKEN  # noqa: PLC0415
    from benchmarks.speed.tally import Claim  # noqa: PLC0415

    boxes = [lab.box("healthy") for _ in range(20)]
    await asyncio.gather(*(_diagnosed(hub, box, "fresh") for box in boxes))
    await asyncio.sleep(2)
    taken: list[float] = []
    wrong: list[int] = []
    before, started = house.cpu_s(), time.perf_counter()

    async def one(number: int, session: aiohttp.ClientSession) -> None:
        due = started + number / rate
        await asyncio.sleep(max(0, due - time.perf_counter()))
        path = f"{house.hub_url}/devices/lookup?serial={boxes[number % len(boxes)]}"
        async with session.get(path) as answer:
            await answer.read()
            if answer.status != 200:
                wrong.append(answer.status)
        taken.append((time.perf_counter() - due) * 1000)

    # Not httpx: with hundreds of requests in flight it is slower than the hub.
    headers = {"Authorization": f"Bearer {TOKEN}"}
    connector = aiohttp.TCPConnector(limit=100)
    async with aiohttp.ClientSession(headers=headers, connector=connector) as session:
        await asyncio.gather(*(one(number, session) for number in range(rate * seconds)))
    took_s = time.perf_counter() - started
    ordered = sorted(taken)
    p50, p99 = ordered[len(ordered) // 2], ordered[int(0.99 * len(ordered))]
    used = {name: (s - before[name]) / took_s * 100 for name, s in house.cpu_s().items()}
    cost = ", ".join(f"{name} {share:.0f} %" for name, share in used.items())
    how = f"{len(taken) / took_s:.0f}/s, median {p50:.0f} ms, {len(wrong)} not 200; CPU: {cost}"
    return Claim(f"lookups at {rate}/s for {seconds} s, p99", p99, 250, how, " ms")


async def _diagnosed(hub: httpx.AsyncClient, serial: str, expected: str) -> None:
    answer = await hub.post(f"/devices/{serial}/diagnose", json={"wait_s": 100})
    assert answer.status_code == 200, answer.text[:300]
    found = answer.json()["freshness"]["outcome"]
    assert found == expected, f"{serial}: {found}"


if __name__ == "__main__":
    raise SystemExit(main())
