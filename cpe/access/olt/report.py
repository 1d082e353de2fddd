"""Asking the OLTs: the one that had the ONT last, else all of them at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cpe.access.olt.client import OltClient
from cpe.access.olt.engine import SnmpEngineHandle, running_engine
from cpe.access.olt.index_cache import IndexEntry, OntIndexCache
from cpe.access.olt.inventory import OltTarget
from cpe.access.olt.reading import wanted_key
from cpe.access.olt.wire import Deadline
from cpe.domain.errors import AccessError, StoreError, UnreachableError
from cpe.domain.olt_clock import on_our_clock
from cpe.domain.redaction import excerpt
from cpe.domain.snapshot import OltReport, OltSighting, OntState

Slot = Callable[[str], AbstractAsyncContextManager[None]]
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class _Round:
    """What the OLTs said so far."""

    sightings: list[OltSighting] = field(default_factory=list[OltSighting])
    asked: list[str] = field(default_factory=list[str])
    failed: dict[str, str] = field(default_factory=dict[str, str])


class _Asking:
    def __init__(
        self,
        engine: SnmpEngineHandle,
        cache: OntIndexCache,
        wanted: Sequence[str],
        deadline: Deadline,
        slot: Slot | None,
    ) -> None:
        self._engine = engine
        self._cache = cache
        self._wanted = wanted
        self._deadline = deadline
        self._slot = slot
        self._asked_at = asyncio.get_running_loop().time()
        self.round = _Round()

    async def ask(self, targets: Sequence[OltTarget]) -> None:
        """Ask these at once; an ONT that is found online ends the round for the rest."""
        tasks = {asyncio.create_task(self._ask_one(target)) for target in targets}
        try:
            while tasks:
                done, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
                if any(seen.state is OntState.ONLINE for seen in self.round.sightings):
                    return
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask_one(self, target: OltTarget) -> None:
        self.round.asked.append(target.name)
        try:
            seen = await self._find(target)
        except AccessError as error:
            self.round.failed[target.name] = excerpt(error.message)
            return
        if seen is not None:
            self.round.sightings.append(seen)

    async def _find(self, target: OltTarget) -> OltSighting | None:
        client = OltClient(target, self._engine, self._cache)
        slot: AbstractAsyncContextManager[None] = (
            nullcontext() if self._slot is None else self._slot(target.name)
        )
        try:
            # The reads end by themselves at the deadline; this ends a wait for the slot.
            async with asyncio.timeout(max(self._deadline.left_s(), 0.0) + 1.0), slot:
                return await client.find(
                    self._wanted, deadline_s=self._deadline.left_s(), asked_at=self._asked_at
                )
        except TimeoutError:
            message = "the time was used up before this OLT's turn came"
            raise UnreachableError(message, system="olt", target=target.name) from None


async def ask_olts(
    targets: Sequence[OltTarget],
    wanted: Sequence[str],
    *,
    cache: OntIndexCache,
    deadline_s: float,
    slot: Slot | None = None,
    engine: SnmpEngineHandle | None = None,
) -> OltReport:
    """Where the ONT is and how it is. Never raises for an OLT: `failed` names who did not answer.

    `wanted` are serials in order of trust. The OLTs that the cache names are asked first, and only
    they when they have it; else all others at once. `slot(olt_name)` is held during all traffic to
    that OLT.
    """
    if not targets or not wanted:
        return OltReport(
            None, detail="no OLT is configured" if not targets else "no serial is known"
        )
    handle = engine or await running_engine()
    asking = _Asking(handle, cache, wanted, Deadline(deadline_s), slot)
    remembered, detail = await _remembered(cache, wanted)
    first = [target for target in targets if target.name in remembered]
    rest = [target for target in targets if target.name not in remembered]
    if first:
        await asking.ask(first)
    if not asking.round.sightings and rest:
        await asking.ask(rest)
    seen = asking.round
    best = _best(seen.sightings, remembered)
    others = [s.olt for s in seen.sightings if s is not best]
    if best is not None and others:
        detail = "; ".join(p for p in (detail, f"also provisioned on {', '.join(others)}") if p)
    return OltReport(best, tuple(seen.asked), dict(seen.failed), detail)


async def _remembered(
    cache: OntIndexCache, wanted: Sequence[str]
) -> tuple[dict[str, datetime], str]:
    """When each OLT last showed one of the serials."""
    found: dict[str, datetime] = {}
    try:
        for text in wanted:
            entries: Sequence[IndexEntry] = await cache.find(wanted_key(text))
            for entry in entries:
                found[entry.olt] = max(entry.seen_at, found.get(entry.olt, _NEVER))
    except StoreError:
        return {}, "the index cache could not be read"
    return found, ""


def _best(sightings: Sequence[OltSighting], remembered: dict[str, datetime]) -> OltSighting | None:
    """The online one; else where it went down last, else where it was remembered last.

    Two OLTs have two clocks: what cannot be of ours is no time.
    """
    now = datetime.now(UTC)

    def rank(seen: OltSighting) -> tuple[bool, datetime, datetime]:
        online = seen.state is OntState.ONLINE
        return (online, on_our_clock(seen.down_at, now) or _NEVER, remembered.get(seen.olt, _NEVER))

    return max(sightings, key=rank, default=None)
