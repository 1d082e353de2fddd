"""What any database must know of identities and ONT rows. Test classes give a `store`."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from cpe.domain.errors import StoreError
from cpe.domain.ont_index import IndexEntry
from tests.support.store import samples
from tests.support.store.samples import ACS_ID, GPON, MAC, NOON, SERIAL

LATER = NOON + timedelta(hours=1)


def entry(olt="olt-nord", serial=GPON, index="4194320384.12", seen_at=NOON) -> IndexEntry:
    return IndexEntry(olt, serial, index, seen_at)


class Identifying:
    async def test_an_identity_is_found_by_any_of_its_names(self, store):
        told = samples.identity(mac="1c-61-b4-d0-07-45", gpon_serial="54504c47b4d00744")
        await store.learn(told)
        known = replace(told, mac=MAC, gpon_serial=GPON, first_seen=NOON)
        names = (
            SERIAL,
            SERIAL.lower(),
            ACS_ID,
            GPON,
            "54504C47B4D00744",
            "tplgb4d00744",
            MAC,
            "1c61b4d00745",
        )
        for name in names:
            assert await store.identity(name) == known, name
        assert await store.identity("nobody") is None

    async def test_a_diagnosis_teaches_who_the_box_is_and_where(self, store):
        await store.keep(samples.kept(samples.snapshot(olt=samples.sighting())))
        seen_at = NOON + timedelta(seconds=2)
        assert await store.identity(SERIAL) == samples.identity(
            mac=MAC,
            model="XX230v",
            olt="olt-nord",
            pon="0/1/3",
            ont="12",
            ont_index="4194320384.12",
            first_seen=seen_at,
            last_seen=seen_at,
            source="diagnosis",
        )

    async def test_what_was_only_typed_or_remembered_teaches_nothing(self, store):
        """A mistyped GPON serial, or a box that neither the ACS nor an OLT could show."""
        nobody = samples.box(acs_id=None, serial=None, mac=None, model=None)
        await store.keep(samples.kept(samples.snapshot(device=nobody, acs_known=False)))
        assert await store.identity(GPON) is None
        await store.learn(samples.identity())
        down = samples.box(acs_id=None)
        await store.keep(samples.kept(samples.snapshot(at=LATER, device=down, acs_known=None)))
        assert (await store.identity(GPON)).last_seen == NOON

    async def test_an_ont_of_another_serial_does_not_teach_where_the_box_is(self, store):
        other = samples.sighting(gpon_serial="HWTC00000001")
        await store.keep(samples.kept(samples.snapshot(olt=other)))
        assert (await store.identity(SERIAL)).olt is None

    async def test_what_an_olt_tells_first_joins_the_box_that_claims_it_later(self, store):
        place = {"olt": "olt-nord", "pon": "0/1/3", "ont": "12", "ont_index": "7.12"}
        await store.learn(samples.identity(acs_id=None, tr069_serial=None, **place))
        assert (await store.identity(GPON)).acs_id is None
        await store.learn(samples.identity(last_seen=LATER))
        joined = samples.identity(first_seen=NOON, last_seen=LATER, **place)
        assert await store.identity(GPON) == joined
        assert await store.identity(SERIAL) == joined

    async def test_a_whole_fleet_is_learned_in_one_go_and_again(self, store):
        fleet = [
            samples.identity(acs_id=f"A{i}", tr069_serial=f"S{i}", gpon_serial=f"TPLG{i:08X}")
            for i in range(1000)
        ]
        await store.learn_all(fleet)
        await store.learn_all([replace(one, last_seen=LATER, model="XX230v") for one in fleet])
        found = await store.identity("S999")
        assert (found.first_seen, found.last_seen, found.model) == (NOON, LATER, "XX230v")
        assert await store.conflicts() == []
        await store.learn_all([])

    async def test_two_learners_of_one_box_make_one_row(self, store):
        told = [samples.identity(mac=None if i else MAC) for i in range(4)]
        await asyncio.gather(*(store.learn(one) for one in told))
        assert await store.conflicts() == []
        assert (await store.identity(SERIAL)).mac == MAC

    async def test_one_gpon_serial_on_two_boxes_is_a_conflict(self, store):
        await store.learn(samples.identity())
        await store.learn(samples.identity(acs_id="B", tr069_serial="SB", last_seen=LATER))
        await store.learn(samples.identity(acs_id="C", tr069_serial="SC", gpon_serial=None))
        [conflict] = await store.conflicts()
        assert conflict.gpon_serial == GPON
        assert [box.acs_id for box in conflict.boxes] == ["B", ACS_ID]
        assert (await store.identity(GPON)).acs_id == "B"

    async def test_an_identity_keeps_no_secret(self, store):
        await store.learn(samples.identity(equipment="EQ-1 password=canary-1"))
        assert (await store.identity(SERIAL)).equipment == "EQ-1 password=***"


class Indexing:
    async def test_an_ont_is_found_on_every_olt_that_showed_it_newest_first(self, store):
        index = store.ont_index()
        await index.remember("olt-nord", [entry()], complete=False)
        await index.remember("olt-sud", [entry("olt-sud", seen_at=LATER)], complete=False)
        assert list(await index.find(GPON)) == [entry("olt-sud", seen_at=LATER), entry()]
        assert list(await index.find("HWTC00000001")) == []

    async def test_seeing_a_row_again_only_makes_it_newer(self, store):
        index = store.ont_index()
        for seen_at in (NOON, LATER, NOON):
            await index.remember("olt-nord", [entry(seen_at=seen_at)], complete=False)
        assert list(await index.find(GPON)) == [entry(seen_at=LATER)]

    async def test_an_incomplete_walk_removes_nothing(self, store):
        index = store.ont_index()
        await index.remember("olt-nord", [entry()], complete=False)
        await index.remember("olt-nord", [], complete=False)
        await index.remember("olt-nord", [entry(serial="HWTC00000001")], complete=False)
        assert list(await index.find(GPON)) == [entry()]

    async def test_a_complete_walk_removes_what_that_olt_no_longer_shows(self, store):
        index = store.ont_index()
        await index.remember("olt-nord", [entry(), entry(index="9.9")], complete=True)
        await index.remember("olt-sud", [entry("olt-sud")], complete=True)
        await index.remember("olt-nord", [entry(index="9.9", seen_at=LATER)], complete=True)
        assert list(await index.find(GPON)) == [
            entry(index="9.9", seen_at=LATER),
            entry("olt-sud"),
        ]
        await index.remember("olt-sud", [], complete=True)
        assert [found.olt for found in await index.find(GPON)] == ["olt-nord"]

    async def test_a_walk_does_not_remove_what_was_seen_after_it(self, store):
        index = store.ont_index()
        await index.remember("olt-nord", [entry(seen_at=LATER)], complete=False)
        await index.remember("olt-nord", [entry(serial="HWTC00000001")], complete=True)
        assert list(await index.find(GPON)) == [entry(seen_at=LATER)]

    async def test_a_walk_of_thousands_is_remembered(self, store):
        index = store.ont_index()
        walk = [entry(serial=f"HWTC{i:08X}", index=f"1.{i}") for i in range(3000)]
        await index.remember("olt-nord", [*walk, walk[0]], complete=True)
        await index.remember("olt-nord", walk[1500:], complete=True)
        assert list(await index.find("HWTC00000001")) == []
        assert list(await index.find(f"HWTC{2999:08X}")) == [walk[2999]]

    async def test_rows_of_another_olt_are_refused(self, store):
        with pytest.raises(StoreError, match="rows of olt-sud in a walk of olt-nord"):
            await store.ont_index().remember("olt-nord", [entry("olt-sud")], complete=True)
