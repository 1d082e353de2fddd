"""The Internet session: whose connection counts, why it failed, what is not blamed meanwhile."""

import pytest

from cpe.answer.document import document
from cpe.domain.finding import Status
from cpe.domain.observation import Quality, Source
from cpe.domain.verdict import Code
from cpe.profiles.thresholds import load_thresholds
from cpe.rules.judge import judge
from tests.support.cases import NOW, reading, snapshot
from tests.support.judging import found, station, verdict


def test_no_wan_session_at_all_is_not_healthy_and_not_hardware():
    down = reading("wan.status", "disconnected", "wan:1")
    v = verdict(snapshot(down))
    assert (v.code, v.because) == (Code.INCONCLUSIVE, ("wan.session_is_up",))


@pytest.mark.parametrize(
    ("management", "internet", "code"),
    [
        ("TR069", "INTERNET", Code.INCONCLUSIVE),
        ("TR069", "Internet,VOIP", Code.INCONCLUSIVE),
        ("VOIP,IPTV", None, Code.INCONCLUSIVE),
        ("TR069_INTERNET", "INTERNET", Code.HEALTHY),
        ("Internet,TR069", "Internet", Code.HEALTHY),
        ("Unknown", "INTERNET", Code.INCONCLUSIVE),
        (None, "INTERNET", Code.INCONCLUSIVE),
    ],
)
def test_a_connection_of_the_acs_own_is_not_the_customers_internet(management, internet, code):
    named = ((1, "connected", management), (2, "disconnected", internet))
    rows = [reading("wan.status", status, f"wan:{n}") for n, status, _ in named]
    rows += [reading("wan.service", word, f"wan:{n}") for n, _, word in named if word]
    assert verdict(snapshot(*rows)).code is code


def test_the_answer_shows_the_customers_connection_and_not_the_acs_own():
    rows = [reading("wan.status", "connected", "wan:1"), reading("wan.service", "TR069", "wan:1"),
            reading("wan.status", "disconnected", "wan:2"),
            reading("wan.service", "INTERNET", "wan:2")]  # fmt: skip
    shot = snapshot(*rows)
    judged = judge(shot, load_thresholds())
    told = document(shot, judged.findings, judged.verdict, judged.ruleset, finished_at=NOW)
    assert told["interface"]["wan"]["status"] == "disconnected"


def test_management_alone_proves_nothing_of_the_customers_internet():
    up = reading("wan.status", "connected", "wan:1"), reading("wan.service", "TR069", "wan:1")
    finding = found(snapshot(*up), "wan.session_is_up")
    assert finding.status is Status.UNKNOWN
    assert "TR069" in finding.text.fr
    assert verdict(snapshot(*up)).code is Code.HEALTHY


def test_one_connected_wan_of_unknown_use_beside_an_idle_one_is_doubt():
    idle = reading("wan.status", "disconnected", "wan:2")
    assert verdict(snapshot(idle)).code is Code.INCONCLUSIVE


def test_the_admin_uis_row_of_the_same_name_stands_in_for_a_state_the_acs_lacks():
    row, twin = "wan:Device.IP.Interface.6", "wan:pppoe_gpon_3_3"
    old = reading("wan.status", "connected", row, age_s=900, quality=Quality.STALE)
    said = [reading("wan.service", "Internet,TR069", row)]
    said += [reading("wan.name", "pppoe_gpon_3_3", row), old]
    for state, status in (("connected", Status.OK), ("connecting", Status.FAULT)):
        now = reading("wan.status", state, twin, source=Source.BRIDGE)
        shot = snapshot(*said, now, without=["wan.status"])
        assert found(shot, "wan.session_is_up").status is status


def refused(error, *, age_s=2.0):
    down = reading("wan.status", "disconnected", "wan:PPP.1")
    return down, reading("wan.last_error", error, "wan:PPP.1", age_s=age_s)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("ERROR_AUTHENTICATION_FAILURE", "identifiant ou mot de passe refusé"),
        ("ERROR_MADE_UP", "ERROR_MADE_UP"),
    ],
)
def test_why_a_session_failed_is_said(error, words):
    shot = snapshot(*refused(error), without=["wan.status"])
    assert f"dernière erreur : {words}." in verdict(shot).text.fr
    assert [e.what for e in found(shot, "wan.session_is_up").evidence] == [
        "wan.status",
        "wan.last_error",
    ]


@pytest.mark.parametrize("old", [refused("ERROR_NO_CARRIER", age_s=900), refused("ERROR_NONE")])
def test_an_old_error_or_none_is_not_said(old):
    shot = snapshot(*old, without=["wan.status"])
    assert "erreur" not in found(shot, "wan.session_is_up").text.fr


@pytest.mark.parametrize(
    ("service", "status"),
    [(None, Status.UNKNOWN), ("Unknown", Status.UNKNOWN), ("INTERNET", Status.OK)],
)
def test_a_refused_dial_in_is_not_healed_by_a_connection_of_unknown_use(service, status):
    named = [reading("wan.service", service, "wan:1")] if service else []
    shot = snapshot(*refused("ERROR_AUTHENTICATION_FAILURE"), *named)
    finding = found(shot, "wan.session_is_up")
    assert finding.status is status
    assert (status is Status.OK) is ("mot de passe refusé" not in finding.text.fr)
    assert (status is Status.OK) is (verdict(shot).code is Code.HEALTHY)


def test_no_device_is_blamed_while_there_is_no_internet_session():
    down = reading("wan.status", "disconnected", "wan:1")
    shot = snapshot(down, *station("A", -50.0), *station("B", -90.0))
    assert found(shot, "client.signal_is_good").status is Status.DEGRADED
    v = verdict(shot)
    assert (v.code, v.because) == (Code.INCONCLUSIVE, ("wan.session_is_up",))
