"""What a person reads while a diagnosis goes on, and which words the terminal uses."""

from __future__ import annotations

import asyncio
import io
import json
import re
from contextlib import nullcontext

import pytest
from rich.console import Console
from typer.testing import CliRunner

from cpe.answer.document import document
from cpe.domain.casebook import Casebook
from cpe.domain.observation import Outcome, Source, SourceReport
from cpe.domain.snapshot import FreshnessOutcome, Request
from cpe.domain.verdict import Code
from cpe.profiles.sweep_words import sweep_words
from cpe.profiles.thresholds import load_thresholds
from cpe.profiles.wording import wording
from cpe.rules.judge import judge
from deployments.cli import app
from deployments.commands import demo, diagnose, progress
from deployments.commands.show import not_evaluable, short, show_answer
from deployments.lab.scenarios import Stop
from tests.support.cases import NOW, reading, sighting, snapshot


@pytest.fixture
def stderr(monkeypatch) -> io.StringIO:
    written = io.StringIO()
    console = Console(file=written, width=80, highlight=False)
    monkeypatch.setattr(progress, "err", lambda: console)
    return written


def lines(stderr: io.StringIO) -> list[str]:
    return stderr.getvalue().splitlines()


def test_each_step_and_each_answer_is_a_plain_line_where_stderr_is_no_terminal(stderr):
    told = progress.Progress("LAB0001", "fr")
    told.begun()
    told.step("acs: refresh")
    said = "the box does not answer the connection request"
    told.answered(SourceReport(Source.ACS, Outcome.STALE, 2059, said))
    told.step("acs: speed test, 5 s")
    told.answered(SourceReport(Source.OLT, Outcome.SKIPPED, 0, "not needed"))
    assert "\x1b" not in stderr.getvalue()
    assert [re.sub(r"^LAB0001 +[0-9,]+ s  ", "", line) for line in lines(stderr)] == [
        "Le diagnostic commence",
        "La boîte relit ses mesures …",
        "→ ACS · lecture ancienne · 2,1 s · la boîte ne répond pas à la demande de connexion",
        "La boîte mesure son débit, 5 s …",
    ]


def test_the_same_in_english(stderr):
    told = progress.Progress("LAB0001", "en")
    told.step("olt: read")
    told.answered(SourceReport(Source.OLT, Outcome.UNREACHABLE, 15_000, "olt-a: no answer"))
    assert "Reading the OLT …" in lines(stderr)[0]
    assert lines(stderr)[1].endswith("→ OLT · unreachable · 15 s · olt-a: no answer")


async def test_while_a_source_is_slow_it_is_said_what_is_waited_for(stderr, monkeypatch):
    monkeypatch.setattr(progress, "QUIET_S", 0.01)
    told = progress.Progress("LAB0001", "fr")
    told.step("olt: read")
    waiting = asyncio.create_task(told.keep_telling())
    while len(lines(stderr)) < 3:  # noqa: ASYNC110 - bounded by the test's own limit
        await asyncio.sleep(0.005)
    told.answered(SourceReport(Source.OLT, Outcome.OK, 20, "olt-nord 0/1/0/4"))
    count = len(lines(stderr))
    while len(lines(stderr)) < count + 1:  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    waiting.cancel()
    assert lines(stderr)[1].endswith("Toujours en attente : Lecture de l'OLT …")
    assert lines(stderr)[count].endswith("Toujours en attente …")


def test_the_first_line_comes_before_anything_slow_and_stdout_holds_the_document_alone(
    monkeypatch, tmp_path
):
    monkeypatch.setenv("CPE_ACS_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("CPE_DATABASE_URL", f"sqlite:///{tmp_path / 'cpe.db'}")
    said: list[str] = []
    written = io.StringIO()
    monkeypatch.setattr(progress, "err", lambda: Console(file=written, highlight=False))
    monkeypatch.setattr(
        diagnose, "prefect_api", lambda: said.append(written.getvalue()) or nullcontext(None)
    )
    done = CliRunner().invoke(app, ["diagnose", "LAB1", "--json"])
    assert done.exit_code == 4
    [document_] = done.stdout.splitlines()
    assert json.loads(document_)["serial"] == "LAB1"
    assert said[0].endswith("Le diagnostic commence\n")
    assert "→ ACS · injoignable" in written.getvalue()
    assert "\x1b" not in written.getvalue()


def test_a_casebook_tells_each_report_as_it_is_noted():
    book, told = Casebook("id", Request("LAB1"), NOW, 60.0), []
    book.on_note = told.append
    book.note(Source.ACS, Outcome.UNREACHABLE, 12.4, "no answer")
    assert told == [SourceReport(Source.ACS, Outcome.UNREACHABLE, 12, "no answer")]


CASES = {
    "silent": snapshot(olt=sighting(), outcome=FreshnessOutcome.UNREACHABLE),
    "laser": snapshot(reading("optical.tx_dbm", -1.6), reading("optical.rx_dbm", -20.0)),
    "nothing": snapshot(outcome=FreshnessOutcome.NOT_FOUND),
    "radio": snapshot(reading("wifi.utilisation_pct", 91.0, "radio:5")),
    "wan": snapshot(reading("wan.last_error", "ERROR_AUTHENTICATION_FAILURE", "wan:PPP.1")),
}
CODES = [code.value for code in Code if "_" in code.value]
JARGON = re.compile("|".join(map(re.escape, (*wording().titles, *CODES, "dispatch_", "ERROR_"))))


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("case", CASES)
def test_no_rule_id_and_no_code_stands_on_the_terminal(case, language):
    shot = CASES[case]
    judged = judge(shot, load_thresholds())
    answer = document(shot, judged.findings, judged.verdict, judged.ruleset, finished_at=NOW)
    console = Console(record=True, width=200, file=io.StringIO())
    show_answer(console, answer, language)
    shown = console.export_text()
    assert not JARGON.search(shown), JARGON.search(shown)
    assert short(answer["verdict"]["code"], language) in shown
    titles = wording().titles
    told = not_evaluable(answer["verdict"], language)
    for item in answer["verdict"]["not_evaluable"]:
        assert titles[item["rule"]].fill().of(language) in told


def test_the_demo_names_what_was_not_evaluable_as_the_page_does(monkeypatch):
    shot = CASES["silent"]
    judged = judge(shot, load_thresholds())
    answer = document(shot, judged.findings, judged.verdict, judged.ruleset, finished_at=NOW)
    answer["run"]["url"] = "http://here"
    console = Console(record=True, width=200, file=io.StringIO())
    monkeypatch.setattr(demo, "out", lambda: console)
    demo._print_stop(Stop("LAB0005", "silent", "management_silent"), answer, as_planted=True)
    shown = console.export_text()
    assert "Ce qui n'a pu être évalué : " in shown
    assert "Puissance reçue" in shown
    assert not re.search(r"\b(optical|wifi|wan|line)\.[a-z_]+", shown)


def test_without_a_chromium_the_demo_says_in_one_line_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    console = Console(record=True, width=300, file=io.StringIO())
    monkeypatch.setattr(demo, "out", lambda: console)
    demo._say_without_browser()
    [line] = console.export_text().splitlines()
    assert "Chromium" in line
    assert "install chromium" in line


def test_every_verdict_and_every_source_has_a_short_name():
    assert {f"verdict_{code}" for code in Code} <= sweep_words().phrases.keys()
    assert {f"source_{source}" for source in Source} <= wording().labels.keys()
