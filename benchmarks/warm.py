"""From a run's creation through Prefect's API to its running: the warm worker and the stock one.

    .venv/bin/python benchmarks/warm.py [--rounds 20] [--stock-rounds 6] [--no-postgres] [--runs N]

The house is up as `cpe up` puts it up: server, warm worker and hub in processes of their own; the
stock process worker, which polls twice a second, serves a second pool with the same flow. Both take
turns in the same minutes. `--runs 10000` has the warm worker run that many small flows and shows
its memory on the way; with `--rounds 0` nothing else is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
STOCK_POOL = "cpe-stock"
WARM_UP = 2
AT_ONCE = 50
GROWN = 1.25
"""What the worker may hold after all runs, against what it held after a tenth of them."""

if TYPE_CHECKING:
    import httpx

    from benchmarks.speed.house import House
    from benchmarks.speed.lab import LabProcess
    from benchmarks.speed.tally import Claim


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--rounds", type=int, default=20)
    options.add_argument("--stock-rounds", type=int, default=6)
    options.add_argument("--runs", type=int, default=0, help="small runs, to see the memory")
    options.add_argument("--no-postgres", action="store_true")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="cpe-bench-") as folder:
        from benchmarks.diagnose import _enter  # noqa: PLC0415

        _enter(Path(folder))
        claims = _measure(Path(folder), chosen)
    return 0 if all(claim.holds for claim in claims) else 1


def _measure(folder: Path, chosen: argparse.Namespace) -> list[Claim]:
    from benchmarks.diagnose import _postgres_urls  # noqa: PLC0415
    from benchmarks.speed.house import running_house  # noqa: PLC0415
    from benchmarks.speed.lab import lab_process  # noqa: PLC0415

    claims: list[Claim] = []
    with lab_process(folder / "lab", devices=900) as lab:
        os.environ.update(lab.exports)
        with running_house(folder / "sqlite") as house:
            if chosen.rounds:
                claims += _compare(house, lab, chosen, "SQLite")
            if chosen.runs:
                claims += asyncio.run(_many(house, chosen.runs))
        for prefects, ours in () if chosen.no_postgres or not chosen.rounds else _postgres_urls():
            os.environ["CPE_DATABASE_URL"] = ours
            with running_house(folder / "postgres", prefects) as house:
                claims += _compare(house, lab, chosen, "PostgreSQL")
    return claims


def _compare(
    house: House, lab: LabProcess, chosen: argparse.Namespace, database: str
) -> list[Claim]:
    from benchmarks.speed.tally import Claim  # noqa: PLC0415
    from deployments.server.worker import start_process_worker  # noqa: PLC0415

    os.environ["CPE_HOME"] = tempfile.mkdtemp(prefix="cpe-bench-stock-")
    with start_process_worker(STOCK_POOL, house.api_url):
        warm, stock = asyncio.run(_take_turns(house, lab, chosen))
    ordered = sorted(warm)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]
    median, slow = statistics.median(warm), statistics.median(stock)
    how = f"warm {_spread(warm)}, stock {_spread(stock)}, n={len(warm)} and {len(stock)}"
    claims = [
        Claim(f"created → running on {database}, median", median, 250, how, " ms"),
        Claim(f"created → running on {database}, p95", p95, 600, "", " ms"),
        Claim(
            f"warm / stock on {database}, medians", median / slow, 1 / 20, f"{slow / median:.0f}×"
        ),
    ]
    print(*claims, sep="\n", flush=True)
    return claims


async def _take_turns(
    house: House, lab: LabProcess, chosen: argparse.Namespace
) -> tuple[list[float], list[float]]:
    import httpx  # noqa: PLC0415

    warm, stock = [], []
    async with httpx.AsyncClient(base_url=house.api_url, timeout=60, trust_env=False) as api:
        ours = (await api.get("/deployments/name/diagnose-cpe/on-demand")).json()
        theirs = await _deploy(api, ours, STOCK_POOL)
        await _running_ms(api, theirs, lab.box("healthy"))
        for number in range(WARM_UP + chosen.rounds):
            taken = await _running_ms(api, ours["id"], lab.box("healthy"))
            if number >= WARM_UP:
                warm.append(taken)
            if number < chosen.stock_rounds:
                stock.append(await _running_ms(api, theirs, lab.box("healthy")))
            await asyncio.sleep(1.0)
    return warm, stock


async def _deploy(api: httpx.AsyncClient, ours: dict[str, Any], pool: str) -> str:
    body = {key: ours[key] for key in ("flow_id", "entrypoint", "parameter_openapi_schema")}
    answer = await api.post(
        "/deployments/", json={**body, "name": pool, "work_pool_name": pool, "pull_steps": []}
    )
    return answer.raise_for_status().json()["id"]


async def _running_ms(api: httpx.AsyncClient, deployment: str, serial: str) -> float:
    """From before the POST to the Running state's own time: one machine, one clock."""
    body = {"parameters": {"request": {"serial": serial}}, "state": {"type": "SCHEDULED"}}
    began = time.time()
    path = f"/deployments/{deployment}/create_flow_run"
    run = (await api.post(path, json=body)).raise_for_status().json()
    while True:
        await asyncio.sleep(0.25)
        found = (await api.get("/flow_run_states/", params={"flow_run_id": run["id"]})).json()
        at = {state["type"]: state["timestamp"] for state in found}
        if {"COMPLETED", "FAILED", "CRASHED"} & set(at):
            assert "COMPLETED" in at, found
            running = datetime.fromisoformat(at["RUNNING"]).timestamp()
            return (running - began) * 1000
        assert time.time() - began < 120, found


async def _many(house: House, runs: int) -> list[Claim]:
    """Small flows, fifty in flight; memory and CPU on the way. Loses none, or raises."""
    import httpx  # noqa: PLC0415

    from benchmarks.speed.tally import Claim  # noqa: PLC0415

    # Shorter than uvicorn keeps a connection: one that it closes just now loses a request.
    limits = httpx.Limits(keepalive_expiry=2)
    async with httpx.AsyncClient(
        base_url=house.api_url, timeout=60, trust_env=False, limits=limits
    ) as api:
        flow = (await api.post("/flows/", json={"name": "empty-flow"})).json()
        body = {
            "name": "small",
            "flow_id": flow["id"],
            "entrypoint": "benchmarks.speed.empty_flow:empty_flow",
            "work_pool_name": "cpe",
        }
        deployment = (await api.post("/deployments/", json=body)).raise_for_status().json()["id"]
        path = f"/deployments/{deployment}/create_flow_run"
        done, started, cpu, held_at = 0, time.monotonic(), house.cpu_s(), {}
        while done < runs:
            made = await asyncio.gather(
                *(api.post(path, json={"state": {"type": "SCHEDULED"}}) for _ in range(AT_ONCE))
            )
            ids = [answer.raise_for_status().json()["id"] for answer in made]
            await _all_ended(api, ids)
            done += AT_ONCE
            if done % (AT_ONCE * 10) == 0 or done >= runs:
                used = {n: (s - cpu[n]) / done * 1000 for n, s in house.cpu_s().items()}
                cost = ", ".join(f"{name} {ms:.0f} ms" for name, ms in used.items())
                rate = done / (time.monotonic() - started)
                held = held_at[done] = house.rss_mb()
                print(f"{done} runs, {rate:.1f}/s, {held} MB, CPU a run: {cost}", flush=True)

    early = min(done for done in held_at if done >= runs / 10)
    first, last = held_at[early]["worker"], held_at[done]["worker"]
    claim = Claim(
        f"worker's memory after {done} runs / after {early}",
        last / first,
        GROWN,
        f"{first} → {last} MB; server {held_at[early]['server']} → {held_at[done]['server']} MB",
    )
    print(claim, flush=True)
    return [claim]


async def _all_ended(api: httpx.AsyncClient, ids: list[str]) -> None:
    wanted = {"id": {"any_": ids}, "state": {"type": {"any_": ["COMPLETED"]}}}
    for _ in range(600):
        if (await api.post("/flow_runs/count", json={"flow_runs": wanted})).json() == len(ids):
            return
        await asyncio.sleep(0.2)
    raise RuntimeError("runs were lost")


def _spread(values: list[float]) -> str:
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle:.0f} ms ({low:.0f}-{high:.0f}, max {max(values):.0f})"


if __name__ == "__main__":
    raise SystemExit(main())
