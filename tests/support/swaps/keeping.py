"""What the store promises of swaps, for each database it runs on."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from cpe.domain.swap import Kind, SwapState
from cpe.domain.swap_case import FollowUp, SwapCase
from cpe.store.repository import Store
from tests.unit.test_swap_timer import NOW, a_case


def case(swap_id: str, old: str, new: str) -> SwapCase:
    made = a_case(SwapState.REQUESTED, id=swap_id, reason="é \x00 \ud800 ok")
    units = {"old": made.old, "new": made.new}
    units = {
        name: type(unit)(unit.serial, equipment, unit.status)
        for (name, unit), equipment in zip(units.items(), (old, new), strict=True)
    }
    return made.but(**units)


async def a_unit_is_in_one_open_swap(store: Store) -> None:
    swaps = store.swaps()
    wanted = [case(f"swap-{n}", f"EQP-{n}", "EQP-SPARE") for n in range(6)]
    done = await asyncio.gather(*(swaps.open(one, "opened", "Luc") for one in wanted))
    (won,) = [kept for kept, holder in done if holder is None]
    assert {holder for _, holder in done if holder} == {won.id}
    again, holder = await swaps.open(won, "opened", "Luc")
    assert (again, holder) == (won, None)
    ended = won.but(state=SwapState.REFUSED, closed_at=NOW)
    assert await swaps.change(ended, now=NOW, event="declined", actor="Anne") is not None
    other = next(one for one in wanted if one.id != won.id)
    assert (await swaps.open(other, "opened", "Luc"))[1] is None


async def of_many_changes_one_is_kept(store: Store) -> None:
    swaps = store.swaps()
    opened, _ = await swaps.open(case("swap-1", "A", "B"), "opened", "Luc")
    changes = [opened.but(problem=f"p{n}") for n in range(8)]
    done = await asyncio.gather(*(swaps.change(one, now=NOW) for one in changes))
    (kept,) = [one for one in done if one is not None]
    file = await swaps.load("swap-1")
    assert file.case == kept
    assert file.case.version == 1
    assert [t.event for t in file.transitions] == ["opened"]


async def a_step_is_written_down_once(store: Store) -> None:
    swaps = store.swaps()
    await swaps.open(case("swap-1", "A", "B"), "opened", "Luc")
    for number in range(3):
        before = {"status": f"s{number}", "customer": None}
        step = await swaps.intend("swap-1", "x", actor="Luc", at=NOW, before=before)
        assert (step.before, step.at) == ({"status": "s0", "customer": None}, None)
    for number in range(2):
        at = NOW + timedelta(seconds=number)
        await swaps.finish("swap-1", "x", at=at, after={"status": number}, changed=number == 0)
    (step,) = (await swaps.load("swap-1")).steps
    assert (step.at, step.after, step.changed) == (NOW, {"status": 0}, True)


async def one_drives_and_a_dead_one_is_relieved(store: Store) -> None:
    swaps = store.swaps()
    await swaps.open(case("swap-1", "A", "B"), "opened", "Luc")
    span = timedelta(seconds=30)
    drivers = [f"d{n}" for n in range(5)]
    taken = await asyncio.gather(
        *(swaps.take("swap-1", d, now=NOW, until=NOW + span) for d in drivers)
    )
    assert taken.count(True) == 1
    winner = drivers[taken.index(True)]
    assert await swaps.take("swap-1", winner, now=NOW, until=NOW + 2 * span)
    assert await swaps.driven_until("swap-1") == NOW + 2 * span
    assert not await swaps.take("swap-1", "other", now=NOW + span, until=NOW + 3 * span)
    assert await swaps.take("swap-1", "other", now=NOW + 2 * span, until=NOW + 3 * span)
    await swaps.let_go("swap-1", winner)
    assert await swaps.driven_until("swap-1") == NOW + 3 * span
    await swaps.let_go("swap-1", "other")
    assert await swaps.driven_until("swap-1") is None


async def follow_ups_are_planned_and_kept_once(store: Store) -> None:
    swaps = store.swaps()
    opened, _ = await swaps.open(case("swap-1", "A", "B"), "opened", "Luc")
    planned = (FollowUp("30min", NOW), FollowUp("24h", NOW + timedelta(days=1)))
    await swaps.change(opened, now=NOW, follow_ups=planned)
    assert await swaps.follow_ups_due(NOW) == [("swap-1", "30min")]
    done = FollowUp("30min", NOW, NOW, "d1", "healthy", "left", "rules_ok")
    assert await swaps.followed_up("swap-1", done)
    assert not await swaps.followed_up("swap-1", done)
    assert await swaps.follow_ups_due(NOW) == []
    file = await swaps.load("swap-1")
    assert file.follow_ups == (done, planned[1])


async def swaps_are_found_by_what_people_ask(store: Store) -> None:
    swaps = store.swaps()
    for number in range(3):
        one = case(f"swap-{number}", f"A{number}", f"B{number}")
        at = NOW + timedelta(days=number)
        await swaps.open(one.but(opened_at=at, updated_at=at), "opened", "Luc")
    found = await swaps.found(states=[SwapState.REQUESTED])
    assert [f.case.id for f in found] == ["swap-2", "swap-1", "swap-0"]
    assert [f.case.id for f in await swaps.found(equipment="B1")] == ["swap-1"]
    assert len(await swaps.found(serial="OLD1", since=NOW + timedelta(days=1))) == 2
    assert await swaps.found(states=[SwapState.CLOSED]) == []
    assert len(await swaps.found(limit=1)) == 1
    assert (await swaps.load("swap-2")).case.kind is Kind.DIAGNOSTIC
    assert await swaps.load("swap-9") is None


async def the_hub_is_told_of_each_move_that_was_kept_and_of_no_other(store: Store) -> None:
    swaps, outbox = store.swaps(call_back=True), store.hub().outbox
    wanted = [case(f"swap-{n}", f"EQP-{n}", "EQP-SPARE") for n in range(3)]
    done = await asyncio.gather(*(swaps.open(one, "opened", "Luc") for one in wanted))
    (opened,) = [kept for kept, holder in done if holder is None]
    ended = opened.but(state=SwapState.REFUSED, closed_at=NOW)
    moves = (swaps.change(ended, now=NOW, event="declined", actor=f"p{n}") for n in range(3))
    assert len([one for one in await asyncio.gather(*moves) if one is not None]) == 1
    await store.swaps().open(case("swap-9", "X", "Y"), "opened", "Luc")
    letters = await outbox.due(now=NOW, lease_s=30, limit=10)
    assert {one.id for one in letters} == {f"swap.changed:{opened.id}:{n}" for n in (1, 2)}
    told = {one.body["number"]: one.body for one in letters}
    assert (told[1]["event"], told[1]["became"]) == ("opened", "requested")
    assert (told[2]["event"], told[2]["became"]) == ("declined", "refused")
    assert told[2]["old"] == opened.old.serial


PROMISES = (
    the_hub_is_told_of_each_move_that_was_kept_and_of_no_other,
    a_unit_is_in_one_open_swap,
    of_many_changes_one_is_kept,
    a_step_is_written_down_once,
    one_drives_and_a_dead_one_is_relieved,
    follow_ups_are_planned_and_kept_once,
    swaps_are_found_by_what_people_ask,
)
