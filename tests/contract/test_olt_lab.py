"""The OLT client against the lab's agents, which other hands encoded from the same reference."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cpe.access.olt.client import OltClient
from cpe.access.olt.engine import running_engine
from cpe.access.olt.index_cache import MemoryIndexCache
from cpe.access.olt.inventory import load_inventory
from cpe.access.olt.report import ask_olts
from cpe.domain.snapshot import OntState
from deployments.lab.ont import Ont
from deployments.lab.serve import Lab, running_lab
from deployments.lab.truth import Link
from tests.support.olt_bench import by_name

STATES = {
    Link.ONLINE: OntState.ONLINE,
    Link.LOS: OntState.LOS,
    Link.FEEDER_LOS: OntState.LOS,
    Link.DYING_GASP: OntState.DYING_GASP,
    Link.DEACTIVATED: OntState.OFFLINE,
    Link.ROGUE: OntState.OFFLINE,
}


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    async with running_lab(devices=60, folder=tmp_path) as running:
        yield running


def inventory(lab: Lab) -> Path:
    return Path(lab.exports()["CPE_OLTS"])


def onts(lab: Lab, olt: int) -> list[Ont]:
    return [lab.plant.ont(index, where) for where, index in lab.plant.onts(olt)]


async def test_every_ont_of_the_plant_is_read_as_it_is(lab: Lab):
    cache, engine = MemoryIndexCache(), await running_engine()
    compared = 0
    for number, target in enumerate(load_inventory(inventory(lab))):
        client = OltClient(target, engine, cache)
        truths = onts(lab, number)
        for truth in truths:
            seen = await client.find([truth.gpon_serial])
            assert seen is not None, truth.gpon_serial
            assert seen.state is STATES[truth.link], truth
            values = by_name(seen)
            for name, real in (
                ("optical.rx_dbm", truth.rx_dbm),
                ("optical.olt_rx_dbm", truth.olt_rx_dbm),
            ):
                value = values[name].value
                assert (value is None) == (real is None), (target.name, name, truth)
                if real is not None:
                    assert value == pytest.approx(real, abs=0.06), (target.name, name)
            assert seen.neighbours is not None, seen.neighbours_detail
            siblings = [t for t in truths if t.where.pon == truth.where.pon and t is not truth]
            assert len(seen.neighbours) == len(siblings)
            down = sum(n.state is not OntState.ONLINE for n in seen.neighbours)
            assert down == sum(t.link is not Link.ONLINE for t in siblings)
            compared += 1
    assert compared >= 50


async def test_auto_recognises_every_make_of_the_plant(lab: Lab):
    engine = await running_engine()
    for target in load_inventory(inventory(lab)):
        unnamed = target.model_copy(update={"profile": "auto", "name": f"{target.name}-auto"})
        identity = await OltClient(unnamed, engine, MemoryIndexCache()).probe()
        assert identity.profile == target.profile
        assert identity.complete


async def test_an_unknown_serial_is_unknown_to_all_and_nobody_failed(lab: Lab):
    targets = load_inventory(inventory(lab))
    report = await ask_olts(targets, ["TPLGFFFFFFFF"], cache=MemoryIndexCache(), deadline_s=600)
    assert (report.sighting, report.failed) == (None, {})
    assert len(report.asked) == len(targets)
