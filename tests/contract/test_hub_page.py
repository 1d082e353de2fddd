"""The page as a CSR and a technician see it, in a real browser: verdict, steps, keyboard, phone."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from playwright.async_api import Page, expect

from tests.support.chromium import emptied, new_page
from tests.support.hub_bench import SECRETS, Bench, answer_of, running_hub
from tests.support.store.samples import SERIAL

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


@asynccontextmanager
async def served(hub: Bench) -> AsyncIterator[str]:
    """The hub on a port; its address."""
    server = uvicorn.Server(uvicorn.Config(hub.app, port=0, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await serving


class Watched:
    """What a page asked of whom, and what broke in it."""

    def __init__(self, page: Page) -> None:
        self.hosts: set[str] = set()
        self.errors: list[str] = []
        page.on("request", lambda r: self.hosts.add(r.url.split("/")[2].split(":")[0]))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._note)

    def _note(self, message: object) -> None:
        text = message.text  # type: ignore[attr-defined]
        if message.type == "error" and "401" not in text:  # type: ignore[attr-defined]
            self.errors.append(text)


async def is_inside(page: Page) -> bool:
    """Whether nothing reaches beyond the screen's width."""
    return await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_a_csr_reads_the_last_verdict_and_follows_a_new_one_step_by_step(chrome, tmp_path):
    async with running_hub(tmp_path) as hub, served(hub) as url, emptied(chrome) as browser:
        for age_s in (90_000, 7200, 30):
            await hub.store.keep(answer_of(str(uuid.uuid4()), age_s=age_s))
        page = await new_page(browser, viewport=DESKTOP, locale="fr-CA")
        seen = Watched(page)
        await page.goto(f"{url}/devices/{SERIAL}")
        await page.get_by_label("Jeton", exact=True).fill(SECRETS["csr"])
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Tout va bien")
        await expect(page.get_by_text("Ne pas échanger")).to_be_visible()
        await expect(page.get_by_role("img", name="−21,5 dBm")).to_be_visible()
        await expect(page.get_by_text("non mesuré").first).to_be_visible()
        await expect(page.locator("svg.chart circle")).to_have_count(3)
        await page.get_by_role("button", name="Diagnostiquer").click()
        run_id = await hub.run_of()
        await expect(page.get_by_role("button", name="Diagnostic en cours…")).to_be_disabled()
        await hub.step(run_id, "acs: lookup")
        await expect(page.get_by_text("Recherche de la boîte dans l'ACS")).to_be_visible()
        await hub.step(run_id, "olt: read")
        await expect(page.locator("#steps .now")).to_have_text("Lecture de l'OLT")
        await hub.step(run_id, "run: begun")
        await hub.step(run_id, "acs: lookup")
        await hub.step(run_id, "run: begun")  # its worker was killed
        await expect(page.locator("#steps .now")).to_have_text(
            "Interrompu ; le diagnostic recommence"
        )
        await expect(page.locator("#steps li")).to_have_count(1)
        await hub.finish(run_id)
        await expect(page.locator("#foot")).to_contain_text(run_id)
        await expect(page.get_by_role("button", name="Diagnostiquer")).to_be_enabled()
        await expect(page.locator("svg.chart circle")).to_have_count(4)
        await page.get_by_role("button", name="EN", exact=True).click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("All is well")
        await expect(page.locator("html")).to_have_attribute("lang", "en")
        await expect(page.locator("#steps li").first).to_have_text(
            "Cut off; the diagnosis begins again"
        )
        await page.screenshot(path=tmp_path / "desktop.png", full_page=True)
        assert await is_inside(page)
        assert seen.hosts == {"127.0.0.1"}
        assert seen.errors == []


async def test_a_technician_on_a_phone_sees_verdict_and_action_without_scrolling(chrome, tmp_path):
    async with running_hub(tmp_path) as hub, served(hub) as url, emptied(chrome) as browser:
        await hub.store.keep(answer_of(str(uuid.uuid4()), age_s=5))
        page = await new_page(browser, viewport=PHONE, locale="fr-CA")
        seen = Watched(page)
        await page.goto(f"{url}/devices/{SERIAL}#token={SECRETS['csr']}")
        for words in ("Tout va bien", "Que faire", "Ne pas échanger"):
            found = page.get_by_text(words).first
            await expect(found).to_be_visible()
            box = await found.bounding_box()
            assert box is not None
            assert box["y"] + box["height"] <= PHONE["height"], words
        assert "token" not in page.url, "the token does not stay in the address"
        assert await is_inside(page)
        small = await page.evaluate(
            "[...document.querySelectorAll('button')].filter(b => b.offsetHeight &&"
            " b.getBoundingClientRect().height < 44).map(b => b.textContent)"
        )
        assert small == [], "fingers need 44 px"
        await page.screenshot(path=tmp_path / "phone.png", full_page=True)
        assert seen.errors == []


async def test_a_run_that_fails_is_told_and_a_stranger_to_the_lab_is_not_called_well(
    chrome, tmp_path
):
    async with running_hub(tmp_path) as hub, served(hub) as url, emptied(chrome) as browser:
        page = await new_page(browser, viewport=DESKTOP, locale="fr-CA")
        await page.goto(f"{url}/devices/NEVER1#token={SECRETS['csr']}")
        await expect(page.get_by_role("status").first).to_contain_text("jamais été diagnostiquée")
        run_id = await hub.run_of()
        hub.prefect.end(run_id, "CRASHED", "Crashed", "its worker was lost")
        await expect(page.locator("#notice")).to_contain_text("n'a pas abouti")
        await expect(page.get_by_role("heading", level=1)).to_have_count(0)
        await expect(page.get_by_role("button", name="Diagnostiquer")).to_be_enabled()


async def test_evidence_is_told_once_and_in_the_words_of_the_language(chrome, tmp_path):
    async with running_hub(tmp_path) as hub, served(hub) as url, emptied(chrome) as browser:
        kept = answer_of(str(uuid.uuid4()), age_s=5)
        (finding,) = (f for f in kept.document["findings"] if f["evidence"])
        read = {"subject": "", "unit": None, "source": "olt", "age_s": 0, "fits": False}
        finding["status"] = "fault"
        finding["evidence"] = 2 * [
            {**read, "what": "line.ont_state", "actual": "los (fibre)", "expected": "online"},
            {
                **read,
                "what": "optical.tx_dbm",
                "actual": -1.5,
                "expected": "0.5..5",
                "source": "history",
            },
        ]
        await hub.store.keep(kept)
        page = await new_page(browser, viewport=DESKTOP, locale="fr-CA")
        await page.goto(f"{url}/devices/{SERIAL}#token={SECRETS['csr']}")
        await page.get_by_text("Toutes les preuves").click()
        rows = page.locator("#evidence tbody tr")
        await expect(rows).to_have_count(2)
        await expect(rows.first).to_contain_text("plus de lumière (fibre)en ligne")
        await expect(rows.first.get_by_role("img", name="anomalie")).to_be_visible()
        await expect(rows.last).to_contain_text("−1,50,5..5Nos relevés")
        await page.get_by_role("button", name="EN", exact=True).click()
        await expect(rows.last).to_contain_text("−1.50.5..5Our history")
        await expect(page.locator("#evidence th").last).to_have_text("Age")


async def test_what_a_box_or_a_person_says_is_shown_as_text_and_never_as_markup(chrome, tmp_path):
    async with running_hub(tmp_path) as hub, served(hub) as url, emptied(chrome) as browser:
        kept = answer_of(str(uuid.uuid4()), age_s=5)
        evil = "<img src=x onerror=document.title='owned'>"
        kept.document["device"]["model"] = evil
        kept.document["mesh"]["nodes"] = [
            {
                "mac": None,
                "name": evil,
                "role": role,
                "active": True,
                "backhaul": dict.fromkeys(("type", "rssi_dbm", "rate_mbps", "utilisation_pct")),
            }
            for role in ("controller", "satellite")
        ]
        await hub.store.keep(kept)
        page = await new_page(browser, viewport=DESKTOP)
        await page.goto(f"{url}/devices/{SERIAL}#token={SECRETS['csr']}")
        await expect(page.get_by_text("<img src=x").first).to_be_visible()
        assert await page.locator("img[src=x]").count() == 0
        assert "owned" not in await page.title()
