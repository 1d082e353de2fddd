"""The Prefect UI as people use it: a run's menu, Cancel, Resume, the form of a suspended run."""

from __future__ import annotations

from playwright.async_api import Browser, Page

from tests.support.chromium import new_page


async def open_run(browser: Browser, run_url: str, entry: str) -> Page:
    """The page of a run, with that entry of its menu chosen."""
    page = await new_page(browser, viewport={"width": 1400, "height": 1400})
    await page.goto(run_url)
    await page.get_by_role("button", name="Open menu").first.click()
    await page.get_by_role("menuitem", name=entry).click()
    return page


async def open_form(browser: Browser, run_url: str) -> Page:
    """The page of a suspended run with its form open."""
    page = await open_run(browser, run_url, "Resume")
    await page.get_by_role("dialog").get_by_text("Votre nom").wait_for()
    return page


async def fill_form(page: Page, choice: tuple[str, str], said: dict[str, str]) -> None:
    """Choose from the list of that title, type, send; returns when the form has closed."""
    form, (title, option) = page.get_by_role("dialog"), choice
    await form.get_by_role("button", name=f"Select {title}").click()
    await page.get_by_role("option", name=option).click()
    for label, text in said.items():
        await form.get_by_label(label).fill(text)
    await form.get_by_role("button", name="Resume").click()
    await form.wait_for(state="hidden")


async def cancel(browser: Browser, run_url: str) -> None:
    """Cancel in the run's menu, and confirm."""
    page = await open_run(browser, run_url, "Cancel")
    dialog = page.get_by_role("dialog").or_(page.get_by_role("alertdialog"))
    await dialog.get_by_role("button", name="Cancel Flow Run").click()
    await dialog.wait_for(state="hidden")
