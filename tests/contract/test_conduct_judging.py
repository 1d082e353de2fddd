"""What the runbook asks for, because the verdict would be a guess without it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cpe.access.genieacs.lookup import sighting
from cpe.access.genieacs.refresh import Refreshed, TaskOutcome
from cpe.domain.memory import Identity, Recall
from cpe.domain.snapshot import DownCause, History, OltReport, Request
from flows.conduct import diagnose
from tests.support import cases
from tests.support.boxes import NOW, box

RX = "Device.Optical.Interface.1.X_TP_GPON_Config.RXPower"


def acs_sighting(*, age_s):
    radio = "Device.WiFi.Radio.1.Status"
    return sighting(box({RX: 100, radio: "Up"}, age_s=age_s), now=NOW, limit_s=60)


def steps(asked, *, age_s=2.0, history=None, refreshed=None, olt=None, olt_detail=""):
    """Steps that answer what they are given; `asked` collects who was asked."""

    async def step(task, *_args):
        name = task.fn.__name__
        asked.append(name)
        return {
            "recall_device": Recall(history=history or History()),
            "find_acs_device": acs_sighting(age_s=age_s),
            "refresh_acs_device": refreshed,
            "read_olt_ont": OltReport(olt, asked=("olt-a",), detail=olt_detail),
        }[name]

    return step


def booted(*hours):
    return History(boots=tuple(datetime.now(UTC) - timedelta(hours=h) for h in hours))


@pytest.mark.parametrize(
    ("history", "cause", "code"),
    [
        (booted(1, 2, 3), DownCause.NONE, "hardware_fault"),
        (booted(1, 2, 3), DownCause.UNKNOWN, "inconclusive"),
        (booted(1, 2), None, "healthy"),
    ],
)
async def test_the_olt_is_asked_for_power_losses_when_boots_pile_up(history, cause, code):
    asked = []
    step = steps(asked, history=history, olt=cases.sighting(cause=cause))
    reached = await diagnose(Request("S1"), "x", {}, step)
    assert reached.answer["verdict"]["code"] == code
    assert ("read_olt_ont" in asked) == (len(history.boots) >= 3)


async def test_an_ont_that_two_olts_claim_is_said_to_be():
    step = steps([], history=booted(1, 2, 3), olt=cases.sighting(verified=False),
                 olt_detail="also provisioned on olt-b")  # fmt: skip
    answer = (await diagnose(Request("S1"), "x", {}, step)).answer
    [olt] = [s for s in answer["sources"] if s["name"] == "olt"]
    assert olt["detail"] == "olt-a 0/1/0/7 (unverified profile); also provisioned on olt-b"


@pytest.mark.parametrize(
    ("outcome", "acs", "code"),
    [
        (TaskOutcome.OFFLINE, "stale", "management_silent"),
        (TaskOutcome.QUEUED, "stale", "management_silent"),
        (TaskOutcome.REFUSED, "refused", "management_silent"),
        (TaskOutcome.GONE, "stale", "management_silent"),
        (TaskOutcome.ACS_DOWN, "unreachable", "inconclusive"),
        (TaskOutcome.ACS_REFUSED, "error", "inconclusive"),
    ],
)
async def test_only_a_box_that_is_silent_by_itself_is_called_silent(outcome, acs, code):
    refreshed = Refreshed(outcome, acs_sighting(age_s=900), "why")
    rx = replace(cases.reading("optical.rx_dbm", -19.0, age_s=0), source=cases.Source.OLT)
    online = cases.sighting(measurements=(rx,))
    step = steps([], age_s=900, refreshed=refreshed, olt=online)
    answer = (await diagnose(Request("S1"), "x", {}, step)).answer
    assert answer["verdict"]["code"] == code
    assert {s["name"]: s["outcome"] for s in answer["sources"]}["acs"] == acs


GPON, TR069 = "TPLGB4D00744", "22275A7009001"


async def test_a_box_known_by_another_name_is_looked_up_by_the_name_the_acs_has():
    """After a bootstrap the ACS has the Inform alone: no GPON serial and no MAC to find it by."""
    asked = []

    async def step(task, *args):
        name = task.fn.__name__
        asked.append((name, args[0] if isinstance(args[0], str) else ""))
        if name == "recall_device":
            known = Identity(datetime.now(UTC), "sweep", tr069_serial=TR069, gpon_serial=GPON)
            return Recall(identity=known)
        if name == "find_acs_device":
            return acs_sighting(age_s=2.0) if args[0] == TR069 else None
        raise AssertionError(f"the box answered: {name}")

    reached = await diagnose(Request(GPON), "x", {}, step)
    assert [args for name, args in asked if name == "find_acs_device"] == [GPON, TR069]
    assert reached.answer["freshness"]["outcome"] == "fresh"
    assert reached.answer["verdict"]["code"] == "healthy"


async def test_a_box_that_the_acs_has_under_no_name_is_still_unknown_to_it():
    asked = []

    async def step(task, *args):
        asked.append(task.fn.__name__)
        known = Identity(datetime.now(UTC), "sweep", tr069_serial=TR069, gpon_serial=GPON)
        return {
            "recall_device": Recall(identity=known),
            "find_acs_device": None,
            "read_olt_ont": OltReport(cases.sighting(), asked=("olt-a",)),
        }[task.fn.__name__]

    reached = await diagnose(Request(GPON), "x", {}, step)
    assert reached.answer["verdict"]["code"] == "management_silent"
    assert asked.count("find_acs_device") == 2
