"""Conversations with GenieACS."""

from __future__ import annotations

from prefect import task

from cpe.access.genieacs import lookup
from cpe.access.genieacs.refresh import Refreshed
from cpe.access.genieacs.standing import with_standing_faults
from cpe.domain.errors import NotConfiguredError
from cpe.domain.snapshot import AcsSighting, SpeedTest
from cpe.settings import DiagnosisSettings
from tasks import clients
from tasks.policy import ONCE, READ, teller


@task(name="acs: find device", task_run_name="acs: find {serial}", timeout_seconds=20, **READ)
async def find_acs_device(serial: str) -> AcsSighting | None:
    """What the ACS knows of a serial, MAC or GPON serial; None when it answered and knows none."""
    nbi = clients.acs().nbi
    found = await lookup.find(nbi, serial, limit_s=DiagnosisSettings.current().freshness_s)
    return await with_standing_faults(nbi, found) if found is not None else None


@task(name="acs: refresh device", task_run_name="acs: refresh", timeout_seconds=60, **ONCE)
async def refresh_acs_device(sighting: AcsSighting) -> Refreshed:
    """Have the box read again; bounded by CPE_ACS_REFRESH_S, the outcome says how it went."""
    return await clients.acs().refresher.refresh(sighting)


@task(name="acs: speed test", task_run_name="acs: speed test", timeout_seconds=150, **ONCE)
async def run_speed_test(sighting: AcsSighting) -> SpeedTest:
    """Have the box download CPE_SPEEDTEST_URL, within CPE_ACS_SPEEDTEST_S. Raises AccessError."""
    url = DiagnosisSettings.current().speedtest_url
    if not url:
        raise NotConfiguredError("CPE_SPEEDTEST_URL is not set", system="acs")
    return await clients.acs().tester.run(sighting, url=url, tell=teller())


def give_up_refresh(acs_id: str) -> None:
    """Stop waiting for a box that an OLT has just reported down."""
    clients.acs().refresher.give_up(acs_id)
