"""Asking several OLTs: who is asked, in which order, and what a dead one costs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from cpe.access.olt.index_cache import IndexEntry, MemoryIndexCache
from cpe.access.olt.inventory import OltTarget
from cpe.access.olt.report import ask_olts
from cpe.domain.snapshot import OntState
from tests.support import olt_rows as rows
from tests.support.olt_bench import COMMUNITY, target_of
from tests.support.snmp_agent import Agent, Raw, running_agent
from tests.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

SERIAL, GONE = "HWTC0000AA01", "HWTC0000FFFF"
IF_1 = 0xFA000000 | 1 << 13 | 1 << 8


@asynccontextmanager
async def plant(
    *tables: tuple[str, dict[str, Raw]],
) -> AsyncIterator[tuple[list[OltTarget], list[Agent]]]:
    async with AsyncExitStack() as stack:
        agents = [
            await stack.enter_async_context(running_agent(table, community=COMMUNITY))
            for _, table in tables
        ]
        targets = [
            target_of(agent, profile, name=f"olt-{number}")
            for number, (agent, (profile, _)) in enumerate(zip(agents, tables, strict=True))
        ]
        yield targets, agents


async def remembered(*names: str, index: str = f"{IF_1}.1") -> MemoryIndexCache:
    cache = MemoryIndexCache()
    for age, name in enumerate(names):
        seen_at = datetime.now(UTC) - timedelta(days=age)
        await cache.remember(name, [IndexEntry(name, SERIAL, index, seen_at)], complete=False)
    return cache


async def test_the_olt_that_had_it_is_asked_alone():
    async with plant(("nokia", rows.nokia("ALCL00000001")), ("huawei", rows.huawei(SERIAL))) as (
        targets,
        agents,
    ):
        cache = await remembered("olt-1")
        report = await ask_olts(targets, [SERIAL], cache=cache, deadline_s=600)
        assert report.sighting is not None
        assert (report.sighting.olt, report.asked, report.failed) == ("olt-1", ("olt-1",), {})
        assert not agents[0].pdus


async def test_nobody_remembers_and_all_are_asked():
    async with plant(
        ("nokia", rows.nokia("ALCL00000001")),
        ("zte-1082", rows.zte_1082("ZTEG00000001")),
        ("huawei", rows.huawei(SERIAL)),
    ) as (targets, _):
        report = await ask_olts(targets, [SERIAL], cache=MemoryIndexCache(), deadline_s=600)
        assert report.sighting is not None
        assert report.sighting.olt == "olt-2"
        assert set(report.asked) == {"olt-0", "olt-1", "olt-2"}


async def test_an_ont_that_moved_away_from_the_olt_that_had_it_is_found_elsewhere():
    async with plant(
        ("huawei", rows.huawei("HWTC00000009")), ("huawei", rows.huawei(SERIAL, ont=5))
    ) as (targets, _):
        report = await ask_olts(targets, [SERIAL], cache=await remembered("olt-0"), deadline_s=600)
        assert report.sighting is not None
        assert (report.sighting.olt, report.asked) == ("olt-1", ("olt-0", "olt-1"))


async def test_of_two_olts_with_one_serial_the_online_one_counts():
    async with plant(
        ("huawei", rows.huawei(SERIAL, state=2, cause=2)), ("huawei", rows.huawei(SERIAL))
    ) as (targets, _):
        cache = await remembered("olt-0", "olt-1")
        report = await ask_olts(targets, [SERIAL], cache=cache, deadline_s=600)
        assert report.sighting is not None
        assert (report.sighting.olt, report.sighting.state) == ("olt-1", OntState.ONLINE)


async def test_of_two_dead_ones_the_newer_counts_and_the_other_is_named():
    async with plant(
        ("huawei", rows.huawei(SERIAL, state=2, down="07ea0b17140a0500")),
        ("huawei", rows.huawei(SERIAL, state=2, down="07e90b17140a0500")),
    ) as (targets, _):
        cache = await remembered("olt-1", "olt-0")
        report = await ask_olts(targets, [SERIAL], cache=cache, deadline_s=600)
        assert report.sighting is not None
        assert report.sighting.olt == "olt-0"
        assert "also provisioned on olt-1" in report.detail


async def test_nobody_has_it():
    async with plant(("huawei", rows.huawei(SERIAL)), ("nokia", rows.nokia("ALCL00000001"))) as (
        targets,
        _,
    ):
        report = await ask_olts(targets, [GONE], cache=MemoryIndexCache(), deadline_s=600)
        assert (report.sighting, report.failed) == (None, {})
        assert set(report.asked) == {"olt-0", "olt-1"}


async def test_a_dead_olt_is_a_line_and_not_an_exception():
    async with plant(("huawei", rows.huawei(SERIAL)), ("huawei", rows.huawei(GONE))) as (
        targets,
        agents,
    ):
        agents[0].community = "changed"
        report = await ask_olts(targets, [SERIAL], cache=MemoryIndexCache(), deadline_s=3)
        assert report.sighting is None
        assert set(report.failed) == {"olt-0"}
        reason = report.failed["olt-0"]
        assert "no answer" in reason
        assert "\n" not in reason
        assert "CANARY" not in repr(report)


async def test_a_family_that_cannot_answer_says_why():
    async with plant(("tplink", rows.tplink(SERIAL, layout="B"))) as (targets, _):
        report = await ask_olts(targets, [SERIAL], cache=MemoryIndexCache(), deadline_s=600)
        assert report.sighting is None
        assert "column 3 holds the serial" in report.failed["olt-0"]


async def test_the_first_serial_is_trusted_most():
    table = {**rows.huawei(SERIAL, ont=1), **rows.huawei(GONE, ont=2)}
    async with plant(("huawei", table)) as (targets, _):
        report = await ask_olts(
            targets, ["nonsense", GONE.lower(), SERIAL], cache=MemoryIndexCache(), deadline_s=600
        )
        assert report.sighting is not None
        assert report.sighting.ont == "2"


async def test_no_olt_or_no_serial_is_said():
    cache = MemoryIndexCache()
    nobody = await ask_olts([], [SERIAL], cache=cache, deadline_s=1)
    assert nobody.detail == "no OLT is configured"
    async with plant(("huawei", rows.huawei(SERIAL))) as (targets, agents):
        nothing = await ask_olts(targets, [], cache=cache, deadline_s=1)
        assert nothing.detail == "no serial is known"
        assert not agents[0].pdus


class Slots:
    """One slot per OLT, as a caller's concurrency limit would be."""

    def __init__(self) -> None:
        self.locks: dict[str, asyncio.Lock] = {}
        self.held: list[str] = []

    @asynccontextmanager
    async def __call__(self, name: str) -> AsyncIterator[None]:
        async with self.locks.setdefault(name, asyncio.Lock()):
            self.held.append(name)
            yield


async def test_all_traffic_happens_inside_the_callers_slot_and_one_walk_serves_who_queued():
    table = {}
    for number in range(1, 61):
        table |= rows.huawei(f"HWTC0000AA{number:02X}", ont=number)
    async with plant(("huawei", table)) as (targets, agents):
        slots, cache = Slots(), MemoryIndexCache()
        reports = await asyncio.gather(
            *(
                ask_olts(targets, [serial], cache=cache, deadline_s=600, slot=slots)
                for serial in (SERIAL, "HWTC0000AA02", GONE, GONE, GONE)
            )
        )
        assert [r.sighting is not None for r in reports] == [True, True, False, False, False]
        assert slots.held == ["olt-0"] * 5
        walks = [a for kind, a in agents[0].asked if kind == "bulk" and ".43.1.3" in a[0]]
        assert len(walks) == 3  # 60 rows, 25 a PDU: one walk for all five


async def test_a_slot_that_is_never_free_is_a_failure_within_the_deadline():
    async with plant(("huawei", rows.huawei(SERIAL))) as (targets, agents):
        slots = Slots()
        async with slots("olt-0"):
            report = await ask_olts(
                targets, [SERIAL], cache=MemoryIndexCache(), deadline_s=0.2, slot=slots
            )
        assert "before this OLT's turn came" in report.failed["olt-0"]
        assert not agents[0].pdus


async def test_cancelling_the_question_leaves_nothing_running():
    async with plant(("huawei", rows.huawei(SERIAL))) as (targets, agents):
        agents[0].faults.delay_s = 2.0
        before = asyncio.all_tasks()
        asking = asyncio.create_task(
            ask_olts(targets, [SERIAL], cache=MemoryIndexCache(), deadline_s=600)
        )
        await until(lambda: agents[0].pdus)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        # The library's own clock goes on.
        await until(lambda: all("handle_timeout" in repr(t) for t in asyncio.all_tasks() - before))
