"""The design's sentences on judgement, a table row or test each, and advice nobody may get."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cpe.answer.document import document
from cpe.domain.finding import Status
from cpe.domain.observation import Outcome, Quality
from cpe.domain.snapshot import (
    DownCause,
    FreshnessOutcome,
    Neighbour,
    OltReport,
    OntState,
)
from cpe.domain.verdict import CONSEQUENCES, Code
from cpe.profiles.thresholds import load_thresholds
from cpe.rules.judge import judge
from tests.support.cases import NOW, neighbours, reading, sighting, snapshot
from tests.support.judging import (
    ACS_DOWN,
    OLT_RX,
    STALE,
    dead,
    found,
    verdict,
)

# --- the verdict table ---

TABLE = {
    "healthy": ("none", "blocked"),
    "fibre_weak": ("dispatch_fibre_tech", "blocked"),
    "fibre_overload": ("dispatch_fibre_tech", "blocked"),
    "fibre_cut": ("dispatch_fibre_tech", "blocked"),
    "pon_outage": ("escalate_network", "blocked"),
    "power_off": ("check_power", "blocked"),
    "wifi_interference": ("change_channel", "blocked"),
    "mesh_backhaul": ("move_mesh_node", "blocked"),
    "client_device": ("advise_client", "blocked"),
    "access_slow": ("escalate_network", "blocked"),
    "management_silent": ("restart_cpe", "diagnostic"),
    "hardware_fault": ("replace", "allowed"),
    "inconclusive": ("diagnostic_swap", "diagnostic"),
    "not_found": ("check_serial", "blocked"),
}


def test_the_table_of_consequences_is_the_designs():
    assert {c.value: (a.value, s.value) for c, (a, s) in CONSEQUENCES.items()} == TABLE


# --- ACS down, silent, refused, unknown ---


def test_acs_down_and_the_olt_says_online_is_inconclusive_however_good_the_light():
    v = verdict(snapshot(OLT_RX, olt=sighting(), **ACS_DOWN))
    assert (v.code, v.because) == (Code.INCONCLUSIVE, ("management.acs_reaches_box",))


def test_without_any_acs_the_olts_word_is_enough():
    shot = snapshot(OLT_RX, olt=sighting(), **{**ACS_DOWN, "acs": Outcome.SKIPPED, "outcome": None})
    v = verdict(shot)
    assert v.code is Code.HEALTHY
    assert v.text.fr.startswith("La fibre est bonne ; la boîte elle-même n'a pu être lue.")
    assert found(shot, "management.acs_reaches_box").reason == "no ACS is configured"


def test_an_acs_that_fails_during_the_refresh_is_no_silence_of_the_box():
    failed = {**STALE, "acs": Outcome.UNREACHABLE}
    shot = snapshot(OLT_RX, olt=sighting(), without=["optical.rx_dbm"], **failed)
    assert verdict(shot).code is Code.INCONCLUSIVE


def test_an_acs_that_refuses_us_is_said_to_refuse_us():
    shot = snapshot(OLT_RX, olt=sighting(), **{**ACS_DOWN, "acs": Outcome.REFUSED})
    assert found(shot, "management.acs_reaches_box").reason == "the ACS refused us access"


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (FreshnessOutcome.UNREACHABLE, "elle n'a pas pu être contactée"),
        (FreshnessOutcome.QUEUED, "elle n'ouvre pas de session"),
        (FreshnessOutcome.REFUSED, "elle refuse les identifiants de l'ACS"),
        (FreshnessOutcome.NOT_FOUND, "l'ACS ne la connaît plus"),
    ],
)
def test_every_kind_of_silence_has_its_words(outcome, words):
    shot = snapshot(OLT_RX, olt=sighting(), **{**STALE, "outcome": outcome})
    v = verdict(shot)
    assert v.code is Code.MANAGEMENT_SILENT
    assert words in v.text.fr


def test_stale_optics_beside_an_online_ont_without_optics_are_never_healthy():
    stale = reading("optical.rx_dbm", -18.5, age_s=900, quality=Quality.STALE)
    v = verdict(snapshot(stale, olt=sighting(), **STALE))
    assert v.code is Code.MANAGEMENT_SILENT
    assert ("optical.rx_power_in_band", "reading too old (15 min)") in [
        (n.rule, n.reason) for n in v.not_evaluable
    ]


def test_not_found_says_when_no_olt_could_be_asked_by_that_number():
    shot = snapshot(
        acs_known=False,
        outcome=FreshnessOutcome.NOT_FOUND,
        answered=False,
        report=OltReport(None, detail="no serial is known"),
    )
    assert verdict(shot).code is Code.NOT_FOUND
    assert "aucun OLT ne pouvait être interrogé sous ce numéro" in verdict(shot).text.fr


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        (OltReport(None, asked=("olt-a", "olt-b")), "no OLT knows this ONT"),
        (OltReport(None, detail="no serial is known"), "no OLT could be asked"),
        (None, "no OLT could be asked"),
        (
            OltReport(None, asked=("olt-a", "olt-b"), failed={"olt-b": "no answer"}),
            "OLT without answer: olt-b: no answer",
        ),
    ],
)
@pytest.mark.parametrize("acs_known", [True, False])
def test_an_olt_that_answered_no_is_not_one_that_could_not_be_asked(report, reason, acs_known):
    silent = {**STALE, "without": ["optical.rx_dbm"]} if acs_known else {"answered": False}
    shot = snapshot(report=report, acs_known=acs_known, **silent)
    missing = {n.rule: n.reason for n in verdict(shot).not_evaluable}
    assert missing["line.ont_has_light"] == reason
    assert missing["management.acs_reaches_box"] == reason


@pytest.mark.parametrize(
    ("acs", "report", "code"),
    [
        (Outcome.SKIPPED, OltReport(None, asked=("olt-a",)), Code.NOT_FOUND),
        (Outcome.SKIPPED, OltReport(None, detail="no serial is known"), Code.INCONCLUSIVE),
        (
            Outcome.SKIPPED,
            OltReport(None, asked=("olt-a", "olt-b"), failed={"olt-b": "x"}),
            Code.INCONCLUSIVE,
        ),
        (Outcome.UNREACHABLE, OltReport(None, asked=("olt-a",)), Code.INCONCLUSIVE),
        (Outcome.REFUSED, OltReport(None, asked=("olt-a",)), Code.INCONCLUSIVE),
    ],
)
def test_without_any_acs_the_olts_are_all_systems_there_are(acs, report, code):
    v = verdict(snapshot(report=report, **{**ACS_DOWN, "acs": acs}))
    assert v.code is code
    if code is Code.NOT_FOUND:
        assert "Aucun OLT (olt-a) ne connaît 22275A7009001" in v.text.fr


# --- the OLT and the box contradict each other ---


@pytest.mark.parametrize(
    ("state", "cause"),
    [
        (OntState.LOS, DownCause.FIBRE),
        (OntState.DYING_GASP, DownCause.DYING_GASP),
        (OntState.OFFLINE, DownCause.UNKNOWN),
        (OntState.OFFLINE, DownCause.ROGUE),
        (OntState.OFFLINE, DownCause.DEACTIVATED),
    ],
)
@pytest.mark.parametrize("outcome", [FreshnessOutcome.FRESH, FreshnessOutcome.REFRESHED])
def test_nothing_is_concluded_from_an_olt_that_the_living_box_contradicts(state, cause, outcome):
    shot = snapshot(
        olt=sighting(state, cause=cause, neighbours=neighbours(down=9)), outcome=outcome
    )
    v = verdict(shot)
    assert v.code is Code.HEALTHY
    assert v.status is Status.DEGRADED
    assert "la boîte a répondu" in v.text.fr


def test_a_box_that_spoke_before_it_went_down_is_down():
    seen = sighting(OntState.LOS, down_at=NOW - timedelta(seconds=1))
    v = verdict(snapshot(olt=seen, without=["optical.rx_dbm"]))
    assert v.code is Code.FIBRE_CUT
    assert found(snapshot(olt=seen), "management.box_is_online").status is Status.FAULT


def test_a_box_that_took_part_only_to_refuse_is_not_cut_off():
    """Its fault, or its session without a reading, came over the very fibre."""
    refused = {"outcome": FreshnessOutcome.REFUSED, "acs": Outcome.REFUSED}
    stale = reading("optical.rx_dbm", -18.5, age_s=900, quality=Quality.STALE)
    shot = snapshot(stale, olt=sighting(OntState.LOS), **refused)
    assert found(shot, "management.box_is_online").status is Status.OK
    assert found(shot, "line.ont_has_light").status is Status.DEGRADED
    assert verdict(shot).code is Code.INCONCLUSIVE
    later = sighting(OntState.LOS, down_at=NOW + timedelta(seconds=1))
    assert verdict(snapshot(stale, olt=later, **refused)).code is Code.FIBRE_CUT


@pytest.mark.parametrize("outcome", [FreshnessOutcome.FRESH, FreshnessOutcome.REFRESHED])
def test_the_answer_does_not_show_a_living_box_as_dark(outcome):
    shot = snapshot(olt=sighting(OntState.LOS), outcome=outcome)
    judged = judge(shot, load_thresholds())
    told = document(shot, judged.findings, judged.verdict, judged.ruleset, finished_at=NOW)
    assert told["opticalStatus"]["state"] == "online"


def test_the_answers_blocks_keep_their_shape_when_nothing_was_read():
    shot = snapshot(**ACS_DOWN)
    judged = judge(shot, load_thresholds())
    told = document(shot, judged.findings, judged.verdict, judged.ruleset, finished_at=NOW)
    assert told["interface"] == {
        "wan": {"status": None, "connection": None, "ip": None, "uptime_s": None},
        "lan": [],
    }
    assert told["opticalStatus"] == {
        "rx_dbm": None, "tx_dbm": None, "olt_rx_dbm": None, "state": "unknown", "source": None,
    }  # fmt: skip
    assert (told["wifi"], told["mesh"]) == ({"radios": [], "clients": []}, {"nodes": []})


# --- one ONT or the PON ---


@pytest.mark.parametrize(
    ("around", "words"),
    [
        (neighbours(up=4), "pour cet ONT seul"),
        (neighbours(up=20, down=3), "3 voisin(s) coupé(s) sur 23"),
        (neighbours(down=2), "2 voisin(s) coupé(s) sur 2, trop peu pour une panne du PON"),
        (None, "ses voisins n'ont pu être lus"),
    ],
)
def test_a_cut_fibre_says_what_is_known_of_the_neighbours(around, words):
    v = verdict(dead(OntState.LOS, neighbours=around))
    assert v.code is Code.FIBRE_CUT
    assert words in v.text.fr


def test_a_tiny_pon_that_is_all_dark_is_not_called_in_service():
    shot = dead(OntState.LOS, neighbours=neighbours(down=2))
    assert found(shot, "line.pon_is_up").status is Status.DEGRADED


def test_a_lone_ont_says_nothing_of_its_pon():
    shot = dead(OntState.LOS, neighbours=())
    assert found(shot, "line.pon_is_up").status is Status.NOT_APPLICABLE


def test_neighbours_without_a_known_state_are_neither_up_nor_down():
    strangers = tuple(Neighbour(str(i), OntState.UNKNOWN) for i in range(8))
    shot = dead(OntState.LOS, neighbours=strangers)
    assert found(shot, "line.pon_is_up").status is Status.UNKNOWN
    assert verdict(shot).code is Code.FIBRE_CUT


@pytest.mark.parametrize("cause", [DownCause.DEACTIVATED, DownCause.AUTH_FAILED])
def test_a_neighbour_that_was_switched_off_counts_neither_way(cause):
    """Customers who left or do not pay: down for years, on OLTs that tell no time."""
    closed = tuple(Neighbour(f"c{i}", OntState.OFFLINE, cause=cause) for i in range(6))
    v = verdict(dead(OntState.LOS, neighbours=(*closed, *neighbours(up=2, down=2))))
    assert v.code is Code.FIBRE_CUT
    assert "2 voisin(s) coupé(s) sur 4" in v.text.fr
    v = verdict(dead(OntState.LOS, neighbours=(*closed, *neighbours(up=3, down=3))))
    assert v.code is Code.PON_OUTAGE


def test_no_rule_calls_a_dark_ont_what_it_expects():
    """Beside "no loss of power reported" an ONT in LOS is not the online one that is wished for."""
    for finding in judge(dead(OntState.LOS), load_thresholds()).findings:
        for row in finding.evidence:
            if row.what == "line.ont_state" and finding.status is Status.OK:
                assert row.expected != "online", finding.rule


def test_light_is_not_said_to_reach_an_ont_that_is_offline():
    shot = dead(OntState.OFFLINE, cause=DownCause.UNKNOWN)
    assert found(shot, "line.ont_has_light").status is Status.UNKNOWN
    assert verdict(shot).code is Code.INCONCLUSIVE
    assert "cause : inconnue" in verdict(shot).text.fr


def test_a_neighbour_that_went_down_in_the_future_of_our_clock_still_counts_by_difference():
    ahead = NOW + timedelta(hours=5)
    shot = dead(OntState.LOS, down_at=ahead, neighbours=neighbours(up=1, down=4, down_at=ahead))
    assert verdict(shot).code is Code.PON_OUTAGE


def test_a_fault_that_no_code_speaks_for_is_said_beside_the_one_that_leads():
    """The channel is busy and there is no Internet session: both, or the CSR hears half of it."""
    busy = reading("wifi.utilisation_pct", 90.0, "radio:5")
    v = verdict(snapshot(busy, reading("wan.status", "disconnected", "wan:1")))
    assert (v.code, v.because) == (Code.WIFI_INTERFERENCE, ("wifi.channel_is_free",))
    assert v.text.fr.startswith("La boîte n'a pas de session Internet : à rétablir d'abord.")
    assert "Aucune session WAN établie (déconnectée)." in v.text.fr
    assert "No WAN session is up (disconnected)." in v.text.en


def test_weak_light_explains_a_missing_session_and_comes_before_it():
    down = reading("wan.status", "disconnected", "wan:1")
    v = verdict(snapshot(reading("optical.rx_dbm", -26.0), down))
    assert v.code is Code.FIBRE_WEAK
    assert v.text.fr.startswith("Le signal de la fibre arrive trop faible")
    assert "Aucune session WAN établie" in v.text.fr


def test_the_silence_of_a_dark_box_is_not_told_twice():
    v = verdict(dead(OntState.LOS))
    assert "ne voit plus la boîte en ligne" not in v.text.fr
