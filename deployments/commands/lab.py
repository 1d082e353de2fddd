"""`cpe lab`: the plant alone."""

from __future__ import annotations

import asyncio

from cpe.settings import home
from deployments.commands.exits import DONE, UNREACHABLE
from deployments.commands.folders import is_ours_to_write
from deployments.lab.serve import run_lab


def run(*, devices: int, seed: int, olts: int = 3) -> int:
    """Serve until interrupted; 4 when there is nowhere to write."""
    folder = home() / "lab"
    if not is_ours_to_write(folder):
        return UNREACHABLE
    asyncio.run(run_lab(devices=devices, seed=seed, folder=folder, olts=olts))
    return DONE
