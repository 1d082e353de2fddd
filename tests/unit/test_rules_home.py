"""WiFi, mesh, stations and speed."""

import pytest

from cpe.domain.finding import Status
from cpe.domain.observation import Quality
from cpe.domain.snapshot import History, Request, SpeedTest
from cpe.domain.verdict import Code
from cpe.profiles.thresholds import load_thresholds
from cpe.rules.judge import judge
from tests.support.cases import past, reading, snapshot


def found(shot, rule):
    return next(f for f in judge(shot, load_thresholds()).findings if f.rule == rule)


def verdict(shot):
    return judge(shot, load_thresholds()).verdict


def radio(band, **values):
    subject = f"radio:{band}"
    named = {"wifi.band": band, "wifi.enabled": True, "wifi.status": "up", "wifi.channel": 36}
    named.update({f"wifi.{name}": value for name, value in values.items()})
    return [reading(name, value, subject) for name, value in named.items()]


def station(mac, rssi, band="5", **values):
    subject = f"station:{mac}"
    named = {"station.mac": mac, "station.band": band, "station.rssi_dbm": rssi}
    named.update({f"station.{name}": value for name, value in values.items()})
    return [reading(name, value, subject) for name, value in named.items()]


def node(mac, **values):
    subject = f"node:{mac}"
    named = {"node.mac": mac, "node.name": f"borne {mac}", "node.is_controller": False,
             "node.active": True, "node.backhaul_type": "wifi"}  # fmt: skip
    named.update({f"node.{name}": value for name, value in values.items()})
    return [reading(name, value, subject) for name, value in named.items()]


@pytest.mark.parametrize(
    ("pct", "status", "code"),
    [
        (49.9, Status.OK, Code.HEALTHY),
        (50.0, Status.DEGRADED, Code.HEALTHY),
        (75.0, Status.DEGRADED, Code.HEALTHY),
        (75.1, Status.FAULT, Code.WIFI_INTERFERENCE),
    ],
)
def test_a_channel_is_judged_by_its_utilisation(pct, status, code):
    shot = snapshot(*radio("5", utilisation_pct=pct))
    assert found(shot, "wifi.channel_is_free").status is status
    assert verdict(shot).code is code


def test_the_air_of_a_radio_that_is_switched_off_is_nobodys_trouble():
    """Its last figures stay in the box, and are read again with every refresh."""
    off = radio("2.4", enabled=False, status="down", utilisation_pct=100.0, noise_dbm=-40.0)
    shot = snapshot(*off, *radio("5", utilisation_pct=9.0, noise_dbm=-95.0))
    assert verdict(shot).code is Code.HEALTHY
    assert found(shot, "wifi.channel_is_free").status is Status.OK
    assert len(found(shot, "wifi.channel_is_free").evidence) == 1
    assert found(shot, "wifi.noise_is_low").status is Status.OK


def test_with_every_radio_off_there_is_no_air_to_judge():
    off = radio("5", enabled=False, status="down", utilisation_pct=100.0, noise_dbm=-40.0)
    assert found(snapshot(*off), "wifi.channel_is_free").status is Status.NOT_APPLICABLE
    assert found(snapshot(*off), "wifi.noise_is_low").status is Status.NOT_APPLICABLE
    assert found(snapshot(*off), "wifi.errors_are_few").status is Status.NOT_APPLICABLE


def test_the_worst_band_and_its_channel_are_named():
    busy, idle = radio("2.4", utilisation_pct=90.0, channel=6), radio("5", utilisation_pct=9.0)
    shot = snapshot(*busy, *idle)
    text = found(shot, "wifi.channel_is_free").text
    assert text.fr == "Canal 6 (2,4 GHz) saturé à 90 %, attendu au plus 75 %."
    assert len(found(shot, "wifi.channel_is_free").evidence) == 2


@pytest.mark.parametrize(
    ("band", "noise", "status"),
    [
        ("5", -92.0, Status.OK),
        ("5", -91.0, Status.DEGRADED),
        ("2.4", -90.0, Status.OK),
        ("2.4", -89.0, Status.DEGRADED),
        ("5", -80.5, Status.DEGRADED),
        ("5", -80.0, Status.FAULT),
    ],
)
def test_noise_is_judged_by_its_band(band, noise, status):
    assert found(snapshot(*radio(band, noise_dbm=noise)), "wifi.noise_is_low").status is status


def test_noise_that_is_not_measured_is_named_and_stands_in_nobodys_way():
    noise = reading("wifi.noise_dbm", 0, "radio:5", quality=Quality.SENTINEL)
    shot = snapshot(*radio("5", utilisation_pct=10.0), noise)
    assert found(shot, "wifi.noise_is_low").status is Status.UNKNOWN
    assert verdict(shot).code is Code.HEALTHY
    assert "wifi.noise_is_low" in [n.rule for n in verdict(shot).not_evaluable]


def test_what_a_family_cannot_report_is_not_applicable():
    shot = snapshot(*radio("5"), cannot_report=("wifi.utilisation_pct", "wifi.noise_dbm"))
    assert found(shot, "wifi.channel_is_free").status is Status.NOT_APPLICABLE
    assert found(shot, "wifi.noise_is_low").status is Status.NOT_APPLICABLE


def counters(errors, packets, before_errors, before_packets):
    history = History(
        readings=(
            *past("wifi.errors_received", [before_errors], "radio:5"),
            *past("wifi.packets_received", [before_packets], "radio:5"),
        )
    )
    return snapshot(*radio("5", errors_received=errors, packets_received=packets), history=history)


@pytest.mark.parametrize(
    ("errors", "packets", "status"),
    [
        (1_000 + 9, 1_000_000 + 991, Status.OK),
        (1_000 + 100, 1_000_000 + 900, Status.DEGRADED),
        (1_000 + 300, 1_000_000 + 700, Status.DEGRADED),
        (1_000 + 301, 1_000_000 + 699, Status.FAULT),
        (1_000 + 300, 1_000_000 + 699, Status.UNKNOWN),
        (1_000 - 1, 1_000_000 + 5_000, Status.UNKNOWN),
    ],
)
def test_radio_errors_are_a_share_of_the_packets_since_the_last_reading(errors, packets, status):
    shot = counters(errors, packets, 1_000, 1_000_000)
    assert found(shot, "wifi.errors_are_few").status is status


def test_a_high_error_counter_alone_proves_nothing():
    shot = snapshot(*radio("5", errors_received=841_882, packets_received=1_007_330))
    assert found(shot, "wifi.errors_are_few").status is Status.UNKNOWN
    assert verdict(shot).code is Code.HEALTHY


def test_an_enabled_radio_that_is_down_is_hardware():
    shot = snapshot(*radio("5"), *radio("2.4", status="down"))
    assert verdict(shot).code is Code.HARDWARE_FAULT
    assert "2,4" in found(shot, "hardware.radios_are_up").text.fr


def test_a_radio_that_was_switched_off_is_not_broken():
    assert verdict(snapshot(*radio("5", enabled=False, status="down"))).code is Code.HEALTHY


def test_one_weak_station_among_good_ones_is_the_customers_device():
    shot = snapshot(*station("A", -50.0), *station("B", -58.0), *station("C", -84.0))
    assert verdict(shot).code is Code.CLIENT_DEVICE
    assert "C" in found(shot, "client.signal_is_good").text.fr


@pytest.mark.parametrize(
    ("rssi", "status"),
    [(-65.0, Status.OK), (-65.5, Status.DEGRADED), (-75.0, Status.DEGRADED), (-75.5, Status.FAULT)],
)
def test_a_stations_signal_has_two_limits(rssi, status):
    shot = snapshot(*station("A", -50.0), *station("B", rssi))
    assert found(shot, "client.signal_is_good").status is status


def test_most_stations_weak_is_coverage_neither_a_device_nor_healthy():
    """Bad is bad: it explains the complaint, though nobody is proved guilty."""
    shot = snapshot(*station("A", -80.0), *station("B", -82.0), *station("C", -60.0))
    assert found(shot, "client.signal_is_good").status is Status.FAULT
    v = verdict(shot)
    assert (v.code, v.because, v.also) == (Code.INCONCLUSIVE, ("client.signal_is_good",), ())
    assert "couverture WiFi à revoir" in v.text.fr


@pytest.mark.parametrize(
    ("weak", "good", "status", "code"),
    [
        ("55", "222", Status.FAULT, Code.INCONCLUSIVE),
        ("22", "5555", Status.FAULT, Code.INCONCLUSIVE),
        ("55", "2225", Status.FAULT, Code.INCONCLUSIVE),
        ("55", "22255", Status.FAULT, Code.CLIENT_DEVICE),
        ("5", "222", Status.FAULT, Code.CLIENT_DEVICE),
        ("52", "2255", Status.FAULT, Code.CLIENT_DEVICE),
    ],
    ids=["5 GHz", "2.4 GHz", "most of 5 GHz", "half of 5 GHz", "the only one", "one on each"],
)
def test_a_band_that_is_weak_for_most_is_no_devices_fault(weak, good, status, code):
    """Only one bad while others on the same BSS are fine is the device (diagnosis.md § 4)."""
    bands = {"5": "5", "2": "2.4"}
    rows = [station(f"W{n}", -84.0, bands[b]) for n, b in enumerate(weak)]
    rows += [station(f"G{n}", -50.0, bands[b]) for n, b in enumerate(good)]
    shot = snapshot(*(m for row in rows for m in row))
    assert found(shot, "client.signal_is_good").status is status
    assert verdict(shot).code is code
    if code is Code.INCONCLUSIVE:
        said = {"5": "en 5 GHz", "2": "en 2,4 GHz"}[weak[0]]
        assert said in verdict(shot).text.fr


UNREAD = {"quality": Quality.SENTINEL}


@pytest.mark.parametrize(
    ("readings", "rule", "named"),
    [
        (
            [*radio("5", utilisation_pct=9.0), *radio("2.4"),
             reading("wifi.utilisation_pct", 0, "radio:2.4", **UNREAD)],
            "wifi.channel_is_free", "2,4 GHz",
        ),
        (
            [*radio("5", noise_dbm=-95.0), *radio("2.4"),
             reading("wifi.noise_dbm", 0, "radio:2.4", **UNREAD)],
            "wifi.noise_is_low", "2,4 GHz",
        ),
        (
            [*node("S"), reading("node.is_controller", False, "node:U"),
             reading("node.active", "?", "node:U", **UNREAD)],
            "mesh.nodes_are_active", "U",
        ),
        (
            [*node("S", backhaul_rssi_dbm=-50.0), *node("T"),
             reading("node.backhaul_rssi_dbm", 0, "node:T", **UNREAD)],
            "mesh.backhaul_signal_is_good", "borne T",
        ),
        (
            [*node("S", backhaul_utilisation_pct=9.0), *node("T"),
             reading("node.backhaul_utilisation_pct", 300, "node:T", quality=Quality.IMPLAUSIBLE)],
            "mesh.backhaul_has_room", "borne T",
        ),
        (
            [*station("A", -50.0), reading("station.rssi_dbm", 0, "station:B", **UNREAD)],
            "client.signal_is_good", "B",
        ),
    ],
)  # fmt: skip
def test_what_was_read_in_part_only_is_not_called_good(readings, rule, named):
    """One node is there, of the other nothing is known: that is not "all nodes are active"."""
    finding = found(snapshot(*readings), rule)
    assert finding.status is Status.UNKNOWN
    assert f"lu en partie seulement, sans {named}" in finding.text.fr
    assert len(finding.evidence) >= 2


def test_a_part_that_is_bad_is_bad_whatever_the_rest_may_be():
    gap = reading("wifi.utilisation_pct", 0, "radio:2.4", **UNREAD)
    shot = snapshot(*radio("5", utilisation_pct=90.0), *radio("2.4"), gap)
    assert verdict(shot).code is Code.WIFI_INTERFERENCE


def test_a_radio_of_unknown_band_is_called_by_its_number():
    subject = "radio:Device.WiFi.Radio.1"
    shot = snapshot(
        reading("wifi.utilisation_pct", 90.0, subject), reading("wifi.channel", 6, subject)
    )
    assert "Canal 6 (n° 1) saturé" in verdict(shot).text.fr


def test_most_stations_that_retry_a_lot_are_no_devices_fault_either():
    busy = (station(mac, -50.0, retries_pct=40) for mac in "AB")
    shot = snapshot(*(m for readings in busy for m in readings))
    assert found(shot, "client.retries_are_few").status is Status.FAULT
    assert verdict(shot).code is Code.INCONCLUSIVE


def test_the_cause_of_weak_coverage_leads_when_there_is_one():
    weak = (station(mac, -84.0) for mac in "AB")
    shot = snapshot(
        *(m for readings in weak for m in readings), *node("S", backhaul_rssi_dbm=-80.0)
    )
    assert verdict(shot).code is Code.MESH_BACKHAUL


def test_a_station_that_left_is_not_judged():
    shot = snapshot(*station("A", -50.0), *station("B", -90.0, active=False))
    assert found(shot, "client.signal_is_good").status is Status.OK


def test_a_device_is_not_blamed_while_the_line_is_not_known_to_be_good():
    shot = snapshot(*station("A", -50.0), *station("B", -90.0), without=["optical.rx_dbm"])
    assert verdict(shot).code is Code.INCONCLUSIVE


@pytest.mark.parametrize(
    ("noise", "status"),
    [(-85.0, Status.OK), (-84.5, Status.DEGRADED), (-75.0, Status.DEGRADED), (-74.5, Status.FAULT)],
)
def test_a_stations_signal_is_judged_against_its_noise(noise, status):
    shot = snapshot(*station("A", -50.0, noise_dbm=-95.0), *station("B", -60.0, noise_dbm=noise))
    assert found(shot, "client.snr_is_good").status is status
    if status is Status.FAULT:
        assert verdict(shot).code is Code.CLIENT_DEVICE
        text = found(shot, "client.snr_is_good").text
        assert text.en == "B: signal 14.5 dB above the noise, while the other devices do better."


def test_without_a_noise_of_its_own_a_stations_snr_is_not_judged():
    gone = station("B", -60.0, noise_dbm=-61.0, active=False)
    shot = snapshot(*station("A", -50.0), *gone)
    assert found(shot, "client.snr_is_good").status is Status.UNKNOWN
    assert verdict(shot).code is Code.HEALTHY
    silent = snapshot(*station("A", -50.0), cannot_report=("station.noise_dbm",))
    assert found(silent, "client.snr_is_good").status is Status.NOT_APPLICABLE


def test_many_retries_of_one_station_point_at_it():
    shot = snapshot(*station("A", -50.0, retries_pct=2), *station("B", -55.0, retries_pct=31))
    assert verdict(shot).code is Code.CLIENT_DEVICE


@pytest.mark.parametrize(
    ("rssi", "status"),
    [(-67.0, Status.OK), (-68.0, Status.DEGRADED), (-75.0, Status.DEGRADED), (-75.5, Status.FAULT)],
)
def test_a_backhauls_signal_has_two_limits(rssi, status):
    shot = snapshot(*node("S", backhaul_rssi_dbm=rssi))
    assert found(shot, "mesh.backhaul_signal_is_good").status is status


def test_a_wired_satellite_needs_no_signal():
    shot = snapshot(*node("S", backhaul_type="ethernet"))
    assert found(shot, "mesh.backhaul_signal_is_good").status is Status.NOT_APPLICABLE


@pytest.mark.parametrize(("pct", "code"), [(75.0, Code.HEALTHY), (75.1, Code.MESH_BACKHAUL)])
def test_an_overloaded_backhaul_leads(pct, code):
    assert verdict(snapshot(*node("S", backhaul_utilisation_pct=pct))).code is code


def test_an_inactive_satellite_leads_and_its_backhaul_is_not_judged():
    shot = snapshot(*node("S", active=False, backhaul_rssi_dbm=-90.0))
    assert verdict(shot).code is Code.MESH_BACKHAUL
    assert verdict(shot).because == ("mesh.nodes_are_active",)


def test_the_controller_is_no_satellite():
    shot = snapshot(*node("1C:61:B4:D0:07:45", is_controller=True, active=False))
    assert found(shot, "mesh.nodes_are_active").status is Status.NOT_APPLICABLE


OWN = "1C:61:B4:D0:07:45"


@pytest.mark.parametrize("told", [{OWN: None, "S": None}, {OWN: True, "S": None}])
def test_the_order_of_the_nodes_does_not_say_which_of_them_is_the_box(told):
    """The box is who says so or carries its MAC; only without either is it the first."""
    weak = {mac: node(mac, is_controller=role, backhaul_rssi_dbm=-80.0)
            for mac, role in told.items()}  # fmt: skip
    for order in ((OWN, "S"), ("S", OWN)):
        rows = [m for mac in order for m in weak[mac] if m.value is not None]
        finding = found(snapshot(*rows), "mesh.backhaul_signal_is_good")
        assert [e.subject for e in finding.evidence] == ["node:S"]


@pytest.mark.parametrize(
    ("plan", "rate", "code"),
    [
        (400.0, 199.0, Code.MESH_BACKHAUL),
        (400.0, 200.0, Code.HEALTHY),
        (1000.0, 499.0, Code.MESH_BACKHAUL),
        (None, 50.0, Code.HEALTHY),
    ],
)
def test_a_backhauls_rate_is_judged_by_the_plan(plan, rate, code):
    shot = snapshot(*node("S", backhaul_rate_mbps=rate), request=Request("X", plan_mbps=plan))
    assert verdict(shot).code is code


def speed(mbps, *, measured=None, plan=None, rx=-18.5):
    return snapshot(
        reading("optical.rx_dbm", rx),
        request=Request("X", speedtest=True, measured_mbps=measured, plan_mbps=plan),
        speedtest=SpeedTest(state="Complete", download_mbps=mbps, detail="busy"),
    )


@pytest.mark.parametrize(
    ("mbps", "plan", "code"),
    [
        (9.9, None, Code.ACCESS_SLOW),
        (10.0, None, Code.HEALTHY),
        (249.9, 500.0, Code.ACCESS_SLOW),
        (250.0, 500.0, Code.HEALTHY),
    ],
)
def test_a_slow_box_with_good_light_is_the_access(mbps, plan, code):
    assert verdict(speed(mbps, plan=plan)).code is code


def test_a_slow_box_with_weak_light_is_the_light():
    v = verdict(speed(2.0, rx=-28.0))
    assert (v.code, v.also) == (Code.FIBRE_WEAK, ())


@pytest.mark.parametrize(("measured", "code"), [(49.9, Code.CLIENT_DEVICE), (50.0, Code.HEALTHY)])
def test_a_slow_customer_behind_a_fast_box_is_the_home(measured, code):
    assert verdict(speed(100.0, measured=measured)).code is code


def test_a_speed_test_that_was_asked_for_and_failed_is_not_healthy():
    v = verdict(speed(None))
    assert v.code is Code.INCONCLUSIVE
    assert v.because == ("speed.ont_is_fast_enough",)
