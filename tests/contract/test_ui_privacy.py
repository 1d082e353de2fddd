"""Prefect's UI works under our content security policy, and its pages talk to us alone."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, expect
from prefect.client.orchestration import get_client

from deployments.server import csp
from deployments.server.embedded import EmbeddedServer
from tests.support.chromium import chromium, new_page
from tests.support.small_flow import small

pytestmark = [pytest.mark.prefect, pytest.mark.browser]

ANALYTICS = "sr-client-cfg.amplitude.com"


class Watched:
    """What a page asked for and what broke in it."""

    def __init__(self, page: Page) -> None:
        self.hosts: set[str | None] = set()
        self.errors: list[str] = []
        page.on("request", lambda request: self._note(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _note(self, url: str) -> None:
        if not url.startswith(("data:", "blob:")):  # these never leave the page
            self.hosts.add(urlsplit(url).hostname)


async def test_the_ui_shows_runs_and_asks_no_host_but_ours(prefect_home):
    async with EmbeddedServer() as server, get_client() as client, chromium() as browser:
        await small()
        (run,) = await client.read_flow_runs()
        page = await new_page(browser)
        seen = Watched(page)
        await page.goto(server.ui_url)
        await expect(page.get_by_text("Flow Runs").first).to_be_visible()
        await page.goto(f"{server.ui_url}v2/runs/flow-run/{run.id}")
        await expect(page.get_by_text(run.name).first).to_be_visible()
        # The run graph draws on a canvas; it is what breaks when the policy is too tight.
        await expect(page.locator("canvas").first).to_be_visible()
        await page.goto(f"{server.ui_url}v2/deployments")
        await expect(page.get_by_role("heading", name="Create a deployment")).to_be_visible()
        assert seen.hosts == {"127.0.0.1"}
        assert not seen.errors


async def test_without_the_policy_the_ui_would_call_an_analytics_host(prefect_home, monkeypatch):
    # The reason for the policy. When this fails, Prefect has stopped asking.
    monkeypatch.setattr(csp, "policy", lambda _host: "img-src 'self'")
    nowhere = f"--host-resolver-rules=MAP {ANALYTICS} ~NOTFOUND"
    async with EmbeddedServer() as server, chromium(nowhere) as browser:
        page = await new_page(browser)
        seen = Watched(page)
        await page.goto(server.ui_url)
        await expect(page.get_by_role("heading", name="to get started")).to_be_visible()
        assert ANALYTICS in seen.hosts
