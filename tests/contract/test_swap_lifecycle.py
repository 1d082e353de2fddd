"""A swap from the door to its end, on a lab ERPNext; seven days pass because the time is given."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from cpe.domain.errors import DeclinedError
from cpe.domain.swap_errors import (
    SwapNotFoundError,
    SwapRaceError,
    SwapRefusedError,
    SwapUnavailableError,
    TransitionRefusedError,
)
from cpe.domain.verdict import Code
from deployments.swaps import desk
from flows.conduct import as_function
from flows.swap_alarms import ring
from flows.swap_check import look_for_removed_units, reconcile
from flows.swap_follow_ups import follow_up
from tests.support.swaps.bench import BLOCKED, PERMITTED, Bench, running_bench

DIAGNOSTIC, FOR_GOOD, RETURN = "swap_diagnostic", "remplacement_definitif", "retour_de_diagnostic"
OLD, NEW, CUSTOMER = "LAB0003", "SPARE01", "CUST-00003"


@pytest.fixture
async def bench(tmp_path, monkeypatch):
    # The clock is a context variable: an async generator fixture runs in the test's own context.
    async with running_bench(tmp_path, monkeypatch) as running:
        yield running


@pytest.fixture(autouse=True)
def the_benchs_time(bench: Bench):
    from tasks.swap_clock import clock

    token = clock.set(lambda: bench.now)
    yield
    clock.reset(token)


async def test_a_replacement_for_good_is_done_at_once(bench):
    swap = await bench.start(FOR_GOOD, OLD, NEW)
    assert (swap["state"], swap["outcome"], swap["waits_for"]) == ("closed", "replaced", None)
    assert await bench.unit(OLD) == ("Défectueux", CUSTOMER)
    assert await bench.unit(NEW) == ("Actif", CUSTOMER)
    assert await bench.tasks() == []
    assert swap["follow_ups"] == []
    assert [s["changed"] for s in swap["steps"]] == [True, True]


@pytest.mark.parametrize(
    ("result", "old", "new"),
    [
        ("passed", ("En inventaire", None), ("Actif", CUSTOMER)),
        ("failed", ("Défectueux", CUSTOMER), ("Actif", CUSTOMER)),
        ("returned", ("Actif", CUSTOMER), ("Retourné", None)),
    ],
)
async def test_a_diagnostic_swap_ends_as_the_bench_says(bench, result, old, new):
    swap = await bench.start(DIAGNOSTIC, OLD, NEW, reason="Ça coupe")
    assert (swap["state"], swap["waits_for"]) == ("awaiting_test", "test")
    assert await bench.unit(OLD) == ("En diagnostic", CUSTOMER)
    assert await bench.unit(NEW) == ("Actif", CUSTOMER)
    (task,) = await bench.tasks()
    due = (bench.now + timedelta(days=7)).astimezone(_site_zone()).date().isoformat()
    assert (task["status"], task["priority"], task["exp_end_date"]) == ("Open", "Medium", due)
    assert task["custom_idem_key"] == f"{swap['id']}/test-task-opened"
    for word in (OLD, NEW, CUSTOMER, "Ça coupe", "hardware_fault"):
        assert word in task["description"]
    bench.pass_time(days=3)
    swap = await bench.answer(swap, result)
    assert (swap["state"], swap["outcome"]) == ("closed", result)
    assert (await bench.unit(OLD), await bench.unit(NEW)) == (old, new)
    (task,) = await bench.tasks()
    assert task["status"] == "Completed"
    assert task["completed_on"] <= bench.now.date().isoformat()
    (comment,) = await bench.comments()
    assert "Marc" in comment
    assert [s["step"] for s in swap["steps"] if not s["changed"] or not s["at"]] == []
    assert {s["actor"] for s in swap["steps"]} == {"Luc", "Marc"}


def _site_zone():
    from zoneinfo import ZoneInfo

    return ZoneInfo("America/Toronto")


async def test_a_return_asked_for_as_a_swap_ends_the_diagnostic_swap_of_the_two_units(bench):
    swap = await bench.start(DIAGNOSTIC, OLD, NEW)
    ended = await bench.start(RETURN, OLD, NEW, reason="bonne finalement")
    assert (ended["id"], ended["outcome"]) == (swap["id"], "returned")
    assert await bench.unit(OLD) == ("Actif", CUSTOMER)
    assert await bench.unit(NEW) == ("Retourné", None)


async def test_asking_twice_with_one_key_is_one_swap(bench):
    named = await bench.diagnosed(OLD)
    request = desk.SwapRequest(
        kind=DIAGNOSTIC, old_serial=OLD, new_serial=NEW, requested_by="Luc", diagnosis_id=named
    )
    first = await desk.start(request, key="k1")
    await desk.drive(first["id"])
    again = await desk.start(request, key="k1")
    assert again["id"] == first["id"]
    assert len(await desk.listed()) == 1


# -- refused at the door


REFUSED = [
    (OLD, OLD, {}, "same_unit", ()),
    (OLD, OLD.lower(), {}, "same_unit", ()),
    ("LAB9999", NEW, {}, "unknown_serial", ()),
    (OLD, "SPARE99", {}, "unknown_serial", ()),
    (OLD, "LAB0004", {}, "not_in_stock", ("En inventaire",)),
    (NEW, "SPARE02", {}, "wrong_status", ("Actif",)),
    (OLD, NEW, {"customer": "CUST-00004"}, "other_customer", ()),
]


@pytest.mark.parametrize("kind", [DIAGNOSTIC, FOR_GOOD])
async def test_what_is_refused_at_the_door_writes_nothing(bench, kind):
    before = await bench.everything()
    for old, new, changes, reason, accepted in REFUSED:
        with pytest.raises(SwapRefusedError) as caught:
            await bench.start(kind, old, new, **changes)
        found = (caught.value.reason, caught.value.accepted)
        assert found == (reason, accepted), (old, new, changes)
        assert " · " in str(caught.value)
    assert await bench.everything() == before
    assert await desk.listed() == []


async def test_a_spare_that_is_kept_for_another_customer_is_refused(bench):
    await bench.set_unit(NEW, customer="CUST-00009")
    with pytest.raises(SwapRefusedError) as caught:
        await bench.start(DIAGNOSTIC, OLD, NEW)
    assert caught.value.reason == "other_customer"
    assert "CUST-00009" in str(caught.value)


async def test_only_an_active_unit_is_swapped(bench):
    for status in ("En inventaire", "En diagnostic", "Défectueux", "Retourné"):
        await bench.set_unit(OLD, status=status)
        with pytest.raises(SwapRefusedError) as caught:
            await bench.start(DIAGNOSTIC, OLD, NEW)
        assert (caught.value.reason, caught.value.accepted) == ("wrong_status", ("Actif",))
        assert status in str(caught.value)


@pytest.mark.parametrize(("old", "new"), [(OLD, "SPARE02"), ("LAB0004", NEW), (NEW, "SPARE02")])
async def test_a_unit_of_an_open_swap_is_in_no_other(bench, old, new):
    open_swap = await bench.start(DIAGNOSTIC, OLD, NEW)
    with pytest.raises(SwapRefusedError) as caught:
        await bench.start(DIAGNOSTIC, old, new)
    assert caught.value.reason == "unit_in_swap"
    assert open_swap["id"] in str(caught.value)
    await bench.answer(open_swap, "failed")
    if (old, new) == (NEW, "SPARE02"):
        assert (await bench.start(DIAGNOSTIC, old, new))["state"] == "awaiting_test"


async def test_of_many_who_want_one_spare_at_once_one_gets_it(bench):
    olds = ["LAB0001", "LAB0002", "LAB0003", "LAB0004"]
    named = [await bench.diagnosed(old) for old in olds]
    requests = [
        desk.SwapRequest(
            kind=DIAGNOSTIC, old_serial=old, new_serial=NEW, requested_by="Luc", diagnosis_id=d
        )
        for old, d in zip(olds, named, strict=True)
    ]
    done = await asyncio.gather(*(desk.start(r) for r in requests), return_exceptions=True)
    refused = [one for one in done if isinstance(one, SwapRefusedError)]
    assert [one.reason for one in refused] == ["unit_in_swap"] * 3
    assert len(await desk.listed(state="open")) == 1


async def test_a_return_without_its_diagnostic_swap_is_refused(bench):
    await bench.set_unit(OLD, status="En diagnostic")
    with pytest.raises(SwapRefusedError) as caught:
        await bench.start(RETURN, OLD, "LAB0004")
    assert caught.value.reason == "no_diagnostic_swap"


@pytest.mark.parametrize("fault", ["down", "http500", "html"])
async def test_an_erpnext_that_does_not_answer_opens_nothing(bench, fault):
    named = await bench.diagnosed(OLD)
    await bench.lab.set_fault("erp", fault)
    with pytest.raises(SwapUnavailableError):
        await bench.start(DIAGNOSTIC, OLD, NEW, diagnosis_id=named)
    await bench.lab.set_fault("erp", "none")
    assert await desk.listed() == []


async def test_an_answer_is_refused_while_none_is_awaited_and_says_what_is(bench):
    swap = await bench.start(FOR_GOOD, OLD, NEW)
    with pytest.raises(TransitionRefusedError) as caught:
        await bench.answer(swap, "passed")
    assert caught.value.accepted == ()
    named = await bench.diagnosed("LAB0004", Code.FIBRE_CUT)
    blocked = await bench.start(DIAGNOSTIC, "LAB0004", "SPARE02", diagnosis_id=named)
    with pytest.raises(TransitionRefusedError) as caught:
        await bench.answer(blocked, "passed")
    assert set(caught.value.accepted) == {"overridden", "declined"}
    with pytest.raises(SwapNotFoundError):
        await desk.answer("ffffffff", desk.BenchAnswer(result="passed", by="Marc"))


# -- the guard


@pytest.mark.parametrize("kind", [DIAGNOSTIC, FOR_GOOD])
async def test_the_guard_stops_what_the_diagnosis_does_not_allow(bench, kind):
    allowed = {"allowed": {DIAGNOSTIC, FOR_GOOD}, "diagnostic": {DIAGNOSTIC}, "blocked": set()}
    spares = iter([f"SPARE{n:02d}" for n in range(1, 11)])
    spare = next(spares)
    for number, code in enumerate(Code):
        old = bench.lab.plant.identities[number].serial
        named = await bench.diagnosed(old, code)
        before = await bench.everything()
        swap = await bench.start(kind, old, spare, diagnosis_id=named)
        passes = kind in allowed[PERMITTED[code].value]
        assert swap["guard"]["passed"] is passes, code
        assert swap["diagnosis"]["verdict"] == code.value
        if passes:
            assert swap["state"] in ("awaiting_test", "closed")
            spare = next(spares)
        else:
            assert swap["state"] == "awaiting_override"
            assert await bench.everything() == before
            said = desk.OverrideAnswer(decision="give_up", by="Anne", reason="Pas la boîte")
            await desk.override(swap["id"], said)


@pytest.mark.parametrize(
    ("named", "became"),
    [("recent", "used"), ("old", "stale"), ("other", "other_serial"), ("none", "not_found")],
)
async def test_a_diagnosis_that_may_not_be_named_is_made_anew(bench, named, became):
    ids = {
        "recent": await bench.diagnosed(OLD, Code.HARDWARE_FAULT),
        "old": await bench.diagnosed(OLD, Code.HARDWARE_FAULT, minutes_ago=31),
        "other": await bench.diagnosed("LAB0004", Code.HARDWARE_FAULT),
        "none": "00000000-0000",
    }
    swap = await bench.start(DIAGNOSTIC, OLD, NEW, diagnosis_id=ids[named])
    assert swap["guard"]["named"] == became
    if became == "used":
        assert swap["diagnosis"]["id"] == ids["recent"]
        return
    assert swap["diagnosis"]["verdict"] == "healthy"
    assert swap["diagnosis"]["id"] not in ids.values()
    assert swap["state"] == "awaiting_override"


async def test_a_diagnosis_is_too_old_when_the_guard_gets_to_it_late(bench):
    """Its worker was lost between the door and the guard: what was allowed then is asked again."""
    named = await bench.diagnosed(OLD, Code.HARDWARE_FAULT)
    request = {"kind": DIAGNOSTIC, "old_serial": OLD, "new_serial": NEW, "requested_by": "Luc"}
    opened = await desk.start(desk.SwapRequest(**request, diagnosis_id=named))
    bench.pass_time(hours=2)
    swap = await desk.drive(opened["id"])
    assert (swap["guard"]["named"], swap["state"]) == ("stale", "awaiting_override")


async def test_an_override_by_a_named_person_lets_it_through_and_is_kept(bench):
    named = await bench.diagnosed(OLD, BLOCKED[0])
    swap = await bench.start(DIAGNOSTIC, OLD, NEW, diagnosis_id=named)
    said = desk.OverrideAnswer(decision="override", by="Anne", reason="Le client insiste")
    await desk.override(swap["id"], said)
    swap = await desk.drive(swap["id"])
    assert (swap["state"], swap["override"]["by"]) == ("awaiting_test", "Anne")
    report = await desk.report()
    assert [one["reason"] for one in report["overrides"]] == ["Le client insiste"]


async def test_a_swap_that_is_given_up_or_forgotten_is_refused_and_lets_its_units_go(bench):
    for number, decide in enumerate((True, False)):
        named = await bench.diagnosed(OLD, Code.HEALTHY)
        swap = await bench.start(FOR_GOOD, OLD, NEW, diagnosis_id=named)
        before = await bench.everything()
        if decide:
            said = desk.OverrideAnswer(decision="give_up", by="Anne", reason="Inutile, en effet")
            await desk.override(swap["id"], said)
        else:
            assert (await desk.drive(swap["id"]))["state"] == "awaiting_override"
            bench.pass_time(hours=24)
        swap = await desk.drive(swap["id"])
        assert (swap["state"], swap["outcome"]) == ("refused", "refused")
        assert await bench.everything() == before
        assert len(await desk.listed(state="refused")) == number + 1
    assert (await bench.start(DIAGNOSTIC, OLD, NEW))["state"] == "awaiting_test"


@pytest.mark.parametrize(
    "words", [{"by": "  "}, {"by": "A"}, {"reason": "non"}, {"reason": "     "}]
)
def test_an_override_needs_a_name_and_a_reason(words):
    with pytest.raises(ValueError, match="String should have at least"):
        desk.OverrideAnswer(**{"decision": "override", "by": "Anne", "reason": "Motif", **words})


# -- people at once


async def test_of_two_who_answer_at_once_one_wins_and_the_other_is_told_who(bench):
    swap = await bench.start(DIAGNOSTIC, OLD, NEW)
    said = [
        desk.BenchAnswer(result=result, by=by)
        for result, by in (("passed", "Marc"), ("failed", "Julie"), ("returned", "Luc"))
    ]
    done = await asyncio.gather(
        *(desk.answer(swap["id"], one) for one in said), return_exceptions=True
    )
    losers = [one for one in done if isinstance(one, SwapRaceError)]
    assert len(losers) == 2
    swap = await desk.drive(swap["id"])
    assert {one.winner["by"] for one in losers} == {swap["answer"]["by"]}
    assert swap["answer"]["by"] in str(losers[0])
    assert swap["outcome"] == swap["answer"]["result"]
    assert len(await bench.comments()) == 1


async def test_the_same_answer_twice_is_no_news(bench):
    swap = await bench.start(DIAGNOSTIC, OLD, NEW)
    first = await bench.answer(swap, "passed")
    assert await bench.answer(swap, "passed") == first


async def test_not_tested_yet_keeps_it_waiting(bench):
    swap = await bench.start(DIAGNOSTIC, OLD, NEW)
    swap = await bench.answer(swap, "not_tested")
    assert (swap["state"], swap["answer"]["result"]) == ("awaiting_test", "not_tested")
    assert (await bench.answer(swap, "failed"))["outcome"] == "failed"


# -- trouble on the way


async def test_a_spare_that_was_taken_meanwhile_ends_it_refused_with_nothing_written(bench):
    named = await bench.diagnosed(OLD)
    request = desk.SwapRequest(
        kind=DIAGNOSTIC, old_serial=OLD, new_serial=NEW, requested_by="Luc", diagnosis_id=named
    )
    opened = await desk.start(request)
    await bench.set_unit(NEW, status="Actif", customer="CUST-00009")
    before = await bench.everything()
    swap = await desk.drive(opened["id"])
    assert (swap["state"], swap["outcome"]) == ("refused", "refused")
    assert "Actif" in swap["problem"]
    assert await bench.everything() == before


async def test_an_erpnext_that_fails_on_the_way_leaves_it_to_be_taken_up_again(bench):
    named = await bench.diagnosed(OLD)
    request = desk.SwapRequest(
        kind=DIAGNOSTIC, old_serial=OLD, new_serial=NEW, requested_by="Luc", diagnosis_id=named
    )
    opened = await desk.start(request)
    await bench.lab.set_fault("erp", "down")
    swap = await desk.drive(opened["id"])
    assert (swap["state"], bool(swap["problem"])) == ("swapping", True)
    await bench.lab.set_fault("erp", "none")
    swap = await desk.drive(opened["id"])
    assert (swap["state"], swap["problem"]) == ("awaiting_test", None)


async def test_an_old_unit_that_was_moved_elsewhere_by_hand_is_left_alone_and_said(bench):
    named = await bench.diagnosed(OLD)
    request = desk.SwapRequest(
        kind=DIAGNOSTIC, old_serial=OLD, new_serial=NEW, requested_by="Luc", diagnosis_id=named
    )
    opened = await desk.start(request)
    await bench.set_unit(OLD, status="Retourné")
    swap = await desk.drive(opened["id"])
    assert swap["state"] == "swapping"
    assert "Retourné" in swap["problem"]
    assert (await bench.unit(OLD))[0] == "Retourné"
    await bench.set_unit(OLD, status="En diagnostic")
    swap = await desk.drive(opened["id"])
    assert swap["state"] == "awaiting_test"
    assert next(s for s in swap["steps"] if s["step"] == "old-unit-removed")["changed"] is False


async def test_code_that_changed_meanwhile_repeats_no_effect(bench, monkeypatch):
    from tasks import swap_effects

    async def fails(*_):
        raise DeclinedError("not today", system="erp")

    open_task = swap_effects._open_task
    monkeypatch.setattr(swap_effects, "_open_task", fails)
    swap = await bench.start(DIAGNOSTIC, OLD, NEW)
    assert [s["step"] for s in swap["steps"]] == ["new-unit-installed", "old-unit-removed"]
    before = await bench.everything()

    async def changed(*_):
        raise AssertionError("what is done was done again")

    monkeypatch.setattr(swap_effects, "_move", changed)
    monkeypatch.setattr(swap_effects, "_open_task", open_task)
    monkeypatch.setattr(swap_effects, "OPENING_PRIORITY", "Low")
    swap = await desk.drive(swap["id"])
    after = await bench.everything()
    assert (swap["state"], swap["task"]["priority"]) == ("awaiting_test", "Low")
    assert after["Service Equipment"] == before["Service Equipment"]
    monkeypatch.setattr(swap_effects, "OPENING_PRIORITY", "High")
    await desk.drive(swap["id"])
    assert await bench.everything() == after


async def test_secrets_in_what_people_write_are_hidden(bench):
    swap = await bench.start(DIAGNOSTIC, OLD, NEW, reason="wifi password=CANARY1 ne marche pas")
    said = desk.BenchAnswer(result="failed", by="Marc", remarks="psk: CANARY2")
    await desk.answer(swap["id"], said)
    swap = await desk.drive(swap["id"])
    assert "CANARY" not in str(swap)
    assert "CANARY" not in str(await bench.everything())


# -- seven days


async def test_the_deadline_is_told_once_an_occasion_and_the_wait_goes_on(bench):
    swap = await bench.start(DIAGNOSTIC, OLD, NEW)
    told = []
    for day in range(30):
        alarm = await ring(swap["id"], as_function)
        assert await ring(swap["id"], as_function) is None
        if alarm is not None:
            (task,) = await bench.tasks()
            told.append((day, alarm.name, task["priority"], len(await bench.comments())))
        bench.pass_time(days=1)
    assert told == [
        (5, "reminder", "High", 1),
        (7, "escalation-0", "Urgent", 2),
        (14, "escalation-1", "Urgent", 3),
        (21, "escalation-2", "Urgent", 4),
        (28, "escalation-3", "Urgent", 5),
    ]
    swap = await desk.show(swap["id"])
    assert (swap["state"], swap["task"]["priority"]) == ("overdue", "Urgent")
    (late,) = (await desk.report())["overdue"]
    assert (late["serial"], round(late["days"])) == (OLD, 23)
    assert (await bench.answer(swap, "passed"))["outcome"] == "passed"
    assert await ring(swap["id"], as_function) is None


async def test_after_a_long_silence_only_the_last_occasion_is_told(bench):
    swap = await bench.start(DIAGNOSTIC, OLD, NEW)
    bench.pass_time(days=16)
    assert (await ring(swap["id"], as_function)).name == "escalation-1"
    assert await ring(swap["id"], as_function) is None
    assert len(await bench.comments()) == 1


async def test_many_who_ring_at_once_tell_once(bench):
    swap = await bench.start(DIAGNOSTIC, OLD, NEW)
    bench.pass_time(days=7)
    done = await asyncio.gather(*(ring(swap["id"], as_function) for _ in range(4)))
    assert sum(one is not None for one in done) == 1
    assert len(await bench.comments()) == 1


async def test_a_task_that_is_gone_does_not_keep_the_swap_from_being_late_nor_from_ending(bench):
    swap = await bench.start(DIAGNOSTIC, OLD, NEW)
    await bench.site._ask("DELETE", f"/api/resource/Task/{swap['task']['name']}")
    bench.pass_time(days=7)
    assert (await ring(swap["id"], as_function)).name == "escalation-0"
    assert (await bench.answer(swap, "failed"))["outcome"] == "failed"


# -- the experiment


async def test_the_replacement_is_diagnosed_and_says_whether_the_fault_stayed(bench):
    bench.lab.set_scenario(OLD, "weak-fibre")
    named = await bench.diagnosed(OLD, Code.FIBRE_WEAK)
    swap = await bench.start(DIAGNOSTIC, OLD, NEW, diagnosis_id=named)
    said = desk.OverrideAnswer(decision="override", by="Anne", reason="Le client insiste")
    await desk.override(swap["id"], said)
    await desk.drive(swap["id"])
    bench.lab.plant.install(OLD, NEW)
    done = await follow_up(swap["id"], "30min", as_function, None)
    assert (done.says, done.verdict) == ("stayed", "fibre_weak")
    assert await follow_up(swap["id"], "30min", as_function, None) is None
    bench.lab.set_scenario(NEW, "healthy")
    assert (await follow_up(swap["id"], "24h", as_function, None)).says == "left"
    await desk.give_back(swap["id"], by="Luc")
    await desk.drive(swap["id"])
    late = await follow_up(swap["id"], "72h", as_function, None)
    assert (late.says, late.why, late.verdict) == ("not_comparable", "not_installed", None)
    swap = await desk.show(swap["id"])
    assert [f["says"] for f in swap["follow_ups"]] == ["stayed", "left", "not_comparable"]
    assert (await desk.report())["follow_ups"] == {"left": 1, "not_comparable": 1, "stayed": 1}


async def test_what_differs_in_erpnext_is_said_until_it_agrees_again(bench):
    swap = await bench.start(DIAGNOSTIC, OLD, NEW)
    assert await reconcile(as_function) == {}
    await bench.set_unit(OLD, status="En inventaire")
    (texts,) = (await reconcile(as_function)).values()
    assert "En inventaire" in texts[0]
    assert (await desk.show(swap["id"]))["differences"] == list(texts)
    await bench.set_unit(OLD, status="En diagnostic")
    assert await reconcile(as_function) == {}
    assert (await desk.show(swap["id"]))["differences"] == []


async def test_a_removed_unit_that_informs_is_reported_once(bench):
    bench.now -= timedelta(hours=2)
    swap = await bench.start(DIAGNOSTIC, OLD, NEW)
    assert await look_for_removed_units(as_function) == [swap["id"]]
    assert await look_for_removed_units(as_function) == []
    (comment,) = await bench.comments()
    assert OLD in comment
    assert "old-unit-seen" in [s["step"] for s in (await desk.show(swap["id"]))["steps"]]


async def test_the_ledger_counts_swaps_by_verdict_and_outcome(bench):
    pairs = [("LAB0001", "SPARE01", "passed"), ("LAB0002", "SPARE02", "failed"),
             ("LAB0003", "SPARE03", "passed"), ("LAB0004", "SPARE04", None)]  # fmt: skip
    for old, new, result in pairs:
        swap = await bench.start(DIAGNOSTIC, old, new)
        bench.pass_time(days=2)
        if result:
            await bench.answer(swap, result)
    report = await desk.report()
    assert report["by_verdict"] == {"hardware_fault": {"failed": 1, "open": 1, "passed": 2}}
    (rule,) = report["by_rule"]
    assert (rule["name"], rule["swaps"], rule["tested"]) == ("hardware.radios_are_up", 4, 3)
    assert rule["rate"] == pytest.approx(2 / 3, abs=1e-4)
    assert report["days"] == {"tested": 2.0, "waiting": 2.0}
    assert (await desk.report(days=1))["swaps"] == 0
