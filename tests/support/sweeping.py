"""Sweeps in tests: the runbook as plain functions, a past planted straight into the store."""

from __future__ import annotations

import math
import os
import uuid
from datetime import UTC, datetime

from cpe.store.repository import Store
from flows.conduct import as_function
from flows.sweep import Swept, sweep
from flows.sweep_request import SweepRequest
from tasks.clients import close_clients

DAY_S = 86_400
NOWHERE = {"flow_run_id": None, "url": None}


async def swept(**options) -> Swept:
    """One sweep of the systems in the environment."""
    options = {"refresh": False, "worst": 0, **options}
    try:
        return await sweep(SweepRequest(**options), str(uuid.uuid4()), dict(NOWHERE), as_function)
    finally:
        await close_clients()


async def plant_past(changes, *, days=range(1, 31), olt_changes=None) -> None:
    """Give the boxes that a sweep has kept a past: `changes(serial, day)` in dB against today.

    None is a day without a reading.
    """
    url = os.environ["CPE_DATABASE_URL"]
    today = int(datetime.now(UTC).timestamp() // DAY_S)
    async with Store.open(url) as store:
        await store.migrate()
        fleet = store.fleet()
        by_key = {}
        async for boxes in fleet.known_boxes(seen_after=datetime.fromtimestamp(0, UTC)):
            by_key |= dict(zip(boxes["key"], boxes["serial"], strict=True))
        ids = await fleet.box_ids(list(by_key))
        now = {b.key: b for b in await all_boxes(store)}
        rows = []
        for key, number in ids.items():
            if (box := now.get(key)) is None:
                continue  # no OLT shows it
            for day in days:
                delta = changes(by_key[key], day)
                at_olt = delta if olt_changes is None else olt_changes(by_key[key], day)
                at = ((today - day) * DAY_S + 3_600) * 1000
                rows.append(
                    {
                        "day": today - day,
                        "box": number,
                        "rx_cdbm": _hundredths(box.rx_dbm, delta),
                        "rx_at": at,
                        "ont_rx_cdbm": None,
                        "olt_rx_cdbm": _hundredths(box.olt_rx_dbm, at_olt),
                        "walked_at": at,
                        "down_at": None,
                        "boot_at": None,
                        "verdict": 11,
                    }
                )
        await fleet.keep_days(rows)


async def all_boxes(store):
    """Every box the store has, as the fleet's commands show them."""
    found = []
    for olt, pon, _ in await store.fleet().pons():
        found += await store.fleet().on_pon(olt=olt, pon=pon)
    return found


def _hundredths(value, delta):
    if value is None or delta is None:
        return None
    jitter = 0.05 * math.sin(value * 37)
    return round((value + delta + jitter) * 100)
