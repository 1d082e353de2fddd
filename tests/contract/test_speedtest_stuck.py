"""A speed test that never ended is requested again after a while; one that runs is left alone."""

from datetime import timedelta

import pytest

from cpe.access.genieacs import speed_trial
from cpe.domain.errors import DeclinedError, OccupiedError
from tests.contract.speedtest_acs import IDLE, NEW, OBJECT, TEST_URL, Acs, completes

LONG = timedelta(minutes=6)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(speed_trial, "WATCH_S", 0.02)
    monkeypatch.setattr(speed_trial, "READ_EVERY_S", 0.4)
    monkeypatch.setattr(speed_trial, "AFTER_INFORM_S", 0.05)


def stuck(*, since=LONG, url="http://theirs.example/", kind=Acs, known=True, **options):
    """A box that says Requested, as the ACS read `since` ago."""
    acs = kind(
        box={**IDLE, "DiagnosticsState": "Requested", "DownloadURL": url},
        on_test=completes(),
        **options,
    )
    if known:
        at = acs.now() - since
        acs.cache = {name: (value, at) for name, value in acs.box.items()}
    return acs


def ages(acs, by):
    """Time passes: all that the ACS has was read that much longer ago."""
    acs.cache = {name: (value, at - by) for name, (value, at) in acs.cache.items()}


@pytest.mark.parametrize("since", [LONG, timedelta(hours=2), timedelta(weeks=3)])
async def test_a_test_that_never_ended_is_requested_again(since):
    acs = stuck(since=since)
    found = await acs.run()
    assert (found.state, found.download_mbps) == ("Completed", 80.0)
    assert acs.box["DownloadURL"] == TEST_URL
    assert acs.queue == {}


async def test_our_own_test_that_never_ended_is_requested_again_too():
    acs = stuck(url=TEST_URL)
    assert (await acs.run()).download_mbps == 80.0


@pytest.mark.parametrize("since", [timedelta(), timedelta(seconds=40), timedelta(minutes=4)])
async def test_a_test_requested_a_short_while_ago_is_left_alone(since):
    acs = stuck(since=since)
    with pytest.raises(OccupiedError):
        await acs.run()
    assert (acs.box["DiagnosticsState"], acs.box["DownloadURL"]) == (
        "Requested",
        "http://theirs.example/",
    )
    assert all(task["name"] == "getParameterValues" for task in acs.sent)


async def test_a_test_that_the_acs_learns_of_only_now_may_be_running():
    acs = stuck(known=False)
    with pytest.raises(OccupiedError):
        await acs.run()


async def test_a_test_that_the_acs_knew_as_ended_and_that_was_begun_since_may_be_running():
    acs = stuck()
    acs.cache["DiagnosticsState"] = ("Completed", acs.now() - timedelta(days=3))
    with pytest.raises(OccupiedError):
        await acs.run()


async def test_who_asks_again_and_again_is_not_told_busy_for_ever():
    acs = stuck(since=timedelta(minutes=1))
    tester = acs.tester()
    with pytest.raises(OccupiedError):
        await acs.run(tester=tester)
    for _ in range(2):
        standing = tester._standing["1C61B4-Device2-X"]
        ages(acs, timedelta(minutes=2))
        by = timedelta(minutes=2)
        tester._standing["1C61B4-Device2-X"] = speed_trial.Standing(
            standing.since - by, standing.read_at - by
        )
        if standing.since - by > acs.now() - speed_trial.OVERDUE:
            with pytest.raises(OccupiedError):
                await acs.run(tester=tester)
    assert (await acs.run(tester=tester)).download_mbps == 80.0


async def test_a_test_that_another_began_after_we_looked_is_left_alone():
    acs = stuck(since=timedelta(minutes=4))
    tester = acs.tester()
    with pytest.raises(OccupiedError):
        await acs.run(tester=tester)
    acs.cache["DiagnosticsState"] = ("Requested", acs.now() + timedelta(seconds=0.001))
    with pytest.raises(OccupiedError):
        await acs.run(tester=tester)


async def test_our_own_test_that_ran_out_of_time_counts_from_its_request():
    acs = Acs()
    tester = acs.tester(bound_s=0.6)
    assert "did not end" in (await acs.run(tester=tester)).detail
    with pytest.raises(OccupiedError):
        await acs.run(tester=tester)
    standing = tester._standing["1C61B4-Device2-X"]
    tester._standing["1C61B4-Device2-X"] = speed_trial.Standing(
        standing.since - LONG, standing.read_at
    )
    acs.on_test = completes()
    assert (await acs.run(tester=tester)).download_mbps is not None


class Booting(Acs):
    """An ACS that says when the box last booted."""

    booted = timedelta()

    def document(self):
        return super().document() | {"_lastBoot": (self.now() - self.booted).isoformat()}


@pytest.mark.parametrize(("booted", "over"), [(30, True), (600, False)])
async def test_a_reboot_after_the_request_ended_the_test(booted, over):
    acs = stuck(since=timedelta(minutes=2), kind=Booting)
    acs.booted = timedelta(seconds=booted)
    if over:
        assert (await acs.run()).download_mbps == 80.0
        return
    with pytest.raises(OccupiedError):
        await acs.run()


@pytest.mark.parametrize("skew", [timedelta(minutes=-30), timedelta(seconds=30)])
@pytest.mark.parametrize("since", [LONG, timedelta(minutes=1)])
async def test_clocks_that_differ_change_no_age(skew, since):
    acs = stuck(since=since, skew=skew)
    if since == LONG:
        assert (await acs.run()).download_mbps == 80.0
        return
    with pytest.raises(OccupiedError):
        await acs.run()


async def test_a_reading_from_the_future_does_not_make_it_busy_for_long():
    acs = stuck(since=timedelta(days=-9))
    tester = acs.tester()
    with pytest.raises(OccupiedError):
        await acs.run(tester=tester)
    ages(acs, LONG)
    assert (await acs.run(tester=tester)).download_mbps == 80.0


@pytest.mark.parametrize("state", ["Canceled", "None", "Error_Timeout", "", None])
async def test_any_other_state_is_no_running_test(state):
    acs = stuck()
    acs.box["DiagnosticsState"] = state
    assert (await acs.run()).download_mbps == 80.0
    assert len([t for t in acs.sent if t["name"] == "setParameterValues"]) == 1


class Strict(Acs):
    """TR-143 to the letter: only Requested can be written; any other parameter stops a test."""

    holds_on = False

    def _write(self, values, stamp):
        before = dict(self.box)
        asked = super()._write(values, stamp)
        changed = {n for n in before if before[n] != self.box[n]} - {"DiagnosticsState"}
        if changed and not asked and not self.holds_on:
            self.box["DiagnosticsState"] = "None"
        return asked


def only_requested(task):
    values = dict(v[:2] for v in task.get("parameterValues", []))
    state = values.get(f"{OBJECT}.DiagnosticsState", "Requested")
    return None if state == "Requested" else "cwmp.9007"


@pytest.mark.parametrize("url", [TEST_URL, "http://theirs.example/"])
async def test_a_box_that_takes_no_cancel_is_stopped_by_writing_another_parameter(url):
    acs = stuck(url=url, kind=Strict, refuses=only_requested)
    assert (await acs.run()).download_mbps == 80.0
    assert acs.box["DownloadURL"] == TEST_URL
    assert (acs.queue, acs.box["BOMTime"]) == ({}, NEW["BOMTime"])


async def test_a_box_that_holds_on_to_its_test_is_declined_and_nothing_stays_queued():
    acs = stuck(kind=Strict, refuses=only_requested)
    acs.holds_on = True
    with pytest.raises(DeclinedError):
        await acs.run()
    assert acs.queue == {}
