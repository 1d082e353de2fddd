"""What the page says of readings that are old, missing, or were never made."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Route, expect

from cpe.domain.memory import KeptDiagnosis
from tests.contract.test_hub_page import DESKTOP, PHONE, is_inside, served
from tests.support.chromium import emptied, new_page
from tests.support.hub_bench import SECRETS, answer_of, running_hub
from tests.support.store.samples import SERIAL

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


@asynccontextmanager
async def page_of(chrome: Browser, folder: Path, *kept: KeptDiagnosis) -> AsyncIterator[Page]:
    """The page of the box these diagnoses are of."""
    async with running_hub(folder) as hub, served(hub) as url, emptied(chrome) as browser:
        for one in kept:
            await hub.store.keep(one)
        page = await new_page(browser, viewport=DESKTOP, locale="fr-CA")
        await page.goto(f"{url}/devices/{SERIAL}#token={SECRETS['csr']}")
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        yield page


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        ("fresh", "Mesures d'il y a"),
        ("refreshed", "Mesures d'il y a"),
        ("unreachable", "Diagnostic d'il y a"),
        ("queued", "Diagnostic d'il y a"),
        ("refused", "Diagnostic d'il y a"),
        ("not_found", "Diagnostic d'il y a"),
    ],
)
async def test_only_a_box_that_answered_has_readings_of_that_age(chrome, tmp_path, outcome, said):
    kept = answer_of(str(uuid.uuid4()), age_s=5)
    kept.document["freshness"]["outcome"] = outcome
    if outcome == "fresh":
        kept.document["freshness"]["age_s"] = 1.0
    async with page_of(chrome, tmp_path, kept) as page:
        await expect(page.locator("#verdict .age")).to_contain_text(said)


@pytest.mark.parametrize(
    ("age_s", "note", "state"),
    [
        (4.0, "Ports Ethernet", "up"),
        (21_600.0, "Ports Ethernet · Mesures d'il y a 6 h", "down"),
    ],
)
async def test_a_port_that_was_read_long_ago_is_not_shown_as_up_now(
    chrome, tmp_path, age_s, note, state
):
    kept = answer_of(str(uuid.uuid4()), age_s=5)
    kept.document["interface"]["lan"] = [{"port": "LAN1", "status": "up", "mbps": 1000.0}]
    read = {**kept.document["measurements"][0], "subject": "lan:LAN1", "age_s": age_s}
    kept.document["measurements"] += [
        {**read, "name": "lan.status", "value": "up", "unit": None},
        {**read, "name": "lan.rate_mbps", "value": 1000.0, "unit": "Mbit/s"},
    ]
    async with page_of(chrome, tmp_path, kept) as page:
        await expect(page.get_by_role("heading", name="Ports Ethernet")).to_have_text(note)
        await expect(page.locator(f".ports li.{state}")).to_contain_text("LAN1")


async def test_a_wifi_that_could_not_be_read_has_not_been_seen_empty(chrome, tmp_path):
    async with page_of(chrome, tmp_path, answer_of(str(uuid.uuid4()), age_s=5)) as page:
        await expect(page.get_by_text("Le WiFi n'a pu être lu.")).to_be_visible()
        await expect(page.get_by_text("Aucun appareil WiFi vu.")).to_have_count(0)


async def tell_past(page: Page, readings: list[float | None]) -> None:
    """Load the page again with these readings in its history."""

    async def tell(route: Route) -> None:
        told = json.loads(await (await route.fetch()).text())
        for item, rx_dbm in zip(told["items"], readings, strict=True):
            item["rx_dbm"] = rx_dbm
        await route.fulfill(json=told)

    await page.route("**/history?*", tell)
    await page.reload()


@pytest.mark.parametrize(
    ("readings", "dots", "gaps", "strokes"),
    [
        ([-20.0, None, -21.0, -21.5, None], 3, 2, 2),  # the newest first, as the hub tells them
        ([None, -21.0], 1, 1, 1),
        ([-21.0, -21.0], 2, 0, 1),
    ],
)
async def test_a_diagnosis_without_a_reading_is_a_gap_of_the_chart(
    chrome, tmp_path, readings, dots, gaps, strokes
):
    kept = [answer_of(str(uuid.uuid4()), age_s=5 + 60 * n) for n in range(len(readings))]
    async with page_of(chrome, tmp_path, *kept) as page:
        await tell_past(page, readings)
        chart = page.locator("svg.chart")
        await expect(chart.locator("circle")).to_have_count(dots)
        await expect(chart.locator(".gap")).to_have_count(gaps)
        if gaps:
            await expect(chart.locator(".gap title").first).to_contain_text("non mesuré")
        path = await chart.locator(".line").get_attribute("d")
        assert path is not None
        assert path.count("M") == strokes


async def test_a_chart_of_no_reading_at_all_is_none(chrome, tmp_path):
    kept = [answer_of(str(uuid.uuid4()), age_s=5 + 60 * n) for n in range(2)]
    async with page_of(chrome, tmp_path, *kept) as page:
        await tell_past(page, [None, None])
        await expect(page.locator("#history tbody tr")).to_have_count(2)
        await expect(page.locator("svg.chart")).to_have_count(0)


async def test_a_history_that_could_not_be_read_is_not_an_empty_one_and_hides_no_verdict(
    chrome, tmp_path
):
    async with page_of(chrome, tmp_path, answer_of(str(uuid.uuid4()), age_s=5)) as page:
        down = {"code": "database-unavailable", "title": "t", "detail": "d", "status": 503}
        await page.route("**/history?*", lambda route: route.fulfill(status=503, json=down))
        await page.reload()
        await expect(page.locator("#notice")).to_have_text("La base de données ne répond pas.")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Tout va bien")
        await expect(page.get_by_text("Aucun diagnostic antérieur.")).to_have_count(0)


async def test_a_name_as_long_as_a_box_gives_it_stays_on_a_phones_screen(chrome, tmp_path):
    kept = answer_of(str(uuid.uuid4()), age_s=5)
    told, name = kept.document, "x" * 64
    told["device"]["model"] = name
    told["verdict"]["text"] = dict.fromkeys(("fr", "en"), f"{name}. {name}")
    told["interface"]["lan"] = [{"port": name, "status": "up", "mbps": 1000.0}]
    told["interface"]["wan"] |= {"status": name, "ip": name}
    told["findings"][0] |= {"status": "unknown", "text": dict.fromkeys(("fr", "en"), name)}
    told["sources"][0] |= {"outcome": "error", "detail": name}
    radio = dict.fromkeys(("utilisation_pct", "noise_dbm", "enabled", "status"))
    told["wifi"]["radios"] = [{**radio, "band": name, "channel": 6}]
    async with page_of(chrome, tmp_path, kept) as page:
        await page.set_viewport_size({**PHONE, "width": 320})  # what a page zoomed to 400 % has
        assert await is_inside(page)


async def test_what_the_acs_says_of_a_box_is_shown_and_what_was_not_read_is_not_none(
    chrome, tmp_path
):
    kept = answer_of(str(uuid.uuid4()), age_s=5)
    device = kept.document["device"]
    at = "2026-11-23T20:00:00.000Z"
    fault = {"code": "cwmp.9002", "message": "<b>Internal error</b>", "at": at}
    device |= {"tags": ["vip", "<i>quebec</i>"], "acs_faults": [fault]}
    async with page_of(chrome, tmp_path, kept) as page:
        card = page.locator("section.card", has_text="À l'ACS")
        await expect(card).to_contain_text("Étiquettesvip · <i>quebec</i>")
        await expect(card).to_contain_text("cwmp.9002")
        await expect(card).to_contain_text("<b>Internal error</b>")
        await page.get_by_role("button", name="EN", exact=True).click()
        await expect(page.get_by_role("heading", name="At the ACS")).to_be_visible()
        await expect(page.get_by_role("heading", name="Standing faults")).to_be_visible()


@pytest.mark.parametrize(
    ("notes", "said"),
    [
        ({"tags": [], "acs_faults": None}, "Les fautes en suspens n'ont pu être lues."),
        ({"tags": [], "acs_faults": []}, None),
        ({}, None),
    ],
)
async def test_an_acs_without_notes_of_a_box_has_no_card(chrome, tmp_path, notes, said):
    kept = answer_of(str(uuid.uuid4()), age_s=5)
    kept.document["device"] = {
        **{k: v for k, v in kept.document["device"].items() if k not in ("tags", "acs_faults")},
        "acs_id": "X",
        **notes,
    }
    async with page_of(chrome, tmp_path, kept) as page:
        card = page.locator("section.card", has_text="À l'ACS")
        await expect(card).to_have_count(0 if said is None else 1)
        if said:
            await expect(page.get_by_text(said)).to_be_visible()
