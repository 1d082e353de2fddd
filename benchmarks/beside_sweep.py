"""What a CSR waits for while the fleet is swept, against the same wait when all is quiet.

    .venv/bin/python benchmarks/beside_sweep.py [--devices 100000] [--olts 25] [--rounds 20]

The house is up as `cpe up` puts it up, the lab is a process of its own. Fresh boxes are diagnosed
through the hub, one a second, first in quiet; then `sweep-fleet/nightly` is started through
Prefect's API and they are diagnosed for as long as it runs. Exit code 1 when the target is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
WARM_UP = 3
PAUSE_S = 1.05
TIMES_QUIET = 2.0
START_S = 120.0
FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}

if TYPE_CHECKING:
    import httpx

    from benchmarks.speed.house import House
    from benchmarks.speed.lab import LabProcess
    from benchmarks.speed.tally import Claim


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--devices", type=int, default=100_000)
    options.add_argument("--olts", type=int, default=25)
    options.add_argument("--rounds", type=int, default=20, help="diagnoses in quiet")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="cpe-bench-") as folder:
        from benchmarks.diagnose import _enter  # noqa: PLC0415
        from benchmarks.speed.fleet_lab import fleet_lab  # noqa: PLC0415
        from benchmarks.speed.house import running_house  # noqa: PLC0415
        from benchmarks.speed.lab import LabProcess  # noqa: PLC0415

        _enter(Path(folder))
        plant = fleet_lab(Path(folder) / "lab", devices=chosen.devices, olts=chosen.olts)
        with plant as exports:
            os.environ.update(exports)
            lab = LabProcess(exports)
            with running_house(Path(folder) / "house") as house:
                claim = asyncio.run(_measure(house, lab, chosen.rounds))
            lab.close()
    print(claim)
    return 0 if claim.holds else 1


async def _measure(house: House, lab: LabProcess, rounds: int) -> Claim:
    import httpx  # noqa: PLC0415

    from benchmarks.speed.house import hub_client  # noqa: PLC0415
    from benchmarks.speed.tally import Claim, Times  # noqa: PLC0415

    quiet, beside = Times(), Times()
    async with (
        hub_client(house) as hub,
        httpx.AsyncClient(base_url=house.api_url, timeout=60, trust_env=False) as api,
    ):
        for _ in range(WARM_UP + rounds):
            await quiet.take(_diagnosed(hub, lab.box("healthy")))
            await asyncio.sleep(PAUSE_S)
        quiet.drop(WARM_UP)
        sweep = await _begun(api)
        state = "RUNNING"
        while state not in FINAL:
            await beside.take(_diagnosed(hub, lab.box("healthy")))
            await asyncio.sleep(PAUSE_S)
            state, _ = await _state(api, sweep)
        state, took_s = await _state(api, sweep)
    assert state == "COMPLETED", state
    how = f"beside {beside}, n={len(beside.ms)}, quiet {quiet}, n={rounds}; swept in {took_s:.0f} s"
    return Claim(
        "a diagnosis beside a sweep / in quiet, medians",
        beside.median / quiet.median,
        TIMES_QUIET,
        how,
    )


async def _begun(api: httpx.AsyncClient) -> str:
    """The id of a sweep that runs: its worker has been started for it."""
    found = (await api.get("/deployments/name/sweep-fleet/nightly")).raise_for_status().json()
    body = {
        "parameters": {"request": {"refresh": False, "worst": 0}},
        "state": {"type": "SCHEDULED"},
    }
    path = f"/deployments/{found['id']}/create_flow_run"
    run = (await api.post(path, json=body)).raise_for_status().json()["id"]
    for _ in range(int(START_S / PAUSE_S)):
        if (await _state(api, run))[0] == "RUNNING":
            return run
        await asyncio.sleep(PAUSE_S)
    raise RuntimeError("the sweep was not taken up")


async def _state(api: httpx.AsyncClient, run: str) -> tuple[str, float]:
    """A run's state, and for how many seconds it has run."""
    found = (await api.get(f"/flow_runs/{run}")).raise_for_status().json()
    return found["state"]["type"], float(found["total_run_time"])


async def _diagnosed(hub: httpx.AsyncClient, serial: str) -> None:
    answer = await hub.post(f"/devices/{serial}/diagnose", json={"wait_s": 100})
    assert answer.status_code == 200, answer.text[:300]


if __name__ == "__main__":
    raise SystemExit(main())
