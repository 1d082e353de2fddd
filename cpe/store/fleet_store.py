"""`FleetStore`: everything a sweep and the fleet's commands ask of our database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from cpe.domain.memory import Identity
from cpe.domain.sweep import FleetBox, Sweep, SweepPart, TrendPoint
from cpe.store import fleet, learning, sweeps
from cpe.store.engine import Database

Rows = Iterable[Mapping[str, Any]]


class FleetStore:
    """Part of `Store`. Every method raises StoreError, and nothing else, when it can't."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(
        self, sweep: Sweep, *, after: datetime, owner: str, is_dead: Callable[[str], bool]
    ) -> Sweep:
        """This sweep, or the one left running that began at `after` at the earliest.

        Raises AlreadyRunningError while another process is at one.
        """
        return await self._database.finish(
            sweeps.begin(self._database, sweep, after=after, owner=owner, is_dead=is_dead)
        )

    async def beat(self, sweep_id: str) -> None:
        """The sweep is alive."""
        await self._database.finish(sweeps.beat(self._database, sweep_id))

    async def finish(self, sweep: Sweep) -> None:
        """Keep how it ended and drop its parts."""
        await self._database.finish(sweeps.finish(self._database, sweep))

    async def sweep(self, sweep_id: str) -> Sweep | None:
        """One sweep, ended or not."""
        return await self._database.finish(sweeps.load(self._database, sweep_id))

    async def sweep_before(self, sweep: Sweep) -> Sweep | None:
        """The newest complete one that began earlier."""
        return await self._database.finish(sweeps.before(self._database, sweep))

    async def keep_part(self, sweep_id: str, part: SweepPart) -> None:
        """Keep something read, over an earlier try at the same."""
        await self._database.finish(sweeps.keep_part(self._database, sweep_id, part))

    async def parts(self, sweep_id: str, kind: str, *, with_data: bool = True) -> list[SweepPart]:
        """What was read of a kind, by name and position."""
        return await self._database.finish(
            sweeps.parts(self._database, sweep_id, kind, with_data=with_data)
        )

    def known_boxes(self, *, seen_after: datetime) -> AsyncIterator[dict[str, list[Any]]]:
        """The fleet as earlier sweeps left it, as columns, some thousand boxes at a time."""
        return fleet.known_boxes(self._database, seen_after=seen_after)

    def past_days(
        self, *, today: int, days: int, column: str
    ) -> AsyncIterator[tuple[int, list[int], list[int]]]:
        """(days ago, box ids, hundredths) of each kept day."""
        return fleet.past_days(self._database, today=today, days=days, column=column)

    async def events_of_week(self, *, today: int, column: str) -> dict[int, int]:
        """Different `down_at` or `boot_at` of the last seven days by box id, where two or more."""
        return await self._database.finish(
            fleet.events_of_week(self._database, today=today, column=column)
        )

    async def recent_boots(self, *, since: datetime) -> list[tuple[str, datetime]]:
        """(box, booted at) since then."""
        return await self._database.finish(fleet.recent_boots(self._database, since=since))

    async def keep_boxes(self, rows: Rows) -> None:
        """Upsert boxes by key."""
        await self._database.finish(fleet.keep_boxes(self._database, rows))

    async def keep_days(self, rows: Rows) -> None:
        """Upsert a day of each box."""
        await self._database.finish(fleet.keep_days(self._database, rows))

    async def keep_boots(self, rows: Rows) -> None:
        """Insert what is new."""
        await self._database.finish(fleet.keep_boots(self._database, rows))

    async def box_ids(self, keys: Sequence[str]) -> dict[str, int]:
        """Box id by key."""
        return await self._database.finish(fleet.box_ids(self._database, keys))

    async def thin_out(self, *, today: int) -> None:
        """Old days become weeks, old weeks go."""
        await self._database.finish(fleet.thin_out(self._database, today=today))

    async def learn_changed(self, learned: Sequence[Identity]) -> int:
        """Merge into the identity map what it does not say yet; how many that were."""
        return await self._database.finish(learning.learn_changed(self._database, learned))

    async def worst(self, *, limit: int) -> list[FleetBox]:
        """The boxes that deserve attention most."""
        return await self._database.finish(fleet.worst(self._database, limit=limit))

    async def on_pon(self, *, olt: str, pon: str) -> list[FleetBox]:
        """Every box of a PON, the weakest first."""
        return await self._database.finish(fleet.on_pon(self._database, olt=olt, pon=pon))

    async def pons(self) -> list[tuple[str, str, int]]:
        """(OLT, PON, boxes) of every PON."""
        return await self._database.finish(fleet.pons(self._database))

    async def trend(self, serial: str) -> tuple[FleetBox, list[TrendPoint]] | None:
        """A box by any of its names and its past, oldest first."""
        return await self._database.finish(fleet.trend(self._database, serial))
