"""The report of a sweep: one file, nothing from outside, every text escaped, all that was found."""

from __future__ import annotations

import re

import pytest

from cpe.answer.sweep_html import report
from cpe.answer.sweep_html.charts import colour, coverage_bar, histogram, pon_maps, spark
from cpe.answer.sweep_page import coverage_rows, page, pon_rows, worst_rows
from cpe.domain.verdict import Code
from cpe.fleet.compare import compare
from cpe.fleet.conclude import conclude, join_frames
from cpe.fleet.coverage import OltRead
from cpe.profiles.sweep_words import sweep_words
from cpe.profiles.thresholds import load_thresholds
from cpe.profiles.wording import wording
from tests.support.chromium import chromium, new_page
from tests.support.fleets import generate

EVIL = '<script>alert("x")</script>'


def an_answer(size=600, seed=5, **options):
    """What a sweep of a generated fleet answers."""
    fleet, thresholds = generate(size, seed, **options), load_thresholds()
    joined = join_frames(fleet.frames, fleet.sources, thresholds)
    reads = [
        OltRead(name, 0 if name in fleet.sources.olts_failed else 200,
                whole=name not in fleet.sources.olts_failed, before=200)
        for name in fleet.sources.olts_asked
    ]  # fmt: skip
    compared = compare(joined, fleet.pasts(len(joined.fleet)), thresholds)
    found = conclude(joined, compared, reads, thresholds)
    state = "incomplete" if found.reasons else "complete"
    return {
        "schema": "cpe.sweep/1", "id": "an-id", "started_at": "2026-11-27T08:00:00Z",
        "finished_at": "2026-11-27T08:01:00Z", "duration_ms": 60_000, "state": state,
        "reasons": list(found.reasons), "coverage": found.coverage, **found.summary,
        "acted": {"refreshed": {"asked": 0, "skipped": ""}, "diagnoses":
                  {"started": 2, "skipped": ""}, "learned_names": 0},
        "ruleset": "r", "run": {"flow_run_id": None, "url": None},
    }  # fmt: skip


@pytest.fixture(scope="module")
def answer():
    return an_answer()


def test_the_page_asks_nothing_of_any_network(answer):
    html = report(answer)
    assert not re.search(r"""(?:src|href|action)\s*=|@import|url\(""", html)
    assert "<script" not in html
    assert "default-src 'none'" in html
    assert len(html) < 600_000


def test_what_devices_say_of_themselves_is_escaped(answer):
    evil = {**answer, "reasons": [EVIL], "worst": [{**answer["worst"][0], "model": EVIL}]}
    html = report(evil)
    assert EVIL not in html
    assert html.count("&lt;script&gt;") >= 2


def test_every_list_and_every_verdict_is_there_in_both_languages(answer):
    html = report(answer)
    for code, count in answer["verdicts"].items():
        phrase = sweep_words().phrases[f"verdict_{code}"]
        assert phrase.fr.replace("'", "&#39;") in html
        assert phrase.en.replace("'", "&#39;") in html
        assert f"{count}" in html
    for name in ("weak", "silent", "flapping", "bad_backhauls"):
        assert sweep_words().phrases[f"list_{name}"].en in html


def test_every_verdict_has_a_word():
    for code in Code:
        if code is not Code.NOT_FOUND:
            assert f"verdict_{code.value}" in sweep_words().phrases


def test_an_incomplete_sweep_says_so_before_anything_else():
    answer = an_answer(seed=7, acs_whole=False)
    assert answer["state"] == "incomplete"
    assert answer["outages"] == []
    html = report(answer)
    assert html.index('role="alert"') < html.index("<h2>")
    assert "incomplet" in page(answer)


def test_the_pieces_of_the_coverage_add_up_to_what_was_expected(answer):
    shares = coverage_bar(answer["coverage"])
    assert sum(share.count for share in shares) == answer["coverage"]["expected"]
    assert shares[1].count + shares[2].count > 0, "never only those that answered"


def test_the_histogram_counts_every_reading_once(answer):
    assert sum(answer["rx"]["counts"]) == answer["rx"]["measured"]
    assert answer["rx"]["measured"] + answer["rx"]["not_measured"] == answer["coverage"]["seen"]
    bars = histogram(answer["rx"])
    assert max(bar.height for bar in bars.bars) <= 150


def test_every_pon_has_one_cell(answer):
    assert sum(len(m.cells) for m in pon_maps(answer)) == len(answer["pons"])
    assert colour(None) != colour(-26.0) != colour(-20.0)


def test_a_box_without_a_baseline_has_no_line():
    row = {"rx_dbm": -20.0, "delta_7_db": None, "delta_15_db": None, "delta_30_db": None}
    assert spark(row, -25.0) is None
    drawn = spark({**row, "delta_30_db": -2.0}, -25.0)
    assert drawn is not None
    assert len(drawn.points.split()) == 2


def test_the_tables_of_the_prefect_ui_are_short_and_flat(answer):
    for rows in (worst_rows(answer), pon_rows(answer), coverage_rows(answer)):
        assert rows
        assert len(rows) <= 80
        assert all(not isinstance(v, dict | list) for row in rows for v in row.values())


@pytest.mark.browser
async def test_a_browser_shows_it_without_a_request_or_a_complaint(answer, tmp_path):
    file = tmp_path / "report.html"
    file.write_text(report(answer), encoding="utf-8")
    async with chromium() as browser:
        page_ = await new_page(browser)
        asked, said = [], []
        page_.on("request", lambda request: asked.append(request.url))
        page_.on("console", lambda message: said.append(message.text))
        await page_.goto(file.as_uri())
        wide = await page_.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        cells = await page_.locator(".map rect").count()
        pdf = await page_.pdf(format="Letter")
    assert asked == [file.as_uri()]
    assert said == []
    assert wide
    assert cells == len(answer["pons"])
    assert pdf.startswith(b"%PDF")


def test_a_box_whose_place_is_not_known_has_a_dash_for_it(answer):
    nowhere = {**answer["fading"][0], "olt": None, "pon": None, "shared": False}
    html = report({**answer, "fading": [nowhere], "fading_count": 1})
    assert "None" not in html


def test_units_that_no_box_stands_for_are_not_looked_for_in_the_export(answer):
    unseen = {"count": 50, "boxes": [{"serial": f"S{n}", "equipment": "E", "status": "Actif"}
                                     for n in range(50)]}  # fmt: skip
    stock = {**answer["stock"], "configured": True, "active_never_seen": unseen}
    assert "+10 de plus dans ERPNext" in report({**answer, "stock": stock})


def test_what_a_sweep_does_not_judge_is_said(answer):
    html = report(answer)
    assert sweep_words().phrases["not_judged"].en in html
    assert wording().titles["hardware.radios_are_up"].fr.replace("'", "&#39;") in html


def test_an_answer_kept_before_a_list_was_there_still_makes_a_page(answer):
    old = {k: v for k, v in answer.items() if k not in ("not_judged", "partly_read")}
    assert sweep_words().phrases["not_judged"].en not in report(old)


def test_several_pons_of_one_olt_that_are_out_point_above_their_cables(answer):
    one = {"kind": "pon_down", "olt": "olt-1", "pon": "0/1", "down": 8, "of": 8, "since": None}
    two, far = {**one, "pon": "0/2"}, {**one, "olt": "olt-2"}
    asked = sweep_words().phrases["pons_of_olt_out"].en
    assert report({**answer, "outages": [one, two, far]}).count(asked) == 1
    assert asked not in report({**answer, "outages": [one, far]})


@pytest.mark.parametrize(
    ("english", "french"),
    [
        ("acs: only 12% of its boxes inform; the last Inform came 3 min ago",
         "ACS : seulement 12 % de ses boîtes se manifestent ; "
         "le dernier Inform date de 3 min"),
        ("coverage 66.7 % < 90 %", "couverture de 66,7 %, il en faut 90 %"),
        ("only 5 rows, 400 last time", "seulement 5 lignes, 400 la dernière fois"),
        ("no answer in time", "pas de réponse à temps"),
        ("acs: 502 from the proxy", "ACS : 502 from the proxy"),
        ("quiet hours 17-23", "heures calmes 17-23"),
    ],
)  # fmt: skip
def test_why_something_was_not_read_is_told_in_french_with_english_beside(answer, english, french):
    told = {**answer, "reasons": [english], "state": "incomplete"}
    html = report(told)
    assert f"<li>{french.replace(chr(39), '&#39;')}" in html
    assert french.replace("<", "‹") in page(told)


def test_what_nothing_wrong_does_not_cover_is_said_beside_the_verdicts(answer):
    html, told = report(answer), page(answer)
    verdicts = html[html.index("Depuis le balayage") : html.index(">Pannes")]
    for rule in ("wan.session_is_up", "client.snr_is_good", "optical.errors_are_steady",
                 "hardware.radios_are_up"):  # fmt: skip
        title = wording().titles[rule].fr
        assert title.replace("'", "&#39;") in verdicts
        assert title in told
