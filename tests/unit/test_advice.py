"""Advice is concrete, and only of what is known."""

from __future__ import annotations

import pytest

from cpe.domain.errors import ProfileError
from cpe.domain.observation import Quality, Source
from cpe.profiles.channels import channel_plan
from cpe.rules.advice import air_advice, upstream_of
from tests.support.cases import facts, reading, snapshot
from tests.support.judging import found, radio, station, verdict

ALL_5 = "36,40,44,48,52,56,60,64,100,104,108,112,149,153,157,161"


def neighbour(number, band, channel, rssi, age_s=600.0):
    named = {"neighbour.band": band, "neighbour.channel": channel, "neighbour.rssi_dbm": rssi}
    return [reading(n, v, f"neighbour:{number}", age_s=age_s) for n, v in named.items()]


def busy(band, channel, possible):
    named = {"wifi.channel": channel, "wifi.utilisation_pct": 91.0}
    if possible:
        named["wifi.possible_channels"] = possible
    return radio(band, **named)


def advice(*readings, band="5"):
    text = air_advice(facts(snapshot(*readings)), f"radio:{band}")
    return text.en if text is not None else None


def test_without_the_boxs_channels_nothing_is_advised_and_the_text_is_the_old_one():
    shot = snapshot(*busy("5", 44, ""))
    assert advice(*busy("5", 44, "")) is None
    text = found(shot, "wifi.channel_is_free").text.en
    assert text == "Channel 44 (5 GHz) saturated at 91 %, expected at most 75 %."


def test_without_neighbours_another_channel_is_to_be_tried():
    assert advice(*busy("5", 44, ALL_5)) == (
        "try channel 149 (the neighbouring networks are not known)"
    )
    assert advice(*busy("2.4", 6, "1-11"), band="2.4").startswith("try channel 1 ")


def test_the_least_crowded_channel_is_named():
    crowd = [
        *neighbour(1, "2.4", 1, -40), *neighbour(2, "2.4", 6, -50), *neighbour(3, "2.4", 9, -88),
    ]  # fmt: skip
    text = advice(*busy("2.4", 6, "1-11"), *crowd, band="2.4")
    assert text == "move to channel 11, the least crowded of the 3 neighbouring networks seen"


def test_neighbours_of_another_band_or_of_another_day_do_not_count():
    crowd = [*neighbour(1, "5", 149, -40), *neighbour(2, "2.4", 1, -40, age_s=3 * 86_400)]
    assert "not known" in advice(*busy("2.4", 6, "1-11"), *crowd, band="2.4")


def test_a_channel_that_overlaps_counts_for_both():
    crowd = [*neighbour(1, "2.4", 8, -50), *neighbour(2, "2.4", 1, -60)]
    text = advice(*busy("2.4", 6, "1,6,11"), *crowd, band="2.4")
    assert text.startswith("move to channel 1,"), "8 disturbs 6 and 11"


def test_channels_that_listen_for_radar_are_for_a_crowd_only():
    mild = [*neighbour(1, "5", 44, -50), *neighbour(2, "5", 153, -80)]
    assert advice(*busy("5", 44, ALL_5), *mild).startswith("move to channel 149,")
    crowd = [*neighbour(1, "5", 44, -50), *neighbour(2, "5", 153, -48)]
    assert advice(*busy("5", 44, ALL_5), *crowd).startswith("move to channel 52,")


def test_no_better_channel_is_said_plainly():
    crowd = [*neighbour(1, "2.4", 1, -40), *neighbour(2, "2.4", 11, -40)]
    assert advice(*busy("2.4", 6, "1,6,11"), *crowd, band="2.4") == (
        "no channel of this band is less crowded"
    )


def test_a_band_with_room_is_named_and_a_full_or_dead_one_is_not():
    room = radio("5", **{"wifi.utilisation_pct": 12.0})
    assert advice(*busy("2.4", 6, "1-11"), *room, band="2.4").endswith(
        "or move the devices that can to 5 GHz, busy 12 %"
    )
    full = radio("5", **{"wifi.utilisation_pct": 60.0})
    down = radio("5", **{"wifi.utilisation_pct": 2.0, "wifi.status": "down"})
    for other in (full, down):
        assert "GHz" not in advice(*busy("2.4", 6, "1-11"), *other, band="2.4")


@pytest.mark.parametrize("text", ["", "none", "1-", "auto", "999999", "-3"])
def test_channels_that_are_no_channels_advise_nothing(text):
    assert advice(*busy("2.4", 6, text), band="2.4") is None


def test_the_shipped_plan_loads_and_a_channel_in_two_blocks_does_not(tmp_path):
    assert set(channel_plan()) == {"2.4", "5", "6"}
    wrong = tmp_path / "channels.yaml"
    wrong.write_text('"5": {blocks: [[36, 40], [40, 44]]}\n')
    with pytest.raises(ProfileError, match="in two"):
        channel_plan(wrong)


# -- mesh


def node(mac, name, **values):
    subject = f"node:{mac}"
    named = {"node.mac": mac, "node.name": name, "node.active": True, "node.is_controller": False}
    named.update(values)
    return [reading(n, v, subject) for n, v in named.items()]


BOX = node("A0", "Maison", **{"node.is_controller": True, "node.upstream": ""})


def weak(mac, name, upstream=None):
    told = {"node.upstream": upstream} if upstream is not None else {}
    return node(
        mac, name, **{"node.backhaul_type": "wifi", "node.backhaul_rssi_dbm": -84.0, **told}
    )


def test_the_node_to_move_and_closer_to_what_are_named():
    mesh = [*BOX, *weak("B1", "Salon", "A0"), *node("C2", "Etage", **{"node.upstream": "A0"})]
    finding = found(snapshot(*mesh), "mesh.backhaul_signal_is_good")
    assert "move Salon closer to Maison, or wire Salon" in finding.text.en
    assert verdict(snapshot(*mesh)).code == "mesh_backhaul"


def test_a_satellite_behind_a_satellite_moves_towards_that_one():
    mesh = [*BOX, *node("C2", "Etage", **{"node.upstream": "A0"}), *weak("B1", "Cave", "c2")]
    assert upstream_of(facts(snapshot(*mesh)), "node:B1") == "Etage"


def test_an_upstream_that_is_a_radio_means_the_controller():
    mesh = [*BOX, *weak("B1", "Salon", "EE:EE")]
    assert upstream_of(facts(snapshot(*mesh)), "node:B1") == "Maison"


def test_where_the_mesh_is_not_known_the_text_is_the_old_one():
    mesh = [*node("A0", "Maison", **{"node.is_controller": True}), *weak("B1", "Salon")]
    text = found(snapshot(*mesh), "mesh.backhaul_signal_is_good").text.en
    assert text.endswith("move the node closer to the router or wire it.")


# -- devices


def device(mac, rssi, band, **values):
    return station(mac, rssi, **{"station.band": band, "station.node": "A0", **values})


def test_the_device_its_node_and_its_band_are_named():
    house = [*BOX, *device("D1", -86, "5", **{"station.name": "iPad"}), *device("D2", -50, "5")]
    text = found(snapshot(*house), "client.signal_is_good").text.en
    assert "iPad (−86 dBm)" in text
    assert "move iPad closer to Maison, or to 2.4 GHz, which carries farther" in text


def test_on_2_4_ghz_only_distance_helps():
    house = [*BOX, *device("D1", -86, "2.4"), *device("D2", -50, "5")]
    text = found(snapshot(*house), "client.signal_is_good").text.en
    assert "; move D1 closer to Maison. Otherwise" in text


def test_retries_of_a_device_that_is_heard_well_are_the_airs():
    house = [
        *BOX, *device("D1", -50, "2.4", **{"station.retries_pct": 44}),
        *device("D2", -50, "5", **{"station.retries_pct": 2}),
    ]  # fmt: skip
    text = found(snapshot(*house), "client.retries_are_few").text.en
    assert text.endswith("D1 is near Maison: move it to 5 GHz.")


def test_retries_are_counted_where_they_are_not_told():
    counters = {"station.retransmitted": 3000, "station.packets_sent": 10_000}
    quiet = {"station.retransmitted": 100, "station.packets_sent": 10_000}
    finding = found(
        snapshot(*station("D1", -50, **counters), *station("D2", -50, **quiet)),
        "client.retries_are_few",
    )
    assert finding.status.value == "degraded"
    assert {e.actual for e in finding.evidence} == {30.0, 1.0}


def test_a_counter_that_is_not_kept_or_a_few_packets_are_no_share():
    uncounted = station("D1", -50, **{"station.packets_sent": 10_000})
    uncounted.append(reading("station.retransmitted", 0, "station:D1", quality=Quality.SENTINEL))
    few = station("D2", -50, **{"station.retransmitted": 90, "station.packets_sent": 100})
    finding = found(snapshot(*uncounted, *few), "client.retries_are_few")
    assert finding.status.value == "unknown"


# -- second opinions


def test_a_score_that_contradicts_our_measures_is_named_with_both():
    shot = snapshot(reading("qoe.air_5", 1.2), *radio("5", **{"wifi.utilisation_pct": 10.0}))
    finding = found(shot, "qoe.device_scores_agree")
    assert finding.status.value == "degraded"
    assert "the box scores itself 1.2 of 5, our measures are good" in finding.text.en
    assert verdict(shot).code == "healthy"


def test_a_content_box_on_a_bad_channel_is_named_too():
    shot = snapshot(reading("qoe.air_5", 4.8), *busy("5", 44, ""))
    assert "our measures are bad" in found(shot, "qoe.device_scores_agree").text.en


def test_scores_that_fit_are_fine_and_a_score_without_measures_says_nothing():
    fits = snapshot(reading("qoe.air_5", 4.3), *radio("5", **{"wifi.utilisation_pct": 10.0}))
    assert found(fits, "qoe.device_scores_agree").status.value == "ok"
    alone = snapshot(reading("qoe.air_5", 1.0))
    assert found(alone, "qoe.device_scores_agree").status.value == "not_applicable"
    assert found(snapshot(), "qoe.device_scores_agree").status.value == "not_applicable"


def test_coverage_is_held_against_the_devices_of_its_band():
    good = device("D1", -50, "5")
    shot = snapshot(reading("qoe.coverage_5", 1.0), *good)
    assert "coverage on 5 GHz" in found(shot, "qoe.device_scores_agree").text.en


# -- two mouths of one box


def own(name, value, subject="", age_s=0.0):
    return reading(name, value, subject, source=Source.BRIDGE, age_s=age_s)


def test_two_sources_that_disagree_are_both_shown_and_the_fresher_wins():
    acs = reading("station.rssi_dbm", -50.0, "station:D1", age_s=40.0)
    page = own("station.rssi_dbm", -80.0, "station:D1")
    shot = snapshot(acs, page)
    finding = found(shot, "bridge.sources_agree")
    assert finding.status.value == "degraded"
    assert [(e.source, e.actual, e.fits) for e in finding.evidence] == [
        (Source.ACS, -50.0, False), (Source.BRIDGE, -80.0, True),
    ]  # fmt: skip
    assert "ACS −50 dBm, the box's page −80 dBm, taken: bridge" in finding.text.en
    assert facts(shot).reading("station.rssi_dbm", "station:D1") is page


def test_readings_of_one_moment_are_the_acs():
    acs = reading("station.rssi_dbm", -50.0, "station:D1", age_s=2.0)
    shot = snapshot(acs, own("station.rssi_dbm", -52.0, "station:D1"))
    assert facts(shot).reading("station.rssi_dbm", "station:D1") is acs
    assert found(shot, "bridge.sources_agree").status.value == "ok"


def test_a_bridge_reading_that_is_older_does_not_win():
    acs = reading("station.rssi_dbm", -50.0, "station:D1", age_s=1.0)
    shot = snapshot(acs, own("station.rssi_dbm", -80.0, "station:D1", age_s=30.0))
    assert facts(shot).reading("station.rssi_dbm", "station:D1") is acs


def test_without_a_bridge_there_is_nothing_to_agree_on():
    assert found(snapshot(), "bridge.sources_agree").status.value == "not_applicable"
