"""Every deployment in prefect.yaml is what it says."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from prefect import Flow
from prefect.utilities.importtools import import_object

from cpe.domain.redaction import SECRET_NAMES
from deployments.server import deploy
from deployments.server.deploy import POOLS, PREFECT_FILE
from tasks import swap_runs


def deployments() -> list[dict[str, Any]]:
    return yaml.safe_load(PREFECT_FILE.read_text(encoding="utf-8"))["deployments"]


def test_there_is_a_deployment():
    assert deployments()


@pytest.mark.parametrize("deployment", deployments(), ids=lambda found: found["entrypoint"])
def test_every_entrypoint_is_a_flow_that_can_be_imported(deployment):
    module, function = deployment["entrypoint"].split(":")
    flow = import_object(f"{module}.{function}")
    assert isinstance(flow, Flow)
    assert module.startswith("flows.")


@pytest.mark.parametrize("deployment", deployments(), ids=lambda found: found["entrypoint"])
def test_every_deployment_runs_in_our_pool_and_speaks_both_languages(deployment):
    assert deployment["work_pool"]["name"] in POOLS
    french, english = deployment["description"].strip().split("\n\n")
    assert french.startswith("**")
    assert english.startswith("**")
    assert deployment["tags"]


def test_the_sweep_runs_nightly_in_the_operators_time_zone_and_never_beside_itself():
    sweep = next(d for d in deployments() if d["entrypoint"] == "flows.sweep_fleet:sweep_fleet")
    [schedule] = sweep["schedules"]
    assert schedule["timezone"] == "America/Montreal"
    assert sweep["concurrency_limit"] == {"limit": 1, "collision_strategy": "ENQUEUE"}
    assert sweep["work_pool"]["name"] == "cpe-batch"


def test_no_secret_and_no_job_variable_is_kept_with_a_deployment():
    for deployment in deployments():
        assert "job_variables" not in deployment["work_pool"]
        assert not SECRET_NAMES.search(yaml.safe_dump(deployment))


def test_every_deployment_that_a_swap_asks_for_is_there_and_the_rounds_come_by_themselves():
    names = {
        f"{d['entrypoint'].split(':')[1].replace('_', '-')}/{d['name']}": d for d in deployments()
    }
    assert {swap_runs.SWAP, swap_runs.DEADLINE, swap_runs.FOLLOW_UP} <= set(names)
    for name in ("sweep-swaps/every-ten-minutes", "check-swaps/every-half-hour"):
        assert names[name]["schedules"]
        assert names[name]["concurrency_limit"]["limit"] == 1


def test_deploying_says_in_a_line_which_server_is_missing(monkeypatch):
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    assert deploy.main() == "PREFECT_API_URL is not set: which server?"
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")
    assert deploy.main() == "http://127.0.0.1:1/api does not answer: ConnectError"
