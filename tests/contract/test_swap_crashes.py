"""Killed with SIGKILL at any write, and taken up again, a swap ends as if nothing had happened."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from cpe.domain.verdict import Action, Code, SwapPermission
from cpe.store import swap_tables
from cpe.store.repository import Store
from deployments.lab import erp_store
from deployments.lab.serve import Lab
from tests.contract.lab_tools import quick_lab
from tests.support.store import samples
from tests.support.tools import ROOT

LIVES = 70
NOON = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)


async def prepare(url: str) -> None:
    """A database with the diagnosis that every life names; the boxes are told apart by the test."""
    async with Store.open(url) as store:
        await store.migrate()
        verdict = samples.verdict(
            code=Code.HARDWARE_FAULT, action=Action.REPLACE, swap=SwapPermission.ALLOWED
        )
        for number in range(LIVES + 1):
            box = samples.box(
                serial=serial(number), acs_id=f"X-{number}", gpon_serial=None, mac=None
            )
            seen = samples.snapshot(id=f"diagnosis-{number:04d}", at=NOON, device=box)
            await store.keep(samples.kept(seen, verdict=verdict, finished_at=NOON))


def serial(number: int) -> str:
    return f"OLD{number:04d}"


def stock(lab: Lab, writes: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """A pair of units for each life; from then on every write that took effect is noted."""
    table = lab.erp._handle.__self__.tables["Service Equipment"]
    for number in range(LIVES + 1):
        installed = {"status": "Actif", "customer": "CUST-7"}
        table.insert({"serial_number": serial(number), **installed})
        table.insert({"serial_number": f"NEW{number:04d}", "status": "En inventaire"})
    for method in ("insert", "update"):
        original = getattr(erp_store.Table, method)

        def noted(self, *given, original=original):
            doc = original(self, *given)
            fields = sorted(k for k in given[-1] if k not in ("modified", "name"))
            writes.setdefault(_about(doc), []).append(f"{self.doctype.name}:{','.join(fields)}")
            return doc

        monkeypatch.setattr(erp_store.Table, method, noted)


def _about(doc: dict[str, Any]) -> str:
    return str(doc.get("serial_number") or doc.get("custom_idem_key") or doc.get("reference_name"))


def life(number: int, kind: str, result: str | None) -> dict[str, Any]:
    return {
        "key": f"life-{number}",
        "now": NOON.isoformat(),
        "result": result,
        "request": {
            "kind": kind,
            "old_serial": serial(number),
            "new_serial": f"NEW{number:04d}",
            "requested_by": "Luc",
            "diagnosis_id": f"diagnosis-{number:04d}",
        },
    }


async def kept_of(store: Store, old_serial: str) -> dict[str, list[dict[str, Any]]]:
    """Every row that our database holds of the one swap of that box."""
    tables = swap_tables
    async with store._database.read() as connection:

        async def rows(table: Any, its: Any) -> list[dict[str, Any]]:
            query = select(table).where(its).order_by(*table.primary_key.columns)
            return [dict(row) for row in (await connection.execute(query)).mappings()]

        (swap,) = await rows(tables.swaps, tables.swaps.c.old_serial == old_serial)
        del swap["driver"], swap["driver_until"]  # a dead driver's lease runs out by itself
        of_it = [
            tables.swap_units, tables.swap_steps, tables.swap_transitions, tables.swap_follow_ups,
        ]  # fmt: skip
        kept = {t.name: await rows(t, t.c.swap_id == swap["id"]) for t in of_it}
    return {"swaps": [swap], **kept}


async def ended(
    lab: Lab, number: int, store: Store, writes: dict[str, list[str]]
) -> dict[str, Any]:
    """What is left of a life in both places, without names and times."""
    site = lab.erp._handle.__self__.tables
    old, new = _units(site, number)
    kept = await kept_of(store, serial(number))
    swap_id = kept["swaps"][0]["id"]
    tasks = [t for t in site["Task"].all() if str(t["custom_idem_key"]).startswith(swap_id)]
    names = [task["name"] for task in tasks]
    comments = [c for c in site["Comment"].all() if c["reference_name"] in names]
    about = (serial(number), f"NEW{number:04d}", f"{swap_id}/test-task-opened", *names)
    found = {
        "units": [(u["status"], u.get("customer")) for u in (old, new)],
        "tasks": [{k: v for k, v in t.items() if k != "creation"} for t in tasks],
        "comments": sorted(c["content"] for c in comments),
        "writes": sorted(w for name in about for w in writes.get(name, [])),
        "kept": kept,
    }
    text = json.dumps(found, ensure_ascii=False, sort_keys=True, default=str)
    hidden = [(swap_id, "SWAP"), (old["name"], "EQP-OLD"), (new["name"], "EQP-NEW")]
    hidden += [(name, "TASK") for name in names]
    hidden.append((f"{number:04d}", "0000"))
    for real, shown in hidden:
        text = text.replace(real, shown)
    return json.loads(
        re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(\+00:00|Z)?", "T", text)
    )


def _units(site: dict[str, Any], number: int) -> list[dict[str, Any]]:
    every = {doc["serial_number"]: doc for doc in site["Service Equipment"].all()}
    return [every[serial(number)], every[f"NEW{number:04d}"]]


@pytest.mark.parametrize(
    ("kind", "result", "at_least"),
    [("swap_diagnostic", "returned", 35), ("remplacement_definitif", None, 12)],
)
async def test_a_swap_killed_at_any_write_ends_as_an_undisturbed_one(
    tmp_path, monkeypatch, kind, result, at_least
):
    url = f"sqlite:///{tmp_path}/cpe.db"
    await lived(tmp_path, monkeypatch, url, (kind, result, at_least))


@pytest.mark.postgres
async def test_so_it_does_on_postgresql(tmp_path, monkeypatch, postgres_url):
    # Writes come in threes (before, after, commit); 7 lands on each kind of them in turn.
    diagnostic = ("swap_diagnostic", "returned", 35)
    await lived(tmp_path, monkeypatch, postgres_url, diagnostic, stride=7)


async def lived(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    url: str,
    swap: tuple[str, str | None, int],
    stride: int = 1,
) -> None:
    """All lives are lived in one database; those that were killed end as the first, which was
    not."""
    kind, result, at_least = swap
    writes: dict[str, list[str]] = {}
    await prepare(url)
    async with quick_lab(folder, devices=10) as (lab, _), Store.open(url) as store:
        stock(lab, writes, monkeypatch)
        job = {
            "result": str(folder / "result.json"),
            "stride": stride,
            "lives": [life(n, kind, result) for n in range(LIVES + 1)],
        }
        (folder / "job.json").write_text(json.dumps(job))
        environment = {**os.environ, **lab.exports(), "CPE_SWAP_LEASE_S": "30"}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-W", "ignore", "-m", "tests.support.swaps.crash_main",
            str(folder / "job.json"), cwd=ROOT, env={**environment, "CPE_DATABASE_URL": url},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await process.communicate()
        assert process.returncode == 0, said.decode()[-3000:]
        number_of_writes = json.loads((folder / "result.json").read_text())["writes"]
        assert number_of_writes >= at_least
        undisturbed = await ended(lab, 0, store, writes)
        assert undisturbed["kept"]["swaps"][0]["state"] == "closed"
        for number in range(1, number_of_writes + 1, stride):
            left = await ended(lab, number, store, writes)
            assert left == undisturbed, f"killed at write {number}"
