"""What one diagnosis learns of an OLT does not depend on who else asks it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cpe.access.olt.index_cache import MemoryIndexCache
from cpe.access.olt.inventory import OltTarget, load_inventory
from cpe.access.olt.report import ask_olts
from cpe.domain.snapshot import OltReport, OntState
from deployments.lab.serve import Lab, running_lab
from tests.contract.test_olt_lab import STATES, onts
from tests.support import olt_rows as rows
from tests.support.olt_bench import COMMUNITY, bench, target_of
from tests.support.snmp_agent import running_agent


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    async with running_lab(devices=60, folder=tmp_path) as running:
        yield running


def learned(report: OltReport) -> object:
    """What the rules see of a report."""
    seen = report.sighting
    if seen is None:
        return None
    neighbours = seen.neighbours and tuple((n.state, n.cause) for n in seen.neighbours)
    return seen.olt, seen.pon, seen.ont, seen.state, seen.cause, neighbours


async def ask(targets: list[OltTarget], serial: str, cache: MemoryIndexCache) -> object:
    return learned(await ask_olts(targets, [serial], cache=cache, deadline_s=30))


async def test_an_olt_that_does_not_go_on_tells_one_who_asks_alone_what_it_tells_a_batch(lab: Lab):
    targets = list(load_inventory(Path(lab.exports()["CPE_OLTS"])))
    truths = onts(lab, 0)
    chosen = [truths[0], *(t for t in truths if STATES[t.link] is OntState.LOS), truths[-1]]
    serials = [truth.gpon_serial for truth in chosen]
    well = [await ask(targets, serial, MemoryIndexCache()) for serial in serials]
    await lab.set_fault("olt:*", "non_increasing")
    alone = [await ask(targets, serial, MemoryIndexCache()) for serial in serials]
    cache = MemoryIndexCache()
    batch = await asyncio.gather(*(ask(targets, serial, cache) for serial in serials))
    assert alone == well
    assert list(batch) == well


async def test_rows_that_an_agent_repeats_are_passed_one_by_one():
    table = {}
    for ont in range(1, 31):
        table |= rows.huawei(f"HWTC{ont:08X}", ont=ont, state=2, cause=2)
    async with running_agent(table, community=COMMUNITY) as agent:
        going_on = agent._next
        agent._next = lambda oid: (  # type: ignore[method-assign]
            (oid, agent._rows[oid]) if oid in agent._rows else going_on(oid)
        )
        target = target_of(agent, "huawei")
        told = await ask([target], "HWTC0000001E", MemoryIndexCache())
        assert told is not None
        assert len(told[5]) == 29


async def test_the_online_row_wins_though_it_is_the_last_of_many_of_one_serial():
    table = {}
    for ont in range(1, 10):
        state = 1 if ont == 9 else 2
        table |= rows.huawei("HWTC0000AA01", port=ont % 3 + 1, ont=ont, state=state, cause=2)
    async with bench("huawei", table) as b:
        seen = await b.client.find(["HWTC0000AA01"])
        assert seen is not None
        assert (seen.state, seen.ont) == (OntState.ONLINE, "9")


async def test_a_port_tells_the_technology_of_its_onts():
    table = rows.huawei("HWTC0000AA01") | {f"1.3.6.1.2.1.31.1.1.1.1.{0xFA002100}": b"XGSPON 0/1/1"}
    async with bench("huawei", table) as b:
        seen = await b.client.find(["HWTC0000AA01"])
        assert seen is not None
        assert seen.technology == "XGS-PON"
