"""The command before anything heavy is imported or sent."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cpe.domain.errors import ProfileError
from deployments.cli import app
from deployments.commands import sweep
from deployments.commands.diagnose import exit_code
from deployments.commands.orchestra import hush_task_failures

runner = CliRunner()


@pytest.mark.slow
def test_a_command_does_not_import_prefect_before_it_is_quieted():
    code = (
        "import sys, deployments.cli, deployments.commands.diagnose;"
        "sys.exit('prefect' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    "serial", ["", "   ", "LAB*", "a..b", "/x", "x/", "x" * 65, 'a"b', "sé*rie", "a\nb"]
)
def test_a_serial_that_may_not_be_sent_ends_with_2_and_one_line(serial):
    done = runner.invoke(app, ["diagnose", "--json", "--", serial])
    assert done.exit_code == 2
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1


def test_one_bad_serial_among_good_ones_prints_no_document():
    done = runner.invoke(app, ["diagnose", "GOOD1", "BAD*", "--json"])
    assert (done.exit_code, done.stdout) == (2, "")


@pytest.mark.parametrize(
    "options",
    [
        ["--measured-mbps", "-1"],
        ["--plan-mbps", "0"],
        ["--plan-mbps", "fast"],
        ["--no-such-option"],
    ],
)
def test_a_bad_option_ends_with_2(options):
    assert runner.invoke(app, ["diagnose", "LAB1", *options]).exit_code == 2


def test_a_bad_inventory_ends_with_2_and_names_the_file(tmp_path, monkeypatch):
    file = tmp_path / "olts.toml"
    file.write_text('[[olt]]\nname = "a"\nhost = "h"\ncommunity = "CANARY"\nprofile = "x"\n')
    monkeypatch.setenv("CPE_OLTS", str(file))
    done = runner.invoke(app, ["diagnose", "LAB1", "--json"])
    assert done.exit_code == 2
    assert str(file) in done.stderr
    assert "CANARY" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
def test_a_terminal_without_our_letters_gets_what_it_can_show(encoding):
    done = subprocess.run(
        [sys.executable, "-m", "deployments.cli", "doctor"],
        env={**os.environ, "PYTHONIOENCODING": encoding, "CPE_ACS_URL": "no address"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 4
    assert "? mend the named variable" in done.stdout.decode(encoding)


@pytest.mark.slow
def test_bad_input_is_answered_at_once():
    """Before a second of Prefect is imported, let alone a server started."""
    program = (
        "import sys; from deployments.cli import app\n"
        "try: app(['diagnose', 'LAB*'])\n"
        "except SystemExit as left: sys.exit(left.code if 'prefect' not in sys.modules else 99)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == 2, done.stderr


def answer(code="inconclusive", acs="ok", olt="skipped", acs_id=None):
    sources = [{"name": "acs", "outcome": acs}, {"name": "olt", "outcome": olt}]
    return {"verdict": {"code": code}, "sources": sources, "device": {"acs_id": acs_id}}


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (answer("healthy"), 0),
        (answer("not_found", olt="ok"), 3),
        (answer(acs="unreachable"), 4),
        (answer(acs="unreachable", olt="unreachable"), 4),
        (answer(acs="unreachable", olt="ok"), 0),
        (answer(acs="error", olt="unreachable"), 4),
        (answer(acs="skipped"), 4),
        (answer(acs="refused"), 5),
        (answer(acs="refused", olt="ok"), 0),
        (answer(acs="refused", acs_id="X"), 0),
        (answer(acs="stale", olt="unreachable", acs_id="X"), 0),
    ],
)
def test_the_exit_code_says_who_answered(given, code):
    assert exit_code(given) == code


def test_a_failed_source_leaves_no_traceback_on_the_terminal_and_a_lost_record_a_line():
    terminal = io.StringIO()
    handler, root = logging.StreamHandler(terminal), logging.getLogger()
    root.addHandler(handler)
    try:
        hush_task_failures()
    finally:
        root.removeHandler(handler)
    failed = {"name": "prefect.task_runs", "msg": "failed", "exc_info": (None, None, None)}
    stopped = (asyncio.CancelledError, asyncio.CancelledError(), None)
    recorder = {"name": "prefect.server.services.task_run_recorder", "exc_info": stopped}
    lost = {"name": "prefect.flow_runs", "msg": "reached, but not kept"}
    for record in (failed, recorder, lost):
        handler.handle(logging.makeLogRecord(record))
    assert terminal.getvalue() == "reached, but not kept\n"


def test_a_sweep_quiets_prefect_before_it_imports_any_of_it(monkeypatch):
    monkeypatch.delenv("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", raising=False)
    levels: list[str | None] = []

    def check() -> None:
        levels.append(os.environ.get("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"))
        raise ProfileError("seen")

    monkeypatch.setattr(sweep, "_check_settings", check)
    assert sweep.run(sweep.Options()) == 2
    assert levels == ["ERROR"]


@pytest.mark.parametrize("command", ["worker", "hub"])
def test_a_worker_or_a_hub_without_a_prefect_server_says_how_to_get_one(command):
    done = runner.invoke(app, [command])
    assert done.exit_code == 4
    assert "cpe up" in done.stderr


def test_a_hub_whose_tokens_cannot_be_used_ends_with_2_and_does_not_quote_them(monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    monkeypatch.setenv("CPE_HUB_TOKENS", "app:admin:CANARY-0123456789")
    done = runner.invoke(app, ["hub"])
    assert done.exit_code == 2
    assert "CPE_HUB_TOKENS" in done.stderr
    assert "CANARY" not in done.stderr


@pytest.mark.parametrize("option", ["--report", "--export"])
def test_a_file_that_a_sweep_cannot_write_is_refused_before_the_sweep(
    option, tmp_path, monkeypatch
):
    folder = tmp_path / "sweep.csv"
    folder.mkdir()
    done = runner.invoke(app, ["sweep", option, str(folder)])
    assert (done.exit_code, done.stderr) == (2, f"cpe: {folder}: is a folder\n")
    monkeypatch.setattr(sweep.os, "access", lambda *_: False)  # root may write anywhere
    file = folder / "fleet.csv"
    done = runner.invoke(app, ["sweep", option, str(file)])
    assert (done.exit_code, done.stderr) == (2, f"cpe: {file}: cannot be written\n")


def test_a_file_that_a_sweep_could_not_write_does_not_hide_what_it_found(monkeypatch, capsys):
    # What a full disk raises names no file.
    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sweep, "_export", full)
    answer = {"coverage": {"seen": 1}}
    options = sweep.Options(as_json=True, export=Path("fleet.csv"))
    assert sweep._tell(answer, None, options) == 4
    told = capsys.readouterr()
    assert json.loads(told.out) == answer
    assert told.err == "cpe: the sweep ended, but a file: No space left on device\n"
