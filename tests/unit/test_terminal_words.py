"""What people and devices wrote is printed as they wrote it, and no password with it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from rich.console import Console
from typer.testing import CliRunner

from cpe.domain.finding import Status
from cpe.domain.memory import Summary
from cpe.domain.verdict import Code
from deployments.cli import app
from deployments.commands import doctor, history

NOW = datetime(2026, 11, 27, tzinfo=UTC)
WRITTEN = "Jean [/b] [red]V800R021[/red]"


def _printed(table: object) -> str:
    console = Console(width=200, record=True)
    console.print(table)
    return console.export_text()


def test_a_history_prints_brackets_in_a_name_and_a_firmware():
    summary = Summary(
        id="11111111-2222",
        serial="LAB1",
        acs_id=None,
        gpon_serial=None,
        model=None,
        firmware=WRITTEN,
        requested_at=NOW,
        finished_at=NOW,
        duration_ms=1,
        verdict_code=Code.HEALTHY,
        verdict_status=Status.OK,
        rx_dbm=-20.0,
        freshness_outcome=None,
        requested_by=WRITTEN,
        ruleset="",
        flow_run_id=None,
    )
    assert _printed(history._table([summary])).count(WRITTEN) == 2


def test_the_doctor_prints_brackets_in_what_an_olt_says_of_itself():
    check = doctor.Check("olt north [/x]", "wrong", WRITTEN, f"mend {WRITTEN}")
    printed = _printed(doctor._table([check]))
    assert printed.count(WRITTEN) == 2
    assert "olt north [/x]" in printed


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_the_doctor_shows_no_password_of_prefects_address(options, monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", "http://cpe:CANARY@127.0.0.1:9/api")
    done = CliRunner().invoke(app, ["doctor", *options])
    assert "127.0.0.1:9/api does" in " ".join(done.stdout.split())
    assert "CANARY" not in done.output
