"""A large lab: many boxes, many OLTs, a realistic delay of their SNMP.

The ACS is one process and the OLTs another, as they are machines of their own: in one they would
wait for each other's CPU, which no sweep can help and `curl` alone never meets. Both know the same
plant (one seed), so what the ACS tells and what the OLTs tell is of the same boxes.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PDU_DELAY_S = 0.02
"""What OLTs take for a PDU at the least (reference/olt-snmp.md §§ 3, 4.3: 20-50 ms)."""
_PROGRAM = """
import asyncio, sys
from pathlib import Path
from deployments.lab.serve import run_lab
devices, olts, delay_s = int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
asyncio.run(run_lab(devices=devices, folder=Path(sys.argv[1]), fault_share=0.03, olts=olts,
                    pdu_delay_s=delay_s))
"""


@contextmanager
def fleet_lab(folder: Path, *, devices: int, olts: int) -> Iterator[dict[str, str]]:
    """Serve the plant; its exports, without the ERP (nothing in the comparison reads one)."""
    with (
        _lab(folder / "acs", devices, olts) as of_acs,
        _lab(folder / "olts", devices, olts) as of_olts,
    ):
        time.sleep(1.0)
        exports = {**of_acs, "CPE_OLTS": of_olts["CPE_OLTS"]}
        yield {n: v for n, v in exports.items() if not n.startswith("CPE_ERP")}


@contextmanager
def _lab(folder: Path, devices: int, olts: int) -> Iterator[dict[str, str]]:
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-c", _PROGRAM, str(folder), str(devices), str(olts)]
    command.append(str(PDU_DELAY_S))
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            exports: dict[str, str] = {}
            assert process.stdout is not None
            for line in process.stdout:
                name, _, value = line.strip().removeprefix("export ").partition("=")
                exports[name] = value
                if name == "CPE_LAB_URL":
                    break
            yield exports
        finally:
            process.terminate()
