"""The home, and the words: nothing is said that was not measured."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from cpe.answer.document import document
from cpe.answer.markdown import page
from cpe.domain.finding import Status, Text
from cpe.domain.observation import Outcome, Quality, Source
from cpe.domain.snapshot import (
    DownCause,
    FreshnessOutcome,
    History,
    Neighbour,
    OltReport,
    OntState,
    OtherBox,
    Request,
    SpeedTest,
)
from cpe.domain.speed import explain
from cpe.domain.verdict import Code
from cpe.profiles.cpe_profile import profiles
from cpe.profiles.thresholds import load_thresholds
from cpe.profiles.wording import wording
from cpe.rules.catalogue import RULES
from cpe.rules.judge import judge
from deployments.commands.show import show_answer
from tests.support.cases import NOW, past, reading, sighting, snapshot
from tests.support.judging import (
    ACS_DOWN,
    dead,
    found,
    radio,
    station,
    verdict,
)

# --- the home ---


def test_a_lone_stations_retries_are_not_compared_with_others():
    v = verdict(snapshot(*station("A", -50.0, **{"station.retries_pct": 60})))
    assert "les autres" not in v.text.fr
    assert "seul appareil WiFi mesuré" in v.text.fr


def test_a_station_whose_signal_was_not_measured_is_named_with_its_reason():
    rssi = reading("station.rssi_dbm", 0, "station:A", quality=Quality.SENTINEL)
    assert "placeholder" in found(snapshot(rssi), "client.signal_is_good").reason


def test_a_backhaul_is_not_fast_enough_for_a_plan_that_nobody_knows():
    subject = "node:S"
    named = {"node.mac": "S", "node.is_controller": False, "node.active": True,
             "node.backhaul_type": "wifi", "node.backhaul_rate_mbps": 50.0}  # fmt: skip
    shot = snapshot(*(reading(n, v, subject) for n, v in named.items()))
    assert found(shot, "mesh.backhaul_is_fast_enough").reason == "the plan is not known"


def test_a_customers_figure_without_the_boxs_own_says_what_is_missing():
    shot = snapshot(request=Request("X", measured_mbps=3.0))
    assert (
        found(shot, "speed.customer_gets_it").reason == "the box's own speed test was not asked for"
    )


def test_the_boxs_good_speed_is_marked_good_beside_the_customers_bad_one():
    shot = snapshot(
        request=Request("X", speedtest=True, measured_mbps=3.0),
        speedtest=SpeedTest(state="Complete", download_mbps=400.0),
    )
    evidence = found(shot, "speed.customer_gets_it").evidence
    assert [e.fits for e in evidence] == [False, True]


def test_past_light_is_compared_with_the_same_instruments():
    history = History(readings=past("optical.rx_dbm", [-18.4, -18.5, -18.6]))
    rx = reading("optical.rx_dbm", -21.0, source=Source.OLT, age_s=0)
    shot = snapshot(rx, without=["optical.rx_dbm"], olt=sighting(), history=history)
    assert (
        found(shot, "optical.rx_power_is_steady").reason
        == "needs an earlier reading to compare with"
    )


# --- what people read ---


def test_the_wifi_is_not_called_good_beside_its_interference():
    busy = radio("5", **{"wifi.utilisation_pct": 90.0, "wifi.channel": 36})
    weak = [*station("A", -50.0), *station("B", -85.0)]
    shot = snapshot(*busy, *weak)
    judged = judge(shot, load_thresholds())
    v = judged.verdict
    assert (v.code, v.also) == (Code.WIFI_INTERFERENCE, (Code.CLIENT_DEVICE,))
    told = page(shot, judged.findings, v, wording(), load_thresholds())
    assert "WiFi sont bons" not in told


def test_the_page_too_begins_with_the_missing_session():
    busy = radio("5", **{"wifi.utilisation_pct": 90.0, "wifi.channel": 36})
    shot = snapshot(*busy, reading("wan.status", "disconnected", "wan:1"))
    judged = judge(shot, load_thresholds())
    told = page(shot, judged.findings, judged.verdict, wording(), load_thresholds())
    assert told.startswith("# ✗ La boîte n'a pas de session Internet : à rétablir d'abord. Le WiFi")
    assert told.index("Aucune session WAN établie") < told.index("Canal 36 (5 GHz) saturé")


def test_healthy_says_the_wifi_only_where_it_was_measured():
    measured = snapshot(*radio("5", **{"wifi.utilisation_pct": 9.0}))
    assert verdict(measured).text.fr.startswith("Rien d'anormal : la fibre, la boîte et le WiFi")
    assert verdict(snapshot()).text.fr.startswith(
        "Rien d'anormal sur la fibre ; la qualité du WiFi n'a pu"
    )


def test_healthy_with_something_to_watch_says_what():
    v = verdict(snapshot(*radio("5", **{"wifi.utilisation_pct": 60.0, "wifi.channel": 36})))
    assert "Canal 36 (5 GHz) occupé à 60 %." in v.text.fr
    assert "Rien d'anormal" not in v.text.fr


def test_what_could_not_be_evaluated_is_called_by_its_name():
    stale = reading("optical.rx_dbm", -18.5, age_s=200_000, quality=Quality.STALE)
    text = verdict(snapshot(stale)).text
    assert "Puissance reçue : non évaluable, lecture trop ancienne (2 j)." in text.fr
    assert "Rx power: not evaluable, reading too old (2 d)." in text.en


@pytest.mark.parametrize(
    ("rate", "words"), [(2_345_678, "2345678 par minute"), (12.34, "12,3 par minute")]
)
def test_large_numbers_are_written_out(rate, words):
    history = History(readings=past("optical.errors_sent", [0], step_s=58))
    shot = snapshot(reading("optical.errors_sent", rate, age_s=-2), history=history)
    assert words in found(shot, "optical.errors_are_steady").text.fr


def test_every_value_that_people_read_has_its_words():
    words = wording().labels
    wan = {
        value
        for profile in profiles()
        for table in profile.tables
        for candidate in table.columns.get("wan.status", ())
        for value in (candidate.values or {}).values()
    }
    assert wan - {"connected"} <= {key.removeprefix("wan_") for key in words}
    down = {s for s in OntState if s not in (OntState.ONLINE, OntState.UNKNOWN)}
    assert {f"state_{s}" for s in down} | {f"cause_{c}" for c in DownCause} <= set(words)


AWKWARD = [
    snapshot(),
    snapshot(
        reading("optical.rx_dbm", -26.0),
        reading("optical.errors_received", 9_000),
        reading("wan.status", "disconnected", "wan:1"),
        reading("optical.rx_dbm", -20.0, source=Source.BRIDGE, age_s=0),
        *radio("5", **{"wifi.utilisation_pct": 60.0, "wifi.noise_dbm": -70.0}),
        *station("A", -90.0),
        olt=sighting(neighbours=(*sighting().neighbours, Neighbour("x", OntState.LOS))),
        history=History(readings=past("optical.errors_received", [0]), boots=(NOW,)),
        request=Request("X", speedtest=True, measured_mbps=3.0),
        speedtest=SpeedTest(state="Complete", download_mbps=400.0),
    ),
    snapshot(acs_known=False, answered=False, outcome=FreshnessOutcome.NOT_FOUND),
    snapshot(**ACS_DOWN),
    snapshot(others=(OtherBox("B", None, None),)),
    *(dead(state, cause=cause) for state in OntState for cause in DownCause),
]


@pytest.mark.parametrize("shot", AWKWARD)
def test_every_verdict_has_reasons_words_and_no_code_in_its_french(shot):
    judged = judge(shot, load_thresholds())
    v = judged.verdict
    assert v.because
    assert v.code not in v.also
    assert len(judged.findings) == len(RULES)
    assert not any("internal error" in n.reason for n in v.not_evaluable)
    assert not any(
        word in v.text.fr for word in ("dying_gasp", "auth_failed", "offline", "None", "{")
    )
    assert {n.rule for n in v.not_evaluable} == {
        f.rule for f in judged.findings if f.status is Status.UNKNOWN
    }


@pytest.mark.parametrize("shot", AWKWARD)
def test_every_finding_says_what_was_read_and_expected_from_where_and_how_old(shot):
    judged = judge(shot, load_thresholds()).findings
    for finding in judged:
        if finding.status in (Status.OK, Status.DEGRADED, Status.FAULT):
            assert finding.evidence, finding.rule
        for row in finding.evidence:
            assert row.expected, (finding.rule, row)
            told_by_customer = row.what == "customer.download_mbps"
            assert told_by_customer or (row.source is not None and row.age_s is not None), row


def test_why_there_is_no_speed_is_said_in_french_too():
    for state in ("Canceled", "Error_InitConnectionFailed", "Error_Timeout", "Error_Other"):
        test = SpeedTest(state=state, detail=explain(state))
        shot = snapshot(request=Request("X", speedtest=True), speedtest=test)
        text = found(shot, "speed.ont_is_fast_enough").text
        assert " the " not in text.fr
        assert explain(state) in text.en


def test_why_an_olt_is_silent_is_said_in_french_too():
    silent = OltReport(None, ("olt-a",), {"olt-a": "no answer", "olt-b": "some new trouble"})
    text = verdict(snapshot(report=silent, **ACS_DOWN | {"acs": Outcome.STALE})).text
    assert "OLT sans réponse (olt-a : pas de réponse ; olt-b : some new trouble)" in text.fr
    assert "OLT without answer: olt-a: no answer; olt-b: some new trouble" in text.en


def test_where_no_cause_leads_what_is_to_be_watched_is_said():
    stale = reading("optical.rx_dbm", -18.5, age_s=900, quality=Quality.STALE)
    shot = snapshot(stale, *radio("5", **{"wifi.utilisation_pct": 60.0, "wifi.channel": 36}))
    assert verdict(shot).code is Code.INCONCLUSIVE
    assert "Canal 36 (5 GHz) occupé à 60 %." in verdict(shot).text.fr


def test_the_growth_of_errors_is_the_evidence_and_not_the_counters_height():
    history = History(readings=past("optical.errors_received", [841_000]))
    shot = snapshot(reading("optical.errors_received", 841_882), history=history)
    [row] = found(shot, "optical.errors_are_steady").evidence
    assert (row.what, row.actual, row.expected, row.unit, row.fits) == (
        "optical.errors_received.rate", 88.5, "≤ 1", "/min", False,
    )  # fmt: skip


def test_a_reading_that_several_rules_rest_on_is_shown_once_on_the_terminal():
    shot = snapshot(olt=sighting(cause=DownCause.DYING_GASP), outcome=FreshnessOutcome.QUEUED)
    judged = judge(shot, load_thresholds())
    answer = document(shot, judged.findings, judged.verdict, judged.ruleset, finished_at=NOW)
    console = Console(record=True, width=120, file=io.StringIO())
    show_answer(console, answer, "fr")
    told = console.export_text()
    assert told.count("État de l'ONT à l'OLT") == 1
    assert "dying_gasp" not in told  # what an ONT that is up went down of last is history


@pytest.mark.parametrize(
    ("raw", "fr", "en"),
    [
        ("online", "en ligne", "online"),
        ("los (fibre)", "plus de lumière (fibre)", "no light (fibre)"),
        ("dying_gasp (dying_gasp)", "plus de courant", "dying gasp"),
        (True, "oui", "yes"),
        (-1.5, "−1,5", "−1.5"),
        (None, "–", "–"),
        ("v6066.0 (los)", "v6066.0 (los)", "v6066.0 (los)"),
    ],
)
def test_a_code_is_worded_and_what_a_box_says_is_left_alone(raw, fr, en):
    assert wording().actual(raw) == Text(fr, en)


def test_every_state_and_outcome_that_evidence_may_hold_has_words():
    codes = [*OntState, *DownCause, *FreshnessOutcome]
    assert {code.value for code in codes} <= wording().values.keys()
    assert {outcome.value for outcome in Outcome} == wording().outcomes.keys()


def test_the_page_says_what_was_expected_in_french():
    shot = snapshot(reading("optical.tx_dbm", -1.6), reading("optical.rx_dbm", -20.0))
    judged = judge(shot, load_thresholds())
    shown = page(shot, judged.findings, judged.verdict, wording(), load_thresholds())
    assert "| −1,6 dBm | 0,5..5 |" in shown
    assert "fraîche ou relue · fresh or refreshed" in shown
    assert "**ACS** : a répondu · *answered*" in shown


def test_a_reading_is_told_once_by_the_worst_rule_that_rests_on_it():
    down = sighting(OntState.LOS, cause=DownCause.FIBRE)
    shot = snapshot(olt=down, outcome=FreshnessOutcome.UNREACHABLE, answered=False)
    judged = judge(shot, load_thresholds())
    shown = page(shot, judged.findings, judged.verdict, wording(), load_thresholds())
    (line,) = [row for row in shown.splitlines() if "plus de lumière (fibre)" in row]
    assert line.startswith("| ✗ |")
