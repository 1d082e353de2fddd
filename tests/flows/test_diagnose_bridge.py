"""The bridge and the speed test in a real Prefect run: what people see, and what nobody may."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterKey,
    LogFilter,
    LogFilterFlowRunId,
)

from cpe.profiles.thresholds import load_thresholds
from cpe.rules.judge import judge
from cpe.store.repository import Store
from flows.diagnose_cpe import diagnose_cpe
from flows.request import DiagnosisRequest
from tasks.report import artifact_key
from tests.support.waiting import until

pytestmark = [pytest.mark.prefect, pytest.mark.browser]


async def run(serial, **options):
    state = await diagnose_cpe(DiagnosisRequest(serial=serial, **options), return_state=True)
    return await state.aresult()


async def logs_of(answer):
    wanted = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[answer["run"]["flow_run_id"]]))
    async with get_client() as client:
        return [log.message for log in await client.read_logs(log_filter=wanted)]


async def eventually(answer, word):
    """The run's log lines, once one holds the word; they are sent in batches."""

    async def sent():
        lines = await logs_of(answer)
        return lines if any(word in line for line in lines) else None

    return await until(sent)


async def test_a_secret_of_the_modem_is_nowhere_after_a_run(lab, prefect_server, tmp_path, caplog):
    caplog.set_level("DEBUG", logger="cpe")
    told = []
    for serial, mischief in (
        ("LAB0001", {}),
        ("LAB0002", {"html": True}),
        ("LAB0003", {"human": True}),
    ):
        lab.set_scenario(serial, "optics-at-bridge")
        lab.modems.state(serial).mischief.change(mischief)
        answer = await run(serial)
        told.append(next(s for s in answer["sources"] if s["name"] == "bridge")["outcome"])
        lines = await eventually(answer, "admin UI")
        key = ArtifactFilterKey(any_=[artifact_key(serial)])
        async with get_client() as client:
            artifacts = await client.read_artifacts(artifact_filter=ArtifactFilter(key=key))
        assert artifacts
        assert "CANARY" not in json.dumps(answer) + "".join(lines) + str(artifacts[0].data)
    assert told == ["ok", "refused", "busy"]
    assert "CANARY" not in caplog.text
    assert files_with_canaries(tmp_path, prefect_server.folder.parent) == []


def files_with_canaries(ours: Path, prefects: Path) -> list[Path]:
    """Of our database and of all that Prefect keeps, the server too."""
    kept = [*ours.glob("cpe.db*"), *prefects.rglob("*")]
    return [file for file in kept if file.is_file() and b"CANARY" in file.read_bytes()]


async def test_what_the_bridge_read_is_kept_and_replays(lab):
    lab.set_scenario("LAB0004", "optics-at-bridge")
    answer = await run("LAB0004")
    assert answer["verdict"]["code"] == "fibre_weak"
    async with Store.open(os.environ["CPE_DATABASE_URL"]) as store:
        kept = await store.load(answer["id"])
    assert kept is not None
    again = judge(kept.snapshot, load_thresholds())
    assert (again.verdict, again.findings) == (kept.verdict, kept.findings)
    assert any(m.source.value == "bridge" for m in kept.snapshot.measurements)


async def test_a_speed_test_tells_the_run_how_it_goes(lab, monkeypatch):
    monkeypatch.setenv("CPE_SPEEDTEST_URL", "http://speed.example/25000000")
    answer = await run("LAB0005", speedtest=True)
    assert answer["speedtest"]["download_mbps"] > 100
    assert answer["speedtest"]["connections"] == 3
    source = next(s for s in answer["sources"] if s["name"] == "speedtest")
    assert (source["outcome"], source["detail"]) == ("ok", "over 3 connections")
    lines = await eventually(answer, "the test is over")
    assert any("has 40 s at most" in line for line in lines)
    assert any("over 3 connections" in line for line in lines)
