"""What the ACS never listed is found by a diagnosis, through the lab's CWMP and our own runbook."""

import pytest

from cpe.access.genieacs import lookup
from cpe.access.genieacs.nbi import Nbi
from cpe.access.genieacs.refresh import Refresher, TaskOutcome
from cpe.access.genieacs.transport import NbiTransport
from deployments.lab.serve import running_lab

SERIAL = "LAB0015"  # a TP-Link


@pytest.fixture
async def lab(tmp_path):
    async with running_lab(devices=60, folder=tmp_path) as plant:
        yield plant


async def refreshed(lab):
    nbi = Nbi(NbiTransport(lab.exports()["CPE_ACS_URL"], timeout_s=30.0))
    try:
        seen = await lookup.find(nbi, SERIAL, limit_s=60)
        return seen, await Refresher(nbi, bound_s=12.0, limit_s=60).refresh(seen)
    finally:
        await nbi.transport.close()


def nodes(sighting):
    return {m.subject for m in sighting.measurements if m.subject.startswith("node:")}


async def test_satellites_that_joined_since_the_last_read_are_in_the_refresh_alone(lab):
    lab.set_scenario(SERIAL, "mesh-weak-backhaul")
    before, result = await refreshed(lab)
    assert len(nodes(before)) == 1
    assert result.outcome is TaskOutcome.EXECUTED
    assert len(nodes(result.sighting)) == 3
    assert {"node", "station", "radio"} <= set(result.sighting.tables_read)


async def test_one_bad_parameter_costs_itself(lab):
    lab.set_scenario(SERIAL, "one-bad-parameter")
    _, result = await refreshed(lab)
    assert result.outcome is TaskOutcome.EXECUTED
    assert "BiasCurrent" in result.detail
    assert result.sighting.is_fresh
