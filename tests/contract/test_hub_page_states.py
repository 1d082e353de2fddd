"""The page while things change under it: another box, a hub that restarts, another language."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from playwright.async_api import Page, Route, expect

from tests.contract.test_hub_page import DESKTOP, served
from tests.support.chromium import chromium
from tests.support.hub_bench import SECRETS, answer_of, running_hub
from tests.support.store.samples import SERIAL

pytestmark = pytest.mark.browser
OTHER = "OTHER1"


async def look_up(page: Page, serial: str) -> None:
    """Type a serial into the page's search."""
    await page.get_by_role("searchbox").fill(serial)
    await page.keyboard.press("Enter")


async def settled(page: Page, end_of_url: str, go_on: asyncio.Event) -> None:
    """Let what was held go on, and give the page the time to take it in."""
    async with page.expect_request_finished(lambda r: r.url.endswith(end_of_url)):
        go_on.set()
    await page.evaluate("fetch('/healthz').then((a) => a.text())")
    await asyncio.sleep(0.3)


async def test_a_slow_answer_about_a_box_is_never_shown_as_another_boxs(tmp_path):
    async with running_hub(tmp_path) as hub, served(hub) as url, chromium() as browser:
        for serial in (SERIAL, OTHER):
            await hub.store.keep(answer_of(str(uuid.uuid4()), serial, age_s=5))
        page = await browser.new_page(viewport=DESKTOP, locale="fr-CA")
        go_on, held = asyncio.Event(), []

        async def hold(route: Route) -> None:
            held.append(route.request.url)
            await go_on.wait()
            await route.continue_()

        await page.route(f"**/lookup?serial={SERIAL}", hold)
        await page.route(f"**/{SERIAL}/history?*", hold)
        await page.goto(f"{url}/devices/{SERIAL}#token={SECRETS['csr']}")
        async with asyncio.timeout(20):
            while len(held) < 2:  # noqa: ASYNC110 - the page asks in its own time
                await asyncio.sleep(0.01)
        await look_up(page, OTHER)
        facts = page.locator("#verdict .about")
        await expect(facts).to_contain_text(OTHER)
        await settled(page, f"serial={SERIAL}", go_on)
        await expect(facts).to_contain_text(OTHER)
        await expect(page.locator("#history tbody tr")).to_have_count(1)


async def test_a_diagnosis_asked_for_one_box_is_not_followed_on_the_page_of_another(tmp_path):
    async with running_hub(tmp_path) as hub, served(hub) as url, chromium() as browser:
        for serial in (SERIAL, OTHER):
            await hub.store.keep(answer_of(str(uuid.uuid4()), serial, age_s=5))
        page = await browser.new_page(viewport=DESKTOP, locale="fr-CA")
        go_on = asyncio.Event()

        async def hold(route: Route) -> None:
            await go_on.wait()
            await route.continue_()

        await page.route("**/diagnose", hold)
        await page.goto(f"{url}/devices/{SERIAL}#token={SECRETS['csr']}")
        facts = page.locator("#verdict .about")
        await expect(facts).to_contain_text(SERIAL)
        await page.get_by_role("button", name="Diagnostiquer").click()
        await look_up(page, OTHER)
        await expect(facts).to_contain_text(OTHER)
        await expect(page.get_by_role("button", name="Diagnostiquer")).to_be_enabled()
        await settled(page, "/diagnose", go_on)
        await hub.finish(await hub.run_of())
        await expect(page.locator("#steps li")).to_have_count(0)
        await expect(facts).to_contain_text(OTHER)
