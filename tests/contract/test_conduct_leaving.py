"""A diagnosis that is cancelled half-way leaves nothing behind, wherever it was."""

import asyncio
from datetime import UTC, datetime

import pytest

from cpe.access.genieacs.lookup import sighting
from cpe.domain.memory import Recall
from cpe.domain.snapshot import Request
from flows.conduct import diagnose
from tests.support.boxes import NOW, box
from tests.support.own_nbi import Cpe, OwnNbi

RX = "Device.Optical.Interface.1.X_TP_GPON_Config.RXPower"


def stale():
    return sighting(box({RX: 5624}, age_s=900), now=NOW, limit_s=60)


def steps(hanging, left, began=None):
    """Steps that answer at once but for those that hang; `left` names who was cancelled.

    `began` (a semaphore) is released by each that hangs.
    """

    async def step(task, *_args):
        name = task.fn.__name__
        if name in hanging:
            try:
                if began:
                    began.release()
                await asyncio.sleep(3600)
            finally:
                left.add(name)
        return {"recall_device": Recall(), "find_acs_device": stale()}[name]

    return step


@pytest.mark.parametrize(
    "hanging",
    [
        {"find_acs_device"},
        {"recall_device", "find_acs_device"},
        {"refresh_acs_device"},
        {"refresh_acs_device", "read_olt_ont"},
    ],
)
async def test_a_cancelled_diagnosis_ends_every_step_it_began(hanging):
    left = set()
    began = asyncio.Semaphore(0)
    before = asyncio.all_tasks()
    running = asyncio.create_task(diagnose(Request("S1"), "x", {}, steps(hanging, left, began)))
    for _ in hanging:
        await began.acquire()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert left == hanging
    assert asyncio.all_tasks() == before


async def test_a_bug_in_one_step_ends_the_others():
    left = set()
    hanging = steps({"refresh_acs_device"}, left)

    async def step(task, *args):
        if task.fn.__name__ == "read_olt_ont":
            raise ZeroDivisionError
        return await hanging(task, *args)

    before = asyncio.all_tasks()
    with pytest.raises(ZeroDivisionError):
        await diagnose(Request("S1"), "x", {}, step)
    assert left == {"refresh_acs_device"}
    assert asyncio.all_tasks() == before


async def test_thirty_cancelled_diagnoses_leave_no_task_in_the_acs(monkeypatch, tmp_path):
    acs = OwnNbi()
    for n in range(30):
        document = box({RX: 5624}, identity={"_Manufacturer": "TP-Link", "_SerialNumber": f"S{n}"})
        document["_id"] = f"OUI-Device2-S{n}"
        document["_lastInform"] = datetime.now(UTC).isoformat()
        acs.add(document, Cpe({RX: 100}, calls="hangs"))
    monkeypatch.setenv("CPE_ACS_URL", "http://acs.test:7557")
    monkeypatch.setenv("CPE_DATABASE_URL", f"sqlite:///{tmp_path / 'cpe.db'}")
    monkeypatch.setattr("tasks.clients.Nbi", lambda _transport: acs.client())

    async def step(task, *args):
        return Recall() if task.fn.__name__ == "recall_device" else await task.fn(*args)

    running = [
        asyncio.create_task(diagnose(Request(f"S{n}"), f"x{n}", {}, step)) for n in range(30)
    ]
    for _ in running:
        await acs.posted.acquire()
    for one in running:
        one.cancel()
    ended = await asyncio.gather(*running, return_exceptions=True)
    assert {type(e) for e in ended} == {asyncio.CancelledError}
    assert acs.tasks == {}
