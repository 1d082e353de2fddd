"""One table hides every secret, whatever it travels in."""

import pickle

import pytest

from cpe.domain import errors
from cpe.domain.redaction import HIDDEN, excerpt, is_secret_name, redact


@pytest.mark.parametrize(
    "text",
    [
        "community=CANARY",
        'community = "CANARY with words"',
        '{"KeyPassphrase": "CANARY"}',
        "{'PPPPassword': 'CANARY'}",
        "postgresql://me:CANARY@db/cpe",
        "Authorization: token abc:CANARY",
        "Authorization: Bearer CANARY",
        "api_secret=CANARY&x=1",
        "auth_key: CANARY",
        "Device.WiFi.AccessPoint.1.Security.KeyPassphrase=CANARY",
        "ConnectionRequestURL: http://CANARY/",
        "son mot de passe : CANARY",
        "Mot de passe du wifi\u00a0: «\u00a0CANARY et plus\u00a0»",
        "mots-de-passe wifi 5 GHz = 'CANARY x'",
        "MDP=CANARY",
        "la clé Wi-Fi: CANARY",
        "cle wpa2 : CANARY, le client insiste",
        "cle\u0301 reseau: CANARY",
    ],
)
def test_a_secret_is_hidden_and_its_name_stays(text):
    shown = redact(text)
    assert "CANARY" not in shown
    assert HIDDEN in shown


def test_what_is_no_secret_stays_as_it_is():
    for text in (
        "HTTP 500: rx_dbm=-18.5 at 10.0.0.1",
        "Mot de passe oublié, box 2 : ça coupe",
        "clé de la boîte : au bureau",
        "amdp: 3",
    ):
        assert redact(text) == text


def test_a_long_text_of_people_is_read_in_one_go():
    """Read again from each of its words, it would be an hour's work and not a second's."""
    redact("mot de passe " + "mdp clé wifi a " * 40_000 + ":")
    redact("mot de passe " + "x" * 1_000_000 + " =")


@pytest.mark.parametrize("name", ["Device.PPP.Interface.1.Password", "KeyPassphrase", "community"])
def test_secret_leaves_are_known_by_name(name):
    assert is_secret_name(name)


def test_an_excerpt_is_short_and_one_line():
    shown = excerpt("<html>\n" + "x" * 500)
    assert len(shown) <= 120
    assert "\n" not in shown


def _every(kind):
    yield kind
    for child in kind.__subclasses__():
        yield from _every(child)


@pytest.mark.parametrize("kind", list(_every(errors.AccessError)))
def test_our_exceptions_survive_prefects_pickling(kind):
    error = kind("it broke", system="acs", target="box")
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is kind
    assert str(back) == str(error) == "acs box: it broke"
