"""Swaps over HTTP, and the one module that speaks with the real desk."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import ClassVar

import pytest
from pydantic import BaseModel, Field

from deployments.hub.problems import Problem
from deployments.hub.swap_desk import LazyDesk
from tests.contract.test_hub_api import ID, START, problem
from tests.support.hub_bench import Bench, bearer, running_hub
from tests.support.waiting import until


@pytest.fixture
async def hub(tmp_path) -> AsyncIterator[Bench]:
    async with running_hub(tmp_path) as bench:
        yield bench


async def test_a_swap_goes_from_its_start_to_its_answer(hub):
    started = await hub.post("/devices/swaps", START, "technician")
    assert started.status_code == 202
    swap = started.json()
    assert started.headers["location"] == f"/devices/swaps/{swap['id']}"
    assert hub.desk.said[0][1]["old_serial"] == "A1"
    path = f"/devices/swaps/{swap['id']}"
    assert (await hub.get(path, "reader")).json()["state"] == "requested"
    assert (await hub.get("/devices/swaps")).json()["items"] == [swap]
    for what, body in (
        ("answer", {"result": "passed", "by": "Luc"}),
        ("return", {"by": "Luc", "remarks": "au client"}),
        ("override", {"by": "Ana", "reason": "client furieux"}),
    ):
        answer = await hub.post(f"{path}/{what}", body)
        assert answer.status_code == 200, answer.text
        assert answer.json()["state"] == what
    assert hub.desk.said[-1] == (
        "override", {"decision": "override", "by": "Ana", "reason": "client furieux"},
    )  # fmt: skip


async def test_asking_twice_with_one_key_is_one_swap_and_keys_belong_to_their_token(hub):
    async def start(who):
        headers = {**bearer(who), "Idempotency-Key": "k1"}
        return (await hub.client.post("/devices/swaps", json=START, headers=headers)).json()["id"]

    assert await start("technician") == await start("technician") != await start("boss")


async def test_refusals_and_absences_are_told_as_what_they_are(hub):
    same = {**START, "new_serial": "A1"}
    body = problem(await hub.post("/devices/swaps", same), 409, "swap-refused")
    assert body["reason"] == "same_unit"
    problem(await hub.get(f"/devices/swaps/{ID}"), 404, "not-found")
    problem(await hub.post("/devices/swaps", {**START, "kind": "x"}), 422, "invalid-request")
    short = {"by": "Ana", "reason": "non"}
    problem(await hub.post(f"/devices/swaps/{ID}/override", short), 422, "invalid-request")
    hub.desk.is_up = False
    problem(await hub.get("/devices/swaps"), 503, "swaps-unavailable")


class Said(BaseModel):
    by: str = Field(min_length=2)


class RefusedError(Exception):
    reason, accepted = "unit_in_swap", ("answer",)


class MissingError(Exception):
    pass


class RaceError(Exception):
    winner: ClassVar = {"by": "Luc"}


class UnavailableError(Exception):
    pass


def desk_that(raises: Exception | None = None, gives: object = None) -> LazyDesk:
    async def anything(*_args, **_kwargs):
        if raises is not None:
            raise raises
        return gives

    names = ("start", "answer", "give_back", "override", "show", "listed")
    module = SimpleNamespace(
        **dict.fromkeys(names, anything),
        SwapRequest=Said,
        BenchAnswer=Said,
        OverrideAnswer=Said,
        SwapRefusedError=RefusedError,
        SwapNotFoundError=MissingError,
        SwapRaceError=RaceError,
        SwapUnavailableError=UnavailableError,
    )
    return LazyDesk(lambda: module)


@pytest.mark.parametrize(
    ("raised", "code", "more"),
    [
        (RefusedError("non"), "swap-refused", {"reason": "unit_in_swap", "accepted": ["answer"]}),
        (MissingError("non"), "not-found", {}),
        (RaceError("non"), "swap-race", {"winner": {"by": "Luc"}}),
        (UnavailableError("non"), "swaps-unavailable", {}),
    ],
)
async def test_each_error_of_the_desk_becomes_its_problem(raised, code, more):
    desk = desk_that(raises=raised)
    for asked in (
        desk.start({"by": "Luc"}, None),
        desk.answer(ID, {"by": "Luc"}),
        desk.give_back(ID, "Luc", ""),
        desk.override(ID, {"by": "Luc"}),
        desk.show(ID),
        desk.listed(None, None, 10),
    ):
        with pytest.raises(Problem) as told:
            await asked
        assert told.value.kind.code == code
        assert told.value.more == more


async def test_what_the_desk_cannot_use_is_an_invalid_request_without_its_values():
    with pytest.raises(Problem) as told:
        await desk_that().answer(ID, {"by": "C"})
    assert told.value.kind.code == "invalid-request"
    assert told.value.more["errors"][0]["where"] == "by"


async def test_without_a_desk_swaps_are_unavailable_and_a_desk_that_is_broken_is_a_bug():
    def absent():
        raise ModuleNotFoundError("no desk", name="deployments.swaps")

    def broken():
        raise ModuleNotFoundError("no such thing", name="something_else")

    with pytest.raises(Problem) as told:
        await LazyDesk(absent).show(ID)
    assert told.value.kind.code == "swaps-unavailable"
    with pytest.raises(ModuleNotFoundError):
        await LazyDesk(broken).show(ID)


async def test_the_hub_answers_others_while_the_desk_is_loaded_and_loads_it_once():
    begun, others_were_answered, loads = threading.Event(), threading.Event(), []

    def slow():
        begun.set()
        loads.append(others_were_answered.wait())
        return desk_that(gives={"id": ID})._load()

    desk = LazyDesk(slow)
    asking = [asyncio.create_task(desk.show(ID)) for _ in range(3)]
    await until(begun.is_set)  # which is to be seen only while it is being loaded
    others_were_answered.set()
    assert await asyncio.gather(*asking) == 3 * [{"id": ID}]
    assert await desk.show(ID) == {"id": ID}
    assert loads == [True]
