"""`Store`: everything the flows ask of our database, each a call into the module of its subject."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from types import TracebackType
from typing import Self

from cpe.domain.memory import Identity, IdentityConflict, KeptDiagnosis, Recall, Summary
from cpe.domain.sweep import Sweep
from cpe.store import diagnoses, health, identities, migrate, pruning, recall, sweeps
from cpe.store.engine import Database
from cpe.store.fleet_store import FleetStore
from cpe.store.hub import Hub
from cpe.store.ont_index import OntIndex
from cpe.store.steps import StepSeen
from cpe.store.swaps import Swaps
from cpe.store.url import async_url


class Store:
    """Our database. Every method raises StoreError, and nothing else, when it can't."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, url: str) -> Store:
        """For a plain URL (`sqlite:///FILE`, `postgresql://…`). Touches neither disk nor network
        until the first call; raises StoreError for a URL that can't be used."""
        return cls(Database(async_url(url, make_folder=False)))

    def __repr__(self) -> str:
        return f"Store({self._database!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def migrate(self) -> None:
        """Bring the schema up to this code; nothing when it is. Safe in several processes."""
        await self._database.finish(migrate.migrate(self._database))

    async def close(self) -> None:
        await self._database.close()

    async def keep(
        self, kept: KeptDiagnosis, *, steps: Sequence[StepSeen] = (), call_back: bool = False
    ) -> bool:
        """Keep a diagnosis and what it taught. False: that id is kept already, unchanged.

        In the same transaction its last steps, and with `call_back` a letter in the outbox.
        """
        return await self._database.finish(
            diagnoses.keep(self._database, kept, steps=steps, call_back=call_back)
        )

    async def load(self, diagnosis_id: str) -> KeptDiagnosis | None:
        """By id or by an unambiguous prefix of at least 6 characters."""
        return await self._database.finish(diagnoses.load(self._database, diagnosis_id))

    async def summaries(
        self, serial: str, *, limit: int = 20, before: datetime | None = None
    ) -> list[Summary]:
        """A box's diagnoses, newest first, asked for before `before` (exclusive)."""
        return await self._database.finish(
            diagnoses.summaries(self._database, serial, limit=limit, before=before)
        )

    async def latest(self, serial: str) -> KeptDiagnosis | None:
        return await self._database.finish(diagnoses.latest(self._database, serial))

    async def recall(self, serial: str, *, now: datetime, days: int = 30) -> Recall:
        """Who the box is and its last `days` days of usable numbers, boots and firmwares."""
        return await self._database.finish(
            recall.recall(self._database, serial, now=now, days=days)
        )

    async def learn(self, identity: Identity) -> None:
        await self._database.finish(identities.learn(self._database, [identity]))

    async def learn_all(self, learned: Sequence[Identity]) -> None:
        """Many at once, in one transaction (a sweep)."""
        await self._database.finish(identities.learn(self._database, learned))

    async def identity(self, any_serial: str) -> Identity | None:
        """By TR-069 serial, ACS id, GPON serial in any notation, or MAC."""
        return await self._database.finish(identities.find(self._database, any_serial))

    async def conflicts(self) -> list[IdentityConflict]:
        """GPON serials that more than one box claims."""
        return await self._database.finish(identities.conflicts(self._database))

    def ont_index(self) -> OntIndex:
        """The cache of ONT rows that `cpe.access.olt` asks for."""
        return OntIndex(self._database)

    def hub(self) -> Hub:
        """What the hub asks: questions in flight, steps, answers, calls back."""
        return Hub(self._database)

    def swaps(self, *, call_back: bool = False) -> Swaps:
        """Swaps and all that belongs to them. `call_back`: each move is also told to the hub."""
        return Swaps(self._database, call_back=call_back)

    def fleet(self) -> FleetStore:
        """What sweeps read and write."""
        return FleetStore(self._database)

    async def last_sweep(self) -> Sweep | None:
        """The newest sweep that ended: when, in which state, with which coverage."""
        return await self._database.finish(sweeps.load(self._database, None))

    async def prune(self, *, keep_days: int, now: datetime) -> int:
        """Delete diagnoses older than that; how many. Identities and the ONT index stay."""
        await self.hub().prune(now=now, keep_days=keep_days)
        return await pruning.prune(self._database, keep_days=keep_days, now=now)

    async def ping(self) -> str:
        """One line for `cpe doctor`: server, schema, number of diagnoses."""
        return await self._database.finish(health.ping(self._database))
