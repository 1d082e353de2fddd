"""The guarded walk against an agent that misbehaves in the ways real ones do."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from cpe.access.olt.engine import running_engine
from cpe.access.olt.session import Patience, Session
from cpe.access.olt.walk import Scope, Walked, walk
from cpe.access.olt.wire import Deadline, Missing, parse_oid
from cpe.domain.errors import CutOffError, UnexpectedAnswerError, UnreachableError
from tests.support.olt_bench import COMMUNITY, target_of
from tests.support.snmp_agent import Agent, Faults, Raw, running_agent

pytestmark = pytest.mark.asyncio(loop_scope="module")

BASE = "1.3.6.1.4.1.2011.6.128.1.1.2"
STATE, CAUSE, AFTER = f"{BASE}.46.1.15", f"{BASE}.46.1.24", f"{BASE}.46.1.25"


def table(onts: int, *columns: str) -> dict[str, Raw]:
    return {f"{column}.7.{ont}": ont for column in columns for ont in range(1, onts + 1)}


async def walked(
    agent: Agent,
    *columns: str,
    scope: Scope | None = None,
    repetitions: int = 10,
    max_rows: int = 10_000,
    timeout_s: float = 0.2,
    deadline_s: float = 600.0,
) -> Walked:
    session = Session(await running_engine(), target_of(agent, "huawei"), Deadline(deadline_s))
    return await walk(
        session,
        tuple(map(parse_oid, columns)),
        scope=scope or Scope(),
        repetitions=repetitions,
        max_rows=max_rows,
        timeout_s=timeout_s,
    )


def counts(result: Walked) -> list[int]:
    return [len(rows) for rows in result.columns.values()]


def agent_with(rows: Mapping[str, Raw], **faults: object):
    return running_agent(rows, community=COMMUNITY, faults=Faults(**faults))  # type: ignore[arg-type]


async def test_several_columns_are_read_to_their_end_and_no_further():
    async with agent_with(table(57, STATE, CAUSE, AFTER)) as agent:
        result = await walked(agent, STATE, CAUSE)
        assert counts(result) == [57, 57]
        assert result.complete
        assert result.columns[parse_oid(STATE)][7, 57] == 57
        assert agent.pdus == {"bulk": 6}


async def test_an_absent_table_is_no_rows_and_no_error():
    async with agent_with(table(3, AFTER)) as agent:
        result = await walked(agent, STATE)
        assert counts(result) == [0]
        assert result.complete


async def test_the_end_of_the_mib_ends_a_walk():
    async with agent_with(table(3, STATE)) as agent:
        assert counts(await walked(agent, STATE)) == [3]


async def test_rows_cut_in_the_middle_are_taken_up_again_column_by_column():
    async with agent_with(table(20, STATE, CAUSE), cut_bulk_after=3) as agent:
        result = await walked(agent, STATE, CAUSE)
        assert counts(result) == [20, 20]
        assert result.complete


async def test_a_datagram_sized_answer_is_continued():
    rows: dict[str, Raw] = {f"{STATE}.7.{n}": b"x" * 100 for n in range(1, 60)}
    async with agent_with(rows) as agent:
        assert counts(await walked(agent, STATE, repetitions=40)) == [59]


async def test_an_agent_that_goes_in_circles_is_left_with_what_was_read():
    async with agent_with(table(25, STATE, AFTER), loop_below=(STATE,)) as agent:
        result = await walked(agent, STATE)
        assert isinstance(result.failure, UnexpectedAnswerError)
        assert "do not increase" in result.failure.message
        assert counts(result) == [25]
        assert agent.pdus["bulk"] <= 4


async def test_the_row_limit_counts_rows():
    async with agent_with(table(200, STATE)) as agent:
        result = await walked(agent, STATE, max_rows=50)
        assert isinstance(result.failure, CutOffError)
        assert counts(result) == [50]


async def test_overshooting_into_a_slow_column_is_asked_again_row_by_row():
    # The answer that reaches the column after this one never comes.
    async with agent_with(table(13, STATE, AFTER), silent_below=(AFTER,)) as agent:
        result = await walked(agent, STATE)
        # Row by row everything of the column itself is read; only its end cannot be seen.
        assert counts(result) == [13]
        assert isinstance(result.failure, UnreachableError)


async def test_one_lost_answer_does_not_end_a_walk():
    async with agent_with(table(30, STATE, AFTER), drop_next=1) as agent:
        result = await walked(agent, STATE)
        assert counts(result) == [30]
        assert result.complete


async def test_too_big_is_asked_smaller():
    async with agent_with(table(30, STATE, AFTER), too_big_above=4) as agent:
        result = await walked(agent, STATE)
        assert counts(result) == [30]
        assert result.complete


async def test_an_agent_that_says_no_such_name_ends_the_column_it_names_and_no_other():
    async with agent_with(table(30, STATE), no_such_name_below=(CAUSE,)) as agent:
        result = await walked(agent, CAUSE, STATE)
        assert counts(result) == [0, 30]
        assert result.complete


async def test_an_empty_answer_in_a_table_is_a_stranger():
    async with agent_with(table(5, STATE), empty_answers=True) as agent:
        result = await walked(agent, STATE)
        assert isinstance(result.failure, UnexpectedAnswerError)


async def test_a_deadline_ends_a_walk_and_keeps_its_rows():
    async with agent_with(table(400, STATE), delay_s=0.3) as agent:
        await running_engine()  # before the time begins to run
        result = await walked(agent, STATE, timeout_s=3, deadline_s=2.0)
        assert isinstance(result.failure, UnreachableError)
        assert 0 < counts(result)[0] < 400


async def test_a_scope_reads_only_its_rows():
    rows: dict[str, Raw] = {f"{STATE}.{pon}.{ont}": 1 for pon in (1, 2, 3) for ont in range(1, 9)}
    async with agent_with(rows) as agent:
        result = await walked(agent, STATE, scope=Scope((2,)))
        assert {index[0] for index in result.columns[parse_oid(STATE)]} == {2}
        assert counts(result) == [8]
        result = await walked(agent, STATE, scope=Scope((), 2, 2))
        assert counts(result) == [8]
        result = await walked(agent, STATE, scope=Scope((3,), 5, 6))
        assert sorted(result.columns[parse_oid(STATE)]) == [(3, 5), (3, 6)]


async def test_one_request_is_in_flight_whoever_asks():
    async with agent_with(table(40, STATE), delay_s=0.02) as agent:
        await asyncio.gather(*(walked(agent, STATE, timeout_s=3) for _ in range(4)))
        assert agent.most_in_flight == 1


async def get(agent: Agent, *oids: str, following: bool = False) -> dict[str, object]:
    session = Session(await running_engine(), target_of(agent, "huawei"), Deadline(5))
    answer = await session.get(tuple(map(parse_oid, oids)), Patience(0.2, 1), following=following)
    return {".".join(map(str, oid)): value for oid, value in answer.items()}


async def test_an_oid_that_makes_the_olt_fail_does_not_cost_the_others():
    async with agent_with(table(2, STATE, CAUSE), gen_err_at=(CAUSE,)) as agent:
        answer = await get(agent, f"{STATE}.7.1", f"{CAUSE}.7.1", f"{STATE}.7.2")
        assert answer[f"{CAUSE}.7.1"] is Missing.FAILED
        assert (answer[f"{STATE}.7.1"], answer[f"{STATE}.7.2"]) == (1, 2)
        assert agent.pdus["get"] == 2


async def test_an_error_that_names_no_oid_costs_only_the_oid_that_makes_it():
    faults = {"gen_err_at": (CAUSE,), "unnamed_errors": True}
    async with agent_with(table(3, STATE, CAUSE), **faults) as agent:
        answer = await get(agent, f"{STATE}.7.1", f"{STATE}.7.2", f"{CAUSE}.7.1", f"{STATE}.7.3")
        assert answer == {
            f"{STATE}.7.1": 1, f"{STATE}.7.2": 2, f"{CAUSE}.7.1": Missing.FAILED, f"{STATE}.7.3": 3,
        }  # fmt: skip
        assert agent.pdus["get"] == 5


async def test_a_get_that_is_too_big_is_halved():
    async with agent_with(table(5, STATE), too_big_above=2) as agent:
        oids = [f"{STATE}.7.{ont}" for ont in range(1, 6)]
        answer = await get(agent, *oids)
        assert list(answer.values()) == [1, 2, 3, 4, 5]


async def test_what_is_not_there_is_named_not_zero():
    async with agent_with(table(1, STATE)) as agent:
        answer = await get(agent, f"{STATE}.7.9", "1.3.6.1.4.1.9999.1.1")
        assert answer[f"{STATE}.7.9"] is Missing.NO_INSTANCE
        assert answer["1.3.6.1.4.1.9999.1.1"] is Missing.NO_OBJECT


async def test_a_getnext_that_leaves_the_subtree_found_nothing():
    async with agent_with(table(1, CAUSE)) as agent:
        answer = await get(agent, STATE, CAUSE, following=True)
        assert answer[STATE] is Missing.NO_INSTANCE
        assert answer[CAUSE] == 1


async def test_a_lost_answer_is_asked_again_once():
    async with agent_with(table(1, STATE), drop_next=1) as agent:
        assert await get(agent, f"{STATE}.7.1") == {f"{STATE}.7.1": 1}
        agent.faults.drop_next = 2
        with pytest.raises(UnreachableError, match="v2c does not tell"):
            await get(agent, f"{STATE}.7.1")
