"""What the modem bridge costs, as ratios within one run, against the lab's modem.

    .venv/bin/python benchmarks/bridge.py [--rounds 15] [--sessions 200]

The peer is Playwright by hand on a warm browser of its own: context, page, login, the same reads,
logout, no product around it. Both take turns against one lab, which is a process of its own; the
warm-up is thrown away and medians are shown. The pauses that real modems need (`pace` in the
profile) are off for the ratio, and on for a second line in both.

Memory is the proportional set size of the browser's processes, on Linux. Exit code 1 when a target
is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[1]
SLOWER_AT_MOST = 1.5
GROWTH_AT_MOST = 1.05
SETTLED = 20
"""Sessions after which a browser has loaded what it will ever load."""
READ = """([method, oid]) => new Promise((resolve, reject) => jQuery.dm[method]({ oid,
  data: {}, callback: { success: resolve, fail: reject, error: reject } }))"""

if TYPE_CHECKING:
    from playwright.async_api import Browser

    from benchmarks.speed.tally import Claim
    from cpe.access.bridge.chromium import ChromiumBridge


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--sessions", type=int, default=200)
    chosen = options.parse_args()
    sys.path.insert(0, str(ROOT))
    for name in [n for n in os.environ if n.startswith(("CPE_", "PREFECT_"))]:
        del os.environ[name]
    with tempfile.TemporaryDirectory(prefix="cpe-bench-") as folder:
        os.environ["CPE_HOME"] = folder
        claims = asyncio.run(_measure(Path(folder), chosen.rounds, chosen.sessions))
    missed = [claim for claim in claims if not claim.holds]
    print(f"{len(claims) - len(missed)} of {len(claims)} targets met")
    return 1 if missed else 0


async def _measure(folder: Path, rounds: int, sessions: int) -> list[Claim]:
    from benchmarks.speed.lab import lab_process  # noqa: PLC0415
    from tests.support.chromium import chromium  # noqa: PLC0415

    claims: list[Claim] = []

    def say(*claimed: Claim) -> None:
        claims.extend(claimed)
        print(*claimed, sep="\n", flush=True)

    with lab_process(folder / "lab", devices=60) as lab:
        address = lab.exports["CPE_BRIDGE_URL"]
        urls = (address.replace("{ip}", f"100.64.0.{n}") for n in range(20))
        bridge = _bridge(folder)
        async with chromium() as browser:
            say(await _compare(bridge, browser, next(urls), rounds))
        await _with_pauses(folder, next(urls))
        say(*await _grow(bridge, next(urls), sessions))
        await bridge.close()
    return claims


def _bridge(folder: Path, **pace: int) -> ChromiumBridge:
    from cpe.access.bridge.browser import WarmBrowser  # noqa: PLC0415
    from cpe.access.bridge.chromium import ChromiumBridge  # noqa: PLC0415
    from cpe.access.bridge.find import find_browser  # noqa: PLC0415
    from cpe.access.bridge.interface import Login  # noqa: PLC0415
    from cpe.access.bridge.refusals import Refusals  # noqa: PLC0415
    from cpe.profiles.bridge_profile import bridge_profile  # noqa: PLC0415
    from deployments.lab.modem.state import PASSWORD, USER  # noqa: PLC0415

    profile = bridge_profile()
    changed = {"settle_ms": 0, "spacing_ms": 0, **pace}
    profile = profile.model_copy(update={"pace": profile.pace.model_copy(update=changed)})
    login = Login(USER, PASSWORD)
    return ChromiumBridge(WarmBrowser(find_browser(None)), login, profile, Refusals(folder))


def _calls() -> Iterator[tuple[str, str]]:
    """(function of the page, object) of every read, in the order both make them."""
    from cpe.access.bridge.session import asked  # noqa: PLC0415
    from cpe.profiles.bridge_profile import bridge_profile  # noqa: PLC0415

    profile = bridge_profile()
    for call in asked((profile.identity, *profile.reads)):
        yield str(call["method"]), str(call["oid"])


async def _ours(bridge: ChromiumBridge, url: str) -> Any:
    from cpe.access.bridge.interface import Modem  # noqa: PLC0415
    from cpe.profiles.bridge_profile import bridge_profile  # noqa: PLC0415

    profile = bridge_profile()
    harvest = await bridge.read(Modem(url, "bench"), (profile.identity, *profile.reads), bound_s=60)
    assert not harvest.failed, harvest.failed
    return harvest


async def _by_hand(browser: Browser, url: str, pause_s: float = 0.0, settle_s: float = 0.0) -> None:
    from deployments.lab.modem.state import PASSWORD  # noqa: PLC0415

    context = await browser.new_context(user_agent="Mozilla/5.0", ignore_https_errors=True)
    page = await context.new_page()
    await page.goto(url)
    await page.fill("#pc-login-password", PASSWORD)
    await page.click("#pc-login-btn")
    await page.wait_for_selector("#topReboot")
    await asyncio.sleep(settle_s)
    for number, call in enumerate(_calls()):
        if number:
            await asyncio.sleep(pause_s)
        await page.evaluate(READ, list(call))
    await page.evaluate(READ, ["cgi", "/cgi/logout"])
    await context.close()


async def _compare(bridge: ChromiumBridge, browser: Browser, url: str, rounds: int) -> Claim:
    from benchmarks.speed.tally import Claim, Times  # noqa: PLC0415

    ours, by_hand = Times(), Times()
    turns: list[tuple[Times, Callable[[], Awaitable[Any]]]] = [
        (ours, lambda: _ours(bridge, url)),
        (by_hand, lambda: _by_hand(browser, url)),
    ]
    for number in range(rounds + 2):
        for times, work in turns if number % 2 else reversed(turns):
            await times.take(work())
    ours.drop(2)
    by_hand.drop(2)
    return Claim(
        "warm bridge: login, all reads, logout, against Playwright by hand",
        ours.median / by_hand.median,
        SLOWER_AT_MOST,
        f"bridge {ours}, by hand {by_hand}; {len(list(_calls()))} calls, {rounds} rounds",
    )


async def _with_pauses(folder: Path, url: str) -> None:
    """With the pauses of the shipped profile in both; not a target."""
    from benchmarks.speed.tally import Times  # noqa: PLC0415
    from cpe.profiles.bridge_profile import bridge_profile  # noqa: PLC0415
    from tests.support.chromium import chromium  # noqa: PLC0415

    pace = bridge_profile().pace
    bridge = _bridge(folder, settle_ms=pace.settle_ms, spacing_ms=pace.spacing_ms)
    ours, by_hand = Times(), Times()
    async with chromium() as browser:
        for _ in range(5):
            await ours.take(_ours(bridge, url))
            await by_hand.take(
                _by_hand(browser, url, pace.spacing_ms / 1000, pace.settle_ms / 1000)
            )
    await bridge.close()
    ratio = ours.median / by_hand.median
    print(f"not a target: with the pauses real modems need {ratio:.2f}x ({ours} to {by_hand})")


async def _grow(bridge: ChromiumBridge, url: str, sessions: int) -> list[Claim]:
    from benchmarks.speed.tally import Claim  # noqa: PLC0415
    from tests.support.processes import browser_pids, descendants, pss_mb  # noqa: PLC0415

    if sys.platform != "linux":
        print("no /proc: memory is not measured")
        return []
    early: list[float] = []
    late: list[float] = []
    own: list[float] = []
    during = 0.0
    started = time.monotonic()
    for number in range(sessions):
        running = asyncio.ensure_future(_ours(bridge, url))
        if number == SETTLED:
            await asyncio.sleep(0.25)
            during = pss_mb(browser_pids())
        await running
        if SETTLED <= number < SETTLED + 20 or number >= sessions - 20:
            (late if number >= sessions - 20 else early).append(pss_mb(browser_pids()))
            own.append(pss_mb([os.getpid(), *_drivers(descendants(os.getpid()))]))
    growth = statistics.median(late) / statistics.median(early)
    print(
        f"browser tree {statistics.median(late):.0f} MB PSS idle, {during:.0f} MB with a session;"
        f" driver and Python {own[0]:.0f} MB before, {own[-1]:.0f} MB after"
        f" ({sessions} sessions in {time.monotonic() - started:.0f} s)"
    )
    return [
        Claim(
            f"the browser's memory after {sessions} sessions",
            growth,
            GROWTH_AT_MOST,
            f"{statistics.median(early):.1f} to {statistics.median(late):.1f} MB PSS, of 20 each",
        )
    ]


def _drivers(pids: list[int]) -> list[int]:
    """Playwright's Node driver among them."""
    return [p for p in pids if b"playwright" in Path(f"/proc/{p}/cmdline").read_bytes()]


if __name__ == "__main__":
    raise SystemExit(main())
