"""What people and ERPNext do to a swap behind its back, and what becomes of it then."""

from __future__ import annotations

import pytest

from cpe.domain.verdict import Code
from deployments.swaps import desk
from tests.support.swaps.bench import Bench, running_bench

DIAGNOSTIC, FOR_GOOD = "swap_diagnostic", "remplacement_definitif"
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
    assert "CUST-00009" in swap["problem"]
    assert await bench.everything() == before


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
