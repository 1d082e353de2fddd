"""A setting that cannot be used is bad input: its name, what is wrong, never its value."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from cpe.domain.errors import NotSupportedError, StoreError
from cpe.settings import (
    AcsSettings,
    DiagnosisSettings,
    ErpSettings,
    HubSettings,
    OltSettings,
    StoreSettings,
    SwapSettings,
    SweepSettings,
    mistakes,
)
from deployments.cli import app
from tasks import clients

runner = CliRunner()
BAD_URLS = [
    "ftp://acs",
    "not a url",
    "http://",
    "127.0.0.1:7557",
    "http://user:CANARY@127.0.0.1:bad",
    "http://[::1",
    "https://:7557",
]


@pytest.mark.parametrize("url", BAD_URLS)
def test_an_acs_url_that_cannot_be_used_is_named_without_its_value(url, monkeypatch):
    monkeypatch.setenv("CPE_ACS_URL", url)
    with pytest.raises(ValidationError) as caught:
        AcsSettings()
    assert mistakes(caught.value).startswith("CPE_ACS_URL: ")
    assert "CANARY" not in str(caught.value) + mistakes(caught.value)


@pytest.mark.parametrize(
    "url", ["http://acs:7557", "https://acs.example/nbi", "http://[::1]:7557", "http://u:p@acs/"]
)
def test_an_acs_url_with_scheme_and_host_is_taken_as_it_is(url, monkeypatch):
    monkeypatch.setenv("CPE_ACS_URL", url)
    assert AcsSettings().url == url


@pytest.mark.parametrize(
    ("model", "name", "value"),
    [
        (DiagnosisSettings, "CPE_FRESHNESS_S", "-5"),
        (DiagnosisSettings, "CPE_FRESHNESS_S", "nan"),
        (DiagnosisSettings, "CPE_LANGUAGE", "xx"),
        (AcsSettings, "CPE_ACS_REFRESH_S", "999"),
        (ErpSettings, "CPE_ERP_URL", "erp.example"),
        (OltSettings, "CPE_OLT_LOOKUP_S", "soon"),
        (SwapSettings, "CPE_SWAP_FOLLOW_UPS_S", "[60, "),
        (SwapSettings, "CPE_SWAP_FOLLOW_UPS_S", "60"),
        (SwapSettings, "CPE_SWAP_FOLLOW_UPS_S", "[-60]"),
        (SweepSettings, "CPE_SWEEP_TIMEZONE", "Mars/One"),
    ],
)
def test_a_mistake_names_the_variable(model, name, value, monkeypatch):
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as caught:
        model()
    assert mistakes(caught.value).startswith(f"{name}: ")


@pytest.mark.parametrize("secret", ["whsec_", "whsec_CANARY", "whsec_CANARY=!=="])
def test_a_secret_that_could_sign_nothing_is_refused_without_its_value(secret, monkeypatch):
    monkeypatch.setenv("CPE_HUB_CALLBACK_SECRET", secret)
    with pytest.raises(ValidationError) as caught:
        HubSettings()
    assert mistakes(caught.value).startswith("CPE_HUB_CALLBACK_SECRET: ")
    assert "CANARY" not in str(caught.value) + mistakes(caught.value)


@pytest.mark.parametrize("secret", ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "any words at all"])
def test_a_secret_that_can_sign_is_taken(secret, monkeypatch):
    monkeypatch.setenv("CPE_HUB_CALLBACK_SECRET", secret)
    kept = HubSettings().callback_secret
    assert kept is not None
    assert kept.get_secret_value() == secret


def test_an_empty_variable_is_one_that_is_not_set(monkeypatch):
    for name in ("CPE_ACS_URL", "CPE_FRESHNESS_S", "CPE_OLTS", "CPE_ERP_URL"):
        monkeypatch.setenv(name, "")
    assert AcsSettings().url is None
    assert ErpSettings().url is None
    assert OltSettings().path is None
    assert DiagnosisSettings().freshness_s == 60.0


@pytest.mark.parametrize(
    "command", [["diagnose", "LAB1"], ["replay", "11111111"], ["up", "--port", "0"]]
)
def test_every_command_answers_a_bad_setting_with_2_and_one_line(command, monkeypatch):
    monkeypatch.setenv("CPE_LANGUAGE", "xx")
    monkeypatch.setenv("CPE_FRESHNESS_S", "-5")
    done = runner.invoke(app, command)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("cpe: CPE_FRESHNESS_S: ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("url", ["CANARY", "mysql://u:CANARY@h/x", "postgresql://u:CAN@ARY@h/x"])
def test_a_database_url_that_cannot_be_used_is_named_without_its_value(url, monkeypatch):
    monkeypatch.setenv("CPE_DATABASE_URL", url)
    with pytest.raises(ValidationError) as caught:
        StoreSettings()
    assert mistakes(caught.value).startswith("CPE_DATABASE_URL: ")
    assert "CAN" not in str(caught.value) + mistakes(caught.value)


@pytest.mark.parametrize(
    "command",
    [
        ["diagnose", "LAB1"], ["history", "LAB1"], ["replay", "11111111"], ["fleet", "worst"],
        ["sweep"], ["swap", "list"], ["hub"], ["up", "--port", "0"],
    ],
)  # fmt: skip
def test_every_command_that_keeps_or_reads_answers_a_bad_database_url_with_2(command, monkeypatch):
    monkeypatch.setenv("CPE_DATABASE_URL", "mysql://CANARY@h/x")
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    done = runner.invoke(app, command)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("cpe: CPE_DATABASE_URL: ")
    assert len(done.stderr.splitlines()) == 1


async def test_a_run_whose_database_settings_cannot_be_used_is_told_that_nothing_is_kept(
    monkeypatch,
):
    monkeypatch.setenv("CPE_KEEP_DAYS", "5")
    with pytest.raises(StoreError, match="CPE_KEEP_DAYS: "):
        await clients.store()


def test_follow_ups_are_a_json_list(monkeypatch):
    monkeypatch.setenv("CPE_SWAP_FOLLOW_UPS_S", "[60, 3600.5]")
    assert SwapSettings().follow_ups_s == (60.0, 3600.5)


def test_the_doctor_names_a_bad_setting_beside_what_works(monkeypatch):
    monkeypatch.setenv("CPE_ACS_URL", "127.0.0.1:7557")
    done = runner.invoke(app, ["doctor", "--json"])
    checks = {check["system"]: check for check in json.loads(done.stdout)}
    assert done.exit_code == 4
    assert checks["acs"]["state"] == "wrong"
    assert checks["acs"]["detail"].startswith("CPE_ACS_URL: ")
    assert checks["database"]["state"] == "ok"


async def test_a_run_whose_acs_url_cannot_be_used_goes_on_without_the_acs(monkeypatch):
    monkeypatch.setenv("CPE_ACS_URL", "127.0.0.1:7557")
    with pytest.raises(NotSupportedError, match="CPE_ACS_URL: "):
        clients.acs()


def test_settings_that_are_read_often_follow_the_environment(monkeypatch):
    monkeypatch.setenv("CPE_ACS_URL", "http://one")
    first = AcsSettings.current()
    assert AcsSettings.current() is first
    monkeypatch.setenv("CPE_ACS_URL", "http://two")
    assert AcsSettings.current().url == "http://two"
    monkeypatch.setenv("CPE_ACS_URL", "nonsense")
    with pytest.raises(ValidationError):
        AcsSettings.current()
    monkeypatch.setenv("CPE_ACS_URL", "http://one")
    assert AcsSettings.current() == first


def test_empty_quiet_hours_are_none_and_any_other_empty_variable_is_unset(monkeypatch):
    assert SweepSettings().quiet_hours == "17-23"
    monkeypatch.setenv("CPE_SWEEP_QUIET_HOURS", "")
    monkeypatch.setenv("CPE_SWEEP_WORST", "")
    found = SweepSettings()
    assert (found.quiet_hours, found.worst) == ("", 10)


def test_a_time_zone_that_does_not_exist_is_refused_before_a_sweep(monkeypatch):
    monkeypatch.setenv("CPE_SWEEP_TIMEZONE", "Montreal")
    with pytest.raises(ValidationError, match="time zone"):
        SweepSettings()
