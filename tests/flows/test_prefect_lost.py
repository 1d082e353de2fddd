"""Prefect's API going away costs the record, never the verdict."""

from __future__ import annotations

import asyncio
import json

import pytest

from deployments.commands import diagnose as command
from deployments.commands.progress import Progress

pytestmark = pytest.mark.prefect


async def recorded_nowhere(serial):
    options = command.Options(as_json=True)
    telling = [Progress(serial, "fr")]
    return await command._all([serial], telling, options, "http://127.0.0.1:9/api")


async def test_an_api_that_dies_before_the_verdict_is_gone_on_without(lab, monkeypatch, capsys):
    async def dead(_request):
        raise ConnectionError("the API is gone")

    monkeypatch.setattr("flows.direct.diagnose_here", dead)
    code = await recorded_nowhere("LAB0001")
    printed = capsys.readouterr()
    assert code == 0
    assert json.loads(printed.out)["verdict"]["code"] == "healthy"
    assert "without Prefect" in printed.err


async def test_an_api_that_dies_after_the_verdict_does_not_take_it_along(lab, monkeypatch, capsys):
    from flows.direct import diagnose_here

    async def dies_late(request):
        await diagnose_here(request)
        raise ConnectionError("the API is gone")

    monkeypatch.setattr("flows.direct.diagnose_here", dies_late)
    code = await recorded_nowhere("LAB0002")
    printed = capsys.readouterr()
    assert code == 0
    assert json.loads(printed.out)["verdict"]["code"] == "healthy"
    assert "not recorded" in printed.err


async def test_an_api_that_never_takes_the_end_does_not_hold_the_verdict_back(
    lab, monkeypatch, capsys
):
    from flows.direct import diagnose_here

    async def never_ends(request):
        await diagnose_here(request)
        await asyncio.sleep(3600)

    monkeypatch.setattr(command, "RECORD_S", 0.2)
    monkeypatch.setattr("flows.direct.diagnose_here", never_ends)
    code = await recorded_nowhere("LAB0002")
    printed = capsys.readouterr()
    assert code == 0
    assert json.loads(printed.out)["verdict"]["code"] == "healthy"
    assert "not recorded" in printed.err
