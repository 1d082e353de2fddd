"""The OLT inventory: what is refused, in which words, and that no secret is in them."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from cpe.access.olt.inventory import OltTarget, load_inventory
from cpe.domain.errors import ProfileError

GOOD = """
[[olt]]
name = "olt-centre"
host = "192.0.2.10"
profile = "huawei"
community = "CANARY-community"

[[olt]]
name = "olt-nord"
host = "2001:db8::1"
port = 1161
user = "CANARY-user"
auth_key = "CANARY-auth-key"
priv_key = "CANARY-priv-key"
auth = "sha256"
priv = "aes"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "olts.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_both_versions_load(tmp_path: Path):
    v2c, v3 = load_inventory(write(tmp_path, GOOD))
    assert (v2c.name, v2c.port, v2c.profile, v2c.is_v3) == ("olt-centre", 161, "huawei", False)
    assert (v3.port, v3.profile, v3.auth, v3.is_v3) == (1161, "auto", "sha256", True)
    assert v2c.community is not None
    assert v2c.community.get_secret_value() == "CANARY-community"


def test_no_secret_is_in_a_repr_a_text_or_a_json(tmp_path: Path):
    for target in load_inventory(write(tmp_path, GOOD)):
        for text in (repr(target), str(target), target.model_dump_json(), f"{target}"):
            assert "CANARY" not in text


def test_targets_travel_between_processes(tmp_path: Path):
    targets = load_inventory(write(tmp_path, GOOD))
    assert pickle.loads(pickle.dumps(targets)) == targets


def entry(**keys: object) -> str:
    lines = {"name": "olt-1", "host": "192.0.2.1", "community": "CANARY-c", **keys}
    body = "\n".join(
        f"{key} = {str(value).lower() if isinstance(value, bool | int) else repr(value)}"
        for key, value in lines.items()
        if value is not None
    )
    return f"[[olt]]\n{body}\n"


V3 = {"community": None, "user": "CANARY-u"}
WRONG: list[tuple[str, str, str]] = [
    ("nothing", "", r"olt: no \[\[olt\]\] entry"),
    ("not TOML", 'community = "CANARY', "not TOML: syntax error"),
    ("a strange section", f"[snmp]\nx = 1\n{entry()}", "unknown key 'snmp'"),
    ("an empty community", entry(community=""), "olt 1 (olt-1): .*community: is empty"),
    ("an accent in a community", entry(community="clé-CANARY"), "community: holds a character"),
    (
        "a line break in a community",
        '[[olt]]\nname = "olt-1"\nhost = "h"\ncommunity = "CANARY\\n"',
        "community: holds a character",
    ),
    (
        "a key that SNMP cannot carry",
        entry(community=None, user="u", auth_key="CANARY-日本語-key"),
        "auth_key: holds a character",
    ),
    ("no login", entry(community=None), "community .v2c. or user .v3."),
    ("two logins", entry(user="CANARY-u"), "one of them"),
    ("an unknown profile", entry(profile="acme"), "profile: unknown"),
    ("a strange key", entry(comunity="CANARY-c"), "comunity: Extra inputs"),
    ("a port too far", entry(port=70000), "port"),
    ("a port of zero", entry(port=0), "port"),
    ("no name", entry(name=None), "olt 1: name: Field required"),
    ("no host", entry(host=""), "host"),
    ("a host with a login", entry(host="CANARY@192.0.2.1"), "host"),
    ("the same name twice", entry() + entry(), "olt 2: name: 'olt-1' is given twice"),
    ("a short key", entry(**V3, auth_key="CANARY1"), "auth_key: shorter than 8"),
    ("privacy alone", entry(**V3, priv_key="CANARY-priv"), "privacy needs an auth_key"),
    ("a v2c key", entry(auth_key="CANARY-auth"), "only with a v3 user"),
    ("an unknown digest", entry(**V3, auth_key="CANARY-auth", auth="rot13"), "auth: Input"),
    ("an unknown cipher", entry(**V3, auth_key="CANARY-auth", priv="xor"), "priv: Input"),
    ("a table for a list", '[olt]\nname = "x"', r"no \[\[olt\]\] entry"),
    ("a text for an entry", 'olt = ["CANARY"]', "olt 1: "),
]


@pytest.mark.parametrize(("text", "says"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_a_wrong_inventory_is_refused_naming_file_entry_and_key(
    text: str, says: str, tmp_path: Path
):
    path = write(tmp_path, text)
    with pytest.raises(ProfileError) as caught:
        load_inventory(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    pattern = says.replace("olt 1 (olt-1)", r"olt 1 \(olt-1\)")
    assert __import__("re").search(pattern, message), message
    assert "CANARY" not in message
    assert "\n" not in message
    assert caught.value.__cause__ is None


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(ProfileError, match=r"olts\.toml: cannot be read"):
        load_inventory(tmp_path / "olts.toml")


def test_validation_errors_of_the_model_itself_hide_the_input():
    with pytest.raises(ValueError, match="priv_key") as caught:
        OltTarget.model_validate(
            {"name": "a", "host": "h", "user": "CANARY-u", "priv_key": "CANARY-priv"}
        )
    assert "CANARY" not in str(caught.value)


@pytest.mark.parametrize(
    ("written", "auth", "priv"),
    [
        (("SHA", "AES"), "sha", "aes"),
        (("SHA-256", "AES-128"), "sha256", "aes"),
        (("sha1", "AES256"), "sha", "aes256"),
        (("MD5", "DES"), "md5", "des"),
        (("SHA512", "aes192-blumenthal"), "sha512", "aes192-blumenthal"),
    ],
)
def test_protocols_are_known_however_people_write_them(written, auth, priv):
    target = OltTarget.model_validate(
        {"name": "a", "host": "127.0.0.1", "user": "u", "auth": written[0], "priv": written[1]}
    )
    assert (target.auth, target.priv) == (auth, priv)
