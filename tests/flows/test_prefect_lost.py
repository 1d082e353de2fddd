"""Prefect's API going away costs the record, never the verdict."""

from __future__ import annotations

import asyncio
import json

import pytest

from deployments.commands import diagnose as command

pytestmark = pytest.mark.prefect


async def test_an_api_that_dies_before_the_verdict_is_gone_on_without(lab, monkeypatch, capsys):
    async def dead(_request):
        raise ConnectionError("the API is gone")

    monkeypatch.setattr("flows.direct.diagnose_here", dead)
    code = await command._all(["LAB0001"], command.Options(as_json=True), "http://127.0.0.1:9/api")
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
    code = await command._all(["LAB0002"], command.Options(as_json=True), "http://127.0.0.1:9/api")
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
    code = await command._all(["LAB0002"], command.Options(as_json=True), "http://127.0.0.1:9/api")
    printed = capsys.readouterr()
    assert code == 0
    assert json.loads(printed.out)["verdict"]["code"] == "healthy"
    assert "not recorded" in printed.err
