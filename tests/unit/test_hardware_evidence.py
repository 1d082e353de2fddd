"""A swap is allowed on hard evidence only."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cpe.domain.finding import Status
from cpe.domain.observation import Quality
from cpe.domain.snapshot import (
    DownCause,
    History,
)
from cpe.domain.verdict import Code
from cpe.profiles.thresholds import load_thresholds
from cpe.rules.judge import only_an_olt_can_tell
from tests.support.cases import NOW, past, reading, sighting, snapshot
from tests.support.judging import (
    NO_POWER_LOST,
    found,
    radio,
    verdict,
)

HARDWARE = "hardware_fault"

# --- hardware: a swap is allowed, so the evidence has to be hard ---


def boots(*hours):
    return History(boots=tuple(NOW - timedelta(hours=h) for h in hours))


UP_FOR_AN_HOUR = reading("device.uptime_s", 3_598)


@pytest.mark.parametrize(
    "seen",
    [None, sighting(), sighting(cause=DownCause.UNKNOWN), sighting(cause=DownCause.DYING_GASP)],
)
def test_a_reboot_loop_allows_no_swap_while_power_loss_is_not_excluded(seen):
    v = verdict(snapshot(UP_FOR_AN_HOUR, history=boots(1, 5, 9), olt=seen))
    assert (v.code, v.swap) == (Code.INCONCLUSIVE, "diagnostic")
    assert "vérifier l'alimentation" in v.text.fr


def test_a_reboot_loop_without_power_loss_is_hardware():
    assert (
        verdict(snapshot(UP_FOR_AN_HOUR, history=boots(1, 5, 9), olt=NO_POWER_LOST)).swap
        == "allowed"
    )


def test_a_gasp_of_last_month_explains_no_boot_of_today():
    old = sighting(cause=DownCause.DYING_GASP, down_at=NOW - timedelta(days=30))
    assert (
        verdict(snapshot(UP_FOR_AN_HOUR, history=boots(1, 5, 9), olt=old)).code
        is Code.HARDWARE_FAULT
    )


def test_the_olt_is_asked_about_power_when_boots_pile_up_and_not_before():
    assert only_an_olt_can_tell(snapshot(UP_FOR_AN_HOUR, history=boots(1, 5, 9)), load_thresholds())
    assert not only_an_olt_can_tell(
        snapshot(UP_FOR_AN_HOUR, history=boots(1, 5)), load_thresholds()
    )


def test_an_agent_that_registers_again_has_not_booted():
    shot = snapshot(reading("device.uptime_s", 90_000), history=boots(1, 5, 9), olt=NO_POWER_LOST)
    assert found(shot, "hardware.no_reboot_loop").evidence[0].actual == 0
    assert verdict(shot).code is Code.HEALTHY


def test_a_boot_announced_late_is_one_boot_with_the_uptime_that_began_before():
    began = NOW - timedelta(hours=3)
    shot = snapshot(
        reading("device.uptime_s", 10_800 - 2),
        history=History(boots=tuple(began + timedelta(minutes=m) for m in (0, 4, 30))),
        last_boot=began + timedelta(minutes=55),
        olt=NO_POWER_LOST,
    )
    assert found(shot, "hardware.no_reboot_loop").evidence[0].actual == 1


def test_an_earlier_boot_too_is_counted_once_by_the_uptime_kept_then():
    shot = snapshot(
        reading("device.uptime_s", 598),
        history=History(
            readings=past("device.uptime_s", [7_200], step_s=3_600),
            boots=(NOW - timedelta(hours=3), NOW - timedelta(hours=2, minutes=50)),
        ),
        olt=NO_POWER_LOST,
    )
    assert found(shot, "hardware.no_reboot_loop").evidence[0].actual == 2


@pytest.mark.parametrize(
    ("uptimes", "count", "code"),
    [
        ([1_000, 2_000], 3, Code.HARDWARE_FAULT),
        ([1_000, 8_200, 1_000], 3, Code.HARDWARE_FAULT),
        ([1_000], 2, Code.HEALTHY),
        ([90_000, 90_000], 1, Code.HEALTHY),
    ],
    ids=["three runs", "two looks at one run", "two runs", "a run of yesterday"],
)
def test_an_uptime_that_began_anew_is_a_boot_that_nobody_announced(uptimes, count, code):
    shot = snapshot(
        reading("device.uptime_s", 600),
        history=History(readings=past("device.uptime_s", uptimes, step_s=7_200)),
        olt=NO_POWER_LOST,
    )
    assert found(shot, "hardware.no_reboot_loop").evidence[0].actual == count
    assert verdict(shot).code is code


def test_an_uptime_of_last_week_is_no_word_on_the_boots_of_today():
    old = History(readings=past("device.uptime_s", [1_000], step_s=7 * 86_400))
    shot = snapshot(without=["device.uptime_s"], history=old)
    assert found(shot, "hardware.no_reboot_loop").status is Status.UNKNOWN


@pytest.mark.parametrize(
    "history",
    [
        History(boots=boots(1, 5, 9).boots, firmwares=((NOW - timedelta(days=9), "0.9"),)),
        History(
            boots=boots(1, 5, 9).boots,
            firmwares=((NOW - timedelta(hours=2), "1.0"), (NOW - timedelta(days=9), "0.9")),
        ),
    ],
)
def test_a_firmware_change_since_the_last_look_explains_boots(history):
    shot = snapshot(UP_FOR_AN_HOUR, history=history, olt=NO_POWER_LOST)
    assert verdict(shot).code is Code.HEALTHY
    assert "un changement de micrologiciel" in found(shot, "hardware.no_reboot_loop").text.fr


@pytest.mark.parametrize(
    ("radios", "status", "cause"),
    [
        (radio("2.4", **{"wifi.status": "down"}), Status.FAULT, HARDWARE),
        (radio("5", **{"wifi.status": "error", "wifi.channel": 36, "wifi.width": "80MHz"}),
         Status.FAULT, HARDWARE),
        (radio("5", **{"wifi.status": "error", "wifi.channel": 36}), Status.FAULT, None),
        (radio("5", **{"wifi.status": "down", "wifi.channel": 100}), Status.FAULT, None),
        (radio("5", **{"wifi.status": "unknown"}), Status.UNKNOWN, None),
        (radio("5", **{"wifi.status": "dormant"}), Status.UNKNOWN, None),
        (radio("5", **{"wifi.status": None}), Status.UNKNOWN, None),
        (radio("5", **{"wifi.enabled": None, "wifi.status": "down"}), Status.UNKNOWN, None),
        (radio("5", **{"wifi.enabled": False, "wifi.status": "down"}), Status.DEGRADED, None),
        (radio("x", **{"wifi.band": None, "wifi.status": "down"}), Status.FAULT, None),
        (radio("5"), Status.OK, None),
    ],
    ids=["2.4 down", "5 down", "5 of unknown width", "5 on DFS", "unknown", "dormant", "unread",
         "enable unread", "off", "a TR-098 network", "up"],
)  # fmt: skip
def test_only_a_radio_that_is_surely_on_and_surely_dead_is_hardware(radios, status, cause):
    finding = found(snapshot(*radios), "hardware.radios_are_up")
    assert (finding.status, finding.cause) == (status, cause)


def test_a_radio_that_just_booted_may_still_listen_for_radar():
    shot = snapshot(*radio("5", **{"wifi.status": "down"}), reading("device.uptime_s", 120))
    assert verdict(shot).code is Code.HEALTHY
    assert "refaire le diagnostic dans 15 min" in verdict(shot).text.fr


def test_wifi_that_is_switched_off_is_told():
    shot = snapshot(*radio("5", **{"wifi.enabled": False}))
    assert "Toutes les radios WiFi sont désactivées" in verdict(shot).text.fr


@pytest.mark.parametrize("tx", [-15.1, -40.0, -30.0])
def test_a_laser_that_no_olt_could_hear_is_no_reading(tx):
    shot = snapshot(reading("optical.tx_dbm", tx))
    assert found(shot, "optical.tx_power_in_class").status is Status.UNKNOWN
    assert verdict(shot).code is Code.HEALTHY


@pytest.mark.parametrize("name", ["optical.tx_dbm", "optical.temperature_c", "device.uptime_s"])
@pytest.mark.parametrize("quality", [q for q in Quality if q is not Quality.OK])
def test_a_placeholder_is_never_hardware(name, quality):
    v = verdict(snapshot(reading(name, 0, quality=quality, age_s=900)))
    assert v.swap == "blocked"
