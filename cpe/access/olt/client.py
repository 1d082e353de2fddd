"""One OLT: find an ONT by serial, read its state, its optics and its neighbours."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cpe.access.olt.engine import SnmpEngineHandle
from cpe.access.olt.index import pon_scope, serial_index
from cpe.access.olt.index_cache import OntIndexCache
from cpe.access.olt.inventory import AUTO, OltTarget
from cpe.access.olt.lane import SerialTable
from cpe.access.olt.locate import WHOLE_OLT, entries_of, read_serials, row_exists_somewhere
from cpe.access.olt.neighbours import read_neighbours
from cpe.access.olt.probe import OltIdentity, choose_profile, read_system
from cpe.access.olt.reading import Row, read_optics, read_row, wanted_key
from cpe.access.olt.session import Session
from cpe.access.olt.sighting import Optics, sighting
from cpe.access.olt.walk import Scope
from cpe.access.olt.wire import Deadline, oid_text, parse_oid
from cpe.domain.errors import (
    AccessError,
    CutOffError,
    NotSupportedError,
    StoreError,
    UnexpectedAnswerError,
    UnreachableError,
)
from cpe.domain.ont_index import IndexEntry
from cpe.domain.snapshot import OltSighting, OntState
from cpe.profiles.olt_index import PartsIndex
from cpe.profiles.olt_profile import OltProfile, olt_profiles

_log = logging.getLogger(__name__)
LOOKUP_S: Final = 15.0
PROBE_S: Final = 20.0
MAX_ROWS_TRIED: Final = 64
"""How many rows of one ONT are read, one PDU each, until one is online: it may be the last."""
_DARK: Final = (OntState.LOS, OntState.DYING_GASP)


@dataclass(frozen=True, slots=True)
class _Optics:
    values: Optics | None
    detail: str


class OltClient:
    """Conversations with one OLT over the loop's warm engine."""

    def __init__(self, target: OltTarget, engine: SnmpEngineHandle, cache: OntIndexCache) -> None:
        self.target = target
        self._engine = engine
        self._cache = cache
        self._lane = engine.lane(target)

    async def probe(self) -> OltIdentity:
        """Who answers and whether its profile fits, on a bounded walk. Raises AccessError."""
        session = self._session(Deadline(PROBE_S))
        system = await read_system(session)
        profile = await self._profile(session)
        detail, table = "", SerialTable({}, 0, complete=False)
        try:
            table = await self._walk(session, profile, WHOLE_OLT, _now())
            detail = table.detail
        except (NotSupportedError, UnreachableError) as error:
            detail = error.message
        return OltIdentity(
            name=self.target.name,
            sys_descr=system.description,
            sys_object_id=system.object_id,
            profile=str(profile.id),
            verified=profile.verified,
            serial_rows=table.rows,
            complete=table.complete,
            detail=detail,
        )

    async def find(
        self,
        wanted: Sequence[str],
        *,
        deadline_s: float = LOOKUP_S,
        asked_at: float | None = None,
    ) -> OltSighting | None:
        """The ONT with one of these serials (in order of trust), or None: this OLT answered and
        does not have it. Raises AccessError; CutOffError when the search did not end, which is not
        a None. `asked_at`: loop time since when a walk by somebody else, or the silence that he
        met, serves this question too.
        """
        keys = tuple(dict.fromkeys(wanted_key(text) for text in wanted))
        session = self._session(Deadline(deadline_s))
        began = _now()
        since = began if asked_at is None else asked_at
        self._lane.refuse_silence(since)
        try:
            profile = await self._profile(session)
            row = await self._find_row(session, profile, keys, since)
        except UnreachableError as error:
            if session.deadline.left_s() > 0:
                self._lane.note_silence(began, error)
            raise
        return None if row is None else await self._complete(session, profile, row)

    def _session(self, deadline: Deadline) -> Session:
        return Session(self._engine, self.target, deadline)

    async def _profile(self, session: Session) -> OltProfile:
        if self.target.profile != AUTO:
            return olt_profiles()[self.target.profile]
        if self._lane.profile_id is None:
            self._lane.profile_id = str((await choose_profile(session)).id)
        return olt_profiles()[self._lane.profile_id]

    async def _find_row(
        self, session: Session, profile: OltProfile, keys: tuple[str, ...], since: float
    ) -> Row | None:
        if profile.index.kind == "serial":
            return await self._read_by_serial(session, profile, keys)
        known = await self._known(keys)
        rows, stale = await self._read_known(session, profile, keys, known)
        if rows:
            return _best(rows, keys)
        for scope in self._scopes(profile, stale):
            table = await self._walk(session, profile, scope, since)
            indexes = [parse_oid(i) for key in keys for i in table.indexes.get(key, ())]
            rows, _ = await self._read_known(session, profile, keys, indexes)
            if rows:
                return _best(rows, keys)
            if scope == WHOLE_OLT:
                self._refuse_doubt(profile, table, keys)
        return None

    def _scopes(self, profile: OltProfile, stale: Sequence[tuple[int, ...]]) -> list[Scope]:
        """The PONs where the ONT was, then everywhere."""
        scopes: list[Scope] = []
        if isinstance(profile.index, PartsIndex):
            for index in stale:
                scope = pon_scope(profile.index, index)
                if scope is not None and scope not in scopes:
                    scopes.append(scope)
        return [*scopes, WHOLE_OLT]

    def _refuse_doubt(self, profile: OltProfile, table: SerialTable, keys: tuple[str, ...]) -> None:
        """Not found is only an answer when everything was read and could be compared."""
        name = self.target.name
        if shown := [f"{key} at {table.indexes[key][0]}" for key in keys if key in table.indexes]:
            message = f"a walk shows {', '.join(shown)}, but that row does not give the serial"
            raise UnexpectedAnswerError(message, system="olt", target=name)
        if not table.complete:
            message = (
                f"the search ended after {table.rows} rows ({table.detail}): not proved absent"
            )
            raise CutOffError(message, system="olt", target=name)
        if profile.identity == "ont_id":
            message = (
                f"{profile.id}: SNMP has no serial, and none of the {table.rows} ONT-IDs equals it;"
                " the map from ONT-ID to serial must come from provisioning"
            )
            raise NotSupportedError(message, system="olt", target=name)

    async def _known(self, keys: tuple[str, ...]) -> list[tuple[int, ...]]:
        found: dict[tuple[int, ...], None] = {}
        for key in keys:
            try:
                entries = await self._cache.find(key)
            except StoreError:
                _log.warning("olt %s: the index cache cannot be read, going on", self.target.name)
                return list(found)
            for entry in entries:
                if entry.olt == self.target.name:
                    found[parse_oid(entry.index)] = None
        return list(found)

    async def _read_known(
        self,
        session: Session,
        profile: OltProfile,
        keys: tuple[str, ...],
        indexes: Sequence[tuple[int, ...]],
    ) -> tuple[list[Row], list[tuple[int, ...]]]:
        """The rows that really hold a wanted serial, and the indexes that did not."""
        rows: list[Row] = []
        stale: list[tuple[int, ...]] = []
        for index in dict.fromkeys(indexes[:MAX_ROWS_TRIED]):
            row = await read_row(session, profile, index)
            if row.key in keys:
                rows.append(row)
                if row.folded.state is OntState.ONLINE:
                    break
            else:
                stale.append(index)
        return rows, stale

    async def _read_by_serial(
        self, session: Session, profile: OltProfile, keys: tuple[str, ...]
    ) -> Row | None:
        """The index is the serial. Some firmware prints its hex digits in lower case."""
        for key in keys:
            for text in dict.fromkeys((key, key[:4] + key[4:].lower())):
                row = await read_row(session, profile, serial_index(text))
                if row.key in keys:
                    return row
        if not await row_exists_somewhere(session, profile):
            message = f"the ONT table of profile {profile.id} is absent or empty (0 rows)"
            raise NotSupportedError(message, system="olt", target=self.target.name)
        return None

    async def _walk(
        self, session: Session, profile: OltProfile, scope: Scope, since: float
    ) -> SerialTable:
        async def work(deadline: Deadline) -> SerialTable:
            table = await read_serials(self._session(deadline), profile, scope)
            await self._remember(table, complete=table.complete and scope == WHOLE_OLT)
            return table

        try:
            return await self._lane.walks.run(
                (profile.id, scope), work, deadline=session.deadline, asked_at=since
            )
        except TimeoutError:
            message = "the search did not end in time: not proved absent"
            raise CutOffError(message, system="olt", target=self.target.name) from None

    async def _remember(self, table: SerialTable, *, complete: bool) -> None:
        await self._keep(entries_of(self.target.name, table), complete=complete)

    async def _keep(self, entries: list[IndexEntry], *, complete: bool) -> None:
        if not entries:
            return
        try:
            await self._cache.remember(self.target.name, entries, complete=complete)
        except StoreError:
            _log.warning("olt %s: the index cache cannot be written, going on", self.target.name)

    async def _complete(self, session: Session, profile: OltProfile, row: Row) -> OltSighting:
        """Optics and neighbours: first what matters for the state that was read."""
        if row.key is not None and profile.index.kind != "serial":
            entry = IndexEntry(self.target.name, row.key, oid_text(row.index), datetime.now(UTC))
            await self._keep([entry], complete=False)
        if row.folded.state is OntState.ONLINE:
            optics = await self._optics(session, profile, row)
            neighbours, why = await read_neighbours(session, profile, row)
        else:
            neighbours, why = await read_neighbours(session, profile, row)
            optics = await self._optics(session, profile, row)
        return sighting(
            profile,
            self.target.name,
            row,
            optics=optics.values,
            optics_detail=optics.detail,
            neighbours=neighbours,
            neighbours_detail=why,
            now=datetime.now(UTC),
        )

    async def _optics(self, session: Session, profile: OltProfile, row: Row) -> _Optics:
        if row.folded.state in _DARK:
            return _Optics(None, "not read: the ONT is dark, it cannot tell its optics")
        try:
            return _Optics(await read_optics(session, profile, row), "")
        except AccessError as error:
            return _Optics(None, error.message)


def _best(rows: Sequence[Row], keys: Sequence[str]) -> Row:
    """Of several rows of one ONT: the online one, then the most trusted serial, then the newest."""

    def rank(row: Row) -> tuple[bool, int, float]:
        trust = keys.index(row.key) if row.key in keys else len(keys)
        newest = row.down_at.timestamp() if row.down_at else float("-inf")
        return (row.folded.state is not OntState.ONLINE, trust, -newest)

    return min(rows, key=rank)


def _now() -> float:
    return asyncio.get_running_loop().time()
