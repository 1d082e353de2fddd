"""Who may call the hub: what CPE_HUB_TOKENS may hold, and that it never leaks."""

from __future__ import annotations

import hashlib

import pytest

from cpe.domain.errors import ProfileError
from deployments.hub.hosting import own_tokens
from deployments.hub.tokens import Role, load_tokens

SECRET = "correct-horse-battery"
HEAD = '[[token]]\nname = "a"\nroles = ["read"]\n'


def test_a_token_is_found_by_its_secret_and_by_nothing_else():
    tokens = load_tokens(f"ops-app:diagnose+swap:{SECRET}")
    found = tokens.find(SECRET)
    assert found is not None
    assert found.name == "ops-app"
    assert found.roles == {Role.DIAGNOSE, Role.SWAP}
    for wrong in ("", SECRET[:-1], SECRET.upper(), f"{SECRET} ", "\ud800", "ops-app"):
        assert tokens.find(wrong) is None


def test_whoever_may_do_something_may_read_and_no_role_brings_another():
    token = load_tokens(f"a:swap:{SECRET}").find(SECRET)
    assert token is not None
    assert [role for role in Role if token.may(role)] == [Role.READ, Role.SWAP]


def test_a_file_names_tokens_with_secrets_or_their_digests(tmp_path):
    digest = hashlib.sha256(b"another-long-secret").hexdigest()
    file = tmp_path / "tokens.toml"
    file.write_text(
        f'[[token]]\nname = "app"\nroles = ["read"]\nsecret = "{SECRET}"\nper_minute = 7\n'
        f'[[token]]\nname = "bot"\nroles = ["diagnose"]\nsecret_sha256 = "{digest}"\n'
    )
    tokens = load_tokens(str(file))
    assert len(tokens) == 2
    assert tokens.find(SECRET).per_minute == 7
    assert tokens.find("another-long-secret").name == "bot"


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        (f"a:read:{SECRET},a:read:{SECRET}x", "two tokens have one name"),
        (f"a:read:{SECRET},b:read:{SECRET}", "two tokens have one secret"),
        (f"a:admin:{SECRET}", "roles"),
        ("a:read:short-CANARY", "secret"),
        (f"a b:read:{SECRET}", "name"),
        (f"a::{SECRET}", "roles"),
        ("/nowhere/tokens.toml", "No such file"),
    ],
)
def test_what_cannot_be_used_is_named_without_its_secret(setting, said):
    with pytest.raises(ProfileError, match="CPE_HUB_TOKENS") as refused:
        load_tokens(setting)
    assert said in str(refused.value)
    assert SECRET not in str(refused.value)
    assert "CANARY" not in str(refused.value)


@pytest.mark.parametrize(
    "content",
    [
        HEAD,
        f'{HEAD}secret = "CANARY-0123456789abc"\nsecret_sha256 = "{"0" * 64}"\n',
        'secret = "CANARY-0123456789abc"\n',
        "secret = CANARY-0123456789abc\n",
        f'{HEAD}secret_sha256 = "{"z" * 64}"\n',
    ],
)
def test_a_file_that_is_wrong_is_refused_without_its_content(tmp_path, content):
    file = tmp_path / "tokens.toml"
    file.write_text(content)
    with pytest.raises(ProfileError) as refused:
        load_tokens(str(file))
    assert "CANARY" not in str(refused.value)


def test_without_a_setting_a_token_is_made_once_that_only_its_owner_reads(clean_environment):
    file = own_tokens()
    before = file.read_text()
    assert file.stat().st_mode & 0o077 == 0
    assert own_tokens().read_text() == before
    assert len(load_tokens(str(file))) == 1
