"""Whose runs are abandoned, and what becomes of them, decided on a Prefect held in hand."""

from __future__ import annotations

import os
import uuid
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from prefect.client.schemas.objects import FlowRun
from prefect.states import AwaitingRetry, Cancelling, Pending, Running

from deployments.warm import orphans
from deployments.warm.orphans import LEASE_S, MINE_S, TOLD, Orphans
from deployments.warm.owner import Owner, owner_of
from deployments.warm.worker import ADOPT_S

ME = Owner.here()
DEAD = Owner(ME.host, ME.pid, ME.started - 1)
FAR = Owner("another-host", 17, 4711)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


class Prefect:
    """The calls that adopting makes."""

    def __init__(self) -> None:
        self.runs: dict[uuid.UUID, FlowRun] = {}
        self.past: list[object] = []
        self.workers: dict[str, datetime] = {ME.name: datetime.now(UTC)}
        self.deleted: list[str] = []

    def held(self, owner: Owner, kind=Running) -> FlowRun:
        state = Pending(message=f"Taken by {owner.name}") if kind is Pending else kind()
        pid = None if kind is Pending else owner.name
        run = FlowRun(flow_id=uuid.uuid4(), state=state, infrastructure_pid=pid)
        self.runs[run.id] = run
        return run

    async def read_workers_for_work_pool(self, _pool, limit):
        return [
            SimpleNamespace(name=name, last_heartbeat_time=at) for name, at in self.workers.items()
        ]

    async def read_flow_runs(self, **_filters):
        return [run.model_copy() for run in self.runs.values()]

    async def read_flow_run(self, run_id):
        return self.runs[run_id]

    async def read_flow_run_states(self, _run_id):
        return self.past

    async def set_flow_run_state(self, run_id, state, force):
        self.runs[run_id] = self.runs[run_id].model_copy(update={"state": state})

    async def update_flow_run(self, run_id, empirical_policy):
        self.runs[run_id].empirical_policy = empirical_policy

    async def upsert_global_concurrency_limit_by_name(self, name, limit):
        assert (name, limit) == (orphans.LOCK, 1)

    async def request(self, method, _path, path_params):
        assert method == "DELETE"
        self.deleted.append(path_params["name"])


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(orphans, "time", clock)

    @asynccontextmanager
    async def lock(*_args, **_options):
        yield

    monkeypatch.setattr(orphans, "concurrency", lock)
    return clock


@pytest.fixture
def prefect() -> Prefect:
    return Prefect()


def looking(prefect, held=()) -> Orphans:
    return Orphans(prefect, "cpe", ME, lambda: held)


async def watched(clock, search, seconds: float) -> int:
    """How many runs were adopted in that time, looking as often as a worker does."""
    adopted = 0
    while seconds > 0:
        step = min(ADOPT_S, seconds)
        clock.now += step
        seconds -= step
        adopted += await search.adopt()
    return adopted


def names(prefect, run) -> str:
    return prefect.runs[run.id].state.name


@pytest.mark.parametrize("kind", [Pending, Running])
async def test_a_run_of_a_process_that_ended_here_is_begun_again_at_once(clock, prefect, kind):
    run = prefect.held(DEAD, kind)
    assert await looking(prefect).adopt() == 1
    assert names(prefect, run) == "AwaitingRetry"


async def test_a_run_that_was_to_be_cancelled_is_cancelled(clock, prefect):
    run = prefect.held(DEAD, Cancelling)
    await looking(prefect).adopt()
    assert names(prefect, run) == "Cancelled"


async def test_a_run_cancelled_before_its_dead_worker_had_signed_it_is_cancelled(clock, prefect):
    run = prefect.held(DEAD, Cancelling)
    run.infrastructure_pid = None  # the mark of the claim went with the state before
    held = prefect.held(ME, Cancelling)
    held.infrastructure_pid = None
    search = looking(prefect, held={held.id})
    assert await watched(clock, search, LEASE_S) == 0, "whoever claimed it may live"
    assert await watched(clock, search, 2 * ADOPT_S) >= 1
    assert (names(prefect, run), names(prefect, held)) == ("Cancelled", "Cancelling")


async def test_a_run_that_is_held_or_is_another_kind_of_workers_is_left_alone(clock, prefect):
    mine = prefect.held(ME)
    stock = prefect.held(DEAD)
    stock.infrastructure_pid = "host:1234"
    assert await looking(prefect, held={mine.id}).adopt() == 0
    clock.now += 10 * LEASE_S
    assert await looking(prefect, held={mine.id}).adopt() == 0


async def test_a_claim_whose_answer_was_lost_is_given_back_by_its_own_worker(clock, prefect):
    run = prefect.held(ME, Pending)
    search = looking(prefect)
    assert await search.adopt() == 0, "the claim may be on its way"
    clock.now += MINE_S + 1
    assert await search.adopt() == 1
    assert names(prefect, run) == "AwaitingRetry"


async def test_a_far_worker_is_dead_when_its_heartbeat_stood_still_on_our_own_clock(clock, prefect):
    run = prefect.held(FAR)
    # Its clock is a year behind: that alone says nothing.
    prefect.workers[FAR.name] = datetime(2024, 1, 1, tzinfo=UTC)
    search = looking(prefect)
    for _ in range(5):
        assert await watched(clock, search, LEASE_S / 3) == 0
        prefect.workers[FAR.name] = datetime.fromtimestamp(clock.now, UTC)
        assert await search.adopt() == 0
    assert await watched(clock, search, LEASE_S - 1) == 0
    assert await watched(clock, search, 2) == 1
    assert names(prefect, run) == "AwaitingRetry"


async def test_a_run_of_a_far_worker_nobody_knows_is_taken_after_the_lease(clock, prefect):
    prefect.held(FAR)
    search = looking(prefect)
    assert await search.adopt() == 0
    assert await watched(clock, search, LEASE_S) == 0
    assert await watched(clock, search, 1) == 1


async def test_time_in_which_nobody_could_be_seen_is_no_silence(clock, prefect):
    known, unknown = prefect.held(FAR), prefect.held(Owner("a-third-host", 18, 4712))
    prefect.workers[FAR.name] = datetime.now(UTC)
    search = looking(prefect)
    assert await search.adopt() == 0
    clock.now += 10 * LEASE_S  # Prefect's server was away: nobody's heartbeat could move
    assert await search.adopt() == 0, "they have had no time to beat again"
    prefect.workers[FAR.name] = datetime.fromtimestamp(clock.now, UTC)
    assert await watched(clock, search, LEASE_S - ADOPT_S) == 1
    assert [names(prefect, run) for run in (known, unknown)] == ["Running", "AwaitingRetry"]


async def test_a_run_that_changed_since_it_was_seen_is_left_alone(clock, prefect, monkeypatch):
    run = prefect.held(DEAD)
    monkeypatch.setattr(
        prefect, "read_flow_runs", lambda **_: _later([run.model_copy(update={"state": Running()})])
    )
    assert await looking(prefect).adopt() == 0


async def _later(found):
    return found


async def test_a_run_that_was_lost_with_three_workers_is_given_up(clock, prefect):
    run = prefect.held(DEAD)
    prefect.past = [AwaitingRetry(message=f"{TOLD}: again")] * 2
    await looking(prefect).adopt()
    assert names(prefect, run) == "Crashed"
    assert "3 workers" in prefect.runs[run.id].state.message


async def test_a_run_that_its_own_process_was_to_repeat_is_offered_to_workers(clock, prefect):
    run = prefect.held(DEAD)
    prefect.runs[run.id].empirical_policy.retry_type = "in_process"
    await looking(prefect).adopt()
    assert prefect.runs[run.id].empirical_policy.retry_type == "reschedule"


async def test_a_dead_worker_that_holds_nothing_is_taken_off_the_list(clock, prefect):
    prefect.workers |= {DEAD.name: datetime.now(UTC), "stock-1": datetime.now(UTC)}
    await looking(prefect).adopt()
    assert prefect.deleted == [DEAD.name]


async def test_a_far_worker_that_fell_silent_and_holds_nothing_is_taken_off_the_list(
    clock, prefect
):
    # Each container that is started anew is a new one: Prefect would list them all for ever.
    prefect.workers[FAR.name] = datetime.now(UTC)
    search = looking(prefect)
    assert await watched(clock, search, LEASE_S) == 0
    assert prefect.deleted == []
    prefect.workers[ME.name] = datetime.fromtimestamp(clock.now, UTC)
    await watched(clock, search, ADOPT_S * 2)
    assert prefect.deleted[0] == FAR.name
    assert ME.name not in prefect.deleted


def test_a_mark_is_found_in_a_sentence_and_names_one_life_of_one_process():
    assert Owner.find(f"Taken by {ME.name}") == ME
    assert Owner.find("Taken by somebody") is None
    assert Owner.find(None) is None
    assert ME.pid == os.getpid()
    assert ME.is_gone is False
    assert DEAD.is_gone is True
    assert FAR.is_gone is None


@pytest.mark.parametrize("seen", ["boot_id", "ns/pid"])
def test_a_namesake_of_this_machine_is_no_process_that_ended_here(seen, monkeypatch):
    # Cloned machines, and containers on the host's network, share a name and no processes: their
    # runs would be taken from each other while they run.
    with monkeypatch.context() as elsewhere:
        if seen == "boot_id":
            read = Path.read_text
            elsewhere.setattr(
                Path, "read_text", lambda p, **o: "another" if p.name == seen else read(p, **o)
            )
        else:
            elsewhere.setattr(Path, "readlink", lambda _path: Path("pid:[4711]"))
        there = Owner.here()
    assert there.host.startswith(ME.host.rsplit("-", 1)[0])
    assert Owner.find(f"Taken by {there.name}") == there
    assert Owner(there.host, ME.pid, ME.started - 1).is_gone is None


def test_a_pending_run_belongs_to_whom_its_state_names_whatever_ran_it_before():
    run = FlowRun(
        flow_id=uuid.uuid4(),
        state=Pending(message=f"Taken by {ME.name}"),
        infrastructure_pid=FAR.name,
    )
    assert owner_of(run) == ME
    assert owner_of(run.model_copy(update={"state": Running()})) == FAR
    assert owner_of(run.model_copy(update={"state": Pending()})) is None
