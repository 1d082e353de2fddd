"""The bridge against the lab's modem in a real headless browser: it reads, and it leaves."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest
import pytest_asyncio

from cpe.access.bridge.failures import BrowserDiedError
from cpe.access.bridge.interface import Login, Modem
from cpe.access.bridge.report import ask_modem
from cpe.domain.errors import (
    AccessError,
    DeclinedError,
    LoginRefusedError,
    NotSupportedError,
    OccupiedError,
    TimedOutError,
    UnexpectedAnswerError,
    UnreachableError,
)
from cpe.domain.snapshot import Device
from deployments.lab.truth import BridgeOptics
from tests.contract.lab_tools import befall
from tests.support.bridge_bench import Bench, bridge_bench
from tests.support.modem_client import ModemClient
from tests.support.ports import free_port
from tests.support.processes import browser_pids

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]
BOUND_S = 300.0
EVERYTHING = frozenset(
    {"optical.rx_dbm", "wan.status", "wifi.channel", "station.rssi_dbm", "node.backhaul_rssi_dbm"}
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench(tmp_path_factory):
    async with bridge_bench(tmp_path_factory.mktemp("bridge")) as made:
        yield made


async def report(bench: Bench, box, names=EVERYTHING, **device):
    device = {"serial": box.serial, "model": "XX230v", "ip": "100.64.0.1", **device}
    return await ask_modem(
        bench.bridge(), box.modem, Device(**device), bench.profile, names, bound_s=BOUND_S
    )


async def first_read(box):
    """Until the modem is asked for something."""
    while not box.state.reads:  # noqa: ASYNC110 - the lab has no event for it
        await asyncio.sleep(0.02)


def value(found, name, subject=""):
    return next(m.value for m in found.measurements if (m.name, m.subject) == (name, subject))


def reads(bench: Bench):
    return (bench.profile.identity, *bench.profile.reads)


@pytest.mark.parametrize("variant", ["cbc", "gcm", "oaep"])
async def test_everything_is_read_whatever_the_page_encrypts_with(bench, variant):
    box = bench.box(variant=variant)
    box.befall("mesh-weak-backhaul")
    truth = bench.lab.plant.conditions(bench.lab.plant.index_of(box.serial))
    found = await report(bench, box)
    assert value(found, "optical.rx_dbm") == pytest.approx(truth.rx_dbm, abs=0.06)
    assert value(found, "optical.temperature_c") == pytest.approx(truth.temperature_c, abs=0.1)
    assert value(found, "wifi.channel", "radio:5") == 44
    assert value(found, "wan.status", "wan:DEV2_ADT_WAN.pppoe_gpon_3_3") == "connected"
    rssi = [m.value for m in found.measurements if m.name == "node.backhaul_rssi_dbm" and m.usable]
    assert min(rssi) == -84
    assert sorted(m.value for m in found.measurements if m.name == "station.rssi_dbm") == [
        -61, -58, -52,
    ]  # fmt: skip
    assert {m.source.value for m in found.measurements} == {"bridge"}
    assert (box.state.logins, box.state.logouts, box.state.writes) == (1, 1, [])


async def test_the_page_is_no_secure_context_as_on_a_real_modem(bench):
    box = bench.box()
    async with bench.browser.context() as context:
        page = await context.new_page()
        await page.goto(box.modem.url)
        assert await page.evaluate("[isSecureContext, typeof crypto.subtle]") == [
            False,
            "undefined",
        ]


async def test_only_what_is_lacking_is_read(bench):
    box = bench.box()
    found = await report(bench, box, {"optical.rx_dbm"})
    assert {m.name.partition(".")[0] for m in found.measurements} == {"optical"}
    assert set(box.state.reads) == {"DEV2_DEV_INFO", "DEV2_OPTC_GPON_CFG"}


async def test_somebody_who_is_logged_in_is_left_alone(bench):
    box = bench.box(human=True)
    with pytest.raises(OccupiedError, match="somebody is logged in"):
        await report(bench, box)
    assert (box.state.logins, box.state.failures) == (0, 0)


async def test_a_real_session_of_somebody_is_left_alone(bench):
    box = bench.box()
    human = ModemClient(bench.lab.modem.port, box.modem.url.split("//")[1].partition(":")[0])
    await human.login("modem-CANARY-login")
    with pytest.raises(OccupiedError):
        await report(bench, box)
    assert (await human.ask("gl", "DEV2_OPTC_GPON_CFG"))["success"] is True
    await human.close()
    assert box.state.evictions == 0


async def test_who_logs_in_between_the_question_and_the_login_is_left_alone(bench):
    box = bench.box()
    async with bench.session(box) as session:
        await session.open()
        await session.ask_whether_free()
        box.state.mischief.human = True
        with pytest.raises(OccupiedError):
            await session.log_in()
        assert session.login_sent is False
    assert (box.state.logins, box.state.evictions) == (0, 0)


async def test_a_modem_that_does_not_say_whether_it_is_free_is_not_logged_in_to(bench):
    box = bench.box(mute_busy=True)
    with pytest.raises(NotSupportedError, match="does not say whether"):
        await report(bench, box)
    assert box.state.logins == 0


async def test_a_refused_login_is_tried_once_and_remembered_by_every_process(bench):
    box = bench.box()
    wrong = Login("user", "wrong")
    for _ in range(3):
        with pytest.raises(LoginRefusedError):
            await bench.bridge(wrong).read(box.modem, reads(bench), bound_s=BOUND_S)
    assert box.state.failures == 1
    harvest = await bench.bridge().read(box.modem, reads(bench), bound_s=BOUND_S)
    assert harvest.rows["DEV2_OPTC_GPON_CFG"]
    with pytest.raises(LoginRefusedError):
        await bench.bridge(wrong, memory="another machine").read(
            box.modem, reads(bench), bound_s=BOUND_S
        )
    assert box.state.failures == 1


async def test_a_login_nobody_saw_the_end_of_is_not_repeated_at_once(bench):
    box = bench.box()
    await bench.browser.version()  # its start is not what the bound is for
    box.state.mischief.slow_login_s = 3600
    bridge = bench.bridge()
    with pytest.raises(TimedOutError):
        await bridge.read(box.modem, reads(bench), bound_s=8)
    await bridge.settle()
    box.state.mischief.slow_login_s = 0
    with pytest.raises(LoginRefusedError, match="did not say how"):
        await bench.bridge().read(box.modem, reads(bench), bound_s=BOUND_S)
    assert box.state.logins == 0


async def test_a_login_that_ends_with_a_code_nobody_knows_is_not_repeated_either(bench):
    box = bench.box(login_code=4711)
    with pytest.raises(UnexpectedAnswerError, match="code 4711"):
        await bench.bridge().read(box.modem, reads(bench), bound_s=BOUND_S)
    with pytest.raises(LoginRefusedError, match="did not say how"):
        await bench.bridge().read(box.modem, reads(bench), bound_s=BOUND_S)


async def test_an_eviction_half_way_is_polite_and_final(bench):
    box = bench.box(evicts_after=4)
    found = await report(bench, box)
    assert found.lost is True
    assert "somebody else logged in" in found.detail
    assert value(found, "optical.rx_dbm") < 0
    assert box.state.evictions == 1
    assert box.state.logins == 2, "ours and theirs"
    assert box.state.logouts == 0
    assert box.state.session is not None, "theirs goes on"


async def test_a_storm_of_406_is_waited_out(bench):
    box = bench.box(storm=2)
    found = await report(bench, box, {"optical.rx_dbm"})
    assert value(found, "optical.rx_dbm") < 0
    assert box.state.evictions == 0


async def test_keys_that_come_late_are_waited_for_by_the_page(bench):
    box = bench.box(flaky=1)
    found = await report(bench, box, {"optical.rx_dbm"})
    assert value(found, "optical.rx_dbm") < 0


async def test_a_clear_text_page_in_place_of_answers_is_no_reading(bench):
    box = bench.box(html=True)
    with pytest.raises(DeclinedError, match="cut off"):
        await report(bench, box, {"optical.rx_dbm"})
    assert box.state.alive(bench.lab.plant.clock()) is not None, "it ignores our logout too"


async def test_what_a_modem_does_not_have_is_named_and_the_rest_is_read(bench):
    box = bench.box(refuses={"DEV2_OPTC_GPON_CFG": 9804, "DEV2_ADT_WAN": 71011})
    found = await report(bench, box)
    assert "DEV2_OPTC_GPON_CFG: code 9804" in found.detail
    assert "DEV2_ADT_WAN: code 71011" in found.detail
    assert value(found, "wifi.channel", "radio:2.4") == 6
    assert box.state.logouts == 1


async def test_a_modem_that_hangs_costs_its_bound_and_is_still_logged_out_of(bench):
    box = bench.box(hangs=True)
    await bench.browser.version()  # its start is not what the bound is for
    bridge = bench.bridge(read_ms=8000)
    with pytest.raises(TimedOutError):
        await bridge.read(box.modem, reads(bench), bound_s=3.0)
    box.state.mischief.hangs = False
    await bridge.settle()
    assert not bridge._ending
    assert box.state.logouts == 1


async def test_who_is_cancelled_leaves_at_once_and_the_session_logs_out(bench):
    box = bench.box(slow_s=0.3)
    bridge = bench.bridge()
    task = asyncio.create_task(bridge.read(box.modem, reads(bench), bound_s=BOUND_S))
    await first_read(box)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert bridge._ending, "it is still logging out"
    assert box.state.logouts == 0
    await bridge.settle()
    assert (box.state.logins, box.state.logouts) == (1, 1)


async def test_who_is_cancelled_amid_the_login_does_not_leave_a_session_behind(bench):
    box = bench.box(slow_s=0.2)
    bridge = bench.bridge()
    task = asyncio.create_task(bridge.read(box.modem, reads(bench), bound_s=BOUND_S))
    while not box.state.logins:  # noqa: ASYNC110 - the lab has no event for it
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await bridge.settle()
    assert (box.state.logins, box.state.logouts, box.state.session) == (1, 1, None)
    harvest = await bridge.read(box.modem, reads(bench), bound_s=BOUND_S)
    assert harvest.rows, "a login that was seen to work is no refusal"


@pytest.mark.parametrize("kind", ["empty", "ret", "json"])
async def test_each_answer_to_a_logout_is_understood(bench, kind, caplog):
    box = bench.box(logout=kind)
    await report(bench, box, {"optical.rx_dbm"})
    assert (box.state.logouts, box.state.session) == (1, None)
    assert "did not confirm" not in caplog.text


async def test_two_diagnoses_of_one_box_do_not_throw_each_other_out(bench):
    box, bridge = bench.box(), bench.bridge()
    both = await asyncio.gather(
        *(bridge.read(box.modem, reads(bench), bound_s=BOUND_S) for _ in range(2))
    )
    assert all(harvest.rows["DEV2_OPTC_GPON_CFG"] for harvest in both)
    assert (box.state.logins, box.state.logouts, box.state.evictions) == (2, 2, 0)


async def test_four_modems_at_once_are_four_sessions(bench):
    boxes, bridge = [bench.box() for _ in range(4)], bench.bridge()
    found = await asyncio.gather(
        *(bridge.read(box.modem, reads(bench), bound_s=BOUND_S) for box in boxes)
    )
    serials = [harvest.rows["DEV2_DEV_INFO"][0]["serialNumber"] for harvest in found]
    assert serials == [box.serial for box in boxes]


async def test_a_browser_that_was_killed_is_started_again(bench):
    box = bench.box()
    await bench.browser.version()  # it runs, whether or not another test has used it
    before = bench.browser.launches
    os.kill(browser_pids()[0], signal.SIGKILL)
    found = await report(bench, box, {"optical.rx_dbm"})
    assert value(found, "optical.rx_dbm") < 0
    assert bench.browser.launches == before + 1


async def test_a_browser_that_dies_during_a_session_ends_it_without_a_second_login(bench):
    box = bench.box(slow_s=0.5)
    task = asyncio.create_task(bench.bridge().read(box.modem, reads(bench), bound_s=BOUND_S))
    await first_read(box)
    os.kill(browser_pids()[0], signal.SIGKILL)
    with pytest.raises(BrowserDiedError):
        await task
    assert box.state.logins == 1


async def test_a_decos_page_is_told_apart(bench):
    box = bench.box()
    befall(bench.lab, box.serial, other_ui=True)
    with pytest.raises(NotSupportedError, match="Deco"):
        await report(bench, box)


async def test_a_page_that_encrypts_where_the_guard_does_not_look_is_not_used(bench):
    box = bench.box(renamed=True)
    with pytest.raises(NotSupportedError, match="watch"):
        await report(bench, box)
    assert box.state.logins == 0


async def test_another_customers_box_at_the_address_is_not_believed(bench):
    box = bench.box()
    with pytest.raises(UnexpectedAnswerError, match="another box"):
        await report(bench, box, serial="22275A7009001")


async def test_a_box_that_keeps_its_serial_to_itself_is_known_by_its_mac_or_not_judged(bench):
    box = bench.box(refuses={"DEV2_DEV_INFO": 9003})
    mac = bench.lab.plant.identities[bench.lab.plant.index_of(box.serial)].mac
    with pytest.raises(UnexpectedAnswerError, match=r"not proved.*DEV2_DEV_INFO: code 9003"):
        await report(bench, box, {"optical.rx_dbm"}, mac=mac)
    found = await report(bench, box, {"optical.rx_dbm", "wan.status"}, mac=mac)
    assert value(found, "optical.rx_dbm") < 0
    with pytest.raises(UnexpectedAnswerError, match="not proved"):
        await report(bench, box, mac="1C:61:B4:FF:FF:FC")
    assert (box.state.logins, box.state.logouts) == (3, 3)


async def test_nobody_at_the_address_is_unreachable(bench):
    with pytest.raises(UnreachableError, match="ERR_CONNECTION_REFUSED"):
        await bench.bridge().read(
            Modem(f"http://127.0.0.1:{free_port()}", "X"), reads(bench), bound_s=BOUND_S
        )


async def test_another_user_is_not_logged_in_as_the_pages_own(bench):
    box = bench.box()
    with pytest.raises(NotSupportedError, match="user name"):
        await bench.bridge(Login("admin", "x")).read(box.modem, reads(bench), bound_s=BOUND_S)
    assert box.state.failures == 0


async def test_text_that_names_its_unit_is_taken_by_it_and_a_placeholder_is_none(bench):
    box, dark = bench.box(), bench.box()
    befall(bench.lab, box.serial, bridge_optics=BridgeOptics.DBM_TEXT, rx_dbm=-21.37)
    befall(bench.lab, dark.serial, bridge_optics=BridgeOptics.SENTINEL)
    assert value(await report(bench, box, {"optical.rx_dbm"}), "optical.rx_dbm") == -21.37
    found = await report(bench, dark, {"optical.rx_dbm"})
    assert value(found, "optical.rx_dbm") is None


async def test_no_failure_tells_a_secret(bench, caplog):
    caplog.set_level("DEBUG")
    told = []
    for mischief in (
        {"human": True}, {"html": True}, {"renamed": True}, {"mute_busy": True}, {"closes": 99},
        {"refuses": {"DEV2_OPTC_GPON_CFG": 9003}},
    ):  # fmt: skip
        try:
            told.append(str(await report(bench, bench.box(**mischief), {"optical.rx_dbm"})))
        except AccessError as error:
            told += [str(error), repr(error), repr(error.__context__), repr(error.__cause__)]
    told.append(str(await report(bench, bench.box())))
    assert "CANARY" not in "".join(told)
    assert "CANARY" not in caplog.text
    assert len(told) > 20
