"""The bridge's edges without a browser: addresses, refusals, the service, errors, needs."""

from __future__ import annotations

import asyncio
import json
import stat

import httpx
import pytest
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import TimeoutError as PlaywrightTimeoutError
from pydantic import ValidationError

from cpe.access.bridge import find
from cpe.access.bridge.failures import BrowserDiedError, translated
from cpe.access.bridge.fence import foreign
from cpe.access.bridge.find import find_browser
from cpe.access.bridge.interface import Login, Modem, modem_url
from cpe.access.bridge.refusals import REFUSED_S, UNCLEAR_S, Refusals
from cpe.access.bridge.service import ServiceBridge
from cpe.domain.errors import (
    AccessError,
    BusyError,
    LoginRefusedError,
    NotSupportedError,
    OccupiedError,
    TimedOutError,
    UnexpectedAnswerError,
    UnreachableError,
)
from cpe.domain.observation import Quality, Source
from cpe.profiles.bridge_profile import bridge_profile
from cpe.profiles.thresholds import load_thresholds
from cpe.rules.needs import lacking
from cpe.settings import BridgeSettings
from deployments.commands import doctor
from tests.support.cases import reading, sighting, snapshot
from tests.support.judging import station

URL, MODEM = "http://192.0.2.7", Modem("http://192.0.2.7", "S1")
LOGIN = Login("user", "right-CANARY")


@pytest.mark.parametrize(
    ("template", "ip", "url"),
    [
        ("http://{ip}", "100.64.0.9", "http://100.64.0.9"),
        ("https://{ip}:8443", "100.64.0.9", "https://100.64.0.9:8443"),
        ("http://{ip}", "2001:db8::1", "http://[2001:db8::1]"),
        ("http://[{ip}]:80", "2001:db8::1", "http://[2001:db8::1]:80"),
        ("http://{ip}.cpe.example.net", "100.64.0.9", "http://100.64.0.9.cpe.example.net"),
        ("http://192.168.1.1", None, "http://192.168.1.1"),
    ],
)
def test_an_address_is_made_of_the_template(template, ip, url):
    assert modem_url(template, ip, serial="S1") == url


@pytest.mark.parametrize("ip", [None, "", "evil.example/#", "1.2.3.4@evil.example", "1.2.3", "x y"])
def test_what_a_box_calls_its_address_must_be_one(ip):
    with pytest.raises(NotSupportedError, match="no address"):
        modem_url("http://{ip}", ip, serial="S1")


@pytest.mark.parametrize("ip", ["127.0.0.1", "169.254.169.254", "0.0.0.0", "224.0.0.1", "::1"])
def test_a_login_is_not_sent_where_no_box_can_be(ip):
    with pytest.raises(NotSupportedError, match="no address that a box may have"):
        modem_url("http://{ip}", ip, serial="S1")


@pytest.mark.parametrize("url", ["http://{ip}/{serial}", "ftp://{ip}", "http://{}", "{ip}"])
def test_a_template_that_cannot_be_used_is_named(monkeypatch, url):
    monkeypatch.setenv("CPE_BRIDGE_URL", url)
    with pytest.raises(ValidationError, match="url"):
        BridgeSettings()


# -- the browser


def test_a_browser_that_was_named_must_be_a_program(tmp_path):
    with pytest.raises(NotSupportedError, match="CPE_BRIDGE_BROWSER"):
        find_browser(tmp_path / "nothing")


def test_playwrights_own_browser_is_found_and_without_any_the_remedy_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "pw"))
    with pytest.raises(NotSupportedError, match="playwright install chromium"):
        find_browser(None)
    own = tmp_path / "pw" / "chromium-1234" / "chrome-linux" / "chrome"
    own.parent.mkdir(parents=True)
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    assert find_browser(None) == own


def test_on_debian_the_remedy_is_one_command(monkeypatch):
    monkeypatch.setattr(find.shutil, "which", lambda name: "/usr/bin/apt-get")
    assert find.remedy() == "apt-get install chromium-headless-shell"


# -- refusals


def test_a_refusal_is_kept_on_disk_without_the_password_and_for_its_owner_only(tmp_path):
    Refusals(tmp_path / "bridge").note(URL, LOGIN, outright=True)
    file = tmp_path / "bridge" / "refusals.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "CANARY" not in file.read_text()


def test_a_refusal_stands_for_this_login_until_its_time_has_passed(tmp_path):
    now = [1000.0]
    memory = Refusals(tmp_path, clock=lambda: now[0])
    memory.note(URL, LOGIN, outright=True)
    assert Refusals(tmp_path, clock=lambda: now[0]).standing(URL, LOGIN) is not None
    assert memory.standing(URL, Login("user", "new")) is None
    assert memory.standing("http://192.0.2.8", LOGIN) is None
    now[0] += REFUSED_S - 1
    assert memory.standing(URL, LOGIN) is not None
    now[0] += 2
    assert memory.standing(URL, LOGIN) is None


def test_an_unclear_login_stands_for_a_quarter_of_an_hour():
    now = [1000.0]
    memory = Refusals(None, clock=lambda: now[0])
    memory.note(URL, LOGIN, outright=False)
    now[0] += UNCLEAR_S - 1
    assert memory.standing(URL, LOGIN) is not None
    now[0] += 2
    assert memory.standing(URL, LOGIN) is None


def test_a_login_that_went_well_is_no_refusal(tmp_path):
    memory = Refusals(tmp_path)
    memory.note(URL, LOGIN, outright=False)
    memory.forget(URL)
    assert memory.standing(URL, LOGIN) is None


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"http://192.0.2.7": 3}', '{"http://192.0.2.7": {}}']
)
def test_a_memory_that_cannot_be_read_remembers_nothing_and_goes_on(tmp_path, text):
    (tmp_path / "refusals.json").write_text(text)
    memory = Refusals(tmp_path)
    assert memory.standing(URL, LOGIN) is None
    memory.note(URL, LOGIN, outright=True)
    assert memory.standing(URL, LOGIN) is not None


def test_a_folder_nobody_may_write_to_costs_the_memory_of_other_processes_only(tmp_path):
    (tmp_path / "file").write_text("")
    memory = Refusals(tmp_path / "file" / "below")
    memory.note(URL, LOGIN, outright=True)
    assert memory.standing(URL, LOGIN) is not None


# -- errors


def test_every_error_of_the_driver_is_one_of_ours_and_tells_nothing_it_typed():
    kinds = [PlaywrightError, *PlaywrightError.__subclasses__()]
    assert PlaywrightTimeoutError in kinds
    for kind in kinds:
        error = translated(kind('Page.fill: fill("secret-CANARY")'), target="S1")
        assert isinstance(error, AccessError)
        assert "CANARY" not in str(error)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Page.goto: net::ERR_CONNECTION_REFUSED at http://x/", UnreachableError),
        ("Page.goto: net::ERR_ADDRESS_UNREACHABLE", UnreachableError),
        ("Page.goto: net::ERR_EMPTY_RESPONSE", UnreachableError),
        ("Page.goto: net::ERR_CONNECTION_TIMED_OUT", TimedOutError),
        ("Page.goto: net::ERR_SSL_VERSION_OR_CIPHER_MISMATCH", NotSupportedError),
        ("Page.evaluate: ReferenceError: jQuery is not defined", UnexpectedAnswerError),
    ],
)
def test_what_the_network_says_is_told_apart(message, kind):
    assert type(translated(PlaywrightError(message), target="S1")) is kind


def test_a_dead_browser_is_not_an_unreachable_modem():
    dead = next(k for k in PlaywrightError.__subclasses__() if k.__name__ == "TargetClosedError")
    error = translated(dead("Target page, context or browser has been closed"), target="S1")
    assert isinstance(error, BrowserDiedError)
    assert error.outcome == "error"


# -- the service

READS = (bridge_profile().identity, bridge_profile().reads[0])
ROWS = {
    "DEV2_DEV_INFO": [{"serialNumber": "S1", "adminPwd": "x-CANARY"}],
    "DEV2_OPTC_GPON_CFG": [{"RXPower": 272, "PPPPassword": "y-CANARY"}, "strange"],
    "DEV2_USER_CFG": [{"userPwd": "z-CANARY"}],
}


async def ask_service(handler, login=LOGIN):
    bridge = ServiceBridge(
        "http://bridge.lan", login=login, token="t", transport=httpx.MockTransport(handler)
    )
    try:
        return await bridge.read(MODEM, READS, bound_s=5)
    finally:
        await bridge.close()


async def test_a_service_is_asked_for_the_same_and_gives_only_that():
    seen = []

    def handler(request):
        seen.append(
            (str(request.url), request.headers["Authorization"], json.loads(request.content))
        )
        return httpx.Response(200, json={"rows": ROWS, "failed": {"DEV2_X": "no"}, "lost": False})

    harvest = await ask_service(handler)
    url, token, wish = seen[0]
    assert (url, token) == ("http://bridge.lan/read", "Bearer t")
    assert wish["modem"] == {"url": MODEM.url, "serial": "S1"}
    assert [r["oid"] for r in wish["reads"]] == ["DEV2_DEV_INFO", "DEV2_OPTC_GPON_CFG"]
    assert harvest.rows["DEV2_OPTC_GPON_CFG"] == [{"RXPower": "272"}]
    assert "CANARY" not in str(harvest)
    assert harvest.failed == {}


async def test_a_service_that_holds_the_credentials_is_sent_none():
    def handler(request):
        assert json.loads(request.content)["login"] is None
        return httpx.Response(200, json={"rows": ROWS})

    assert (await ask_service(handler, login=None)).rows["DEV2_DEV_INFO"]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, LoginRefusedError), (403, LoginRefusedError), (404, NotSupportedError),
        (409, OccupiedError), (423, OccupiedError), (429, BusyError), (500, BusyError),
        (501, NotSupportedError), (502, BusyError), (504, TimedOutError),
        (204, UnexpectedAnswerError), (302, UnexpectedAnswerError),
    ],
)  # fmt: skip
async def test_what_a_service_says_is_told_apart(status, kind):
    with pytest.raises(AccessError) as caught:
        await ask_service(lambda _: httpx.Response(status, text="right-CANARY"))
    assert type(caught.value) is kind
    assert "CANARY" not in str(caught.value)


@pytest.mark.parametrize("text", ["<html>", "[]", "{}", '{"rows": []}', "null"])
async def test_an_answer_of_another_shape_is_named(text):
    with pytest.raises(UnexpectedAnswerError):
        await ask_service(lambda _: httpx.Response(200, text=text))


@pytest.mark.parametrize(
    ("error", "kind"),
    [(httpx.ConnectError, UnreachableError), (httpx.ReadTimeout, TimedOutError)],
)
async def test_a_service_that_is_gone_is_named(error, kind):
    def handler(request):
        raise error("gone", request=request)

    with pytest.raises(kind):
        await ask_service(handler)


async def test_a_service_that_drips_is_left_at_the_bound_and_knows_of_less():
    asked = []

    async def drip():
        while True:
            await asyncio.sleep(0.05)
            yield b" "

    def handler(request):
        asked.append(json.loads(request.content)["bound_s"])
        return httpx.Response(200, content=drip())

    transport = httpx.MockTransport(handler)
    bridge = ServiceBridge("http://bridge.lan", login=LOGIN, transport=transport)
    with pytest.raises(TimedOutError):
        await bridge.read(MODEM, READS, bound_s=0.4)
    await bridge.close()
    assert asked == [0.2]


# -- what is lacking

WORTH = bridge_profile().worth


def lacks(*readings, **changes):
    return set(lacking(snapshot(*readings, **changes), load_thresholds(), WORTH))


BOX = [
    reading("node.mac", "A0", "node:A0"), reading("node.is_controller", True, "node:A0"),
]  # fmt: skip


def test_a_box_that_was_read_lacks_nothing():
    assert lacks(*BOX) == set()


def test_light_that_nobody_could_judge_is_lacking():
    stale = reading("optical.rx_dbm", -18.0, quality=Quality.STALE, age_s=900)
    assert lacks(*BOX, stale) == {"optical.rx_dbm"}
    olt = reading("optical.rx_dbm", -18.0, source=Source.OLT)
    assert lacks(*BOX, stale, olt) == set()


def test_a_mesh_that_was_never_read_is_lacking_and_an_empty_house_is_not():
    assert lacks() == {"station.rssi_dbm", "node.backhaul_rssi_dbm"}
    assert lacks(*BOX) == set()


def test_one_device_without_a_signal_is_lacking_unless_it_is_gone():
    dumb = reading("station.rssi_dbm", 0, "station:D1", quality=Quality.SENTINEL)
    here = [*BOX, *station("D2", -50), dumb]
    assert lacks(*here) == {"station.rssi_dbm"}
    assert lacks(*here, reading("station.active", False, "station:D1")) == set()


def test_light_that_two_sources_see_differently_is_worth_a_third_look():
    olt = reading("optical.rx_dbm", -27.0, source=Source.OLT)
    acs = reading("optical.rx_dbm", -18.5)
    assert lacks(*BOX, acs, olt, olt=sighting()) == {"optical.rx_dbm"}


# -- what may be tried, and what doctor says


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("http://100.64.0.9/", True), ("http://100.64.0.9", True),
        ("https://100.64.0.9/main/status.htm?x=1", True),
        ("http://100.64.0.9:80/js/lib.js", True), ("http://100.64.0.9/cgi_gdpr?9", True),
        ("http://100.64.0.9/cgi/getBusy", True), ("http://100.64.0.9/cgi/reboot", False),
        ("http://100.64.0.9/cgi?9", False), ("http://100.64.0.9/cgi-bin/luci", False),
        ("http://100.64.0.90/", False), ("http://100.64.0.9.evil.example/", False),
        ("http://evil.example/?http://100.64.0.9/", False), ("ws://100.64.0.9/", False),
        ("http://100x64.0.9/", False), ("http://a@100.64.0.9/", False),
    ],
)  # fmt: skip
def test_only_the_modem_itself_and_listed_calls_may_be_tried(url, kept):
    pattern = foreign("http://100.64.0.9", bridge_profile().allowed)
    assert (pattern.search(url) is None) is kept


async def test_doctor_says_that_no_bridge_is_configured():
    check = await doctor._bridge()
    assert (check.state, check.detail) == ("not_configured", "CPE_BRIDGE_PASSWORD is not set")


async def test_doctor_names_a_browser_that_is_none_and_the_one_command(monkeypatch):
    monkeypatch.setenv("CPE_BRIDGE_PASSWORD", "x-CANARY")
    monkeypatch.setenv("CPE_BRIDGE_BROWSER", "/nowhere")
    check = await doctor._bridge()
    assert (check.state, check.mend) == ("wrong", find.remedy())
    assert "CANARY" not in str(check)


@pytest.mark.browser
async def test_doctor_starts_the_browser_it_names(monkeypatch):
    monkeypatch.setenv("CPE_BRIDGE_PASSWORD", "x-CANARY")
    check = await doctor._bridge()
    assert check.state == "ok", check
    assert "CANARY" not in str(check)


async def test_doctor_names_a_service_without_its_credentials(monkeypatch):
    monkeypatch.setenv("CPE_BRIDGE_SERVICE", "http://u:p-CANARY@bridge.lan/x")
    check = await doctor._bridge()
    assert (check.state, check.detail.split(";")[0]) == ("ok", "by the service at bridge.lan")
    assert "CANARY" not in str(check)
