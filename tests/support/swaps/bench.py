"""A lab, an empty database and a clock of its own, for swaps that are driven without Prefect."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cpe.access.erpnext.frappe import Frappe
from cpe.domain.memory import KeptDiagnosis
from cpe.domain.snapshot import Request
from cpe.domain.verdict import CONSEQUENCES, Code, SwapPermission
from deployments.lab.erp_server import API_KEY, API_SECRET
from deployments.lab.serve import Lab
from deployments.swaps import desk
from tasks import clients
from tasks.swap_clock import clock
from tests.contract.lab_tools import quick_lab
from tests.support.store import samples

EQUIPMENT = "Service Equipment"
RULES = {Code.HARDWARE_FAULT: "hardware.radios_are_up", Code.FIBRE_WEAK: "optical.rx_power_in_band"}


class Bench:
    """What the tests of swaps do to the world, and ask of it."""

    def __init__(self, lab: Lab, site: Frappe) -> None:
        self.lab, self.site = lab, site
        self.now = datetime.now(UTC)

    def pass_time(self, **span: float) -> datetime:
        """Let it be later."""
        self.now += timedelta(**span)
        return self.now

    async def diagnosed(
        self, serial: str, code: Code = Code.HARDWARE_FAULT, *, minutes_ago: float = 1
    ) -> str:
        """Keep a diagnosis of that box; its id."""
        at = self.now - timedelta(minutes=minutes_ago)
        box = samples.box(serial=serial, acs_id=f"X-{serial}", gpon_serial=None, mac=None)
        seen = samples.snapshot(at=at, request=Request(serial=serial), device=box)
        action, swap = CONSEQUENCES[code]
        verdict = samples.verdict(
            code=code, action=action, swap=swap, because=(RULES.get(code, "wan.session_is_up"),)
        )
        kept: KeptDiagnosis = samples.kept(seen, verdict=verdict, finished_at=at)
        assert await (await clients.store()).keep(kept)
        return kept.id

    async def start(self, kind: str, old: str, new: str, **changes: Any) -> dict[str, Any]:
        """Open a swap and take it as far as it goes."""
        if "diagnosis_id" not in changes and kind != "retour_de_diagnostic":
            changes["diagnosis_id"] = await self.diagnosed(old)
        fields = {"kind": kind, "old_serial": old, "new_serial": new, "requested_by": "Luc"}
        opened = await desk.start(desk.SwapRequest(**{**fields, **changes}))
        return await desk.drive(opened["id"])

    async def answer(self, swap: dict[str, Any], result: str, by: str = "Marc") -> dict[str, Any]:
        """The bench result, and all that follows from it."""
        await desk.answer(swap["id"], desk.BenchAnswer(result=result, by=by))
        return await desk.drive(swap["id"])

    async def unit(self, serial: str) -> tuple[str, str | None]:
        """Status and customer of a unit in ERPNext."""
        fields = ["status", "customer"]
        (row,) = await self.site.rows(EQUIPMENT, [("serial_number", "=", serial)], fields)
        return row["status"], row["customer"] or None

    async def set_unit(self, serial: str, **fields: Any) -> None:
        """Somebody changes a unit by hand in ERPNext."""
        (row,) = await self.site.rows(EQUIPMENT, [("serial_number", "=", serial)], ["name"])
        doc = await self.site.read(EQUIPMENT, row["name"])
        await self.site.update(EQUIPMENT, row["name"], doc, fields)

    async def everything(self) -> dict[str, Any]:
        """All that ERPNext holds, to tell whether anything was written."""
        wanted = {EQUIPMENT: ["name", "status", "customer", "modified"], "Task": ["*"]}
        wanted["Comment"] = ["*"]
        return {kind: await self.site.every_row(kind, [], f) for kind, f in wanted.items()}

    async def tasks(self) -> list[dict[str, Any]]:
        """The Tasks there are."""
        return await self.site.every_row("Task", [], ["*"])

    async def comments(self) -> list[str]:
        """What was commented, oldest first."""
        rows = await self.site.every_row("Comment", [], ["name", "content"])
        return [row["content"] for row in rows]


@asynccontextmanager
async def running_bench(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, devices: int = 24
) -> AsyncIterator[Bench]:
    """The environment points at the lab, and the time is the bench's."""
    async with quick_lab(folder, devices=devices) as (lab, _):
        for name, value in lab.exports().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("CPE_DATABASE_URL", f"sqlite:///{folder / 'cpe.db'}")
        site = Frappe(lab.erp.url, API_KEY, API_SECRET)
        bench = Bench(lab, site)
        token = clock.set(lambda: bench.now)
        try:
            yield bench
        finally:
            clock.reset(token)
            await site.close()
            await clients.close_clients()


PERMITTED = {code: CONSEQUENCES[code][1] for code in Code}
BLOCKED = [code for code in Code if PERMITTED[code] is SwapPermission.BLOCKED]
