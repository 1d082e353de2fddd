"""Light, laser, heat, errors and reboots: every boundary, every input missing."""

from datetime import timedelta

import pytest

from cpe.domain.finding import Status
from cpe.domain.observation import Quality, Source
from cpe.domain.snapshot import DownCause, History
from cpe.domain.verdict import Code
from cpe.profiles.thresholds import load_thresholds
from cpe.rules.judge import judge
from tests.support.cases import NOW, past, reading, sighting, snapshot


def found(shot, rule):
    return next(f for f in judge(shot, load_thresholds()).findings if f.rule == rule)


def code(shot):
    return judge(shot, load_thresholds()).verdict.code


@pytest.mark.parametrize(
    ("rx", "expected"),
    [
        (-25.0, Code.HEALTHY),
        (-25.01, Code.FIBRE_WEAK),
        (-27.3, Code.FIBRE_WEAK),
        (-8.0, Code.HEALTHY),
        (-7.99, Code.FIBRE_OVERLOAD),
        (-2.5, Code.FIBRE_OVERLOAD),
        (-18.5, Code.HEALTHY),
    ],
)
def test_both_ends_of_the_target_are_inside(rx, expected):
    assert code(snapshot(reading("optical.rx_dbm", rx))) is expected


@pytest.mark.parametrize(
    ("quality", "reason"),
    [
        (Quality.STALE, "reading too old (15 min)"),
        (Quality.SENTINEL, 'a "not measured" placeholder (0)'),
        (Quality.IMPLAUSIBLE, "an impossible value (0)"),
        (Quality.UNPARSABLE, "an unreadable value (0)"),
        (Quality.NOT_READ, "never read by the ACS"),
    ],
)
def test_a_reading_that_cannot_be_judged_is_named_and_never_healthy(quality, reason):
    shot = snapshot(reading("optical.rx_dbm", 0, quality=quality, age_s=900))
    verdict = judge(shot, load_thresholds()).verdict
    assert verdict.code is Code.INCONCLUSIVE
    assert verdict.because == ("optical.rx_power_in_band",)
    assert ("optical.rx_power_in_band", reason) in [
        (n.rule, n.reason) for n in verdict.not_evaluable
    ]


def test_no_source_at_all_is_named():
    shot = snapshot(without=["optical.rx_dbm"])
    assert found(shot, "optical.rx_power_in_band").reason == "no source reported it"
    assert code(shot) is Code.INCONCLUSIVE


def test_the_olts_reading_serves_when_the_box_has_none():
    shot = snapshot(
        reading("optical.rx_dbm", 0, quality=Quality.SENTINEL),
        reading("optical.rx_dbm", -26.0, source=Source.OLT, age_s=0),
        olt=sighting(),
    )
    finding = found(shot, "optical.rx_power_in_band")
    assert code(shot) is Code.FIBRE_WEAK
    assert finding.evidence[0].source is Source.OLT


def test_a_large_disagreement_of_acs_and_olt_is_named():
    shot = snapshot(
        reading("optical.rx_dbm", -18.0),
        reading("optical.rx_dbm", -22.0, source=Source.OLT, age_s=0),
        olt=sighting(),
    )
    assert found(shot, "optical.sources_agree").status is Status.DEGRADED
    assert code(shot) is Code.HEALTHY


@pytest.mark.parametrize(
    ("tx", "resolution", "expected"),
    [
        (0.5, None, Code.HEALTHY),
        (0.49, None, Code.HARDWARE_FAULT),
        (5.0, None, Code.HEALTHY),
        (5.01, None, Code.HARDWARE_FAULT),
        (-3.0, None, Code.HARDWARE_FAULT),
        (0, 1.0, Code.HEALTHY),
        (-1, 1.0, Code.HARDWARE_FAULT),
    ],
)
def test_a_laser_out_of_its_class_is_the_boxs_fault_when_light_is_good(tx, resolution, expected):
    assert code(snapshot(reading("optical.tx_dbm", tx, resolution=resolution))) is expected


def test_a_laser_out_of_class_says_nothing_when_light_is_bad_or_unknown():
    weak = snapshot(reading("optical.tx_dbm", -3.0), reading("optical.rx_dbm", -29.0))
    assert judge(weak, load_thresholds()).verdict.also == ()
    blind = snapshot(reading("optical.tx_dbm", -3.0), without=["optical.rx_dbm"])
    assert code(blind) is Code.INCONCLUSIVE


@pytest.mark.parametrize(("temp", "expected"), [(70.0, Code.HEALTHY), (70.1, Code.HARDWARE_FAULT)])
def test_heat_above_seventy_is_hardware(temp, expected):
    assert code(snapshot(reading("optical.temperature_c", temp))) is expected


@pytest.mark.parametrize(
    ("now", "before", "status"),
    [
        (100, [100], Status.OK),
        (109, [100], Status.OK),
        (111, [100], Status.DEGRADED),
        (50, [100], Status.UNKNOWN),
        (10_000_000, [], Status.UNKNOWN),
    ],
)
def test_optical_errors_are_judged_by_growth_never_by_height(now, before, status):
    history = History(readings=past("optical.errors_sent", before))
    shot = snapshot(reading("optical.errors_sent", now, age_s=0), history=history)
    assert found(shot, "optical.errors_are_steady").status is status
    assert code(shot) is Code.HEALTHY


def test_a_box_without_error_counters_is_not_blamed_for_it():
    assert found(snapshot(), "optical.errors_are_steady").status is Status.NOT_APPLICABLE


@pytest.mark.parametrize(("rx", "status"), [(-20.4, Status.OK), (-20.5, Status.DEGRADED)])
def test_a_drop_against_the_boxs_own_median_is_a_warning_not_a_verdict(rx, status):
    history = History(readings=past("optical.rx_dbm", [-18.4, -18.5, -18.6]))
    shot = snapshot(reading("optical.rx_dbm", rx), history=history)
    assert found(shot, "optical.rx_power_is_steady").status is status
    assert code(shot) is Code.HEALTHY


def boots(*hours):
    return History(boots=tuple(NOW - timedelta(hours=h) for h in hours))


def test_three_boots_in_a_day_are_a_reboot_loop():
    no_power_lost = sighting(cause=DownCause.NONE)
    shot = snapshot(history=boots(1, 5, 9), without=["device.uptime_s"], olt=no_power_lost)
    assert code(shot) is Code.HARDWARE_FAULT
    assert found(shot, "hardware.no_reboot_loop").evidence[0].actual == 3


def test_boots_of_yesterday_and_the_same_boot_twice_do_not_count():
    seen_twice = (NOW - timedelta(hours=1), NOW - timedelta(hours=1, milliseconds=1))
    history = History(boots=(*seen_twice, NOW - timedelta(hours=25), NOW - timedelta(hours=30)))
    shot = snapshot(history=history, without=["device.uptime_s"])
    assert found(shot, "hardware.no_reboot_loop").status is Status.OK
    assert found(shot, "hardware.no_reboot_loop").evidence[0].actual == 1


def test_boots_explained_by_power_or_firmware_are_no_hardware_fault():
    lost = sighting(cause=DownCause.DYING_GASP, down_at=NOW - timedelta(hours=1))
    assert code(snapshot(history=boots(1, 5, 9), olt=lost)) is Code.HEALTHY
    updated = History(boots=boots(1, 5, 9).boots, firmwares=((NOW - timedelta(hours=2), "0.9"),))
    assert code(snapshot(history=updated)) is Code.HEALTHY


def test_a_reboot_loop_needs_some_knowledge_of_boots():
    shot = snapshot(without=["device.uptime_s"])
    assert found(shot, "hardware.no_reboot_loop").status is Status.UNKNOWN


def test_the_olts_upstream_reading_warns():
    low = reading("optical.olt_rx_dbm", -28.1, source=Source.OLT)
    assert found(snapshot(low, olt=sighting()), "optical.olt_rx_in_band").status is Status.DEGRADED
    edge = reading("optical.olt_rx_dbm", -28.0, source=Source.OLT)
    assert found(snapshot(edge, olt=sighting()), "optical.olt_rx_in_band").status is Status.OK
