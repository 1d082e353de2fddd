"""The lab's modem behaves as the reference says real ones do; an independent client judges."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from deployments.lab.modem.cipher import GOLDEN_KEY, GOLDEN_N, SessionKey, Variant
from deployments.lab.modem.state import PASSWORD
from tests.contract.lab_tools import quick_lab
from tests.support.modem_client import Envelope, ModemClient, plaintext

BOX, HOST = "LAB0001", "100.64.0.0.localhost"
SIGN = (
    "a60fee5c22338a2a6b12ee9925a8ae1775163a842e9b9181b612b513ca19eed6b06dfc701d3f25e148cddbdb3c15a39f"
    "f0e4f7ed9897f0c4c439b2e91f29885c"
)
DATA = (
    "nN0YnOEc3gGZ091zpebKnBIY8sst5afPHzaUO7ctLZp0TgBvC7ex1l0M8ZGVDG9CVz9HTzVTt6uO9rR0x4tNHuHS0aTrHcslEd"
    "9E85ZqA2y2DMGRuBtOFkU+1WLhYgXXtY92EeS9j+w/jJN1lId4/g=="
)
READ = (
    '{"data":{"stack":"0,0,0,0,0,0","pstack":"0,0,0,0,0,0"},'
    '"operation":"gl","oid":"DEV2_OPTC_GPON_CFG"}'
)
HASH = "007138f06726319fb348ab2a3b19a4c5"


def golden() -> Envelope:
    return Envelope(
        nn=f"{GOLDEN_N:X}",
        ee="010001",
        seq=868691960,
        hash=HASH,
        key=b"1732300000000123",
        iv=b"1732300000000456",
    )


@pytest.fixture
async def lab(tmp_path):
    async with quick_lab(tmp_path) as (running, _):
        yield running


@asynccontextmanager
async def client(lab, variant: str = "cbc") -> AsyncIterator[ModemClient]:
    made = ModemClient(lab.modem.port, HOST, variant)
    try:
        yield made
    finally:
        await made.close()


def test_the_golden_vector_is_made_and_opened():
    envelope = golden()
    body = envelope.seal(READ + "\r\n")
    assert body == f"sign={SIGN}\r\ndata={DATA}\r\n"
    assert envelope.sign_text(len(DATA)) == f"h={HASH}&s=868692112"
    assert GOLDEN_KEY.open(SIGN, Variant.CBC) == f"h={HASH}&s=868692112"
    key = SessionKey(b"1732300000000123", b"1732300000000456", Variant.CBC)
    assert key.decrypt(DATA, "") == READ + "\r\n"


def test_the_golden_login_takes_two_blocks():
    text = golden().sign_text(216, login=True)
    assert len(text) == 87
    assert text == f"key=1732300000000123&iv=1732300000000456&h={HASH}&s=868692176"
    assert len(golden().sign(text)) == 256


@pytest.mark.parametrize("variant", ["cbc", "gcm", "oaep"])
async def test_an_independent_client_logs_in_and_reads(lab, variant):
    state = lab.modems.state(BOX)
    state.mischief.variant = variant
    async with client(lab, variant) as modem:
        assert await modem.busy() is False
        assert await modem.login(PASSWORD) == "$.ret=0;"
        assert await modem.busy() is True
        answer = await modem.ask("gl", "DEV2_OPTC_GPON_CFG")
        assert answer["success"] is True
        assert int(answer["data"][0]["RXPower"]) > 0
        assert all(isinstance(v, str) for v in answer["data"][0].values())
        assert (await modem.logout()).status_code == 200
        assert await modem.busy() is False


async def test_verbs_and_objects_are_told_apart(lab):
    async with client(lab) as modem:
        await modem.login(PASSWORD)
        assert (await modem.ask("gl", "DEV2_DEV_INFO"))["errorcode"] == 9003
        assert (await modem.ask("gl", "DEV2_NOTHING"))["errorcode"] == 9804
        assert (await modem.ask("go", "DEV2_DEV_INFO"))["data"]["serialNumber"] == BOX
        assert isinstance((await modem.ask("go", "DEV2_ADT_WAN"))["data"], dict)


async def test_writes_would_reach_it(lab):
    """The control of the guard's tests: without the guard these are counted."""
    async with client(lab) as modem:
        await modem.login(PASSWORD)
        for operation, oid in (
            ("op", "ACT_REBOOT"),
            ("op", "ACT_FACTORY_RESET"),
            ("so", "DEV2_ADT_WAN"),
        ):
            assert (await modem.ask(operation, oid))["success"] is True
    assert lab.modems.state(BOX).writes == [
        "op ACT_REBOOT",
        "op ACT_FACTORY_RESET",
        "so DEV2_ADT_WAN",
    ]


async def test_who_does_not_look_like_a_browser_gets_406(lab):
    url = f"http://127.0.0.1:{lab.modem.port}/cgi/getGDPRParm"
    async with httpx.AsyncClient(trust_env=False) as http:
        bare = await http.post(url, headers={"Host": HOST, "User-Agent": "Mozilla/5.0"})
        robot = await http.post(url, headers={"Host": HOST, "Referer": "http://x/"})
    assert (bare.status_code, robot.status_code) == (406, 406)


async def test_a_bad_signature_closes_the_socket(lab):
    async with client(lab) as modem:
        await modem.login(PASSWORD)
        assert modem.envelope is not None
        modem.envelope.seq += 1
        with pytest.raises(httpx.RemoteProtocolError):
            await modem.ask("gl", "DEV2_OPTC_GPON_CFG")
        assert lab.modems.state(BOX).session is not None


async def test_a_new_login_throws_the_older_one_out_without_a_word(lab):
    async with client(lab) as first, client(lab) as second:
        await first.login(PASSWORD)
        await second.login(PASSWORD)
        answer = await first.post(plaintext("gl", "DEV2_OPTC_GPON_CFG"))
        assert answer.status_code == 406
        page = await first.http.get("/")
        assert "var token" not in page.text
        assert (await second.ask("gl", "DEV2_OPTC_GPON_CFG"))["success"] is True
    assert lab.modems.state(BOX).evictions == 1


async def test_five_wrong_passwords_lock_everybody_out(lab):
    async with client(lab) as modem:
        for _ in range(5):
            assert await modem.login("wrong") == "$.ret=71233;"
        assert await modem.login(PASSWORD) == "$.ret=71233;"
    assert lab.modems.state(BOX).as_json(lab.plant.clock())["locked"] is True


async def test_the_token_is_only_shown_to_a_live_session_and_asked_for(lab):
    async with client(lab) as modem:
        assert "var token" not in (await modem.http.get("/")).text
        await modem.login(PASSWORD)
        assert re.fullmatch(r"[0-9a-f]{30}", modem.token)
        modem.token = "0" * 30
        assert (await modem.post(plaintext("gl", "DEV2_ADT_WAN"))).status_code == 406


@pytest.mark.parametrize(
    ("kind", "said"), [("empty", ""), ("ret", "$.ret=0;"), ("json", '{"success":true}')]
)
async def test_there_are_three_answers_to_a_logout(lab, kind, said):
    lab.modems.state(BOX).mischief.logout = kind
    async with client(lab) as modem:
        await modem.login(PASSWORD)
        answer = await modem.logout()
        assert modem.envelope is not None
        assert modem.envelope.open(answer.text) == said


async def test_the_mesh_is_blank_until_its_map_is_brought_up_to_date(lab):
    lab.set_scenario(BOX, "mesh-weak-backhaul")
    async with client(lab) as modem:
        await modem.login(PASSWORD)
        before = (await modem.ask("gl", "DEV2_WIFI_APDEV"))["data"][1]
        await modem.ask("op", "ACT_UPDATE_MAPINFO")
        after = (await modem.ask("gl", "DEV2_WIFI_APDEV"))["data"][1]
    assert (before["backhaulSignalStrength"], after["backhaulSignalStrength"]) == ("0", "52")
    assert lab.modems.state(BOX).writes == []


async def test_the_labs_own_api_tells_and_changes_a_modem(lab):
    async with httpx.AsyncClient(base_url=lab.control.url, trust_env=False) as http:
        path = f"/lab/devices/{BOX}/modem"
        changed = await http.post(path, json={"human": True, "storm": 2})
        assert changed.json()["logged_in"] is False
        strange = await http.post(path, json={"nonsense": 1})
        assert strange.status_code == 400
        assert "human" in strange.json()["error"]
    mischief = lab.modems.state(BOX).mischief
    assert (mischief.human, mischief.storm) == (True, 2)
