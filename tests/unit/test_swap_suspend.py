"""What becomes of a run that wants to sleep while somebody has it taken up already."""

from __future__ import annotations

import contextlib
from types import SimpleNamespace
from uuid import uuid4

import pytest
from prefect.exceptions import Pause
from prefect.states import Paused, Running, Scheduled

from cpe.domain.swap import SwapState
from flows import swap_suspend
from tests.unit.test_swap_timer import a_case

RUN = str(uuid4())


@pytest.fixture
def proposing(monkeypatch):
    """Sleep with the server giving this state; the swap waits for the bench."""
    case = a_case(SwapState.AWAITING_TEST)

    async def nothing(*_, **__):
        return None

    async def same(*_, **__):
        return case

    async def load(*_):
        return SimpleNamespace(case=case)

    @contextlib.asynccontextmanager
    async def client():
        yield None

    monkeypatch.setattr(swap_suspend.book, "edited", same)
    monkeypatch.setattr(swap_suspend.book, "load", load)
    monkeypatch.setattr(swap_suspend.BenchForm, "asave", nothing)
    monkeypatch.setattr(swap_suspend, "acreate_flow_run_input", nothing)
    monkeypatch.setattr(swap_suspend, "form_text", lambda *_: "")
    monkeypatch.setattr(swap_suspend, "get_client", client)

    async def sleep(given):
        async def propose(*_, **__):
            return given

        monkeypatch.setattr(swap_suspend, "propose_state", propose)
        await swap_suspend.sleep(SimpleNamespace(case=case), RUN)

    return sleep


@pytest.mark.parametrize("given", [Paused(name="En test"), Scheduled(name="Resuming")])
async def test_a_run_that_sleeps_or_is_taken_up_again_leaves_without_an_error(proposing, given):
    with pytest.raises(Pause) as left:
        await proposing(given)
    assert left.value.state is given


async def test_a_server_that_does_not_let_a_run_sleep_is_an_error(proposing):
    with pytest.raises(RuntimeError, match="not suspended"):
        await proposing(Running())
