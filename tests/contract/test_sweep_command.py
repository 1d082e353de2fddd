"""`cpe sweep` and `cpe fleet` as a person runs them, against the lab, without a Prefect server."""

from __future__ import annotations

import asyncio
import json

import pandas as pd
import pytest
from typer.testing import CliRunner

from deployments.cli import app
from deployments.commands import sweep as command
from deployments.lab.serve import running_lab
from tests.unit.test_sweep_report import an_answer

DEVICES = 120


@pytest.fixture
def without_prefect(monkeypatch):
    """As when a configured Prefect API is down: the sweep goes on as plain functions."""
    from contextlib import contextmanager

    @contextmanager
    def nothing():
        yield None

    monkeypatch.setattr(command, "prefect_api", nothing)


async def in_thread(*arguments):
    """The command has an event loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, app, list(arguments))


@pytest.fixture
async def lab(tmp_path, monkeypatch):
    async with running_lab(devices=DEVICES, folder=tmp_path, tour=False) as running:
        for name, value in running.exports().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("CPE_DATABASE_URL", f"sqlite:///{tmp_path / 'cpe.db'}")
        yield running


def test_the_report_tells_the_time_of_the_operators_zone(tmp_path, monkeypatch):
    monkeypatch.setenv("CPE_SWEEP_TIMEZONE", "America/Vancouver")
    file = tmp_path / "report.html"
    options = command.Options(as_json=True, report=file)
    assert command._tell(an_answer(60), None, options) == 0
    assert "2026-11-27 00:00" in file.read_text(encoding="utf-8")


async def test_a_sweep_prints_one_document_and_writes_report_and_exports(
    lab, tmp_path, without_prefect
):
    lab.set_scenario("LAB0021", "weak-fibre", since_s=86_400)
    html, csv = tmp_path / "out.html", tmp_path / "out.csv"
    done = await in_thread("sweep", "--json", "--report", str(html), "--export", str(csv))
    assert done.exit_code == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["schema"] == "cpe.sweep/1"
    assert answer["verdicts"] == {"fibre_weak": 1, "healthy": DEVICES - 1}
    assert "LAB0021" in html.read_text(encoding="utf-8")
    table = pd.read_csv(csv)
    assert len(table) == DEVICES
    row = table[table["serial"] == "LAB0021"].iloc[0]
    assert (row["verdict"], row["optical.rx_power_in_band"]) == ("fibre_weak", "fault")
    parquet = tmp_path / "out.parquet"
    done = await in_thread("sweep", "--export", str(parquet))
    assert done.exit_code == 0, done.stderr
    assert "Fibre trop faible" in done.stdout
    assert len(pd.read_parquet(parquet)) == DEVICES
    worst = json.loads((await in_thread("fleet", "worst", "--json")).stdout)
    assert [box["serial"] for box in worst["boxes"]] == ["LAB0021"]
    assert worst["sweep"]["state"] == "complete"
    place = worst["boxes"][0]
    pon = await in_thread("fleet", "pon", place["olt"], place["pon"], "--json")
    assert json.loads(pon.stdout)["boxes"][0]["serial"] == "LAB0021", "the weakest first"
    trend = json.loads((await in_thread("fleet", "trend", "lab0021", "--json")).stdout)
    assert trend["points"][-1]["rx_dbm"] == place["rx_dbm"]
    shown = await in_thread("fleet", "trend", "LAB0021")
    assert "Fibre trop faible" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["sweep", "--export", "x.xlsx"], 2),
        (["sweep", "--report", "/no/such/folder/x.html"], 2),
        (["sweep", "--worst", "-1"], 2),
        (["fleet", "trend", "LAB*"], 2),
        (["fleet", "trend", "NOBODY"], 3),
        (["fleet", "worst"], 3),
        (["fleet", "pon", "olt", "0/0/0"], 3),
    ],
)
def test_what_cannot_be_done_ends_with_its_code(arguments, code):
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == code
    assert done.stdout == ""


def test_a_setting_that_cannot_be_used_is_bad_input(monkeypatch):
    monkeypatch.setenv("CPE_SWEEP_QUIET_HOURS", "late")
    done = CliRunner().invoke(app, ["sweep"])
    assert done.exit_code == 2
    assert "CPE_SWEEP_QUIET_HOURS" in done.stderr


def test_no_source_at_all_is_4_and_the_document_is_still_printed(without_prefect):
    done = CliRunner().invoke(app, ["sweep", "--json"])
    assert done.exit_code == 4
    answer = json.loads(done.stdout)
    assert answer["state"] == "incomplete"
    assert answer["coverage"]["seen"] == 0
