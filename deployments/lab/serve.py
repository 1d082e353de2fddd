"""Running the lab: all its servers on loopback in one process."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deployments.lab import control
from deployments.lab.acs_devices import AcsDevices
from deployments.lab.acs_nbi import Nbi
from deployments.lab.acs_sessions import Sessions, Timing
from deployments.lab.acs_tasks import Tasks
from deployments.lab.control import Control
from deployments.lab.erp_server import API_KEY, API_SECRET, Erp
from deployments.lab.modem.server import Modems
from deployments.lab.modem.state import PASSWORD, USER
from deployments.lab.plant import Plant
from deployments.lab.scenarios import Scenario, Stop
from deployments.lab.snmp_agent import OltView, SnmpAgent
from deployments.lab.web_server import Server, write_private

COMMUNITY: Final = "lab-CANARY-community"
_NBI_HEADERS: Final = {
    "GenieACS-Version": "1.2.16+261123a1a2",
    "Connection": "keep-alive",
    "Keep-Alive": "timeout=5",
}


@dataclass(frozen=True, slots=True)
class LabPorts:
    """Ports on 127.0.0.1; 0 takes a free one."""

    acs: int = 0
    erp: int = 0
    modem: int = 0
    control: int = 0
    olts: tuple[int, ...] = ()


class Lab:
    """A running lab."""

    def __init__(self, plant: Plant, folder: Path, timing: Timing, crash_hang_s: float) -> None:
        self.plant, self._folder = plant, folder
        tasks = Tasks()
        self._devices = AcsDevices(plant)
        self.sessions = Sessions(self._devices, tasks, timing)
        self.nbi = Nbi(self._devices, tasks, self.sessions, crash_hang_s)
        self.acs = Server("acs", self.nbi.handle, headers=_NBI_HEADERS)
        self.erp = Server("erp", Erp(plant).handle, headers={})
        self.modems = Modems(plant, self._devices.box)
        self.modem = Server("modem", self.modems.handle, headers={})
        self.control = Server("control", Control(self).handle, headers={})
        self.agents: list[SnmpAgent] = []

    @property
    def devices(self) -> AcsDevices:
        """The ACS's devices, where virtual parameters are defined."""
        return self._devices

    def exports(self) -> dict[str, str]:
        """The environment that points the project at this lab. Holds secrets; never log it."""
        return {
            "CPE_ACS_URL": self.acs.url,
            "CPE_OLTS": str(self._inventory()),
            "CPE_ERP_URL": self.erp.url,
            "CPE_ERP_API_KEY": API_KEY,
            "CPE_ERP_API_SECRET": API_SECRET,
            "CPE_BRIDGE_URL": f"http://{{ip}}.localhost:{self.modem.port}",
            "CPE_BRIDGE_USER": USER,
            "CPE_BRIDGE_PASSWORD": PASSWORD,
            # Nobody is called: a box of the lab knows how fast its line is.
            "CPE_SPEEDTEST_URL": "http://speedtest.example/file",
            "CPE_LAB_URL": self.control.url,
        }

    def _inventory(self) -> Path:
        return self._folder / "olts.toml"

    def write_inventory(self) -> None:
        """The OLTs with their community, readable by the owner only."""
        rows = [
            f'[[olt]]\nname = "{agent.name}"\nhost = "127.0.0.1"\nport = {agent.port}\n'
            f'profile = "{agent.vendor}"\ncommunity = "{COMMUNITY}"\n'
            for agent in self.agents
        ]
        write_private(self._inventory(), "\n".join(rows))

    def set_scenario(self, serial: str, scenario: str, *, since_s: float = 0.0) -> Scenario:
        """Let a scenario befall a box. Raises LabRefusedError."""
        return self.plant.set_scenario(serial, scenario, since_s=since_s)

    async def set_fault(
        self, system: str, fault: str, *, times: int | None = None, delay_s: float = 1.0
    ) -> None:
        """Trouble `acs erp modem olt:<name> olt:*`; `none` lifts it. Raises LabRefusedError."""
        await control.set_fault(self, system, fault, times, delay_s)

    def tour(self) -> list[Stop]:
        """Serial, scenario and expected verdict of each stop of the demo."""
        return self.plant.tour()

    def stats(self) -> dict[str, object]:
        """What each system was asked so far."""
        return {
            "acs": {"requests": self.acs.requests, "crashes": list(self.nbi.crashes)},
            "erp": {"requests": self.erp.requests},
            "modem": {"requests": self.modem.requests},
            "olts": {agent.name: {"pdus": agent.pdus} for agent in self.agents},
        }


@asynccontextmanager
async def running_lab(  # noqa: PLR0913 - each is a knob of the lab, all have defaults
    *,
    devices: int = 60,
    seed: int = 1,
    ports: LabPorts | None = None,
    folder: Path,
    nbi_crash_hang_s: float = 21.0,
    timing: Timing | None = None,
    pdu_delay_s: float = 0.0,
    fault_share: float = 0.0,
    tour: bool = True,
    olts: int = 3,
) -> AsyncIterator[Lab]:
    """All systems up; the inventory is written into `folder`. `tour=False` starts all healthy."""
    where = ports or LabPorts()
    plant = Plant(devices, seed, fault_share=fault_share, olts=olts)
    if tour:
        plant.start_tour()
    lab = Lab(plant, folder, timing or Timing(), nbi_crash_hang_s)
    async with AsyncExitStack() as stack:
        for server, port in (
            (lab.acs, where.acs),
            (lab.erp, where.erp),
            (lab.modem, where.modem),
            (lab.control, where.control),
        ):
            stack.push_async_callback(server.stop)
            await server.start(port)
        for number in range(olts):
            agent = SnmpAgent(OltView(plant, number), COMMUNITY, pdu_delay_s)
            stack.callback(agent.stop)
            await agent.start(where.olts[number] if number < len(where.olts) else 0)
            lab.agents.append(agent)
        stack.push_async_callback(lab.sessions.stop)
        lab.write_inventory()
        yield lab


async def run_lab(
    *,
    devices: int = 60,
    seed: int = 1,
    ports: LabPorts | None = None,
    folder: Path,
    fault_share: float = 0.0,
    olts: int = 3,
    pdu_delay_s: float = 0.0,
) -> None:
    """Serve until SIGINT or SIGTERM; prints the exports as `export NAME=value`."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with running_lab(
        devices=devices, seed=seed, ports=ports, folder=folder, fault_share=fault_share, olts=olts,
        pdu_delay_s=pdu_delay_s,
    ) as lab:  # fmt: skip
        lines = [f"export {name}={value}" for name, value in lab.exports().items()]
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()
        await stop.wait()
