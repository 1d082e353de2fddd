"""The speed test against the lab's NBI and boxes, and what a diagnosis makes of it."""

from dataclasses import replace

import pytest

from cpe.access.genieacs import lookup, speed_trial
from cpe.access.genieacs.nbi import Nbi, set_parameter_values
from cpe.access.genieacs.speedtest import SpeedTester
from cpe.access.genieacs.transport import NbiTransport
from cpe.domain.errors import OccupiedError, UnreachableError
from cpe.domain.snapshot import Request
from deployments.lab.truth import Family
from flows.conduct import as_function, diagnose
from tasks.clients import close_clients
from tests.contract.lab_tools import QUICK, befall, quick_lab
from tests.support.waiting import until

URL = "http://speedtest.example/file"
TIMING = replace(QUICK, lock_wait_s=2.0)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(speed_trial, "WATCH_S", 0.05)
    monkeypatch.setattr(speed_trial, "AFTER_INFORM_S", 0.1)


@pytest.fixture
async def plant(tmp_path, monkeypatch):
    async with quick_lab(tmp_path, devices=30, timing=TIMING) as (lab, client):
        for name, value in lab.exports().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("CPE_ACS_SPEEDTEST_S", "5")
        transport = NbiTransport(lab.acs.url)
        yield lab, Nbi(transport), client
        await transport.close()
        await close_clients()


async def measured(nbi, serial, *, url=URL, bound_s=5.0):
    found = await lookup.find(nbi, serial, limit_s=60)
    return await SpeedTester(nbi, bound_s=bound_s).run(found, url=url)


async def queued(client):
    return (await client.ask("GET", "/tasks/?projection=uniqueKey")).json()


async def test_a_slow_line_is_measured_and_nothing_stays_queued(plant):
    lab, nbi, client = plant
    lab.set_scenario("LAB0003", "access-slow")
    found = await measured(nbi, "LAB0003")
    assert found.state == "Completed"
    assert found.download_mbps == pytest.approx(4.1, rel=0.02)
    assert (found.duration_ms, found.connections) == (pytest.approx(1000, abs=5), 3)
    assert await queued(client) == []


async def test_a_box_of_the_other_data_model_is_measured_too(plant):
    lab, nbi, _ = plant
    serial = next(
        who.serial for who in lab.plant.identities[:30] if who.family is not Family.XX230V
    )
    befall(lab, serial, line_mbps=50.0)
    found = await measured(nbi, serial)
    assert (found.state, found.connections) == ("Complete", 1)
    assert found.download_mbps == pytest.approx(50.0, rel=0.05)


async def test_two_tests_in_a_row_are_two_results(plant):
    lab, nbi, _ = plant
    befall(lab, "LAB0003", line_mbps=50.0)
    first = await measured(nbi, "LAB0003")
    befall(lab, "LAB0003", line_mbps=10.0)
    second = await measured(nbi, "LAB0003")
    assert first.download_mbps == pytest.approx(50.0, rel=0.02)
    assert second.download_mbps == pytest.approx(10.0, rel=0.02)
    assert second.at > first.at


async def test_an_error_after_a_good_test_shows_no_old_figure(plant):
    _, nbi, client = plant
    assert (await measured(nbi, "LAB0003")).download_mbps is not None
    found = await measured(nbi, "LAB0003", url="http://127.0.0.1:1/x")
    assert (found.state, found.download_mbps) == ("Error_InitConnectionFailed", None)
    assert found.bytes is None
    assert await queued(client) == []


async def test_a_box_without_internet_says_no_route(plant):
    lab, nbi, _ = plant
    lab.set_scenario("LAB0003", "wan-down")
    assert (await measured(nbi, "LAB0003")).state == "Error_NoRouteToHost"


async def test_a_test_that_somebody_else_began_is_not_disturbed(plant):
    lab, nbi, client = plant
    path = "Device.IP.Diagnostics.DownloadDiagnostics"
    theirs = set_parameter_values(
        [
            (f"{path}.DownloadURL", "http://theirs.example/1000000000", "xsd:string"),
            (f"{path}.DiagnosticsState", "Requested", "xsd:string"),
        ],
        unique_key="theirs",
        expiry_s=60,
    )
    acs_id = (await lookup.find(nbi, "LAB0003", limit_s=60)).device.acs_id
    await nbi.post_task(acs_id, theirs, wait_ms=1000, timeout_s=3)
    index = lab.plant.index_of("LAB0003")
    await until(lambda: lab.plant.state(index).download.state == "Requested")
    with pytest.raises(OccupiedError):
        await measured(nbi, "LAB0003")
    download = lab.plant.state(index).download
    assert (download.state, download.url) == ("Requested", "http://theirs.example/1000000000")
    assert await queued(client) == []


@pytest.mark.parametrize("scenario", ["silent", "cr-no-inform", "power-off"])
async def test_a_box_that_does_not_come_is_unreachable_and_nothing_stays_queued(plant, scenario):
    lab, nbi, client = plant
    lab.set_scenario("LAB0003", scenario)
    with pytest.raises(UnreachableError):
        await measured(nbi, "LAB0003", bound_s=2)
    assert await queued(client) == []


async def diagnosis(serial, **options):
    run = {"flow_run_id": None, "url": None}
    reached = await diagnose(Request(serial, speedtest=True, **options), "test", run, as_function)
    source = next(s for s in reached.answer["sources"] if s["name"] == "speedtest")
    return reached.answer, source


async def test_a_slow_access_with_good_light_is_access_slow(plant, monkeypatch):
    lab, _, _ = plant
    monkeypatch.setenv("CPE_SPEEDTEST_URL", URL)
    lab.set_scenario("LAB0003", "access-slow")
    answer, source = await diagnosis("LAB0003")
    assert source["outcome"] == "ok"
    assert answer["speedtest"]["download_mbps"] == pytest.approx(4.1, rel=0.02)
    assert answer["verdict"]["code"] == "access_slow"


async def test_a_fast_access_and_a_slow_customer_is_client_device(plant, monkeypatch):
    lab, _, _ = plant
    monkeypatch.setenv("CPE_SPEEDTEST_URL", URL)
    lab.set_scenario("LAB0003", "client-slow")
    answer, _ = await diagnosis("LAB0003", measured_mbps=20.0)
    assert answer["verdict"]["code"] == "client_device"


async def test_without_a_url_the_speed_test_is_unsupported_and_says_so(plant, monkeypatch):
    monkeypatch.delenv("CPE_SPEEDTEST_URL")
    answer, source = await diagnosis("LAB0003")
    assert (source["outcome"], source["detail"]) == (
        "unsupported",
        "CPE_SPEEDTEST_URL is not set",
    )
    assert answer["speedtest"]["download_mbps"] is None
    assert answer["verdict"]["code"] == "inconclusive"


async def test_a_box_that_does_not_answer_is_not_asked_to_test(plant, monkeypatch):
    lab, _, _ = plant
    monkeypatch.setenv("CPE_SPEEDTEST_URL", URL)
    monkeypatch.setenv("CPE_ACS_REFRESH_S", "2")
    lab.set_scenario("LAB0003", "power-off")
    answer, source = await diagnosis("LAB0003")
    assert (source["outcome"], source["detail"]) == ("skipped", "the box did not answer")
    assert answer["verdict"]["code"] == "power_off"


async def test_a_failed_speed_test_is_an_observation(plant, monkeypatch):
    monkeypatch.setenv("CPE_SPEEDTEST_URL", "http://nowhere.invalid/file")
    answer, source = await diagnosis("LAB0003")
    assert source["outcome"] == "error"
    assert "Error_CannotResolveHostName" in source["detail"]
    assert answer["speedtest"]["state"] == "Error_CannotResolveHostName"
    assert answer["verdict"]["code"] == "inconclusive"
