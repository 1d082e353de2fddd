"""Walking a whole OLT for a sweep: every family, every way an agent may misbehave."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from cpe.access.olt import fleet_walk
from cpe.access.olt.client import OltClient
from cpe.access.olt.engine import running_engine
from cpe.access.olt.fleet_table import ONT_COLUMNS, table_of
from cpe.access.olt.fleet_walk import FleetWalk
from cpe.access.olt.index_cache import IndexEntry, MemoryIndexCache
from cpe.access.olt.wire import parse_oid
from cpe.domain.errors import NotSupportedError, UnexpectedAnswerError, UnreachableError
from cpe.profiles.olt_profile import olt_profiles
from tasks import sweep
from tests.support import olt_rows as rows
from tests.support.olt_bench import COMMUNITY, target_of
from tests.support.snmp_agent import Faults, running_agent
from tests.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")
SERIALS = ("ABCD12340001", "ABCD12340002", "ABCD12340003")


@pytest.fixture(autouse=True)
def hurry(monkeypatch):
    monkeypatch.setattr(fleet_walk, "PAUSE_S", 0.01)


async def turns():
    while True:
        yield


async def walked(agent, profile, **options):
    options = {"deadline_s": 600.0, **options}
    target = target_of(agent, profile)
    return await FleetWalk(target, await running_engine(), **options).read(turns())


def huawei(count, **options):
    found = {}
    for number in range(count):
        port, ont = divmod(number, 16)
        found |= rows.huawei(f"ABCD{number:08X}", port=port, ont=ont, **options)
    return found


FAMILIES = (
    ("huawei", [rows.huawei(s, ont=n) for n, s in enumerate(SERIALS, 1)]),
    ("zte-1012", [rows.zte_1012(s, ont=n) for n, s in enumerate(SERIALS, 1)]),
    ("zte-1082", [rows.zte_1082(s, ont=n) for n, s in enumerate(SERIALS, 1)]),
    ("nokia", [rows.nokia(s, ont=n) for n, s in enumerate(SERIALS, 1)]),
)


@pytest.mark.parametrize(("profile", "each"), FAMILIES, ids=[f for f, _ in FAMILIES])
async def test_a_walk_reads_of_every_ont_what_a_targeted_read_does(profile, each):
    table = {}
    for one in each:
        table |= one
    async with running_agent(table, community=COMMUNITY) as agent:
        found = await walked(agent, profile)
        client = OltClient(target_of(agent, profile), await running_engine(), MemoryIndexCache())
        single = [await client.find([serial]) for serial in SERIALS]
        assert agent.violations == []
    assert found.complete
    assert sorted(found.columns["gpon_serial"]) == sorted(SERIALS)
    assert {len(values) for values in found.columns.values()} == {len(SERIALS)}
    for seen in single:
        at = found.columns["gpon_serial"].index(seen.gpon_serial)
        row = {name: found.columns[name][at] for name in ONT_COLUMNS}
        assert (row["pon"], row["ont"], row["ont_index"]) == (seen.pon, seen.ont, seen.index)
        assert row["state"] == seen.state.value
        assert row["cause"] == (seen.cause.value if seen.cause else None)
        assert row["down_at"] == (seen.down_at.timestamp() if seen.down_at else None)
        olt_rx = next((m for m in seen.measurements if m.name == "optical.olt_rx_dbm"), None)
        assert row["olt_rx_dbm"] == (olt_rx.value if olt_rx is not None else None)
        assert row["pon_read"] is True


async def test_a_table_that_is_empty_all_at_once_is_an_error_and_not_a_dark_olt():
    profile = olt_profiles()["huawei"]
    key, state = profile.key_columns[0], profile.columns["state"]
    walk = SimpleNamespace(
        rows={parse_oid(key.oid): {}, parse_oid(state.oid): {}}, last={}, failure=None
    )
    with pytest.raises(UnexpectedAnswerError, match="no row"):
        table_of("olt-1", profile, key, ("state",), walk, {}, 2)


async def test_an_olt_whose_serials_cannot_be_read_is_not_whole():
    table = huawei(3)
    serial = olt_profiles()["huawei"].key_columns[0].oid
    table |= {oid: bytes(8) for oid in table if oid.startswith(f"{serial}.")}
    async with running_agent(table, community=COMMUNITY) as agent:
        found = await walked(agent, "huawei")
    assert len(found) == 3
    assert not found.complete
    assert found.detail == "none of 3 rows has a readable serial"


async def test_what_a_walk_tells_by_no_serial_empties_no_index(monkeypatch):
    """Calix: rows are known by ONT-ID, which a diagnosis learns and a sweep does not."""
    table = {**rows.calix_axos("ONT-A"), **rows.calix_axos("ONT-B", index=8)}
    async with running_agent(table, community=COMMUNITY) as agent:
        found = await walked(agent, "calix-axos")
    assert found.complete
    index = MemoryIndexCache()
    known = IndexEntry(found.olt, "ONT-A", "1", datetime.now(UTC))
    await index.remember(found.olt, [known], complete=False)

    async def store():
        return SimpleNamespace(ont_index=lambda: index)

    monkeypatch.setattr(sweep.clients, "store", store)
    await sweep._remember(found)
    assert await index.find("ONT-A") == [known]


async def test_serials_are_read_from_the_key_column_that_has_them():
    table = {}
    for number, serial in enumerate(SERIALS, 1):
        table |= rows.zte_1082(serial, ont=number, serial_as="octets")
        table[f"{rows.E}.3902.1082.500.10.2.3.3.1.18.{0x11010301}.{number}"] = b"--"
    async with running_agent(table, community=COMMUNITY) as agent:
        found = await walked(agent, "zte-1082")
    assert sorted(found.columns["gpon_serial"]) == sorted(SERIALS)


async def test_what_an_olt_must_fetch_from_each_ont_is_not_walked():
    async with running_agent(huawei(20), community=COMMUNITY) as agent:
        found = await walked(agent, "huawei")
        asked = {oid for kind, oids in agent.asked for oid in oids if kind != "x"}
    ont_rx = olt_profiles()["huawei"].columns["ont_rx"].oid
    assert not [oid for oid in asked if oid.startswith(f"{ont_rx}.")]
    assert found.columns["ont_rx_dbm"] == [None] * 20


async def test_one_request_at_a_time_and_few_of_them():
    async with running_agent(huawei(200), community=COMMUNITY) as agent:
        found = await walked(agent, "huawei")
        assert agent.most_in_flight == 1
        assert found.pdus <= 200 / 8 + 6


async def test_a_lost_answer_is_asked_for_again():
    async with running_agent(huawei(60), community=COMMUNITY, faults=Faults(drop_next=1)) as agent:
        found = await walked(agent, "huawei")
    assert found.complete
    assert len(found) == 60


async def test_an_agent_that_goes_in_circles_is_left():
    base = "1.3.6.1.4.1.2011.6.128.1.1.2.46.1.15"
    faults = Faults(loop_below=(base,))
    async with running_agent(huawei(40), community=COMMUNITY, faults=faults) as agent:
        found = await walked(agent, "huawei")
        assert sum(agent.pdus.values()) < 40
    assert not found.complete
    assert "do not increase" in found.detail


async def test_an_agent_that_falls_silent_half_way_leaves_what_it_said():
    silent = f"1.3.6.1.4.1.2011.6.128.1.1.2.46.1.15.{0xFA000000 | 1 << 13 | 2 << 8}"
    async with running_agent(
        huawei(64), community=COMMUNITY, faults=Faults(silent_below=(silent,))
    ) as agent:
        found = await walked(agent, "huawei", deadline_s=6.0)
    assert not found.complete
    assert 16 <= len(found) <= 32
    whole = {pon for pon, read in zip(found.columns["pon"], found.columns["pon_read"], strict=True)
             if read}  # fmt: skip
    # Whether PON 0/1/1 ended with the last row that came, nobody said.
    assert whole == {"0/1/0"}


async def test_a_power_that_takes_the_olt_too_long_does_not_cost_the_states(monkeypatch):
    profile = olt_profiles()["huawei"]
    quick = profile.limits.model_copy(update={"state_timeout_s": 1.0})
    profile = profile.model_copy(update={"limits": quick})
    monkeypatch.setattr(fleet_walk, "olt_profiles", lambda: {"huawei": profile})
    slow = Faults(silent_below=(profile.columns["olt_rx"].oid,))
    async with running_agent(huawei(40), community=COMMUNITY, faults=slow) as agent:
        found = await walked(agent, "huawei")
    assert found.complete
    assert found.columns["state"] == ["online"] * 40
    assert found.columns["olt_rx_dbm"] == [None] * 40
    assert "olt_rx" in found.detail


async def test_an_olt_that_says_nothing_is_unreachable_and_an_empty_one_is_no_answer():
    async with running_agent(huawei(4), community="another") as agent:
        with pytest.raises(UnreachableError):
            await walked(agent, "huawei", deadline_s=1.0)
    async with running_agent({"1.3.6.1.2.1.1.1.0": b"x"}, community=COMMUNITY) as agent:
        with pytest.raises(NotSupportedError, match="absent or empty"):
            await walked(agent, "huawei")


async def test_the_olt_is_given_back_between_two_legs():
    taken = []

    async def counted():
        while True:
            taken.append("begin")
            yield
            taken.append("end")

    async with running_agent(
        huawei(160), community=COMMUNITY, faults=Faults(delay_s=0.02)
    ) as agent:
        walk = FleetWalk(
            target_of(agent, "huawei"), await running_engine(), deadline_s=600, leg_s=0.05
        )
        table = await walk.read(counted())
    assert table.complete
    assert taken.count("begin") >= 4
    assert taken[:3] == ["begin", "end", "begin"]


async def test_a_walk_that_is_cancelled_leaves_nothing_open():
    async with running_agent(huawei(400), community=COMMUNITY, faults=Faults(delay_s=0.5)) as agent:
        task = asyncio.create_task(walked(agent, "huawei"))
        await until(lambda: agent.pdus.total() >= 2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
