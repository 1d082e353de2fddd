"""The page while things change under it: another box, a hub that restarts, another language."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from playwright.async_api import Page, Route, expect

from tests.contract.test_hub_page import DESKTOP, served
from tests.support.chromium import emptied, new_page
from tests.support.hub_bench import SECRETS, answer_of, running_hub
from tests.support.store.samples import SERIAL
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]
OTHER = "OTHER1"


async def look_up(page: Page, serial: str) -> None:
    """Type a serial into the page's search."""
    await page.get_by_role("searchbox").fill(serial)
    await page.keyboard.press("Enter")


async def settled(page: Page, end_of_url: str, go_on: asyncio.Event) -> None:
    """Let what was held go on, and give the page the time to take it in."""
    async with page.expect_request_finished(lambda r: r.url.endswith(end_of_url)):
        go_on.set()
    for _ in range(3):  # what comes after it has been taken in, drawn too
        await page.evaluate("fetch('/healthz').then((a) => a.text())")
        await page.evaluate("new Promise((drawn) => requestAnimationFrame(drawn))")


async def test_a_slow_answer_about_a_box_is_never_shown_as_another_boxs(chrome, tmp_path):
    async with running_hub(tmp_path) as hub, served(hub) as url, emptied(chrome) as browser:
        for serial in (SERIAL, OTHER):
            await hub.store.keep(answer_of(str(uuid.uuid4()), serial, age_s=5))
        page = await new_page(browser, viewport=DESKTOP, locale="fr-CA")
        go_on, held = asyncio.Event(), []

        async def hold(route: Route) -> None:
            held.append(route.request.url)
            await go_on.wait()
            await route.continue_()

        await page.route(f"**/lookup?serial={SERIAL}", hold)
        await page.route(f"**/{SERIAL}/history?*", hold)
        await page.goto(f"{url}/devices/{SERIAL}#token={SECRETS['csr']}")
        await until(lambda: len(held) == 2)
        await look_up(page, OTHER)
        facts = page.locator("#verdict .about")
        await expect(facts).to_contain_text(OTHER)
        await settled(page, f"serial={SERIAL}", go_on)
        await expect(facts).to_contain_text(OTHER)
        await expect(page.locator("#history tbody tr")).to_have_count(1)


async def test_a_diagnosis_asked_for_one_box_is_not_followed_on_the_page_of_another(
    chrome, tmp_path
):
    async with running_hub(tmp_path) as hub, served(hub) as url, emptied(chrome) as browser:
        for serial in (SERIAL, OTHER):
            await hub.store.keep(answer_of(str(uuid.uuid4()), serial, age_s=5))
        page = await new_page(browser, viewport=DESKTOP, locale="fr-CA")
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


async def test_a_page_takes_its_steps_up_again_after_the_hub_was_away(chrome, tmp_path):
    async with running_hub(tmp_path) as hub, served(hub) as url, emptied(chrome) as browser:
        await hub.store.keep(answer_of(str(uuid.uuid4()), age_s=300))
        page = await new_page(browser, viewport=DESKTOP, locale="fr-CA")
        asked: list[str | None] = []
        step = '{"step": "acs: lookup", "text": {"fr": "Un pas", "en": "A step"}}'

        async def restart(route: Route) -> None:
            asked.append(route.request.headers.get("last-event-id"))
            if len(asked) == 1:  # the hub stops in the middle of an answer
                body = f"event: step\ndata: {step}\nid: 17\n\n"
                await route.fulfill(body=body, content_type="text/event-stream")
            elif len(asked) == 2:
                await route.abort("connectionrefused")
            elif len(asked) == 3:  # its proxy is there before it
                await route.fulfill(status=502, body="<h1>Bad gateway</h1>")
            else:
                await route.continue_()

        await page.route("**/events", restart)
        await page.goto(f"{url}/devices/{SERIAL}#token={SECRETS['csr']}")
        await expect(page.get_by_text("Un pas")).to_be_visible()
        run_id = await hub.run_of()
        await hub.finish(run_id)
        await expect(page.locator("#foot")).to_contain_text(run_id)
        assert asked == [None, "17", "17", "17"]
        await expect(page.locator("#notice")).to_be_hidden()


async def test_steps_of_a_hub_that_stays_away_are_not_called_done(chrome, tmp_path):
    async with running_hub(tmp_path) as hub, served(hub) as url, emptied(chrome) as browser:
        page = await new_page(browser, viewport=DESKTOP, locale="fr-CA")
        await page.clock.install()
        await page.route("**/events", lambda route: route.abort("connectionrefused"))
        await page.goto(f"{url}/devices/{SERIAL}#token={SECRETS['csr']}")
        notice = page.locator("#notice")

        async def given_up() -> bool:
            await page.clock.run_for(1000)  # a second, in no time
            return await notice.inner_text() == "Le serveur ne répond pas. Réessayez."

        await until(given_up)
        await expect(page.locator("#steps li.broken")).to_have_count(1)
        await expect(page.get_by_role("button", name="Diagnostiquer")).to_be_enabled()


async def test_what_the_page_says_follows_the_language_and_the_box(chrome, tmp_path):
    async with running_hub(tmp_path) as hub, served(hub) as url, emptied(chrome) as browser:
        await hub.store.keep(answer_of(str(uuid.uuid4()), age_s=300))
        page = await new_page(browser, viewport=DESKTOP, locale="fr-CA")
        hub.prefect.is_up = False
        await page.goto(f"{url}/devices/{SERIAL}#token={SECRETS['csr']}")
        notice = page.locator("#notice")
        refused = "Aucun diagnostic ne peut être lancé en ce moment."
        await expect(notice).to_have_text(refused)  # Prefect is asked four times
        await expect(page).to_have_title(f"{SERIAL} · Verdict")
        await page.get_by_role("button", name="EN", exact=True).click()
        await expect(notice).to_have_text("No diagnosis can be started now.")
        hub.prefect.is_up = True
        await look_up(page, "NEVER1")
        await expect(notice).to_have_text("This box has never been diagnosed.")
        await expect(page).to_have_title("NEVER1")
        await page.get_by_role("button", name="FR", exact=True).click()
        await expect(notice).to_have_text("Cette boîte n'a encore jamais été diagnostiquée.")


async def test_a_new_token_brings_its_own_roles(chrome, tmp_path):
    async with running_hub(tmp_path) as hub, served(hub) as url, emptied(chrome) as browser:
        await hub.store.keep(answer_of(str(uuid.uuid4()), age_s=5))
        page = await new_page(browser, viewport=DESKTOP, locale="fr-CA")
        broken: list[str] = []
        page.on("pageerror", lambda error: broken.append(str(error)))
        await page.goto(f"{url}/devices/{SERIAL}#token={SECRETS['reader']}")
        button = page.get_by_role("button", name="Diagnostiquer")
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        await expect(button).to_have_count(0)
        await page.evaluate("sessionStorage.setItem('cpe-hub-token', 'withdrawn-0123456789')")
        await look_up(page, SERIAL)
        await page.get_by_label("Jeton", exact=True).fill(SECRETS["csr"])
        await page.keyboard.press("Enter")
        await expect(button).to_be_visible()
        await expect(page.get_by_role("dialog")).to_have_count(0)
        assert broken == []


async def test_a_screen_reader_hears_what_is_new_and_only_that(chrome, tmp_path):
    async with running_hub(tmp_path) as hub, served(hub) as url, emptied(chrome) as browser:
        await hub.store.keep(answer_of(str(uuid.uuid4()), age_s=5))
        page = await new_page(browser, viewport=DESKTOP, locale="fr-CA")
        await page.clock.install()
        await page.goto(f"{url}/devices/{SERIAL}#token={SECRETS['csr']}")
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        # A region that is not there yet when its text comes is not announced.
        await expect(page.get_by_role("status")).to_have_count(1)
        await page.evaluate(
            """window.heard = []; new MutationObserver((all) => { for (const one of all) {
              const at = one.target.nodeType === 1 ? one.target : one.target.parentElement;
              const live = at?.closest("[aria-live]")?.getAttribute("aria-live");
              if (live !== "off") window.heard.push(at?.outerHTML);
            }}).observe(document.getElementById("verdict"),
              {childList: true, subtree: true, characterData: true})"""
        )
        age = page.locator("#verdict .age")
        before = await age.inner_text()
        await page.clock.run_for(30_000)
        await expect(age).not_to_have_text(before)
        assert await page.evaluate("window.heard") == []
        # A status is read as a whole each time; of a list only the step that came.
        await page.get_by_role("button", name="Diagnostiquer").click()
        steps = page.get_by_role("list").filter(has_text="Demande envoyée")
        await expect(steps).to_have_attribute("aria-live", "polite")


@pytest.mark.parametrize("how", ["gone", "failing"])
async def test_a_page_that_cannot_be_dressed_says_so(chrome, tmp_path, how):
    async with running_hub(tmp_path) as hub, served(hub) as url, emptied(chrome) as browser:
        page = await new_page(browser, viewport=DESKTOP, locale="fr-CA")
        body = {"code": "error", "title": "t", "detail": "d", "status": 500}
        await page.route(
            "**/words.json",
            lambda route: route.abort() if how == "gone" else route.fulfill(status=500, json=body),
        )
        await page.goto(f"{url}/devices/{SERIAL}#token={SECRETS['csr']}")
        await expect(page.locator("#notice")).to_have_text("Le serveur ne répond pas. Réessayez.")


async def test_whoever_diagnoses_by_keyboard_stays_where_they_are_and_asks_once(chrome, tmp_path):
    async with running_hub(tmp_path) as hub, served(hub) as url, emptied(chrome) as browser:
        await hub.store.keep(answer_of(str(uuid.uuid4()), age_s=5))
        page = await new_page(browser, viewport=DESKTOP, locale="fr-CA")
        posts: list[str] = []
        page.on("request", lambda r: posts.append(r.url) if r.method == "POST" else None)
        await page.goto(f"{url}/devices/{SERIAL}#token={SECRETS['csr']}")
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        button = page.locator("#diagnose button")
        await button.focus()
        await page.keyboard.press("Enter")
        run_id = await hub.run_of()
        await expect(button).to_be_disabled()
        await expect(button).to_be_focused()
        await page.keyboard.press("Enter")
        await hub.finish(run_id)
        await expect(page.locator("#foot")).to_contain_text(run_id)
        await expect(button).to_be_enabled()
        await expect(button).to_be_focused()
        assert len(posts) == 1
