"""Finding an ONT: the cache, the walk that replaces it, and what is asked of the OLT."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from cpe.access.olt.client import OltClient
from cpe.access.olt.engine import running_engine
from cpe.access.olt.index_cache import IndexEntry, MemoryIndexCache
from cpe.access.olt.reading import read_row
from cpe.access.olt.session import Session
from cpe.access.olt.wire import Deadline, Missing
from cpe.domain.errors import (
    CutOffError,
    NotSupportedError,
    StoreError,
    UnexpectedAnswerError,
    UnreachableError,
)
from cpe.domain.observation import Quality
from cpe.domain.snapshot import OntState
from cpe.profiles.olt_columns import ColumnName
from cpe.profiles.olt_profile import olt_profiles
from tests.support import olt_rows as rows
from tests.support.olt_bench import COMMUNITY, Bench, bench, by_name, target_of
from tests.support.snmp_agent import Faults, Raw, recording, running_agent
from tests.support.tools import ROOT
from tests.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

SERIAL, OTHER, GONE = "HWTC0000AA01", "HWTC0000AA02", "HWTC0000FFFF"
BASE = f"{rows.E}.2011.6.128.1.1.2"
RECORDING = ROOT.parent / "shared" / "data" / "snmprec" / "huawei_gpon_3onts.snmprec"
IF_1 = 0xFA000000 | 1 << 13 | 1 << 8


def plant(onts: int = 40) -> dict[str, Raw]:
    table: dict[str, Raw] = {}
    for number in range(1, onts + 1):
        table |= rows.huawei(f"HWTC0000AA{number:02X}", ont=number)
        table |= rows.huawei(f"HWTC0000BB{number:02X}", port=2, ont=number)
    return table


async def known_at(b: Bench, serial: str, index: str) -> None:
    entry = IndexEntry(b.target.name, serial, index, datetime.now(UTC) - timedelta(days=1))
    await b.cache.remember(b.target.name, [entry], complete=False)


@pytest.mark.recorded
async def test_the_recorded_huawei_olt_is_read_as_its_owner_knows_it():
    async with bench("auto", recording(RECORDING)) as b:
        # The recording has no state column: it is completed with the documented "up".
        table = recording(RECORDING)
        for ont, distance in ((1, 950), (2, 1210), (3, 2240)):
            table[f"{BASE}.46.1.15.4194312192.{ont}"] = 1
            table[f"{BASE}.46.1.20.4194312192.{ont}"] = distance
        table["1.3.6.1.2.1.1.2.0"] = "1.3.6.1.4.1.2011.2.300"
        b.agent.serve(table)
        identity = await b.client.probe()
        seen = [await b.client.find([f"ANON0000000{n}"]) for n in (1, 2, 3)]
    assert (identity.profile, identity.serial_rows, identity.complete) == ("huawei", 3, True)
    assert identity.sys_descr == "Huawei Integrated Access Software"
    powers = []
    for one in seen:
        assert one is not None
        assert (one.pon, one.state, one.verified) == ("0/1/0", OntState.ONLINE, True)
        values = by_name(one)
        powers.append(
            tuple(values[f"optical.{n}"].value for n in ("rx_dbm", "tx_dbm", "olt_rx_dbm"))
        )
    assert powers == [(-14.14, 2.13, -19.36), (-15.65, 2.16, -19.71), (-14.64, 2.73, -18.57)]


async def test_a_known_ont_costs_one_get_for_state_and_one_for_optics():
    async with bench("huawei", plant()) as b:
        await known_at(b, SERIAL, f"{IF_1}.1")
        seen = await b.client.find([SERIAL])
        assert seen is not None
        gets = [asked for kind, asked in b.agent.asked if kind == "get"]
    assert len(gets) == 2
    assert gets[0][:2] == (f"{BASE}.43.1.3.{IF_1}.1", f"{BASE}.46.1.15.{IF_1}.1")
    assert not any(".51.1.4." in oid for oid in gets[0])
    assert b.agent.pdus["bulk"] <= 4  # 40 ONTs, three columns, one PON, 1472 bytes a PDU
    assert seen.neighbours is not None
    assert len(seen.neighbours) == 39


async def test_a_stale_index_is_looked_up_on_its_pon_and_never_believed():
    async with bench("huawei", plant()) as b:
        await known_at(b, SERIAL, f"{IF_1}.7")  # now another ONT's row
        seen = await b.client.find([SERIAL])
        assert seen is not None
        assert (seen.index, seen.gpon_serial) == (f"{IF_1}.1", SERIAL)
        walks = [asked[0] for kind, asked in b.agent.asked if kind == "bulk" and ".43." in asked[0]]
        assert all(oid.startswith(f"{BASE}.43.1.3.{IF_1}") for oid in walks)
        found = await b.cache.find(OTHER)
    assert [entry.index for entry in found] == [f"{IF_1}.2"]


async def test_an_ont_that_moved_to_another_pon_is_found_by_the_whole_walk():
    async with bench("huawei", plant()) as b:
        await known_at(b, "HWTC0000BB05", f"{IF_1}.99")  # no such row any more
        seen = await b.client.find(["HWTC0000BB05"])
    assert seen is not None
    assert seen.pon == "0/1/2"


async def test_a_whole_walk_replaces_what_the_cache_held():
    async with bench("huawei", plant(3)) as b:
        await known_at(b, GONE, f"{IF_1}.99")
        assert await b.client.find([GONE]) is None
        assert await b.cache.find(GONE) == []
        assert len(await b.cache.find(SERIAL)) == 1


async def test_a_walk_that_ends_early_keeps_the_old_rows_and_is_not_a_no():
    silent = Faults(silent_below=(f"{BASE}.43.1.3.{IF_1 + 0x100}",))
    async with bench("huawei", plant(), faults=silent) as b:
        await known_at(b, GONE, f"{IF_1 - 0x100}.1")
        with pytest.raises(CutOffError, match="not proved absent"):
            await b.client.find([GONE], deadline_s=600)
        assert len(await b.cache.find(GONE)) == 1
        assert len(await b.cache.find(SERIAL)) == 1


async def test_twenty_who_ask_at_once_share_one_walk():
    async with bench("huawei", plant(), faults=Faults(delay_s=0.005)) as b:
        asked = [b.client.find([f"HWTC0000AA{number:02X}"]) for number in range(1, 21)]
        seen = await asyncio.gather(*asked)
        assert [s.ont for s in seen if s] == [str(n) for n in range(1, 21)]
        walks = [asked for kind, asked in b.agent.asked if kind == "bulk" and ".43." in asked[0]]
    assert len(walks) == 4  # 80 rows, 25 a PDU: once
    assert b.agent.most_in_flight == 1


async def test_a_waiter_who_leaves_does_not_take_the_walk_from_the_others():
    async with bench("huawei", plant(), faults=Faults(delay_s=0.5)) as b:
        hasty = asyncio.create_task(b.client.find([SERIAL]))
        patient = asyncio.create_task(b.client.find([OTHER]))
        await until(lambda: b.agent.pdus)
        hasty.cancel()
        seen = await patient
        assert seen is not None
        assert seen.gpon_serial == OTHER
        with pytest.raises(asyncio.CancelledError):
            await hasty


async def test_an_absent_table_is_not_a_missing_ont():
    async with bench("huawei", {"1.3.6.1.2.1.1.1.0": b"an OLT"}) as b:
        with pytest.raises(NotSupportedError, match="absent or empty"):
            await b.client.find([SERIAL])


async def test_rows_without_a_readable_serial_are_announced():
    async with bench("huawei", {f"{BASE}.43.1.3.{IF_1}.1": b"\0" * 8}) as b:
        with pytest.raises(UnexpectedAnswerError, match="without a readable serial"):
            await b.client.find([SERIAL])


async def test_a_row_that_a_walk_shows_and_a_get_does_not_is_no_proof_of_absence():
    faults = Faults(gen_err_at=(f"{BASE}.43.1.3",))
    async with bench("huawei", plant(3), faults=faults) as b:
        with pytest.raises(UnexpectedAnswerError, match=rf"{SERIAL} at {IF_1}\.1"):
            await b.client.find([SERIAL])
        assert await b.client.find([GONE]) is None


@pytest.mark.parametrize("first", [b"--", b""])
async def test_a_key_column_without_a_serial_gives_way_to_the_next(first):
    """C600: tree 1082 has two serial columns, and which is filled depends on the firmware."""
    index = f"{0x11010301}.1"
    empty: dict[str, Raw] = {f"{rows.E}.3902.1082.500.10.2.3.3.1.18.{index}": first}
    table = {**rows.zte_1082(SERIAL, serial_as="octets"), **empty}
    async with bench("zte-1082", table) as b:
        seen = await b.client.find([SERIAL])
    assert seen is not None
    assert seen.index == index


@pytest.mark.parametrize(
    "faults",
    [
        Faults(gen_err_at=(f"{BASE}.51.1.4", f"{BASE}.51.1.3", f"{BASE}.51.1.1")),
        Faults(too_big_above=3),
    ],
)
async def test_trouble_with_the_optics_does_not_lose_the_state(faults: Faults):
    async with bench("huawei", plant(2), faults=faults) as b:
        seen = await b.client.find([SERIAL])
    assert seen is not None
    assert seen.state is OntState.ONLINE


async def test_a_power_that_takes_the_olt_too_long_does_not_cost_the_state():
    """Huawei's table of optics is fetched from each ONT, its OLT Rx may be no faster."""
    profile = olt_profiles()["huawei"]
    quick = profile.limits.model_copy(update={"state_timeout_s": 0.1})
    profile = profile.model_copy(update={"limits": quick})
    async with bench("huawei", plant(2), faults=Faults(silent_below=(f"{BASE}.51.1.6",))) as b:
        session = Session(await running_engine(), b.target, Deadline(5))
        row = await read_row(session, profile, (IF_1, 1))
        assert b.agent.pdus == {"get": 3}
        b.agent.faults.silent_below, b.agent.faults.drop_next = (), 1
        lost = await read_row(session, profile, (IF_1, 1))
        b.agent.faults.drop_next = 9
        with pytest.raises(UnreachableError):
            await read_row(session, profile, (IF_1, 1))
        assert b.agent.pdus == {"get": 3 + 3 + 2}
    assert (row.key, row.folded.state) == (SERIAL, OntState.ONLINE)
    assert row.values[ColumnName.OLT_RX] is Missing.NOT_ANSWERED
    assert lost.values[ColumnName.OLT_RX] == 7900


async def test_silent_optics_are_told_and_the_state_kept():
    async with bench("huawei", plant(2)) as b:
        b.agent.faults.silent_below = (f"{BASE}.51.1.4",)
        seen = await b.client.find([SERIAL], deadline_s=600)
    assert seen is not None
    assert seen.state is OntState.ONLINE
    assert "no answer" in seen.optics_detail
    rx = by_name(seen)["optical.rx_dbm"]
    assert (rx.quality, rx.value) == (Quality.NOT_READ, None)
    assert by_name(seen)["optical.olt_rx_dbm"].value == -21.0


async def test_a_dark_ont_is_not_asked_for_its_optics():
    async with bench("huawei", rows.huawei(SERIAL, state=2, cause=13)) as b:
        seen = await b.client.find([SERIAL])
        assert seen is not None
        assert b.agent.pdus["get"] == 1
    assert "dark" in seen.optics_detail
    assert by_name(seen)["optical.rx_dbm"].quality is Quality.NOT_READ


async def test_a_pon_that_cannot_be_read_costs_only_the_neighbours():
    async with bench("huawei", plant(2)) as b:
        await known_at(b, SERIAL, f"{IF_1}.1")
        b.agent.faults.loop_below = (f"{BASE}.46.1.15.{IF_1}",)
        seen = await b.client.find([SERIAL])
    assert seen is not None
    assert seen.neighbours is None
    assert "do not increase" in seen.neighbours_detail


class BrokenCache:
    """A store that is down."""

    async def find(self, gpon_serial: str) -> Sequence[IndexEntry]:
        raise StoreError("gone")

    async def remember(self, olt: str, entries: Sequence[IndexEntry], *, complete: bool) -> None:
        raise StoreError("gone")


async def test_a_broken_cache_costs_a_walk_and_nothing_else():
    async with running_agent(plant(3), community=COMMUNITY) as agent:
        client = OltClient(target_of(agent, "huawei"), await running_engine(), BrokenCache())
        seen = await client.find([SERIAL])
    assert seen is not None


async def test_a_wrong_community_is_silence_and_the_error_says_what_that_can_mean():
    async with running_agent(plant(1), community="another") as agent:
        client = OltClient(target_of(agent, "huawei"), await running_engine(), MemoryIndexCache())
        with pytest.raises(UnreachableError, match="community is wrong") as caught:
            await client.find([SERIAL], deadline_s=0.3)
        assert agent.refused > 0
    assert "CANARY" not in repr(caught.value) + repr(client.target) + str(client.target)


@pytest.mark.parametrize(
    ("table", "object_id", "profile"),
    [
        (rows.huawei(SERIAL), "1.3.6.1.4.1.2011.2.133", "huawei"),
        (rows.zte_1012(SERIAL), "1.3.6.1.4.1.3902.1082.1001.320.2.1", "zte-1012"),
        (rows.zte_1082(SERIAL), "1.3.6.1.4.1.3902.1082.1001.600.1.1", "zte-1082"),
        ({**rows.zte_1012(SERIAL), **rows.zte_1082(SERIAL)}, "1.3.6.1.4.1.3902.1", "zte-1082"),
        (rows.vsol(SERIAL), "1.3.6.1.4.1.8072.3.2.10", "vsol"),
        (rows.ufiber(SERIAL), "1.3.6.1.4.1.4413", "ufiber"),
    ],
)
async def test_auto_finds_the_family_by_what_answers(
    table: dict[str, Raw], object_id: str, profile: str
):
    async with bench("auto", {**table, "1.3.6.1.2.1.1.2.0": object_id}) as b:
        assert (await b.client.probe()).profile == profile
        asked = b.agent.pdus.total()
        assert (await b.client.probe()).profile == profile
        assert b.agent.pdus.total() - asked < asked  # the family is remembered


async def test_auto_refuses_to_guess():
    table = {**rows.vsol(SERIAL), **rows.bdcom(SERIAL), "1.3.6.1.2.1.1.2.0": "1.3.6.1.4.1.1"}
    async with bench("auto", table) as b:
        with pytest.raises(NotSupportedError, match=r"several profiles fit \(bdcom, vsol\)"):
            await b.client.find([SERIAL])
    async with bench("auto", {"1.3.6.1.2.1.1.2.0": "1.3.6.1.4.1.1"}) as b:
        with pytest.raises(NotSupportedError, match="no profile fits"):
            await b.client.find([SERIAL])
