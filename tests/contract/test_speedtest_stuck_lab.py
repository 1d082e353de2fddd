"""A test that never ends, with the lab's NBI and boxes: asked for again, once it must be over."""

from datetime import timedelta

import pytest

from cpe.access.genieacs import lookup, speed_trial
from cpe.access.genieacs.nbi import Nbi
from cpe.access.genieacs.speedtest import SpeedTester
from cpe.access.genieacs.transport import NbiTransport
from cpe.domain.errors import OccupiedError
from deployments.lab.truth import Family
from tests.contract.lab_tools import QUICK, befall, quick_lab

URL = "http://speedtest.example/1000000"


@pytest.fixture
async def plant(tmp_path, monkeypatch):
    monkeypatch.setattr(speed_trial, "WATCH_S", 0.05)
    monkeypatch.setattr(speed_trial, "AFTER_INFORM_S", 0.1)
    async with quick_lab(tmp_path, devices=30, timing=QUICK) as (lab, client):
        transport = NbiTransport(lab.acs.url)
        yield lab, Nbi(transport), client
        assert lab.nbi.crashes == []
        await transport.close()


@pytest.mark.parametrize("family", [Family.XX230V, Family.EG8145V5])
@pytest.mark.parametrize("another_worker", [False, True])
async def test_our_own_test_that_never_ended_is_requested_again(
    plant, monkeypatch, family, another_worker
):
    lab, nbi, client = plant
    serial = next(w.serial for w in lab.plant.identities[:30] if w.family is family)
    tester = SpeedTester(nbi, bound_s=2.0)

    async def measured(tester):
        return await tester.run(await lookup.find(nbi, serial, limit_s=60), url=URL)

    befall(lab, serial, test_hangs=True)
    assert "did not end" in (await measured(tester)).detail
    befall(lab, serial, line_mbps=20.0, test_hangs=False)
    with pytest.raises(OccupiedError):
        await measured(tester)
    monkeypatch.setattr(speed_trial, "OVERDUE", timedelta())
    found = await measured(SpeedTester(nbi, bound_s=5.0) if another_worker else tester)
    assert found.download_mbps == pytest.approx(20.0, rel=0.1)
    assert (await client.ask("GET", "/tasks/")).json() == []


async def test_a_test_that_runs_is_not_disturbed_by_any_number_of_others(plant):
    lab, nbi, _ = plant
    befall(lab, "LAB0003", test_hangs=True)
    found = await lookup.find(nbi, "LAB0003", limit_s=60)
    await SpeedTester(nbi, bound_s=1.0).run(found, url=URL)
    download = lab.plant.state(lab.plant.index_of("LAB0003")).download
    began = download.started_at
    tester = SpeedTester(nbi, bound_s=1.0)
    for _ in range(3):
        with pytest.raises(OccupiedError):
            await tester.run(found, url=URL)
    assert (download.state, download.started_at) == ("Requested", began)
