"""A refresh: every way a real GenieACS answers, told apart by tasks, faults and leaf times."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from cpe.access.genieacs.lookup import sighting
from cpe.access.genieacs.refresh import UNIQUE_KEY, Refresher, TaskOutcome
from cpe.domain.snapshot import FreshnessOutcome
from tests.support.transcripts import nbi, query_of, response, rows, transcript
from tests.support.waiting import until

pytestmark = pytest.mark.recorded
RX = "Device.Optical.Interface.1.X_TP_GPON_Config.RXPower"
ACS_ID = "1C61B4-Device2-X"
TASK_ID = "6b047fdc8269af3684895a96"


def leaf(value, at):
    return {"_object": False, "_value": value, "_timestamp": at.isoformat()}


def document(read_at, *, rx=5624, url="http://127.0.0.1:7600/x", informed_at=None):
    informed_at = informed_at or read_at
    return {
        "_id": ACS_ID,
        "_deviceId": {"_Manufacturer": "TP-Link", "_SerialNumber": "X"},
        "_lastInform": informed_at.isoformat(),
        "Device": {
            "DeviceInfo": {
                "ModelName": leaf("XX230v", read_at),
                "UpTime": leaf(100, read_at),
                "SoftwareVersion": leaf("1", informed_at),
            },
            "WiFi": {"Radio": {"1": {
                "Status": leaf("Up", read_at), "OperatingFrequencyBand": leaf("5GHz", read_at)}}},
            "PPP": {"Interface": {"1": {"ConnectionStatus": leaf("Connected", read_at)}}},
            "ManagementServer": {"ConnectionRequestURL": leaf(url, informed_at)} if url else {},
            "Optical": {"Interface": {"1": {"X_TP_GPON_Config": {
                "RXPower": leaf(rx, read_at), "TXPower": leaf(14880, read_at)}}}},
        },
    }  # fmt: skip


class Acs:
    """A small strict NBI with one stale device; `post` decides what a task does."""

    def __init__(self, post, *, executed=False, queued=True, fault=None, delete=200, **doc):
        self.now = datetime.now(UTC)
        self.post, self.fault, self.delete = post, fault, delete
        self.executed, self.queued, self.doc = executed, queued, doc
        self.posts, self.deleted, self.bodies = 0, [], []
        self.old = self.now - timedelta(minutes=15)

    def sighting(self):
        return sighting(document(self.old, **self.doc), now=self.now, limit_s=60)

    async def __call__(self, request):
        path = request.url.path
        if request.method == "POST":
            self.posts += 1
            self.bodies.append(json.loads(request.content))
            answer = self.post(self)
            return await answer if asyncio.iscoroutine(answer) else answer
        if request.method == "DELETE":
            self.deleted.append(path.rsplit("/", 1)[-1])
            if self.delete == 200:
                self.queued = False
            return httpx.Response(self.delete)
        if path == "/devices/":
            return rows(document(self.now if self.executed else self.old, **self.doc))
        if path == "/tasks/":
            query = query_of(request)
            assert query.pop("uniqueKey", UNIQUE_KEY).startswith(UNIQUE_KEY)
            assert query in ({"_id": TASK_ID}, {"device": ACS_ID})
            return rows({"_id": TASK_ID}) if self.queued else rows()
        if path == "/faults/":
            assert query_of(request) == {"_id": f"{ACS_ID}:task_{TASK_ID}"}
            return rows(self.fault) if self.fault else rows()
        raise AssertionError(f"unexpected {request.method} {request.url}")


def said(status, reason):
    """The NBI's answer to a task, stamped now."""

    def post(acs):
        body = {"_id": TASK_ID, "timestamp": acs.now.isoformat(), "device": ACS_ID}
        return httpx.Response(status, json=body, extensions={"reason_phrase": reason.encode()})

    return post


async def refreshed(acs, *, bound_s=2.0):
    refresher = Refresher(nbi(acs), bound_s=bound_s, limit_s=60)
    return await refresher.refresh(acs.sighting())


async def test_a_200_with_newer_leaves_is_a_refresh():
    acs = Acs(said(200, "OK"), executed=True, queued=False)
    result = await refreshed(acs)
    assert (result.outcome, result.freshness) == (TaskOutcome.EXECUTED, FreshnessOutcome.REFRESHED)
    assert result.sighting.is_fresh
    assert acs.deleted == []


async def test_one_task_asks_for_leaves_and_for_tables_by_wildcard_with_key_and_expiry():
    acs = Acs(said(200, "OK"), executed=True, queued=False)
    await refreshed(acs)
    task = acs.bodies[0]
    assert acs.posts == 1
    assert task["name"] == "getParameterValues"
    assert RX in task["parameterNames"]
    assert "Device.WiFi.MultiAP.APDevice.*.MACAddress" in task["parameterNames"]
    assert not [n for n in task["parameterNames"] if n.endswith((".", "*"))]
    assert task["uniqueKey"] == UNIQUE_KEY
    assert 0 < task["expiry"] < 60


async def test_a_200_that_did_nothing_is_refused():
    acs = Acs(said(200, "OK"), queued=False)
    result = await refreshed(acs)
    assert (result.outcome, result.freshness) == (TaskOutcome.NO_EFFECT, FreshnessOutcome.REFUSED)
    assert result.box_answered


async def test_a_200_whose_task_is_still_queued_did_not_run():
    acs = Acs(said(200, "OK"))
    result = await refreshed(acs)
    assert result.outcome is TaskOutcome.QUEUED
    assert acs.deleted == [TASK_ID]


RECORDED = [
    ("cr_fail_200_but_no_inform", TaskOutcome.QUEUED, FreshnessOutcome.QUEUED),
    ("timeout_04_zero", TaskOutcome.QUEUED, FreshnessOutcome.QUEUED),
    ("cr_fail_hang_no_answer", TaskOutcome.OFFLINE, FreshnessOutcome.UNREACHABLE),
    ("cr_fail_tcp_reset", TaskOutcome.OFFLINE, FreshnessOutcome.UNREACHABLE),
    ("cr_fail_503", TaskOutcome.OFFLINE, FreshnessOutcome.UNREACHABLE),
    ("cr_fail_500", TaskOutcome.OFFLINE, FreshnessOutcome.UNREACHABLE),
    ("cr_fail_403", TaskOutcome.OFFLINE, FreshnessOutcome.UNREACHABLE),
    ("cr_fail_404", TaskOutcome.OFFLINE, FreshnessOutcome.UNREACHABLE),
    ("cr_fail_401_digest_loop", TaskOutcome.REFUSED, FreshnessOutcome.REFUSED),
]


@pytest.mark.parametrize(("name", "outcome", "freshness"), RECORDED)
async def test_a_recorded_202_is_told_by_its_reason_and_leaves_nothing_queued(
    name, outcome, freshness
):
    recorded = transcript(name)
    recorded["body"] = json.dumps({**json.loads(recorded["body"]), "_id": TASK_ID})
    acs = Acs(lambda _: response(recorded))
    result = await refreshed(acs)
    assert (result.outcome, result.freshness) == (outcome, freshness)
    assert not result.box_answered
    assert acs.deleted == [TASK_ID]


async def test_a_202_without_its_reason_phrase_is_queued():
    assert (await refreshed(Acs(said(202, "")))).outcome is TaskOutcome.QUEUED


async def test_a_recorded_fault_is_named_and_its_task_removed():
    fault = json.loads(transcript("fault_01b_faults")["body"])[0]
    acs = Acs(said(202, "Task faulted"), fault=fault)
    result = await refreshed(acs)
    assert (result.outcome, result.freshness) == (TaskOutcome.FAULTED, FreshnessOutcome.REFUSED)
    assert "cwmp.9002 Internal error" in result.detail
    assert result.box_answered
    assert set(acs.deleted) == {TASK_ID}
    assert not acs.queued


async def test_a_202_whose_task_ran_meanwhile_is_a_refresh():
    acs = Acs(said(202, "Task queued but not processed"), executed=True, queued=False)
    assert (await refreshed(acs)).outcome is TaskOutcome.EXECUTED


async def test_a_task_that_cannot_be_removed_because_it_is_running_is_waited_for():
    acs = Acs(said(202, "Task queued but not processed"), delete=503)

    async def end_session():
        await until(lambda: acs.deleted)
        acs.executed, acs.queued = True, False

    ending = asyncio.create_task(end_session())
    assert (await refreshed(acs, bound_s=600)).outcome is TaskOutcome.EXECUTED
    await ending


async def test_a_connection_closed_without_an_answer_is_looked_into_before_anything_is_said():
    def closed(_acs):
        raise httpx.RemoteProtocolError("Server disconnected without sending a response.")

    acs = Acs(closed)
    result = await refreshed(acs)
    # The ACS dropped us: its own trouble, no word about the box.
    down = (TaskOutcome.ACS_DOWN, FreshnessOutcome.UNREACHABLE)
    assert (result.outcome, result.freshness) == down
    assert (acs.posts, acs.deleted) == (1, [TASK_ID])
    done = Acs(closed, executed=True, queued=False)
    assert (await refreshed(done)).outcome is TaskOutcome.EXECUTED


async def test_a_task_that_a_dropped_connection_kept_from_the_acs_is_sent_again():
    """A keep-alive connection that the other end has just closed: nothing was queued."""

    def dropped_once(acs):
        if acs.posts == 1:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
        acs.executed = True
        return said(200, "OK")(acs)

    acs = Acs(dropped_once, queued=False)
    assert (await refreshed(acs)).outcome is TaskOutcome.EXECUTED
    assert acs.posts == 2


@pytest.mark.parametrize("error", [httpx.RemoteProtocolError("x"), httpx.ReadError("x")])
async def test_an_acs_that_keeps_dropping_us_is_down_and_the_box_not_called_silent(error):
    def dropped(_acs):
        raise error

    acs = Acs(dropped, queued=False)
    result = await refreshed(acs)
    assert (result.outcome, acs.posts) == (TaskOutcome.ACS_DOWN, 2)
    assert not result.box_answered


async def test_an_acs_that_refuses_connections_for_longer_than_a_restart_takes_is_down():
    def refused(_acs):
        raise httpx.ConnectError("x")

    acs = Acs(refused, queued=False)
    result = await refreshed(acs, bound_s=8.0)
    assert (result.outcome, result.box_answered) == (TaskOutcome.ACS_DOWN, False)


async def test_a_page_in_place_of_an_answer_is_the_acs_own_trouble():
    acs = Acs(lambda _: httpx.Response(200, text="<html>sign in</html>"), queued=False)
    result = await refreshed(acs)
    assert (result.outcome, acs.posts) == (TaskOutcome.ACS_DOWN, 1)


async def test_a_hang_is_bounded_and_leaves_nothing_queued():
    async def hang(_acs):
        await asyncio.sleep(3600)

    acs = Acs(hang)
    result = await refreshed(acs, bound_s=1.0)
    assert result.freshness is FreshnessOutcome.UNREACHABLE
    assert acs.deleted == [TASK_ID]


async def test_giving_up_ends_the_wait_at_once_and_removes_the_task():
    async def hang(_acs):
        await asyncio.sleep(3600)

    acs = Acs(hang)
    refresher = Refresher(nbi(acs), bound_s=3600, limit_s=60)
    waiting = asyncio.create_task(refresher.refresh(acs.sighting()))
    await until(lambda: acs.posts)
    refresher.give_up(ACS_ID)
    result = await waiting
    assert result.outcome is TaskOutcome.UNKNOWN
    assert acs.deleted == [TASK_ID]


async def test_two_who_ask_for_one_box_share_one_task():
    async def slow(acs):
        await asyncio.sleep(0.2)
        acs.executed = True
        return said(200, "OK")(acs)

    acs = Acs(slow, queued=False)
    refresher = Refresher(nbi(acs), bound_s=600, limit_s=60)
    one, other = await asyncio.gather(
        refresher.refresh(acs.sighting()), refresher.refresh(acs.sighting())
    )
    assert acs.posts == 1
    assert one is other


async def test_one_who_leaves_does_not_take_the_answer_from_the_other():
    async def slow(acs):
        await asyncio.sleep(0.3)
        acs.executed = True
        return said(200, "OK")(acs)

    acs = Acs(slow, queued=False)
    refresher = Refresher(nbi(acs), bound_s=600, limit_s=60)
    leaving = asyncio.create_task(refresher.refresh(acs.sighting()))
    staying = asyncio.create_task(refresher.refresh(acs.sighting()))
    await until(lambda: acs.posts)
    leaving.cancel()
    assert (await staying).outcome is TaskOutcome.EXECUTED


async def test_a_box_without_connection_request_url_is_never_sent_what_crashes_a_worker():
    acs = Acs(said(200, "OK"), url=None)
    result = await refreshed(acs)
    assert (result.outcome, acs.posts) == (TaskOutcome.OFFLINE, 0)


async def test_an_inform_alone_proves_no_refresh():
    acs = Acs(said(200, "OK"), queued=False, informed_at=datetime.now(UTC))
    assert (await refreshed(acs)).outcome is TaskOutcome.NO_EFFECT


async def test_an_unknown_device_is_gone():
    recorded = transcript("task_08_unknown_device_cr")
    result = await refreshed(Acs(lambda _: response(recorded)))
    assert result.freshness is FreshnessOutcome.NOT_FOUND


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_server_error_is_unreachable(status):
    result = await refreshed(Acs(lambda _: httpx.Response(status, text="boom"), queued=False))
    assert result.freshness is FreshnessOutcome.UNREACHABLE


async def test_a_refused_token_is_refused():
    result = await refreshed(Acs(lambda _: httpx.Response(401)))
    assert result.freshness is FreshnessOutcome.REFUSED


@pytest.mark.parametrize(
    ("status", "outcome", "freshness"),
    [
        (500, TaskOutcome.ACS_DOWN, FreshnessOutcome.UNREACHABLE),
        (502, TaskOutcome.ACS_DOWN, FreshnessOutcome.UNREACHABLE),
        (429, TaskOutcome.ACS_DOWN, FreshnessOutcome.UNREACHABLE),
        (401, TaskOutcome.ACS_REFUSED, FreshnessOutcome.REFUSED),
        (403, TaskOutcome.ACS_REFUSED, FreshnessOutcome.REFUSED),
    ],
)
async def test_an_acs_that_fails_by_itself_is_told_from_a_box_that_does(status, outcome, freshness):
    result = await refreshed(Acs(said(status, "no"), queued=False))
    assert (result.outcome, result.freshness) == (outcome, freshness)
    assert not result.box_answered


async def test_a_box_with_nothing_to_ask_for_is_not_said_to_have_answered():
    acs = Acs(said(200, "OK"))
    refresher = Refresher(nbi(acs), bound_s=600, limit_s=60)
    result = await refresher.refresh(replace(acs.sighting(), refresh_paths=()))
    assert (result.outcome, acs.posts) == (TaskOutcome.UNKNOWN, 0)
    assert not result.box_answered
