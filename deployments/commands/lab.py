"""`cpe lab`: the plant alone."""

from __future__ import annotations

import asyncio

from cpe.settings import home
from deployments.lab.serve import run_lab


def run(*, devices: int, seed: int, olts: int = 3) -> int:
    """Serve until interrupted."""
    folder = home() / "lab"
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(run_lab(devices=devices, seed=seed, folder=folder, olts=olts))
    return 0
