"""A TR-143 test: every trap of a real GenieACS and box, and nothing of ours left behind."""

import asyncio
import json
from datetime import timedelta

import httpx
import pytest

from cpe.access.genieacs import speed_trial
from cpe.access.genieacs.speed_trial import PREPARE_KEY, READ_KEY, REQUEST_KEY
from cpe.domain.errors import (
    AccessError,
    BusyError,
    DeclinedError,
    LoginRefusedError,
    NotSupportedError,
    OccupiedError,
    TimedOutError,
    UnexpectedAnswerError,
    UnreachableError,
)
from tests.contract.speedtest_acs import IDLE, NEW, OBJECT, OLD, TEST_URL, Acs, completes
from tests.support.transcripts import FOLDER, Script, nbi, response, rows, transcript
from tests.support.waiting import until

RECORDED_DIAGNOSTICS = sorted(f.stem for f in FOLDER.glob("diag_*.json"))


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(speed_trial, "WATCH_S", 0.02)
    monkeypatch.setattr(speed_trial, "READ_EVERY_S", 0.4)
    monkeypatch.setattr(speed_trial, "AFTER_INFORM_S", 0.05)


def written(acs):
    """The values of each request that was sent, by short name."""
    return [
        {path.removeprefix(f"{OBJECT}."): value for path, value, _ in task["parameterValues"]}
        for task in acs.sent
        if task["name"] == "setParameterValues"
    ]


async def test_a_test_gives_its_rate_and_leaves_nothing_queued():
    acs = Acs(on_test=completes())
    found = await acs.run()
    assert (found.state, found.download_mbps, found.detail) == ("Completed", 80.0, "")
    assert (found.bytes, found.duration_ms, found.connections) == (10_000_000, 1000, 3)
    assert found.at == acs.cache["DiagnosticsState"][1]
    assert acs.queue == {}


@pytest.mark.parametrize("state", ["Complete", "Completed"])
async def test_both_spellings_of_complete_are_complete(state):
    assert (await Acs(on_test=completes(state=state)).run()).download_mbps == 80.0


async def test_the_state_is_read_in_the_session_that_requests_it():
    acs = Acs(on_test=completes())
    await acs.run()
    keys = [task["uniqueKey"] for task in acs.sent]
    assert keys[:3] == [READ_KEY, PREPARE_KEY, REQUEST_KEY]
    prepare = acs.sent[1]
    assert prepare["name"] == "getParameterValues"
    assert set(prepare["parameterNames"]) >= {f"{OBJECT}.DiagnosticsState", f"{OBJECT}.DownloadURL"}
    names = list(written(acs)[0])
    assert names[-1] == "DiagnosticsState"
    assert written(acs) == [
        {"DownloadURL": TEST_URL, "NumberOfConnections": 3, "DiagnosticsState": "Requested"}
    ]


async def test_an_acs_that_still_believes_in_requested_is_told_better_first():
    acs = Acs(on_test=completes())
    acs.cache["DiagnosticsState"] = ("Requested", acs.now() - timedelta(days=3))
    assert (await acs.run()).download_mbps == 80.0


async def test_only_leaves_that_the_box_has_are_asked_once_they_are_known():
    acs = Acs(on_test=completes())
    await acs.run()
    first, last = acs.sent[0]["parameterNames"], acs.sent[-1]["parameterNames"]
    assert f"{OBJECT}.PeriodOfFullLoading" in first
    assert {n.rpartition(".")[2] for n in last} == set(IDLE)
    assert not [n for n in first if "*" in n or n.endswith(".")]


async def test_a_box_that_can_time_its_test_does():
    acs = Acs(box={**IDLE, "TimeBasedTestDuration": 0}, on_test=completes())
    await acs.run(bound_s=9)
    assert written(acs)[0]["TimeBasedTestDuration"] == 3


async def test_a_box_never_gets_more_connections_than_it_says_it_can():
    acs = Acs(box={**IDLE, "DownloadDiagnosticMaxConnections": 2}, on_test=completes())
    assert (await acs.run()).connections == 2


async def test_values_that_the_box_refuses_are_left_out():
    def refuses(task):
        values = dict(v[:2] for v in task.get("parameterValues", []))
        return "cwmp.9003" if f"{OBJECT}.NumberOfConnections" in values else None

    acs = Acs(on_test=completes(), refuses=refuses)
    assert (await acs.run()).download_mbps == 80.0
    assert list(written(acs)[1]) == ["DownloadURL", "DiagnosticsState"]
    assert acs.queue == {}


async def test_several_connections_are_judged_under_full_loading():
    box = {**IDLE, "PeriodOfFullLoading": 0, "TotalBytesReceivedUnderFullLoading": 0}
    results = {
        **NEW,
        "PeriodOfFullLoading": 500_000,
        "TotalBytesReceivedUnderFullLoading": 6_000_000,
    }
    found = await Acs(box=box, on_test=completes(results)).run()
    assert (found.download_mbps, found.duration_ms) == (96.0, 500)


# -- old results


async def test_the_old_result_is_not_taken_while_the_test_runs():
    acs = Acs(box={**IDLE, **OLD, "DiagnosticsState": "Completed"}, on_test=completes(after_s=0.6))
    found = await acs.run()
    assert (found.bytes, found.download_mbps) == (10_000_000, 80.0)


async def test_a_box_that_serves_its_old_result_as_the_new_is_not_believed():
    box = {**IDLE, **OLD, "DiagnosticsState": "Completed"}
    found = await Acs(box=box, on_test=completes({})).run(bound_s=1)
    assert found.download_mbps is None
    assert found.detail == "the test did not end within 1 s: the box shows an earlier result"


async def test_old_results_beside_an_error_are_ignored_however_fresh_their_times():
    acs = Acs(
        box={**IDLE, **OLD, "DiagnosticsState": "Completed"},
        on_test=completes({}, state="Error_InitConnectionFailed"),
    )
    found = await acs.run()
    assert (found.state, found.download_mbps) == ("Error_InitConnectionFailed", None)
    assert (found.bytes, found.duration_ms) == (None, None)
    assert found.detail == (
        "the test server does not take the box's connection (Error_InitConnectionFailed)"
    )


async def test_a_complete_state_alone_is_not_enough_when_an_acs_reads_only_that():
    def state_alone(acs):
        acs.box.update(NEW, DiagnosticsState="Completed")
        stamp = acs.now() + timedelta(milliseconds=50)
        acs.cache["DiagnosticsState"] = ("Completed", stamp)

    acs = Acs(box={**IDLE, **OLD}, on_test=state_alone)
    found = await acs.run()
    assert (found.bytes, found.download_mbps) == (10_000_000, 80.0)


async def test_an_acs_that_reads_results_at_event_8_is_believed_without_another_session():
    def preset(acs):
        acs.box.update(NEW, DiagnosticsState="Completed")
        acs.inform()
        stamp = acs.now() + timedelta(milliseconds=50)
        for name, value in acs.box.items():
            acs.cache[name] = (value, stamp)

    acs = Acs(on_test=preset)
    assert (await acs.run()).download_mbps == 80.0
    assert [task["uniqueKey"] for task in acs.sent] == [READ_KEY, PREPARE_KEY, REQUEST_KEY]


# -- every state


STATES = [
    "Error_CannotResolveHostName", "Error_NoRouteToHost", "Error_InitConnectionFailed",
    "Error_NoResponse", "Error_TransferFailed", "Error_PasswordRequestFailed", "Error_LoginFailed",
    "Error_NoTransferMode", "Error_NoPASV", "Error_IncorrectSize", "Error_Timeout",
    "Error_Internal", "Error_Other", "Canceled",
]  # fmt: skip


@pytest.mark.parametrize("state", STATES)
async def test_every_failed_state_ends_the_wait_and_says_why(state):
    found = await Acs(on_test=completes(NEW, state=state)).run(bound_s=5)
    assert (found.state, found.download_mbps) == (state, None)
    assert found.detail
    assert "the box reports an error" not in found.detail


@pytest.mark.parametrize("state", ["None", "Requested"])
async def test_a_test_that_never_ends_is_given_up_in_time(state):
    acs = Acs(on_test=completes({}, state=state))
    found = await acs.run(bound_s=1)
    assert (found.state, found.download_mbps) == (state, None)
    assert found.detail == "the test did not end within 1 s"
    assert acs.queue == {}


async def test_a_result_without_inform_is_found_by_reading_now_and_then():
    def silently(acs):
        update = {**NEW, "DiagnosticsState": "Completed"}
        asyncio.get_running_loop().call_later(0.2, acs.box.update, update)

    assert (await Acs(on_test=silently).run()).download_mbps == 80.0


# -- somebody else


async def test_a_test_of_somebody_else_is_left_alone():
    acs = Acs(box={**IDLE, "DiagnosticsState": "Requested"})
    with pytest.raises(OccupiedError) as caught:
        await acs.run()
    assert caught.value.outcome == "busy"
    assert written(acs) == []
    assert acs.queue == {}


async def test_two_who_ask_share_one_test():
    acs = Acs(on_test=completes())
    tester = acs.tester()
    one, other = await asyncio.gather(acs.run(tester=tester), acs.run(tester=tester))
    assert one is other
    assert len(written(acs)) == 1


async def test_one_who_leaves_does_not_take_the_result_from_the_other():
    acs = Acs(on_test=completes(after_s=0.3))
    tester = acs.tester()
    leaving = asyncio.create_task(acs.run(tester=tester))
    staying = asyncio.create_task(acs.run(tester=tester))
    await until(lambda: written(acs))
    leaving.cancel()
    assert (await staying).download_mbps == 80.0


async def test_when_all_leave_the_queued_tasks_are_removed_and_the_next_begins_anew():
    async def hang(_acs, _task):
        await asyncio.sleep(3600)

    acs = Acs(on_test=completes(), answer=lambda a, t: hang(a, t) if a.calls == 1 else None)
    tester = acs.tester()
    leaving = asyncio.create_task(acs.run(tester=tester))
    await until(lambda: len(acs.queue) == 1)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert acs.queue == {}  # before whoever left is let go: its process may end right then
    assert (await acs.run(tester=tester)).download_mbps == 80.0
    assert acs.queue == {}


# -- what does not run


RECORDED = [
    ("cr_fail_200_but_no_inform", UnreachableError, "did not begin a session"),
    ("cr_fail_hang_no_answer", UnreachableError, "does not answer the connection request"),
    ("cr_fail_tcp_reset", UnreachableError, "does not answer the connection request"),
    ("cr_fail_503", UnreachableError, "does not answer the connection request"),
    ("cr_fail_404", UnreachableError, "turns the connection request away"),
    ("cr_fail_401_digest_loop", LoginRefusedError, "refuses the connection request's credentials"),
]


@pytest.mark.recorded
@pytest.mark.parametrize("call", [1, 2])
@pytest.mark.parametrize(("name", "kind", "words"), RECORDED)
async def test_a_recorded_202_is_told_by_its_reason_and_leaves_nothing_queued(
    name, kind, words, call
):
    answer = response(transcript(name))
    acs = Acs(answer=lambda a, _: answer if a.calls == call else None)
    with pytest.raises(kind, match=words):
        await acs.run()
    assert len(acs.sent) == (1 if call == 1 else 3)
    assert acs.queue == {}


@pytest.mark.recorded
async def test_a_recorded_fault_is_named_and_its_task_removed():
    recorded = json.loads(transcript("fault_01b_faults")["body"])[0]
    acs = Acs(refuses=lambda task: recorded["code"] if task["uniqueKey"] == REQUEST_KEY else None)
    with pytest.raises(DeclinedError, match=r"the box refuses the test: cwmp\.9002") as caught:
        await acs.run()
    assert caught.value.outcome == "refused"
    assert acs.queue == {}


async def test_a_200_whose_request_had_no_effect_is_no_test():
    acs = Acs(box={**IDLE, **OLD, "DiagnosticsState": "Error_Internal"})
    acs._write = lambda values, stamp: False
    with pytest.raises(DeclinedError, match="was not asked to test"):
        await acs.run()


async def test_a_200_that_read_nothing_is_declined():
    acs = Acs()
    acs.cache["DiagnosticsState"] = ("None", acs.now() - timedelta(minutes=5))
    acs._read = lambda names, stamp: None
    with pytest.raises(DeclinedError, match="nothing was read"):
        await acs.run()
    assert written(acs) == []


async def test_a_clock_of_the_nbi_that_is_ahead_spoils_nothing():
    acs = Acs(on_test=completes(), skew=timedelta(seconds=30))
    acs.cache["DiagnosticsState"] = ("None", acs.now() - timedelta(minutes=5))
    assert (await acs.run()).download_mbps == 80.0


async def test_a_box_without_the_object_has_no_such_test():
    acs = Acs(box={})
    with pytest.raises(NotSupportedError, match="no TR-143 download test"):
        await acs.run()


async def test_a_box_without_connection_request_url_is_never_sent_what_crashes_a_worker():
    acs = Acs(url=None)
    with pytest.raises(UnreachableError):
        await acs.run()
    assert acs.sent == []


async def test_an_unknown_family_has_no_such_test():
    acs = Acs()
    nobody = acs.sighting()
    object.__setattr__(nobody.device, "family", None)
    with pytest.raises(NotSupportedError):
        await acs.tester().run(nobody, url=TEST_URL)


async def test_a_hang_is_bounded_and_leaves_nothing_queued():
    async def hang(_acs, _task):
        await asyncio.sleep(3600)

    acs = Acs(answer=hang)
    with pytest.raises(TimedOutError):
        await acs.run(bound_s=1)
    assert acs.queue == {}


async def test_a_box_that_is_briefly_unreachable_while_it_tests_is_asked_again():
    offline = response(transcript("cr_fail_503"))
    acs = Acs(on_test=completes(), answer=lambda a, _: offline if a.calls == 3 else None)
    assert (await acs.run()).download_mbps == 80.0


async def test_an_acs_that_dies_while_the_box_tests_is_unreachable():
    acs = Acs(on_test=completes())

    async def down(request):
        if written(acs):
            return httpx.Response(503, text="down")
        return await acs(request)

    tester = speed_tester(down)
    with pytest.raises(BusyError):
        await tester.run(acs.sighting(), url=TEST_URL)


def speed_tester(handler):
    from cpe.access.genieacs.speedtest import SpeedTester

    return SpeedTester(nbi(handler), bound_s=1)


async def test_a_device_that_the_acs_forgot_is_said():
    gone = response(transcript("task_08_unknown_device_cr"))
    script = Script(
        {
            ("GET", "devices"): lambda _: rows(Acs().document()),
            ("POST", "tasks"): lambda _: gone,
            ("GET", "tasks"): lambda _: rows(),
        }
    )
    with pytest.raises(UnexpectedAnswerError, match="no longer knows"):
        await speed_tester(script).run(Acs().sighting(), url=TEST_URL)


@pytest.mark.parametrize("status", [401, 500])
async def test_only_our_exceptions_leave_and_the_url_with_them_never(status):
    acs = Acs()

    async def handler(request):
        if request.method == "POST":
            return httpx.Response(status, text=request.content.decode())
        return await acs(request)

    with pytest.raises(AccessError) as caught:
        await speed_tester(handler).run(acs.sighting(), url="http://u:CANARY@speedtest.example/f")
    assert "CANARY" not in str(caught.value)


# -- recordings of a whole test


BOX = "9CA2F4-XX230v-2239A00000002"


def recorded_rows(name, change=lambda found: found):
    return rows(*(change(found) for found in json.loads(transcript(name)["body"])))


def replay(change=lambda found: found):
    """diag_01 to diag_04: asked, event 8 without results, read, complete; one look before."""
    never = {"_id": BOX, "_lastInform": "2026-11-23T17:59:10.000Z", "Device": {}}
    looked = {
        "_object": False,
        "_value": "None",
        "_timestamp": "2026-11-23T17:59:23.900Z",
    }
    before = {**never, "Device": {"IP": {"Diagnostics": {"DownloadDiagnostics": {
        "DiagnosticsState": looked}}}}}  # fmt: skip
    look = {"_id": "6b047efc8269af3684895a79", "timestamp": "2026-11-23T17:59:23.880Z"}
    posts = iter([
        httpx.Response(200, json=look),
        response(transcript("diag_10_prep_gpv_state_queued")),
        response(transcript("diag_01_spv_requested_first")),
        response(transcript("diag_03_refresh_results")),
    ])  # fmt: skip
    requested = recorded_rows("diag_02_device_after_8_diagnostics_complete")
    documents = iter([rows(never), rows(before), requested, requested])
    sent = []

    def post(request):
        sent.append(json.loads(request.content))
        return next(posts)

    def device(_request):
        read = len(sent) == 4
        return recorded_rows("diag_04_device_after_refresh", change) if read else next(documents)

    return sent, Script(
        {
            ("GET", "devices"): device,
            ("POST", "tasks"): post,
            ("GET", "tasks"): lambda _: rows(),
            ("GET", "faults"): lambda _: rows(),
        }
    )


async def replayed(monkeypatch, change=lambda found: found):
    monkeypatch.setattr(speed_trial, "READ_EVERY_S", 0.0)
    sent, script = replay(change)
    return sent, await speed_tester(script).run(Acs().sighting(), url="http://127.0.0.1:7601/blob")


@pytest.mark.recorded
async def test_a_recorded_test_of_11_ms_is_too_short_to_measure(monkeypatch):
    sent, found = await replayed(monkeypatch)
    assert (found.state, found.bytes, found.duration_ms) == ("Completed", 1_000_000, 11)
    assert found.download_mbps is None
    assert "11 ms are too short" in found.detail
    assert [task["name"] for task in sent] == [
        "getParameterValues", "getParameterValues", "setParameterValues", "getParameterValues",
    ]  # fmt: skip


@pytest.mark.recorded
async def test_the_recorded_test_is_measured_when_it_lasts(monkeypatch):
    def lasting(found):
        leaves = found["Device"]["IP"]["Diagnostics"]["DownloadDiagnostics"]
        leaves["EOMTime"]["_value"] = "2026-11-23T17:59:24.808Z"
        return found

    _, found = await replayed(monkeypatch, lasting)
    assert (found.download_mbps, found.duration_ms) == (16.0, 500)


@pytest.mark.recorded
@pytest.mark.parametrize("name", [n for n in RECORDED_DIAGNOSTICS if "device" not in n])
async def test_every_recorded_answer_to_a_diagnostics_task_is_understood(name):
    posted = await nbi(lambda _: response(transcript(name))).post_task(
        "x", {"name": "x"}, wait_ms=None, timeout_s=1
    )
    assert posted is not None
    assert posted.done_says_status == (transcript(name)["status"] == 200)
