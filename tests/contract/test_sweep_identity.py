"""A sweep asks who the boxes are whose names the ACS never read, once, within its budget."""

import pytest

from cpe.access.genieacs import lookup
from cpe.access.genieacs.nbi import Nbi
from cpe.access.genieacs.transport import NbiTransport
from deployments.lab.serve import running_lab
from deployments.lab.truth import Knowledge
from tests.contract.lab_tools import QUICK, befall
from tests.support.sweeping import swept

DEVICES = 40


@pytest.fixture
async def lab(tmp_path, monkeypatch):
    async with running_lab(
        devices=DEVICES, folder=tmp_path, tour=False, timing=QUICK, nbi_crash_hang_s=0.1
    ) as running:
        for name, value in running.exports().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("CPE_DATABASE_URL", f"sqlite:///{tmp_path / 'cpe.db'}")
        monkeypatch.setenv("CPE_SWEEP_QUIET_HOURS", "")
        monkeypatch.setenv("CPE_SWEEP_REFRESH_PER_S", "50")
        yield running
        assert running.nbi.crashes == []


def never_asked(lab, numbers):
    """The ACS has these boxes' Informs and nothing else."""
    for number in numbers:
        serial = lab.plant.identities[number].serial
        befall(lab, serial, knowledge=Knowledge.INFORM_ONLY)


async def asked_in_a_night():
    return (await swept(refresh=True)).answer["acted"]["refreshed"]["asked"]


async def test_a_fleet_whose_names_are_read_is_not_asked(lab):
    assert await asked_in_a_night() == 0


async def test_boxes_never_asked_are_found_by_their_gpon_serial_the_morning_after(lab):
    never_asked(lab, range(8))
    who = lab.plant.identities[3]
    transport = NbiTransport(lab.acs.url)
    try:
        assert await lookup.find(Nbi(transport), who.gpon_serial, limit_s=60) is None
        answer = (await swept(refresh=True)).answer
        assert answer["acted"]["refreshed"]["asked"] == 8
        assert answer["acted"]["refreshed"]["read"] == 8
        found = await lookup.find(Nbi(transport), who.gpon_serial, limit_s=60)
    finally:
        await transport.close()
    assert found.device.serial == who.serial


async def test_who_was_asked_and_has_no_such_name_costs_no_budget_the_next_night(lab):
    never_asked(lab, range(DEVICES))
    assert await asked_in_a_night() == DEVICES
    assert await asked_in_a_night() == 0


async def test_the_budget_of_a_night_is_kept_and_the_next_night_asks_the_others(lab, monkeypatch):
    monkeypatch.setenv("CPE_SWEEP_REFRESH_TOTAL", "5")
    never_asked(lab, range(12))
    assert [await asked_in_a_night() for _ in range(4)] == [5, 5, 2, 0]


@pytest.mark.parametrize(
    ("name", "value"), [("CPE_SWEEP_QUIET_HOURS", "0-24"), ("CPE_SWEEP_REFRESH_TOTAL", "0")]
)
async def test_nobody_is_asked_in_quiet_hours_or_without_a_budget(lab, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    never_asked(lab, range(8))
    assert await asked_in_a_night() == 0


async def test_a_box_that_is_off_or_cannot_be_called_takes_no_place(lab):
    never_asked(lab, range(4))
    for number in range(2):
        befall(lab, lab.plant.identities[number].serial, known_to_acs=False)
    assert await asked_in_a_night() == 2
