"""The plant's truth: pure, deterministic, cheap."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpe.domain.serials import tplink_gpon_serial_from_mac
from cpe.domain.verdict import Code
from deployments.lab.acs_devices import AcsDevices
from deployments.lab.diagnostics import Download
from deployments.lab.encodings import dbm_to_rcpi, dbm_to_tenth_microwatt, pct_to_u8
from deployments.lab.identity import olt_name
from deployments.lab.plant import LabRefusedError, Plant
from deployments.lab.scenarios import BACKGROUND, SCENARIOS, TOUR_INDICES
from deployments.lab.truth import Conditions, Family, IsoDate, Knowledge, Link

REQUIRED = {
    "healthy", "healthy-stale", "operator-firmware", "never-read", "weak-fibre", "overload",
    "rx-boundary-25", "fibre-cut", "power-off", "pon-outage", "area-power-cut", "wifi-congested",
    "wifi-noise", "mesh-weak-backhaul", "mesh-node-down", "client-weak", "silent",
    "silent-refused", "cr-no-inform", "slow-inform", "slow-session", "task-faulted", "no-effect",
    "missing-optics", "sentinel-optics", "reboot-loop", "radio-down", "laser-out-of-class",
    "hot-transceiver", "rogue-ont", "wan-down", "optical-errors-growing", "duplicate-serial",
    "unknown-to-acs", "unknown-everywhere", "deactivated", "access-slow", "client-slow",
    "churned-neighbours",
}  # fmt: skip


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def plant() -> Plant:
    return Plant(60, clock=Clock())


def test_the_table_has_every_scenario_and_each_expects_a_verdict():
    assert set(SCENARIOS) >= REQUIRED
    names = {field.name for field in fields(Conditions)}
    for scenario in SCENARIOS.values():
        assert scenario.expected in set(Code)
        assert set(scenario.changes) <= names
        assert scenario.fr != scenario.en
    assert set(BACKGROUND) <= set(SCENARIOS)


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_every_scenario_can_befall_a_box_of_the_small_plant(name):
    plant = Plant(60, clock=Clock())
    plant.set_scenario("LAB0005", name)
    truth = plant.conditions(4)
    for field, value in SCENARIOS[name].changes.items():
        assert getattr(truth, field) == value


def test_the_tour_leaves_each_stop_alone_with_its_own_trouble(plant):
    plant.start_tour()
    subjects = {index for index, _ in TOUR_INDICES}
    assert len(subjects) >= 10
    for index, scenario in TOUR_INDICES:
        if scenario.pon is None:
            assert plant.conditions(index).link is scenario.changes.get("link", Link.ONLINE)


def test_the_same_seed_makes_the_same_plant():
    first, second, other = Plant(200, 7), Plant(200, 7), Plant(200, 8)
    assert first.identities == second.identities
    assert [first.conditions(i) for i in range(200)] == [second.conditions(i) for i in range(200)]
    assert first.identities != other.identities


def test_names_are_unique_and_found_in_every_notation(plant):
    for who in plant.identities:
        names = (who.serial, who.gpon_serial, who.mac, who.acs_id)
        assert all(plant.find(name) == who.index for name in names)
    assert len({who.gpon_serial for who in plant.identities}) == 70


def test_a_tplinks_gpon_serial_follows_from_its_mac_as_on_real_units(plant):
    tplinks = [who for who in plant.identities if who.family is Family.XX230V]
    assert len(tplinks) > 40
    for who in tplinks:
        assert who.gpon_serial[4:6] == "B4"


def test_no_two_boxes_hang_on_one_place():
    plant = Plant(5_000)
    places = [plant.place(index) for index in range(5_000)]
    assert len(set(places)) == 5_000
    assert max(place.ont for place in places) < 64


def test_every_ordinary_box_is_inside_the_target():
    plant = Plant(2_000)
    for index in range(2_000):
        truth = plant.conditions(index)
        assert -24.0 < truth.rx_dbm < -9.0
        assert 0.5 < truth.tx_dbm < 5.0


def test_a_feeder_cut_reaches_the_neighbours_and_ends_with_its_subject(plant):
    plant.set_scenario("LAB0001", "pon-outage")
    assert all(plant.conditions(i).link is Link.FEEDER_LOS for i in range(12))
    assert plant.conditions(12).link is Link.ONLINE
    assert all(abs(plant.since(i) - plant.since(0)) <= 2 for i in range(12))
    plant.set_scenario("LAB0001", "healthy-stale")
    assert all(plant.conditions(i).link is Link.ONLINE for i in range(12))


def test_a_box_that_died_before_the_outage_keeps_its_own_death(plant):
    plant.set_scenario("LAB0002", "power-off", since_s=86_400)
    plant.set_scenario("LAB0001", "pon-outage")
    assert plant.conditions(1).link is Link.DYING_GASP
    assert plant.since(1) < plant.since(0) - 80_000


def test_the_truth_before_a_scenario_is_remembered(plant):
    plant.set_scenario("LAB0001", "weak-fibre", since_s=60)
    now = plant.clock()
    assert plant.conditions_at(0, now - 30).rx_dbm == -27.4
    assert plant.conditions_at(0, now - 90).rx_dbm > -25


def test_faults_of_a_large_fleet_are_about_as_many_as_asked():
    plant = Plant(5_000, fault_share=0.02)
    faulty = sum(plant.peek(i) is not None for i in range(5_000))
    assert 60 <= faulty <= 140


def test_a_swap_leaves_the_lines_fault_and_takes_the_boxs_fault_away(plant):
    plant.set_scenario("LAB0001", "weak-fibre")
    plant.set_scenario("LAB0002", "laser-out-of-class")
    plant.install("LAB0001", "SPARE01")
    plant.install("LAB0002", "SPARE02")
    assert plant.conditions(plant.index_of("SPARE01")).rx_dbm == -27.4
    assert plant.conditions(plant.index_of("SPARE02")).tx_dbm > 0.5
    assert not plant.conditions(1).reachable
    plant.install("SPARE02", "LAB0002")
    assert plant.conditions(1).reachable
    assert plant.conditions(1).tx_dbm == -1.6


def test_a_box_on_a_shelf_takes_no_scenario(plant):
    with pytest.raises(LabRefusedError, match="on a shelf"):
        plant.set_scenario("SPARE01", "healthy")


@given(st.floats(-35, 5))
def test_power_in_tenth_microwatts_is_within_a_percent_or_one_step(dbm):
    watts = 10_000 * 10 ** (dbm / 10)
    assert abs(dbm_to_tenth_microwatt(dbm) - watts) <= 0.5


@given(st.floats(-110, 0), st.floats(0, 100))
def test_codes_stay_in_their_octet(dbm, pct):
    assert 0 <= dbm_to_rcpi(dbm) <= 220
    assert 0 <= pct_to_u8(pct) <= 255


def test_known_pairs_of_a_real_unit():
    assert dbm_to_rcpi(-60) == 100
    assert pct_to_u8(51) == 130
    assert abs(dbm_to_tenth_microwatt(-2.50) - 5624) <= 1
    assert tplink_gpon_serial_from_mac("1C:61:B4:D0:07:45") == "TPLGB4D00744"


@given(st.integers(0, 4_102_444_800_000))
def test_a_date_survives_its_text(ms):
    assert round(IsoDate.at(ms / 1000).epoch_s * 1000) in {ms, ms - 1}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", IsoDate.at(ms / 1000))


def test_writing_any_input_stops_a_running_download():
    test = Download()
    test.write("DownloadURL", "http://speedtest.example/100000000")
    test.write("DiagnosticsState", "Requested")
    assert test.launch(100.0, 80.0, 3.0, wan_up=True)
    assert not test.launch(100.0, 80.0, 3.0, wan_up=True)
    test.write("DSCP", 5)
    test.settle(1_000.0, "Completed")
    assert test.state == "None"
    assert test.bytes_received == 0


def test_a_download_takes_as_long_as_its_line_allows():
    test = Download()
    test.write("DownloadURL", "http://speedtest.example/100000000")
    test.write("DiagnosticsState", "Requested")
    test.launch(100.0, 80.0, 3.0, wan_up=True)
    test.settle(105.0, "Completed")
    assert test.state == "Requested"
    test.settle(111.0, "Completed")
    assert (test.state, test.bytes_received) == ("Completed", 100_000_000)
    assert test.end_at - test.begin_at == pytest.approx(10.0)


def test_a_plant_may_have_many_olts_and_the_first_three_keep_their_names():
    plant = Plant(3_000, 1, olts=25)
    counts = [sum(1 for _ in plant.onts(olt)) for olt in range(25)]
    assert sum(counts) == 3_000
    assert max(counts) < 300
    names = [olt_name(number) for number in range(25)]
    assert names[:4] == ["olt-nord", "olt-centre", "olt-sud", "olt-04"]
    assert len(set(names)) == 25
    with pytest.raises(LabRefusedError):
        Plant(100, 1, olts=2)


def test_what_was_read_long_ago_keeps_its_stamp_while_the_clock_goes_on():
    clock = Clock()
    devices = AcsDevices(Plant(60, clock=clock))
    begun, stamps = clock.now, set[float]()
    for minute in range(24 * 60):
        clock.now = begun + 60 * minute
        read_at = devices.read_at(3, clock.now, Knowledge.ALL)
        assert clock.now - read_at >= 900
        stamps.add(read_at)
    assert len(stamps) <= 5, "one every six hours"
