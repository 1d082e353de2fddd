"""The OLT's slot when Prefect's API is not there: the customer still waits for a verdict."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from uuid import uuid4

import httpx
import pytest
from prefect.concurrency.asyncio import ConcurrencySlotAcquisitionError

from tasks import slots

ANSWER = httpx.Response(500, request=httpx.Request("POST", "http://prefect.test"))
REFUSED = httpx.HTTPStatusError("500", request=ANSWER.request, response=ANSWER)


class Limits:
    """Prefect's side: which limits exist, and when its API goes away."""

    def __init__(self, *names: str, gone: str = "") -> None:
        self.names = set(names)
        self.gone = gone
        self.held: list[str] = []

    @asynccontextmanager
    async def concurrency(
        self, name, *, occupy, strict, lease_duration, raise_on_lease_renewal_failure
    ):
        assert not raise_on_lease_renewal_failure  # it would end the reading of the OLT
        if self.gone == "before":
            raise ConcurrencySlotAcquisitionError(name) from httpx.ConnectError("refused")
        if self.gone == "answers 500":
            raise ConcurrencySlotAcquisitionError(name) from REFUSED
        if name not in self.names:
            raise ConcurrencySlotAcquisitionError(name)
        self.held.append(name)
        yield
        if self.gone == "meanwhile":
            raise httpx.ConnectError("refused")
        if self.gone == "and hangs":
            await asyncio.sleep(3600)
        if self.gone == "and answers 500":
            raise REFUSED

    async def create(self, name):
        if self.gone == "when created":
            raise httpx.ConnectError("refused")
        if self.gone in ("answers 500", "answers 500 when created"):
            raise REFUSED
        if self.gone != "forgets":
            self.names.add(name)


def use(monkeypatch, limits):
    monkeypatch.setattr(slots, "concurrency", limits.concurrency)
    monkeypatch.setattr(slots, "create_limit", limits.create)
    monkeypatch.setattr(slots.TaskRunContext, "get", classmethod(lambda _: object()))
    return limits


async def test_a_limit_that_does_not_exist_is_created_and_held(monkeypatch):
    limits = use(monkeypatch, Limits())
    async with slots.olt_slot("olt-a"):
        assert limits.held == ["olt:olt-a"]


@pytest.mark.parametrize(
    "gone",
    [
        "before", "when created", "meanwhile", "and hangs", "answers 500", "forgets",
        "answers 500 when created", "and answers 500",
    ],
)  # fmt: skip
async def test_without_prefects_api_the_olt_is_read_all_the_same(monkeypatch, caplog, gone):
    monkeypatch.setattr(slots, "RELEASE_S", 0.05)
    acquired = gone in ("meanwhile", "and hangs", "and answers 500")
    limits = use(monkeypatch, Limits(*(["olt:olt-a"] if acquired else []), gone=gone))
    read = False
    async with slots.olt_slot("olt-a"):
        read = True
    assert read
    assert "olt:olt-a" in caplog.text
    assert bool(limits.held) is acquired


async def test_what_fails_while_the_slot_is_held_is_not_hidden(monkeypatch):
    use(monkeypatch, Limits("olt:olt-a"))
    with pytest.raises(RuntimeError, match="the reading"):
        async with slots.olt_slot("olt-a"):
            raise RuntimeError("the reading")


class Server:
    """Prefect's client: what it answers to a wish for a lease, and to its end."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.created = 0

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass

    async def increment_concurrency_slots_with_lease(self, *_):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(200, json={"lease_id": str(uuid4()), "limits": answer})

    async def release_concurrency_slots_with_lease(self, _):
        raise REFUSED

    async def upsert_global_concurrency_limit_by_name(self, *_):
        self.created += 1
        raise REFUSED


@pytest.mark.parametrize("answers", [(REFUSED,), ([],), (httpx.ConnectError("refused"),)])
async def test_a_leg_goes_on_when_prefect_is_in_trouble(monkeypatch, caplog, answers):
    server = Server(*answers)
    monkeypatch.setattr(slots, "get_client", lambda: server)
    monkeypatch.setattr(slots.TaskRunContext, "get", classmethod(lambda _: object()))
    legs = slots.olt_legs("olt-a")
    await anext(legs)
    await legs.aclose()
    assert "olt:olt-a" in caplog.text
    assert server.created == (answers == ([],))
