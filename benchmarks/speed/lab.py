"""The lab in a process of its own, so that its CPU is not counted as ours."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[2]
TP_LINK = "tp-link-xx230v"


class LabProcess:
    """`cpe lab` as a child; boxes are handed out once each, so that none is fresh by accident."""

    def __init__(self, exports: dict[str, str]) -> None:
        self.exports = exports
        self._control = httpx.Client(base_url=exports["CPE_LAB_URL"], timeout=10)
        self._boxes = iter([box for box in self._get("/lab/devices") if _is_ordinary(box)])

    def box(self, scenario: str | None = None) -> str:
        """The serial of a TP-Link nobody has asked about yet; stale and healthy by default."""
        serial: str = next(self._boxes)["serial"]
        if scenario is not None:
            self.befall(serial, scenario)
        return serial

    def befall(self, serial: str, scenario: str) -> None:
        """Let a scenario begin now."""
        path = f"/lab/devices/{serial}/scenario"
        self._control.post(path, json={"scenario": scenario}).raise_for_status()

    def close(self) -> None:
        self._control.close()

    def _get(self, path: str) -> Any:
        return self._control.get(path).raise_for_status().json()


@contextmanager
def lab_process(folder: Path, *, devices: int) -> Iterator[LabProcess]:
    """Serve a plant of healthy, stale boxes (beyond the tour's) for the length of the block."""
    command = [sys.executable, "-m", "deployments.cli", "lab", "--devices", str(devices)]
    environment = {**os.environ, "CPE_HOME": str(folder), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            lab = LabProcess(_exports(process))
            yield lab
            lab.close()
        finally:
            process.terminate()


def _is_ordinary(box: dict[str, Any]) -> bool:
    """A TP-Link that nothing has befallen, on a PON that is up."""
    return box["family"] == TP_LINK and box["scenario"] == "healthy-stale" and box["reachable"]


def _exports(process: subprocess.Popen[str]) -> dict[str, str]:
    exports: dict[str, str] = {}
    assert process.stdout is not None
    for line in process.stdout:
        name, _, value = line.strip().removeprefix("export ").partition("=")
        exports[name] = value
        if name == "CPE_LAB_URL":
            return exports
    raise RuntimeError("the lab did not start")
