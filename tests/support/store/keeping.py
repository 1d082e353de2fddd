"""What any database must do with diagnoses. Test classes inherit it and give a `store`."""

from __future__ import annotations

import asyncio
from dataclasses import fields, replace
from datetime import timedelta

import pytest

from cpe.domain.errors import StoreError
from cpe.domain.finding import Status
from cpe.domain.observation import Quality, Source
from cpe.domain.snapshot import Freshness, FreshnessOutcome, OltReport, Request
from cpe.domain.verdict import Code
from cpe.store import codec
from tests.support.store import samples
from tests.support.store.samples import NOON, SERIAL


class Keeping:
    async def test_a_kept_diagnosis_comes_back_as_it_was(self, store):
        kept = samples.kept()
        assert await store.keep(kept) is True
        assert await store.load(kept.id) == kept

    async def test_awkward_values_come_back_as_they_were(self, store):
        raws = [1, 1.0, True, "1", None, 1e22, -0.0, 5e-324, 2**70, "a\x00b", "\ud800", "\x1b~1"]
        readings = tuple(
            samples.reading(raw=raw, value=raw, subject=str(i)) for i, raw in enumerate(raws)
        )
        document = {"raws": raws, "z": {"b": 1, "a": [None, 1.50]}}
        kept = samples.kept(samples.snapshot(measurements=readings), document=document)
        await store.keep(kept)
        loaded = await store.load(kept.id)
        assert loaded == kept
        assert repr([m.raw for m in loaded.snapshot.measurements]) == repr(raws)
        assert repr(loaded.document["raws"]) == repr(raws)
        assert codec.snapshot_text(loaded.snapshot) == codec.snapshot_text(kept.snapshot)

    async def test_keeping_twice_changes_nothing_and_says_so(self, store):
        kept = samples.kept()
        assert await store.keep(kept) is True
        changed = replace(kept, verdict=samples.verdict(code=Code.FIBRE_WEAK), duration_ms=1)
        assert await store.keep(changed) is False
        assert await store.load(kept.id) == kept

    async def test_two_writers_of_one_id_keep_one(self, store):
        kept = samples.kept()
        results = await asyncio.gather(*(store.keep(kept) for _ in range(4)))
        assert sorted(results) == [False, False, False, True]

    async def test_many_writers_at_once_all_succeed(self, store):
        kept = [samples.kept() for _ in range(12)]
        assert all(await asyncio.gather(*(store.keep(one) for one in kept)))
        assert len(await store.summaries(SERIAL, limit=50)) == 12

    async def test_a_diagnosis_that_fails_half_way_leaves_nothing(self, store):
        naive = samples.reading(measured_at=NOON.replace(tzinfo=None))
        kept = samples.kept(samples.snapshot(measurements=(samples.reading(), naive)))
        with pytest.raises(StoreError, match="a time without a time zone cannot be kept"):
            await store.keep(kept)
        assert await store.load(kept.id) is None
        assert await store.identity(SERIAL) is None

    async def test_an_id_that_is_not_the_snapshots_is_refused(self, store):
        with pytest.raises(StoreError, match="diagnosis other holds the snapshot of"):
            await store.keep(replace(samples.kept(), id="other"))

    async def test_an_unambiguous_prefix_finds_a_diagnosis(self, store):
        kept = samples.kept()
        await store.keep(kept)
        assert await store.load(kept.id[:6]) == kept
        assert await store.load(kept.id[:8].upper()) == kept
        assert await store.load(kept.id[:5]) is None
        assert await store.load("%%%%%%") is None
        assert await store.load("______") is None

    async def test_a_prefix_of_two_diagnoses_is_refused(self, store):
        for tail in "12":
            one = samples.snapshot(id=f"abcdef00-0000-4000-8000-00000000000{tail}")
            await store.keep(samples.kept(one))
        with pytest.raises(StoreError, match="more than one diagnosis begins with 'abcdef'"):
            await store.load("abcdef")
        assert (await store.load("abcdef00-0000-4000-8000-000000000002")).id.endswith("2")

    async def test_summaries_are_newest_first_and_can_be_paged(self, store):
        kept = [samples.kept(samples.snapshot(at=NOON + timedelta(hours=h))) for h in (2, 0, 1)]
        for one in kept:
            await store.keep(one)
        newest = [kept[0].id, kept[2].id, kept[1].id]
        assert [s.id for s in await store.summaries(SERIAL)] == newest
        first = await store.summaries(SERIAL, limit=2)
        rest = await store.summaries(SERIAL, before=first[-1].requested_at)
        assert [s.id for s in (*first, *rest)] == newest
        assert await store.summaries(SERIAL, limit=0) == []
        assert (await store.latest(SERIAL)).id == newest[0]

    async def test_a_summary_says_what_the_diagnosis_says(self, store):
        kept = samples.kept()
        await store.keep(kept)
        [summary] = await store.summaries(SERIAL)
        assert {f.name: getattr(summary, f.name) for f in fields(summary)} == {
            "id": kept.id,
            "serial": SERIAL,
            "acs_id": samples.ACS_ID,
            "gpon_serial": samples.GPON,
            "model": "XX230v",
            "firmware": "1.2.0",
            "requested_at": NOON,
            "finished_at": NOON + timedelta(seconds=3),
            "duration_ms": 3000,
            "verdict_code": Code.HEALTHY,
            "verdict_status": Status.OK,
            "rx_dbm": -21.5,
            "freshness_outcome": FreshnessOutcome.FRESH,
            "requested_by": "Amélie",
            "ruleset": "2025.03",
            "flow_run_id": kept.flow_run_id,
        }

    async def test_rx_power_not_fit_to_judge_is_no_rx_power(self, store):
        stale = samples.reading(quality=Quality.STALE)
        olt = samples.reading("optical.olt_rx_dbm", -19.0, source=Source.OLT)
        await store.keep(samples.kept(samples.snapshot(measurements=(stale, olt))))
        [summary] = await store.summaries(SERIAL)
        assert summary.rx_dbm is None

    async def test_rx_power_is_the_acs_before_the_olts(self, store):
        both = (
            samples.reading(value=-20.0, source=Source.OLT),
            samples.reading(value=-21.0, source=Source.ACS),
        )
        await store.keep(samples.kept(samples.snapshot(measurements=both)))
        assert (await store.summaries(SERIAL))[0].rx_dbm == -21.0

    async def test_a_diagnosis_of_nobody_is_kept_under_what_was_asked(self, store):
        nobody = samples.snapshot(
            device=samples.box(acs_id=None, serial=None, gpon_serial=None, mac=None),
            request=Request(serial="TYPO1"),
            freshness=Freshness(None, None, 60.0, None),
            measurements=(),
            acs_known=False,
            olt=OltReport(None, asked=("olt-nord",)),
        )
        await store.keep(samples.kept(nobody, findings=(), flow_run_id=None))
        [summary] = await store.summaries("TYPO1")
        assert (summary.serial, summary.acs_id, summary.freshness_outcome) == ("TYPO1", None, None)
        assert await store.identity("TYPO1") is None

    async def test_a_box_is_found_by_every_name_it_has(self, store):
        kept = samples.kept()
        await store.keep(kept)
        for name in (SERIAL, samples.ACS_ID, samples.GPON, "54504C47B4D00744", "1c61b4d00745"):
            assert (await store.latest(name)).id == kept.id, name
        assert await store.latest("SOMEONE-ELSE") is None
        assert await store.latest("FFFFFFFFFFFF") is None

    async def test_by_whatever_name_it_was_asked_a_box_has_one_past(self, store):
        names = (SERIAL, SERIAL.lower(), samples.GPON, samples.GPON.lower(), samples.MAC)
        for hours, name in enumerate(names):
            at = NOON + timedelta(hours=hours)
            asked = samples.snapshot(at=at, request=Request(serial=name))
            await store.keep(samples.kept(asked))
        for name in (*names, samples.MAC.replace(":", "-"), samples.ACS_ID):
            assert len(await store.summaries(name)) == len(names), name

    async def test_a_serial_is_not_answered_by_a_box_that_shares_its_gpon_serial(self, store):
        mine = samples.kept()
        device = samples.box(serial="OTHER", acs_id="1C61B4-XX230v-OTHER")
        asked = Request(serial="OTHER")
        later = samples.snapshot(device=device, request=asked, at=NOON + timedelta(hours=1))
        await store.keep(mine)
        await store.keep(samples.kept(later))
        assert (await store.latest(SERIAL)).id == mine.id

    async def test_a_naive_finish_is_refused(self, store):
        with pytest.raises(StoreError, match="a time without a time zone"):
            await store.keep(samples.kept(finished_at=NOON.replace(tzinfo=None)))
