"""What people and ERPNext do to a swap behind its back, and what becomes of it then."""

from __future__ import annotations

from types import SimpleNamespace
from uuid import uuid4

import pytest

from cpe.domain.swap_errors import SwapRaceError, SwapRefusedError
from cpe.domain.swap_orphans import RunSeen
from cpe.domain.verdict import Code
from deployments.swaps import desk
from flows import swap_suspend
from flows.conduct import as_function
from flows.swap_alarms import ring
from flows.swap_check import reconcile
from flows.swap_drive import SwapStuckError, advance
from flows.swap_follow_ups import follow_up
from flows.swap_forms import filled_bench
from flows.swap_sweep import sweep
from tasks import swap_book as book
from tasks.swap_alarm import tell_people
from tests.support.swaps.bench import Bench, running_bench

DIAGNOSTIC, RETURN = "swap_diagnostic", "retour_de_diagnostic"
OLD, NEW, CUSTOMER = "LAB0003", "SPARE01", "CUST-00003"


@pytest.fixture
async def bench(tmp_path, monkeypatch):
    async with running_bench(tmp_path, monkeypatch) as running:
        yield running


@pytest.fixture(autouse=True)
def the_benchs_time(bench: Bench):
    from tasks.swap_clock import clock

    token = clock.set(lambda: bench.now)
    yield
    clock.reset(token)


async def test_a_spare_that_was_promised_to_somebody_else_while_it_was_decided_is_left_to_them(
    bench,
):
    """It is still in stock, so its status says nothing; an override may take a day."""
    named = await bench.diagnosed(OLD, Code.HEALTHY)
    swap = await bench.start(DIAGNOSTIC, OLD, NEW, diagnosis_id=named)
    await bench.set_unit(NEW, customer="CUST-00009")
    before = await bench.everything()
    said = desk.OverrideAnswer(decision="override", by="Anne", reason="Le client insiste")
    await desk.override(swap["id"], said)
    swap = await desk.drive(swap["id"])
    assert (swap["state"], swap["outcome"]) == ("refused", "refused")
    assert "est gardée pour · is kept for CUST-00009" in swap["problem"]
    assert await bench.everything() == before


async def test_what_is_in_the_way_is_said_in_french_too(bench):
    """The warehouse reads it on the swap's page; a unit moved by hand is the usual reason."""
    swap = await bench.start(DIAGNOSTIC, OLD, NEW)
    await bench.set_unit(OLD, status="Retourné")
    swap = await bench.answer(swap, "passed")
    assert "est · is « Retourné », pas · not « En diagnostic »" in swap["problem"]


async def test_a_customer_that_was_renamed_during_the_test_is_not_written_back(bench):
    """Frappe renames a customer in every record that names it; the swap knows the old name only,
    and that one is refused as a link, or worse, kept as a link to nobody."""
    swap = await bench.start(DIAGNOSTIC, OLD, NEW)
    for serial in (OLD, NEW):
        await bench.set_unit(serial, customer="CUST-RENAMED")
    swap = await bench.answer(swap, "returned")
    assert swap["outcome"] == "returned"
    assert await bench.unit(OLD) == ("Actif", "CUST-RENAMED")
    assert await bench.unit(NEW) == ("Retourné", None)


async def test_a_swap_that_ended_differs_no_more(bench):
    """What ERPNext does with the units after the end is nobody's business, and nobody would ever
    take the warning away again."""
    swap = await bench.start(DIAGNOSTIC, OLD, NEW)
    await bench.set_unit(OLD, status="En inventaire")
    assert list(await reconcile(as_function)) == [swap["id"]]
    ended = await bench.answer(swap, "passed")
    assert (ended["outcome"], ended["differences"]) == ("passed", [])


async def test_a_swap_that_is_answered_while_erpnext_is_compared_does_not_differ(bench):
    swap = await bench.start(DIAGNOSTIC, OLD, NEW)

    async def answered_meanwhile(task, *arguments):
        await bench.answer(swap, "failed")
        return await as_function(task, *arguments)

    assert await reconcile(answered_meanwhile) == {}
    assert (await desk.show(swap["id"]))["differences"] == []


async def test_an_answer_while_people_are_told_that_it_is_late_is_taken_and_the_alarm_ends(bench):
    swap = await bench.start(DIAGNOSTIC, OLD, NEW)
    bench.pass_time(days=7)

    async def answered_meanwhile(task, *arguments):
        told = await as_function(task, *arguments)
        await desk.answer(swap["id"], desk.BenchAnswer(result="passed", by="Marc"))
        return told

    assert (await ring(swap["id"], answered_meanwhile)).name == "escalation-0"
    swap = await desk.drive(swap["id"])
    assert (swap["state"], swap["outcome"]) == ("closed", "passed")
    assert [s["step"] for s in swap["steps"] if s["at"] is None] == []
    (task,) = await bench.tasks()
    assert task["status"] == "Completed"


@pytest.mark.parametrize(("second", "says"), [("failed", "not_comparable"), ("returned", "left")])
async def test_a_replacement_that_was_swapped_out_itself_says_nothing_of_the_first_unit(
    bench, second, says
):
    """The fault stayed, so a second swap follows soon; the replacement then informs from the bench,
    as healthy as can be. Where it came back, it says as much as before."""
    first = await bench.start(DIAGNOSTIC, OLD, NEW)
    bench.lab.plant.install(OLD, NEW)
    bench.lab.set_scenario(NEW, "healthy")
    await bench.answer(first, "passed")
    bench.pass_time(hours=2)
    swap = await bench.start(DIAGNOSTIC, NEW, "SPARE02")
    assert swap["state"] == "awaiting_test"
    if second == "returned":
        await bench.answer(swap, second)
    bench.pass_time(hours=70)
    done = await follow_up(first["id"], "72h", as_function, None)
    assert done.says == says
    assert (done.why == "not_installed") is (says == "not_comparable")


async def test_a_form_that_came_second_is_told_in_the_run_where_it_was_filled_in(
    bench, monkeypatch
):
    """Filled in while the hub answered: the person saw it go, and would hear of it nowhere."""
    swap = await bench.start(DIAGNOSTIC, OLD, NEW)
    await book.edited(swap["id"], lambda c: c.but(wait=1, wait_key="swap-wait-1"))
    await desk.answer(swap["id"], desk.BenchAnswer(result="passed", by="Marc"))
    filled = {"swap-wait-1": filled_bench(desk.BenchAnswer(result="failed", by="Julie"))}

    async def response(_, key):
        return filled.get(key)

    monkeypatch.setattr("tasks.swap_runs.response", response)
    warned = []

    def warning(text, *given):
        warned.append(text % given)

    monkeypatch.setattr(swap_suspend, "get_run_logger", lambda: SimpleNamespace(warning=warning))
    heard = await swap_suspend.hear(await book.load(swap["id"]), "run")
    assert heard.case.answer.by == "Marc"
    (told,) = warned
    assert "Marc a déjà répondu" in told
    filled["swap-wait-1"] = filled_bench(desk.BenchAnswer(result="passed", by="Marc"))
    await swap_suspend.hear(await book.load(swap["id"]), "run")
    assert warned == [told]


async def test_a_unit_that_erpnext_renamed_is_found_again_by_its_serial(bench):
    """Where equipment is named after its serial or by hand, a record may be renamed meanwhile."""
    swap = await bench.start(DIAGNOSTIC, OLD, NEW)
    table = bench.lab.erp._handle.__self__.tables["Service Equipment"]
    old_name = swap["old"]["equipment"]
    table._docs["EQP-RENAMED"] = table.get(old_name) | {"name": "EQP-RENAMED"}
    table._docs[old_name] = None
    table._taken["serial_number", OLD] = "EQP-RENAMED"
    swap = await bench.answer(swap, "passed")
    assert (swap["outcome"], swap["problem"]) == ("passed", None)
    assert await bench.unit(OLD) == ("En inventaire", None)


async def test_a_unit_that_is_gone_from_erpnext_is_said_and_stands_in_for_no_other(bench):
    swap = await bench.start(DIAGNOSTIC, OLD, NEW)
    table = bench.lab.erp._handle.__self__.tables["Service Equipment"]
    table.delete(swap["old"]["equipment"])
    swap = await bench.answer(swap, "passed")
    assert swap["state"] == "concluding"
    assert f"{swap['old']['equipment']} is gone" in swap["problem"]


@pytest.mark.parametrize("scanned", ["48575443ABCD1234", "hwtcabcd1234", "48575443abcd1234"])
async def test_a_box_is_found_however_its_label_writes_the_gpon_serial(bench, scanned):
    """The bar code of a Huawei holds the 16 hex digits, ERPNext what is printed beside; a spare was
    never seen on the network, so nothing else knows that they are one."""
    await bench.set_unit(NEW, serial_number="HWTCABCD1234")
    swap = await bench.start(DIAGNOSTIC, OLD, scanned)
    assert (swap["state"], swap["new"]["serial"]) == ("awaiting_test", "HWTCABCD1234")


async def test_a_list_is_asked_for_in_any_case(bench):
    swap = await bench.start(DIAGNOSTIC, OLD, NEW)
    for serial in (OLD, OLD.lower(), NEW.lower()):
        assert [one["id"] for one in await desk.listed(serial=serial)] == [swap["id"]]
    assert await desk.listed(serial="LAB000") == []


async def test_a_return_that_is_asked_for_again_is_the_same_return(bench):
    """A hub that did not hear our answer asks again, with the swap half or wholly concluded."""
    swap = await bench.start(DIAGNOSTIC, OLD, NEW)
    request = desk.SwapRequest(kind=RETURN, old_serial=OLD, new_serial=NEW, requested_by="Luc")
    first = await desk.start(request, key="k1")
    again = await desk.start(request, key="k1")
    assert (first["id"], again["id"]) == (swap["id"], swap["id"])
    await desk.drive(swap["id"])
    ended = await desk.start(request, key="k1")
    assert (ended["id"], ended["outcome"]) == (swap["id"], "returned")


async def test_a_return_after_another_answer_is_told_who_was_first(bench):
    swap = await bench.start(DIAGNOSTIC, OLD, NEW)
    await desk.answer(swap["id"], desk.BenchAnswer(result="passed", by="Marc"))
    request = desk.SwapRequest(kind=RETURN, old_serial=OLD, new_serial=NEW, requested_by="Luc")
    with pytest.raises(SwapRaceError) as caught:
        await desk.start(request)
    assert caught.value.winner["by"] == "Marc"
    await desk.drive(swap["id"])
    with pytest.raises(SwapRefusedError) as refused:
        await desk.start(request)
    assert refused.value.reason == "no_diagnostic_swap"


@pytest.mark.parametrize(
    ("set_by_hand", "after"), [("Low", "High"), ("High", "High"), ("Urgent", "Urgent")]
)
async def test_a_reminder_raises_the_priority_and_never_lowers_it(bench, set_by_hand, after):
    swap = await bench.start(DIAGNOSTIC, OLD, NEW)
    name = swap["task"]["name"]
    task = await bench.site.read("Task", name)
    await bench.site.update("Task", name, task, {"priority": set_by_hand})
    bench.pass_time(days=5)
    assert (await ring(swap["id"], as_function)).name == "reminder"
    (task,) = await bench.tasks()
    assert task["priority"] == after
    assert (await desk.show(swap["id"]))["task"]["priority"] == after


async def too_slow(*_):
    raise TimeoutError("Task run exceeded timeout of 120.0 second(s)")


async def test_an_erpnext_that_is_too_slow_is_what_the_swap_says_is_in_its_way(bench):
    """A task's own limit is no AccessError: the run failed and the swap's page said nothing."""
    named = await bench.diagnosed(OLD)
    request = desk.SwapRequest(
        kind=DIAGNOSTIC, old_serial=OLD, new_serial=NEW, requested_by="Luc", diagnosis_id=named
    )
    opened = await desk.start(request)
    with pytest.raises(SwapStuckError):
        await advance(opened["id"], too_slow)
    swap = await desk.show(opened["id"])
    assert (swap["state"], "120" in swap["problem"]) == ("swapping", True)
    assert (await desk.drive(swap["id"]))["state"] == "awaiting_test"


async def test_one_swap_that_takes_too_long_does_not_keep_the_others_from_being_told(
    bench, monkeypatch
):
    asleep = {}
    for old, new in (("LAB0003", "SPARE01"), ("LAB0004", "SPARE02")):
        swap, run_id = await bench.start(DIAGNOSTIC, old, new), str(uuid4())
        await book.edited(swap["id"], lambda c, run=run_id: c.but(flow_run_id=run))
        asleep[run_id] = RunSeen("PAUSED", bench.now)
    bench.pass_time(days=7)

    async def seen(_):
        return asleep

    async def slow_for_one(task, *arguments):
        if task is tell_people and arguments[1].old.serial == "LAB0004":
            await too_slow()
        return await as_function(task, *arguments)

    monkeypatch.setattr("flows.swap_sweep._runs_of", seen)
    assert (await sweep(slow_for_one))["alarm"] == 1
    states = {one["old"]["serial"]: one["state"] for one in await desk.listed()}
    assert states == {"LAB0003": "overdue", "LAB0004": "awaiting_test"}
