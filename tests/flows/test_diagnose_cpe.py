"""The flow on a plant that speaks the real protocols, through a real Prefect API."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterKey,
    FlowRunFilter,
    FlowRunFilterId,
    LogFilter,
    LogFilterFlowRunId,
)

from cpe.profiles.thresholds import load_thresholds
from cpe.rules.judge import judge
from cpe.store.repository import Store
from flows.conduct import witness
from flows.diagnose_cpe import diagnose_cpe
from flows.request import DiagnosisRequest
from tasks.report import artifact_key
from tests.support.waiting import until

pytestmark = pytest.mark.prefect


async def run(serial, **options):
    return await diagnose_cpe(DiagnosisRequest(serial=serial, **options), return_state=True)


async def task_runs(flow_run_id, *, at_least=0):
    """The run's task runs, once the recorder has written them."""
    wanted = FlowRunFilter(id=FlowRunFilterId(any_=[flow_run_id]))
    async with get_client() as client:

        async def recorded():
            found = await client.read_task_runs(flow_run_filter=wanted)
            ended = all(r.state and r.state.is_final() for r in found)
            return found if len(found) >= at_least and ended else None

        return await until(recorded)


async def test_a_weak_fibre_is_found_shown_and_kept(lab):
    lab.set_scenario("LAB0001", "weak-fibre")
    state = await run("LAB0001", requested_by="test")
    answer = await state.aresult()
    assert state.is_completed()
    assert (state.name, answer["verdict"]["code"]) == ("fibre_weak", "fibre_weak")
    assert answer["schema"] == "cpe.diagnosis/1"
    assert answer["opticalStatus"]["rx_dbm"] < -25
    assert answer["freshness"]["outcome"] == "refreshed"
    run_id = answer["run"]["flow_run_id"]
    assert answer["id"] == run_id
    async with get_client() as client:
        flow_run = await client.read_flow_run(run_id)
        artifacts = await client.read_artifacts(
            artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=[artifact_key("LAB0001")])),
            flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[run_id])),
        )
    assert flow_run.name == "diagnose LAB0001"
    page = artifacts[0].data
    assert "Le signal de la fibre arrive trop faible" in page
    assert "too weak" in page
    assert "▼" in page
    assert "Puissance reçue par la boîte · *Rx power at the box*" in page
    async with Store.open(os.environ["CPE_DATABASE_URL"]) as store:
        kept = await store.load(run_id)
    assert kept is not None
    assert kept.document["verdict"] == answer["verdict"]
    again = judge(kept.snapshot, load_thresholds())
    assert again.verdict == kept.verdict
    assert again.findings == kept.findings


async def test_a_diagnosis_costs_at_most_eight_task_runs_that_say_their_system(lab):
    lab.set_scenario("LAB0002", "missing-optics")
    answer = await (await run("LAB0002")).aresult()
    found = await task_runs(answer["run"]["flow_run_id"], at_least=5)
    assert 5 <= len(found) <= 8
    systems = {r.name.split(":")[0] for r in found}
    assert systems - {"bridge"} == {"acs", "olt", "store"}  # a slow OLT lets it begin


async def test_an_answer_cut_off_once_is_read_again(lab):
    await lab.set_fault("acs", "truncated", times=1)
    answer = await (await run("LAB0003")).aresult()
    assert answer["verdict"]["code"] == "healthy"
    found = await task_runs(answer["run"]["flow_run_id"], at_least=4)
    finding = next(r for r in found if r.name.startswith("acs: find"))
    assert finding.run_count == 2


async def test_a_dead_acs_is_an_observation_and_not_a_failure(lab):
    await lab.set_fault("acs", "http500")
    state = await run("LAB0004")
    answer = await state.aresult()
    assert state.is_completed()
    acs = next(s for s in answer["sources"] if s["name"] == "acs")
    assert acs["outcome"] == "unreachable"
    assert answer["verdict"]["code"] == "inconclusive"
    assert answer["freshness"]["outcome"] == "unreachable"


async def test_a_broken_database_does_not_lose_the_verdict(lab, monkeypatch, tmp_path):
    (tmp_path / "folder").mkdir()
    monkeypatch.setenv("CPE_DATABASE_URL", f"sqlite:///{tmp_path / 'folder'}")
    state = await run("LAB0005")
    answer = await state.aresult()
    assert state.is_completed()
    assert answer["verdict"]["code"] == "healthy"
    history = next(s for s in answer["sources"] if s["name"] == "history")
    assert history["outcome"] == "error"


async def test_a_lost_artifact_does_not_lose_the_verdict(lab, monkeypatch):
    real = PrefectClient.request

    async def broken(self, method, path, **rest):
        if path == "/artifacts/":
            raise ConnectionError("the API is gone")
        return await real(self, method, path, **rest)

    monkeypatch.setattr(PrefectClient, "request", broken)
    heard = []
    token = witness.set(heard.append)
    state = await run("LAB0006")
    witness.reset(token)
    assert state.is_completed()
    assert heard[0]["verdict"] == (await state.aresult())["verdict"]


async def test_no_secret_of_the_plant_leaves_it(lab, prefect_server, tmp_path, caplog):
    for number, scenario in enumerate(("operator-firmware", "silent-refused", "task-faulted")):
        lab.set_scenario(f"LAB000{number + 7}", scenario)
        answer = await (await run(f"LAB000{number + 7}")).aresult()
        assert "CANARY" not in json.dumps(answer)
        run_id = answer["run"]["flow_run_id"]
        async with get_client() as client:
            logs = await client.read_logs(
                log_filter=LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run_id]))
            )
            key = ArtifactFilterKey(any_=[artifact_key(f"LAB000{number + 7}")])
            artifacts = await client.read_artifacts(artifact_filter=ArtifactFilter(key=key))
        assert "CANARY" not in "".join(log.message for log in logs)
        assert artifacts
        assert "CANARY" not in "".join(str(a.data) for a in artifacts)
    assert "CANARY" not in caplog.text
    assert files_with(b"CANARY", tmp_path, "cpe.db*") == []
    assert files_with(b"CANARY", prefect_server.folder.parent, "**/*") == []


def files_with(word: bytes, folder: Path, pattern: str) -> list[Path]:
    return [f for f in folder.glob(pattern) if f.is_file() and word in f.read_bytes()]


async def test_a_serial_that_may_not_be_sent_never_starts_a_run(lab):
    with pytest.raises(ValueError, match="wildcard"):
        await run("LAB*")
