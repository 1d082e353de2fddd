"""Other runs that a sweep starts may fail it in any way; the sweep ends all the same."""

from __future__ import annotations

from contextlib import asynccontextmanager
from types import SimpleNamespace
from uuid import uuid4

import httpx
import pytest

from flows import spreading


class Api:
    """A Prefect API on which shards run for ever, or that answers no more after some calls."""

    def __init__(self, answers=99):
        self.left = answers

    async def read_deployment_by_name(self, name):
        self._ask()
        return SimpleNamespace(id=uuid4())

    async def create_flow_run_from_deployment(self, deployment_id, **options):
        self._ask()
        return SimpleNamespace(id=uuid4())

    async def read_flow_run(self, run_id):
        self._ask()
        return SimpleNamespace(
            state=SimpleNamespace(is_final=lambda: False, is_running=lambda: True)
        )

    def _ask(self):
        self.left -= 1
        if self.left < 0:
            raise httpx.ConnectError("the API is away")


@pytest.fixture
def prefect(monkeypatch):
    def use(api):
        @asynccontextmanager
        async def client():
            yield api

        monkeypatch.setattr(spreading, "get_client", client)

    monkeypatch.setattr(spreading, "POLL_S", 0.01)
    monkeypatch.setenv("CPE_SWEEP_SHARDS", "2")
    return use


@pytest.mark.parametrize("answers", [0, 2])
async def test_an_api_that_is_away_costs_diagnoses_and_not_the_sweep(prefect, answers):
    prefect(Api(answers))
    told = await spreading.diagnose_worst("a-sweep", ["A", "B", "C"])
    assert told["started"] == max(0, answers - 1)
    assert told["serials"] == ["A"][: told["started"]]
    assert "ConnectError" in told["skipped"]


@pytest.mark.parametrize("answers", [0, 2, 4])
async def test_an_api_that_is_away_leaves_the_walks_to_the_sweep(prefect, answers):
    prefect(Api(answers))
    await spreading.spread_walks("a-sweep", ["olt-1", "olt-2"])


async def test_a_worker_that_died_in_a_walk_is_not_waited_for_until_the_flow_ends(
    prefect, monkeypatch
):
    """Its run stays « running » for ever."""
    prefect(Api(10**6))
    monkeypatch.setattr(spreading, "PATIENCE_S", 0.05)
    monkeypatch.setenv("CPE_SWEEP_WALK_S", "0.05")
    await spreading.spread_walks("a-sweep", ["olt-1", "olt-2"])
