"""What any database must keep of a fleet. Test classes inherit it and give a `store`."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cpe.domain.errors import AlreadyRunningError, StoreError
from cpe.domain.sweep import Sweep, SweepPart, SweepState
from tests.support.store import samples
from tests.support.store.samples import NOON

DAY_MS = 86_400_000
TODAY = round(NOON.timestamp() * 1000) // DAY_MS
EARLY = NOON - timedelta(hours=2)


def a_sweep(name="one", at=NOON, **changes):
    return Sweep(**{"id": name, "started_at": at, "state": SweepState.RUNNING, **changes})


def a_box(number, **changes):
    return {
        "key": f"acs:BOX-{number}", "acs_id": f"BOX-{number}", "serial": f"S{number}",
        "gpon_serial": f"TPLG{number:08X}", "model": "M", "firmware": "1", "firmware_since": None,
        "firmware_before": None, "olt": "olt", "pon": "0/1", "ont": str(number), "state": "online",
        "in_acs": True, "on_olt": True, "last_inform": TODAY * DAY_MS, "last_boot": None,
        "rx_cdbm": -2000 - number, "rx_at": TODAY * DAY_MS, "olt_rx_cdbm": None,
        "delta_cdb": None, "verdict": "healthy", "score": float(number),
        "seen_at": round(NOON.timestamp() * 1000), **changes,
    }  # fmt: skip


def a_day(box, day, rx=-2000, **changes):
    at = day * DAY_MS
    return {
        "day": day, "box": box, "rx_cdbm": rx, "rx_at": at + 5, "ont_rx_cdbm": None,
        "olt_rx_cdbm": None if rx is None else rx - 200, "walked_at": at + 9, "down_at": None,
        "boot_at": None, "verdict": 11, **changes,
    }  # fmt: skip


async def begin(store, sweep, *, owner="here:1", dead=False, after=EARLY):
    return await store.fleet().begin(sweep, after=after, owner=owner, is_dead=lambda _: dead)


class Sweeping:
    async def test_a_sweep_is_kept_with_its_coverage_and_found_as_the_last(self, store):
        assert await store.last_sweep() is None
        begun = await begin(store, a_sweep())
        assert await store.last_sweep() is None
        ended = Sweep(
            "one",
            NOON,
            SweepState.COMPLETE,
            finished_at=NOON,
            ruleset="r",
            coverage={"pct": 99.5, "olts": []},
            summary={"x": [1, 2.5, None]},
        )
        await store.fleet().finish(ended)
        assert begun.id == "one"
        assert await store.last_sweep() == ended
        assert await store.fleet().sweep("one") == ended
        with pytest.raises(StoreError, match="never begun"):
            await store.fleet().finish(Sweep("two", NOON, SweepState.COMPLETE))

    async def test_no_secret_is_kept_with_a_sweep(self, store):
        await begin(store, a_sweep())
        said = {"reasons": ["acs: http://u:canary@host refused"], "password": "canary"}
        await store.fleet().finish(
            Sweep("one", NOON, SweepState.INCOMPLETE, finished_at=NOON, summary=said)
        )
        assert "canary" not in str((await store.last_sweep()).summary)

    async def test_parts_come_back_in_order_and_go_with_the_end(self, store):
        await begin(store, a_sweep())
        fleet = store.fleet()
        for position in (2, 0, 1):
            part = SweepPart("acs", "", position, 5, whole=False, data=(b"a", b"b", b"\x00c"),
                             last_key=f"K{position}")  # fmt: skip
            await fleet.keep_part("one", part)
        await fleet.keep_part("one", SweepPart("acs", "", 1, 9, whole=True, data=(b"new",)))
        found = await fleet.parts("one", "acs")
        assert [p.position for p in found] == [0, 1, 2]
        assert (found[1].rows, found[1].whole, found[1].data) == (9, True, (b"new",))
        assert found[0].data == (b"a", b"b", b"\x00c")
        assert [p.data for p in await fleet.parts("one", "acs", with_data=False)] == [()] * 3
        await fleet.finish(Sweep("one", NOON, SweepState.COMPLETE, finished_at=NOON))
        assert await fleet.parts("one", "acs") == []

    async def test_a_sweep_that_was_left_is_gone_on_with(self, store):
        await begin(store, a_sweep("left", NOON - timedelta(hours=1)))
        await store.fleet().keep_part("left", SweepPart("olt", "o", 0, 3, whole=True))
        resumed = await begin(store, a_sweep("new"))
        assert resumed.id == "left"
        assert len(await store.fleet().parts("left", "olt")) == 1

    async def test_one_that_was_left_too_long_ago_is_closed_and_not_gone_on_with(self, store):
        await begin(store, a_sweep("left", NOON - timedelta(hours=5)), after=NOON - timedelta(9))
        await store.fleet().keep_part("left", SweepPart("olt", "o", 0, 3, whole=True))
        assert (await begin(store, a_sweep("new"))).id == "new"
        assert (await store.fleet().sweep("left")).state is SweepState.INCOMPLETE
        assert await store.fleet().parts("left", "olt") == []

    async def test_a_living_sweep_is_not_begun_beside(self, store):
        await begin(store, a_sweep("first", NOON - timedelta(seconds=30)))
        with pytest.raises(AlreadyRunningError, match="sweep first is running"):
            await begin(store, a_sweep("second"), owner="there:2")
        assert (await begin(store, a_sweep("third"), owner="there:2", dead=True)).id == "first"

    async def test_boxes_are_known_in_chunks_and_upserted_by_key(self, store):
        fleet = store.fleet()
        await fleet.keep_boxes([a_box(n) for n in range(5)])
        await fleet.keep_boxes([a_box(1, firmware="2", rx_cdbm=-2600)])
        chunks = [c async for c in fleet.known_boxes(seen_after=EARLY)]
        [known] = chunks
        assert known["key"] == [f"acs:BOX-{n}" for n in range(5)]
        assert known["firmware"] == ["1", "2", "1", "1", "1"]
        assert known["rx_at"] == [TODAY * DAY_MS / 1000] * 5
        later = [c async for c in fleet.known_boxes(seen_after=NOON + timedelta(days=1))]
        assert later == []
        ids = await fleet.box_ids(["acs:BOX-1", "acs:BOX-4", "acs:NOBODY"])
        assert sorted(ids) == ["acs:BOX-1", "acs:BOX-4"]

    async def test_the_worst_come_first_and_the_healthy_not_at_all(self, store):
        await store.fleet().keep_boxes([a_box(n) for n in (0, 2, 1)])
        assert [b.serial for b in await store.fleet().worst(limit=9)] == ["S2", "S1"]
        weakest = await store.fleet().on_pon(olt="olt", pon="0/1")
        assert [b.serial for b in weakest] == ["S2", "S1", "S0"]
        assert await store.fleet().pons() == [("olt", "0/1", 3)]

    async def test_a_box_that_the_last_sweep_no_longer_met_is_not_among_the_worst(self, store):
        fleet = store.fleet()
        await begin(store, a_sweep())
        await fleet.finish(Sweep("one", NOON, SweepState.COMPLETE, finished_at=NOON))
        lately = round((NOON - timedelta(days=2)).timestamp() * 1000)
        long_ago = round((NOON - timedelta(days=200)).timestamp() * 1000)
        await fleet.keep_boxes([a_box(1), a_box(7, seen_at=lately), a_box(8, seen_at=long_ago)])
        assert [b.serial for b in await fleet.worst(limit=9)] == ["S1"]
        assert [b.serial for b in await fleet.on_pon(olt="olt", pon="0/1")] == ["S7", "S1"]
        assert await fleet.pons() == [("olt", "0/1", 2)]

    async def test_days_are_read_back_as_columns_and_a_gap_is_no_day(self, store):
        fleet = store.fleet()
        await fleet.keep_days(
            [a_day(1, TODAY - 1), a_day(2, TODAY - 1, None), a_day(1, TODAY - 3, -2100)]
        )
        found = [d async for d in fleet.past_days(today=TODAY, days=30, column="rx_cdbm")]
        assert found == [(1, [1], [-2000]), (3, [1], [-2100])]

    async def test_a_second_sweep_of_a_day_takes_no_reading_away(self, store):
        fleet = store.fleet()
        await fleet.keep_days([a_day(1, TODAY)])
        await fleet.keep_days([a_day(1, TODAY, None, rx_at=None, verdict=3)])
        found = [d async for d in fleet.past_days(today=TODAY + 1, days=1, column="rx_cdbm")]
        assert found == [(1, [1], [-2000])]

    async def test_a_diagnosis_recalls_what_sweeps_read(self, store):
        await store.keep(samples.kept())
        fleet = store.fleet()
        await fleet.keep_boxes([a_box(7, key=f"acs:{samples.ACS_ID}", acs_id=samples.ACS_ID)])
        number = (await fleet.box_ids([f"acs:{samples.ACS_ID}"]))[f"acs:{samples.ACS_ID}"]
        await fleet.keep_days([a_day(number, TODAY - n, -2000 - n) for n in range(1, 5)])
        await fleet.keep_days([a_day(number + 1, TODAY - 1, -1111)])
        history = (await store.recall(samples.SERIAL, now=NOON)).history
        rx = [r.value for r in history.readings if r.name == "optical.rx_dbm"]
        assert rx == [-21.5, -20.01, -20.02, -20.03, -20.04]
        olt = [r.value for r in history.readings if r.name == "optical.olt_rx_dbm"]
        assert olt == [-22.01, -22.02, -22.03, -22.04]

    async def test_a_diagnosis_recalls_nothing_of_another_pon(self, store):
        await store.keep(samples.kept())
        key, moved = f"acs:{samples.ACS_ID}", (TODAY - 2) * DAY_MS + 9
        fleet = store.fleet()
        await fleet.keep_boxes([a_box(7, key=key, acs_id=samples.ACS_ID, placed_at=moved)])
        number = (await fleet.box_ids([key]))[key]
        await fleet.keep_days([a_day(number, TODAY - n, -2000 - n) for n in range(1, 5)])
        [known] = [c async for c in fleet.known_boxes(seen_after=EARLY)]
        assert known["placed_at"] == [moved / 1000]
        history = (await store.recall(samples.SERIAL, now=NOON)).history
        olt = [r.value for r in history.readings if r.name == "optical.olt_rx_dbm"]
        assert olt == [-22.01, -22.02]

    async def test_old_days_become_weekly_means_and_recent_ones_stay(self, store):
        fleet = store.fleet()
        await fleet.keep_boxes([a_box(1)])
        number = (await fleet.box_ids(["acs:BOX-1"]))["acs:BOX-1"]
        first = (TODAY - 70) // 7 * 7
        old = [a_day(number, first + n, -2000 - 10 * n) for n in range(7)]
        recent = [a_day(number, TODAY - n) for n in range(1, 31)]
        await fleet.keep_days([*old, *recent])
        for _ in range(2):
            await fleet.thin_out(today=TODAY)
        box, points = await fleet.trend("S1")
        assert box.serial == "S1"
        assert [(p.days, p.rx_dbm) for p in points[:1]] == [(7, -20.3)]
        assert [p.days for p in points[1:]] == [1] * 30

    async def test_what_flaps_is_counted_by_different_times(self, store):
        fleet = store.fleet()
        at = [(TODAY - n) * DAY_MS + 100 for n in range(7)]
        await fleet.keep_days([a_day(1, TODAY - n, down_at=at[n]) for n in range(4)])
        await fleet.keep_days([a_day(2, TODAY - n, down_at=at[5]) for n in range(5)])
        assert await fleet.events_of_week(today=TODAY, column="down_at") == {1: 4}

    async def test_only_what_is_new_is_merged_into_the_identity_map(self, store):
        fleet = store.fleet()
        box = samples.identity(olt="olt", pon="0/1", ont="3", ont_index="1.3")
        assert await fleet.learn_changed([box]) == 1
        later = samples.identity(last_seen=NOON + timedelta(days=1), olt="olt", pon="0/1", ont="3",
                                 ont_index="1.3")  # fmt: skip
        assert await fleet.learn_changed([later]) == 0
        assert (await store.identity(samples.SERIAL)).last_seen == NOON + timedelta(days=1)
        moved = samples.identity(last_seen=NOON + timedelta(days=2), olt="other", pon="0/2",
                                 ont="9", ont_index="2.9")  # fmt: skip
        assert await fleet.learn_changed([moved]) == 1
        assert (await store.identity(samples.SERIAL)).olt == "other"
