"""A run's steps are told to other processes, and a run that begins again does not judge twice."""

from __future__ import annotations

import os

import httpx
import pytest
from prefect.client.orchestration import PrefectClient, get_client
from prefect.flow_engine import run_flow_async
from prefect.states import AwaitingRetry

from cpe.profiles.wording import wording
from cpe.store.repository import Store
from flows.diagnose_cpe import diagnose_cpe
from flows.request import DiagnosisRequest

pytestmark = pytest.mark.prefect


async def test_each_step_is_kept_with_its_run_in_words_people_read(lab, monkeypatch):
    lab.set_scenario("LAB0001", "fibre-cut")
    monkeypatch.delenv("CPE_BRIDGE_PASSWORD")  # whether it begins is another race
    answer = await diagnose_cpe(DiagnosisRequest(serial="LAB0001"))
    async with Store.open(os.environ["CPE_DATABASE_URL"]) as store:
        steps, done = await store.hub().progress([answer["id"]])
    told = [seen.step for seen in steps]
    assert (told[0], told[-1]) == ("run: begun", "verdict")
    # On a slow machine the OLT is asked before the lookup has ended: in which order is the race's.
    assert set(told) == {"run: begun", "acs: lookup", "acs: refresh", "olt: read", "verdict"}
    assert done == {answer["id"]}
    for seen in steps:
        text = wording().step(seen.step)
        assert text.fr != seen.step != text.en, "nobody worded this step"


async def test_a_run_that_begins_again_after_its_answer_was_kept_gives_that_answer(lab):
    first = await diagnose_cpe(DiagnosisRequest(serial="LAB0002"))
    asked = lab.acs.requests
    async with get_client() as client:
        await client.set_flow_run_state(first["id"], AwaitingRetry(), force=True)
        run = await client.read_flow_run(first["id"])
        parameters = {"request": DiagnosisRequest(serial="LAB0002")}
        again = await run_flow_async(diagnose_cpe, flow_run=run, parameters=parameters)
        state = (await client.read_flow_run(first["id"])).state
    assert again == first
    assert state.name == first["verdict"]["code"]
    assert lab.acs.requests == asked, "nobody was asked a second time"


async def test_a_run_that_has_its_name_is_not_named_again_and_one_without_is(lab, monkeypatch):
    asked = []
    real = PrefectClient.set_flow_run_name

    async def counting(self, flow_run_id, name):
        asked.append(name)
        return await real(self, flow_run_id, name)

    monkeypatch.setattr(PrefectClient, "set_flow_run_name", counting)
    parameters = {"request": DiagnosisRequest(serial="LAB0002")}
    async with get_client() as client:
        for given in (None, "diagnose LAB0002"):
            run = await client.create_flow_run(diagnose_cpe, name=given, parameters=parameters)
            await run_flow_async(diagnose_cpe, flow_run=run, parameters=parameters)
            assert (await client.read_flow_run(run.id)).name == "diagnose LAB0002"
    assert asked == ["diagnose LAB0002"]


async def test_a_run_that_cannot_be_named_is_a_diagnosis_all_the_same(lab, monkeypatch):
    async def refused(self, flow_run_id, name):
        raise httpx.ConnectError("gone")

    monkeypatch.setattr(PrefectClient, "set_flow_run_name", refused)
    answer = await diagnose_cpe(DiagnosisRequest(serial="LAB0002"))
    assert answer["verdict"]["code"] == "healthy"
