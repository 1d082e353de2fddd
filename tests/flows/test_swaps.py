"""The flows around a swap, through a real Prefect API; the sleeping run itself is tests/e2e's."""

from __future__ import annotations

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.sorting import ArtifactSort

from cpe.access.erpnext.frappe import Frappe
from deployments.lab.erp_server import API_KEY, API_SECRET
from flows.check_swaps import check_swaps
from flows.follow_up_swap import follow_up_swap
from flows.remind_swap import remind_swap
from flows.swap_equipment import swap_equipment
from flows.swap_request import SwapRequest
from tasks.swap_clock import clock
from tests.support.swaps.bench import Bench

pytestmark = pytest.mark.prefect


async def pages(key: str) -> list[str]:
    async with get_client() as client:
        wanted = ArtifactFilter(key=ArtifactFilterKey(any_=[key]))
        newest_first = ArtifactSort.CREATED_DESC
        found = await client.read_artifacts(artifact_filter=wanted, sort=newest_first)
    return [str(artifact.data) for artifact in found]


async def test_a_swap_refused_at_the_door_ends_as_refused_and_says_why(lab):
    request = SwapRequest(
        kind="swap_diagnostic", old_serial="LAB0001", new_serial="LAB0002", requested_by="Luc"
    )
    state = await swap_equipment(request, return_state=True)
    assert (state.is_completed(), state.name) == (True, "Refusé")
    result = await state.aresult()
    assert (result["refused"], result["accepted"]) == ("not_in_stock", ["En inventaire"])
    assert "En inventaire" in (await pages(f"swap-{state.state_details.flow_run_id}"))[0]


async def test_a_replacement_for_good_is_one_run_from_the_door_to_its_end(lab):
    lab.set_scenario("LAB0003", "radio-down")
    request = SwapRequest(
        kind="remplacement_definitif", old_serial="LAB0003", new_serial="SPARE01",
        requested_by="Luc",
    )  # fmt: skip
    state = await swap_equipment(request, return_state=True)
    swap = await state.aresult()
    assert (state.name, swap["outcome"], swap["state"]) == ("Remplacé", "replaced", "closed")
    assert swap["id"] == swap["run"]["flow_run_id"] == str(state.state_details.flow_run_id)
    async with get_client() as client:
        run = await client.read_flow_run(state.state_details.flow_run_id)
    assert run.name == "LAB0003 → SPARE01 · Remplacé"
    assert "Défectueux" in (await pages(f"swap-{swap['id']}"))[0]


async def test_the_companions_tell_and_look_once_and_the_ledger_is_kept(lab):
    site = Frappe(lab.erp.url, API_KEY, API_SECRET)
    bench = Bench(lab, site)
    token = clock.set(lambda: bench.now)
    try:
        swap = await bench.start("swap_diagnostic", "LAB0001", "SPARE01")
        looked = await follow_up_swap(swap["id"], "30min", return_state=True)
        assert looked.name == "not_comparable"
        bench.pass_time(days=7)
        told = await remind_swap(swap["id"], return_state=True)
        again = await remind_swap(swap["id"], return_state=True)
        assert (told.name, again.name) == ("Signalé", "Rien à faire")
        page = (await pages(f"swap-{swap['id']}"))[0]
        assert "Test en retard" in page
        await bench.set_unit("LAB0001", status="En inventaire")
        checked = await check_swaps(return_state=True)
        assert checked.name == "Différences"
        assert "hardware_fault" in (await pages("swap-ledger"))[0]
        assert "En inventaire" in (await pages("swap-differences"))[0]
    finally:
        clock.reset(token)
        await site.close()
