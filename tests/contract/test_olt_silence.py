"""A silent OLT costs its waiting time once, not once for everybody in the queue."""

from __future__ import annotations

import asyncio

import pytest

from cpe.access.olt.client import OltClient
from cpe.access.olt.engine import running_engine
from cpe.access.olt.index_cache import MemoryIndexCache
from cpe.access.olt.report import ask_olts
from cpe.domain.errors import UnreachableError
from tests.support import olt_rows as rows
from tests.support.olt_bench import bench, target_of
from tests.support.snmp_agent import running_agent

pytestmark = pytest.mark.asyncio(loop_scope="module")

SERIAL = "HWTC0000AA01"
QUESTION_PDUS = 2
"""One question, asked again once: what is sent to an OLT that stays silent."""


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_who_queued_for_a_silent_olt_need_not_find_that_out_again():
    gate = asyncio.Lock()

    async with running_agent(rows.huawei(SERIAL), community="another") as agent:
        target = target_of(agent, "huawei")

        async def ask() -> str:
            report = await ask_olts(
                [target], [SERIAL], cache=MemoryIndexCache(), deadline_s=600, slot=lambda _: gate
            )
            return report.failed["olt-1"]

        failures = await asyncio.gather(*(ask() for _ in range(4)))
        assert agent.refused == QUESTION_PDUS, "only the first asked"
        assert len(set(failures)) == 1
        assert failures[0].startswith("no answer within 3.0 s: the OLT is down or filtered")


async def test_who_asks_after_the_silence_was_noticed_asks_for_himself():
    async with bench("huawei", rows.huawei(SERIAL)) as b:
        b.agent.community = "changed"
        with pytest.raises(UnreachableError):
            await b.client.find([SERIAL])
        b.agent.community = b.target.community.get_secret_value()
        seen = await b.client.find([SERIAL])
        assert seen is not None


async def test_an_answer_lifts_the_silence():
    async with bench("huawei", rows.huawei(SERIAL)) as b:
        asked_at = now()
        b.agent.community = "changed"
        with pytest.raises(UnreachableError):
            await b.client.find([SERIAL])
        with pytest.raises(UnreachableError):
            await b.client.find([SERIAL], asked_at=asked_at)
        b.agent.community = b.target.community.get_secret_value()
        assert await b.client.find([SERIAL]) is not None
        assert await b.client.find([SERIAL], asked_at=asked_at) is not None


async def test_time_that_ran_out_is_not_called_silence():
    async with bench("huawei", rows.huawei(SERIAL)) as b:
        b.agent.community = "changed"
        asked_at = now()
        with pytest.raises(UnreachableError, match="the time for this OLT was used up"):
            await b.client.find([SERIAL], deadline_s=0.3, asked_at=asked_at)
        b.agent.community = b.target.community.get_secret_value()
        other = OltClient(b.target, await running_engine(), MemoryIndexCache())
        assert await other.find([SERIAL], asked_at=asked_at) is not None
