"""What any database must remember of a box. Test classes inherit it and give a `store`."""

from __future__ import annotations

from datetime import timedelta

from cpe.domain.memory import Recall
from cpe.domain.observation import Quality, Source
from cpe.domain.snapshot import PastReading, Request
from cpe.store.recall import MAX_ROWS
from tests.support.store import samples
from tests.support.store.samples import NOON, SERIAL

NOW = NOON + timedelta(days=2)


async def keep(store, **changes) -> None:
    await store.keep(samples.kept(samples.snapshot(**changes)))


class Recalling:
    async def test_of_a_stranger_nothing_is_known(self, store):
        assert await store.recall("NOBODY", now=NOW) == Recall()

    async def test_readings_are_recalled_newest_first(self, store):
        for hours, value in ((1, -22.0), (0, -21.0), (2, -23.0)):
            at = NOON + timedelta(hours=hours)
            await keep(store, at=at, measurements=(samples.reading(value=value, measured_at=at),))
        recalled = await store.recall(SERIAL, now=NOW)
        assert recalled.identity.acs_id == samples.ACS_ID
        assert recalled.history.readings == tuple(
            PastReading("optical.rx_dbm", "", value, NOON + timedelta(hours=hours), Source.ACS)
            for hours, value in ((2, -23.0), (1, -22.0), (0, -21.0))
        )

    async def test_only_the_numbers_that_trends_need_are_recalled(self, store):
        optical = ("rx_dbm", "olt_rx_dbm", "errors_fec", "errorsXfec", "tx_dbm")
        wifi = ("errors_sent", "packets_received", "noise_dbm")
        names = [*(f"optical.{n}" for n in optical), *(f"wifi.{n}" for n in wifi)]
        names += ["device.uptime_s", "wan.uptime_s"]
        await keep(store, measurements=tuple(samples.reading(name, 1) for name in names))
        readings = (await store.recall(SERIAL, now=NOW)).history.readings
        assert {reading.name for reading in readings} == {
            "optical.rx_dbm",
            "optical.olt_rx_dbm",
            "optical.errors_fec",
            "wifi.errors_sent",
            "wifi.packets_received",
            "device.uptime_s",
        }

    async def test_what_could_not_be_judged_is_not_recalled(self, store):
        await keep(
            store,
            measurements=(
                samples.reading(subject="stale", quality=Quality.STALE),
                samples.reading(subject="none", value=None, quality=Quality.NOT_READ),
                samples.reading(subject="text", value="-21"),
                samples.reading(subject="bool", value=True),
                samples.reading(subject="ageless", measured_at=None),
                samples.reading(subject="good"),
            ),
        )
        readings = (await store.recall(SERIAL, now=NOW)).history.readings
        assert [reading.subject for reading in readings] == ["good"]

    async def test_one_reading_that_two_diagnoses_read_counts_once(self, store):
        await keep(store)
        await keep(store, at=NOON + timedelta(seconds=20), measurements=(samples.reading(),))
        assert len((await store.recall(SERIAL, now=NOW)).history.readings) == 1

    async def test_readings_of_the_olts_sighting_are_recalled(self, store):
        light = samples.reading("optical.olt_rx_dbm", -19.5, source=Source.OLT)
        await keep(store, olt=samples.sighting(measurements=(light,)))
        readings = (await store.recall(SERIAL, now=NOW)).history.readings
        assert {(r.name, r.value) for r in readings} == {
            ("optical.rx_dbm", -21.5),
            ("optical.olt_rx_dbm", -19.5),
        }

    async def test_the_past_ends_after_the_days_asked_for(self, store):
        await keep(store, last_boot=NOON - timedelta(hours=1))
        assert (await store.recall(SERIAL, now=NOW, days=3)).history.readings
        recalled = await store.recall(SERIAL, now=NOW, days=1)
        assert recalled.history.readings == recalled.history.boots == ()
        assert recalled.identity is not None

    async def test_the_past_is_bounded(self, store):
        many = tuple(samples.reading("wifi.errors_sent", i, subject=f"r{i}") for i in range(600))
        await keep(store, measurements=many)
        assert len((await store.recall(SERIAL, now=NOW)).history.readings) == MAX_ROWS == 500

    async def test_each_boot_is_recalled_once(self, store):
        first, second = NOON - timedelta(hours=3), NOON - timedelta(hours=1)
        for boot, hours in ((first, -2), (second, 0), (second, 1)):
            await keep(store, at=NOON + timedelta(hours=hours), last_boot=boot)
        assert (await store.recall(SERIAL, now=NOW)).history.boots == (second, first)

    async def test_a_firmware_is_recalled_once_since_it_was_first_seen(self, store):
        for hours, firmware in enumerate(["1.0", "1.0", None, "1.1", "1.0"]):
            device = samples.box(firmware=firmware)
            await keep(store, at=NOON + timedelta(hours=hours), device=device)
        assert (await store.recall(SERIAL, now=NOW)).history.firmwares == tuple(
            (NOON + timedelta(hours=hours), firmware)
            for hours, firmware in ((4, "1.0"), (3, "1.1"), (0, "1.0"))
        )

    async def test_two_boxes_with_one_serial_do_not_share_a_past(self, store):
        older = samples.box(acs_id="OLD", gpon_serial="TPLG00000001", firmware="9")
        boot = NOON - timedelta(days=1)
        await keep(store, device=older, measurements=(samples.reading(value=-30),), last_boot=boot)
        await keep(store, at=NOON + timedelta(hours=1))
        history = (await store.recall(SERIAL, now=NOW)).history
        assert [reading.value for reading in history.readings] == [-21.5]
        assert history.boots == ()
        assert [firmware for _, firmware in history.firmwares] == ["1.2.0"]

    async def test_diagnoses_made_while_the_acs_was_down_belong_to_the_box(self, store):
        await keep(store)
        at = NOON + timedelta(hours=1)
        down = samples.box(acs_id=None, serial=None, mac=None)
        light = samples.reading(value=-26.0, measured_at=at, source=Source.OLT)
        await keep(store, at=at, device=down, acs_known=None, measurements=(light,))
        for name in (SERIAL, samples.GPON):
            readings = (await store.recall(name, now=NOW)).history.readings
            assert [reading.value for reading in readings] == [-26.0, -21.5]

    async def test_a_box_is_recalled_by_its_gpon_serial(self, store):
        await keep(store, request=Request(serial=samples.GPON))
        recalled = await store.recall("1,tplgB4D00744", now=NOW)
        assert recalled.identity.tr069_serial == SERIAL
        assert len(recalled.history.readings) == 1
