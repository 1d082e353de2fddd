"""What the hub keeps, on PostgreSQL: the same promises as on SQLite."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from cpe.store.hub import CREATING_S, Hub
from cpe.store.outbox import Letter
from cpe.store.repository import Store
from cpe.store.steps import StepSeen
from tests.support.hub_bench import answer_of
from tests.support.store.samples import SERIAL

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def stores(request, tmp_path):
    """Two processes' stores on one database."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'cpe.db'}"
    else:
        url = await request.getfixturevalue("postgres_cluster").database()
    both = [Store.open(url) for _ in range(2)]
    await both[0].migrate()
    yield both
    for store in both:
        await store.close()


async def take(hub: Hub, ticket: str, at: datetime = NOW):
    return await hub.take("box 1", ticket, now=at)


async def test_one_of_many_who_ask_at_once_takes_the_question(stores):
    hubs = [store.hub() for store in stores] * 5
    flights = await asyncio.gather(*(take(hub, f"t{n}") for n, hub in enumerate(hubs)))
    assert [f.is_mine for f in flights].count(True) == 1
    assert len({f.ticket for f in flights}) == 1


async def test_a_question_goes_from_its_taking_to_its_answer_and_is_free_again(stores):
    one, two = (store.hub() for store in stores)
    assert (await take(one, "a")).is_mine
    run_id = str(uuid.uuid4())
    await one.launched("box 1", "a", run_id)
    joined = await take(two, "b")
    assert (joined.is_mine, joined.run_id, joined.ticket) == (False, run_id, "a")
    await stores[0].keep(answer_of(run_id))
    again = await take(two, "c")
    assert (again.is_mine, again.ticket) == (True, "c")
    await two.land("box 1", "a")  # of a flight that is over: another's must stay
    assert not (await take(one, "d")).is_mine
    await two.land("box 1", "c")
    assert (await take(one, "e")).is_mine


async def test_whoever_died_before_creating_its_run_leaves_its_ticket(stores):
    one, two = (store.hub() for store in stores)
    await take(one, "a")
    early = NOW + timedelta(seconds=CREATING_S - 1)
    assert not (await take(two, "b", early)).is_mine
    late = await take(two, "b", NOW + timedelta(seconds=CREATING_S + 1))
    assert (late.is_mine, late.ticket) == (True, "a")
    await one.release("box 1", "a")
    at_once = await take(two, "c", NOW + timedelta(seconds=CREATING_S + 2))
    assert (at_once.is_mine, at_once.ticket) == (True, "a")


async def test_steps_told_twice_are_kept_once_and_come_in_order(stores):
    one, two = (store.hub() for store in stores)
    run_id = str(uuid.uuid4())
    seen = [StepSeen(run_id, 1_700_000_000_000_000 + n, f"s{n}") for n in (2, 1, 3)]
    await one.saw(seen)
    await one.saw(seen[:1])
    steps, done = await two.progress([run_id, "other"])
    assert [s.step for s in steps] == ["s1", "s2", "s3"]
    assert done == set()
    await stores[0].keep(answer_of(run_id))
    assert (await two.progress([run_id]))[1] == {run_id}
    latest = await two.latest(SERIAL)
    assert latest is not None
    assert latest.id == run_id
    assert (await two.document(run_id))["schema"] == "cpe.diagnosis/1"


async def test_letters_are_shared_out_and_a_body_comes_back_as_it_was(stores):
    one, two = (store.hub().outbox for store in stores)
    body = {"number": 1e22, "text": "nul \x00", "none": None}
    for n in range(6):
        await one.post(Letter(f"l{n}", "swap.changed", str(n), NOW, body))
    taken = await asyncio.gather(
        one.due(now=NOW, lease_s=30, limit=4), two.due(now=NOW, lease_s=30, limit=4)
    )
    ids = [letter.id for letters in taken for letter in letters]
    assert len(ids) == len(set(ids))
    assert taken[0][0].body == body
    await one.failed("l0", error="500", again_at=NOW + timedelta(hours=1))
    later = await two.due(now=NOW + timedelta(hours=2), lease_s=30, limit=10)
    assert {letter.id: letter.attempts for letter in later}["l0"] == 1


async def test_what_nobody_looks_at_any_more_is_dropped(stores):
    store, hub = stores[0], stores[0].hub()
    await take(hub, "a")
    await hub.saw([StepSeen("r", 1_700_000_000_000_000, "s")])
    await hub.outbox.post(Letter("l", "k", "s", NOW))
    await hub.prune(now=NOW + timedelta(days=2), keep_days=90)
    assert (await hub.progress(["r"]))[0] == []
    assert await hub.outbox.waiting() == 1, "what is still to be sent stays"
    await hub.outbox.delivered("l", now=NOW)
    await store.hub().prune(now=NOW + timedelta(days=200), keep_days=90)
    assert await hub.outbox.post(Letter("l", "k", "s", NOW)), "the old letter is gone"
