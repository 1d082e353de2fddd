"""Walking every ONT of one OLT for a sweep: one walk of the cheap columns, in legs.

Between two legs others may ask the OLT. A walk that ends early keeps what it read and says so.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Final

from cpe.access.olt.engine import SnmpEngineHandle
from cpe.access.olt.fast_bulk import BulkChannel
from cpe.access.olt.fleet_table import OltTable, table_of
from cpe.access.olt.inventory import AUTO, OltTarget
from cpe.access.olt.locate import check_guards
from cpe.access.olt.probe import choose_profile
from cpe.access.olt.reading import row_key
from cpe.access.olt.session import Patience, Session
from cpe.access.olt.walk import Scope, TableWalk
from cpe.access.olt.wire import Deadline, Missing, Oid, Response, Value, parse_oid
from cpe.domain.errors import AccessError, NotSupportedError, UnreachableError
from cpe.profiles.olt_columns import AnyColumn, ColumnName
from cpe.profiles.olt_index import OpaqueIndex, PartsIndex
from cpe.profiles.olt_profile import OltProfile, olt_profiles

LEG_S: Final = 2.0
"""How long others wait for the OLT at most."""
RESUMES: Final = 3
PAUSE_S: Final = 2.0
_POWERS: Final = (ColumnName.OLT_RX, ColumnName.ONT_RX)
"""What an OLT may take too long for; who is down it knows all the same."""
_WALKED: Final = (
    ColumnName.STATE, ColumnName.CAUSE, ColumnName.DOWN_AT, ColumnName.OLT_RX, ColumnName.NAME,
    ColumnName.AT_SLOT, ColumnName.AT_PON, ColumnName.AT_ONT,
)  # fmt: skip
Turn = AbstractAsyncContextManager[None]


class _FleetSession(Session):
    """A session whose GETBULKs go over the fast channel, where the login allows it."""

    def __init__(
        self,
        engine: SnmpEngineHandle,
        target: OltTarget,
        deadline: Deadline,
        channel: BulkChannel | None,
    ) -> None:
        super().__init__(engine, target, deadline)
        self._channel = channel

    async def bulk(self, oids: tuple[Oid, ...], repetitions: int, timeout_s: float) -> Response:
        if self._channel is None:
            return await super().bulk(oids, repetitions, timeout_s)
        await self._take_turn()
        try:
            self.pdus += 1
            patience_s = min(timeout_s, max(self.deadline.left_s(), 0.01))
            response = await self._channel.bulk(oids, repetitions, patience_s)
        finally:
            self._lane.turn.release()
        self._lane.heard()
        return response


class FleetWalk:
    """The walk of one OLT. `turn()` is held during each leg of it."""

    def __init__(
        self,
        target: OltTarget,
        engine: SnmpEngineHandle,
        *,
        deadline_s: float,
        leg_s: float = LEG_S,
    ) -> None:
        self.target = target
        self._engine = engine
        self._deadline = Deadline(deadline_s)
        self._leg_s = leg_s

    async def read(self, turns: AsyncIterator[None]) -> OltTable:
        """Walk to the end, in legs: `turns` gives the OLT for one leg and takes it back after.

        Raises AccessError when nothing at all could be read.
        """
        channel = None if self.target.is_v3 else BulkChannel(self.target)
        if channel is not None:
            await channel.open()
        try:
            session = _FleetSession(self._engine, self.target, self._deadline, channel)
            await anext(turns)
            profile = await self._profile(session)
            key = await self._key_column(session, profile)
            return await self._walk(session, profile, key, turns)
        finally:
            if channel is not None:
                channel.close()

    async def _profile(self, session: Session) -> OltProfile:
        if self.target.profile != AUTO:
            return olt_profiles()[self.target.profile]
        return await choose_profile(session)

    async def _key_column(self, session: Session, profile: OltProfile) -> AnyColumn:
        """The first key column whose first row holds a serial, else the first that has a row.

        Raises NotSupportedError.
        """
        await check_guards(session, profile)
        oids = {column.oid: parse_oid(column.oid) for column in profile.key_columns}
        patience = Patience(profile.limits.state_timeout_s, profile.limits.state_retries)
        answer = await session.get(tuple(oids.values()), patience, following=True)
        first = {column: answer[oids[column.oid]] for column in profile.key_columns}
        filled = [column for column, value in first.items() if not isinstance(value, Missing)]
        for column in filled:
            if row_key(profile, {column.oid: first[column]}) is not None:
                return column
        if filled:
            return filled[0]
        message = f"the ONT table of profile {profile.id} is absent or empty (0 rows)"
        raise NotSupportedError(message, system="olt", target=self.target.name)

    async def _walk(
        self,
        session: Session,
        profile: OltProfile,
        key: AnyColumn,
        turns: AsyncIterator[None],
    ) -> OltTable:
        together, apart = _columns_of(profile)
        oids = (parse_oid(key.oid), *(parse_oid(profile.columns[n].oid) for n in together))
        main = self._table(session, profile, tuple(dict.fromkeys(oids)))
        await self._legs(main, session, turns)
        powers = [name for name in together if name in _POWERS]
        left = ""
        if powers and isinstance(main.failure, UnreachableError) and self._deadline.left_s() > 0:
            left = f"{', '.join(powers)} not read: {main.failure.message}"
            for name in powers:
                main.leave(parse_oid(profile.columns[name].oid))
            await self._legs(main, session, turns)
        others: dict[ColumnName, dict[Oid, Value]] = {}
        for name in apart:
            if self._deadline.left_s() <= 0 or main.failure is not None:
                break
            oid = parse_oid(profile.columns[name].oid)
            table = self._table(session, profile, (oid,))
            await self._legs(table, session, turns)
            others[name] = table.rows[oid]
        ports = await self._port_names(session, profile, main)
        table = table_of(
            self.target.name, profile, key, together, main, others, session.pdus, port_names=ports
        )
        table.detail = table.detail or left
        return table

    async def _port_names(
        self, session: Session, profile: OltProfile, walk: TableWalk
    ) -> dict[Oid, Value]:
        """The names of the ports that the ONTs hang on, by the PON's index; none when not told."""
        column = profile.columns.get(ColumnName.PORT_NAME)
        if column is None:
            return {}
        states = walk.rows[parse_oid(profile.columns[ColumnName.STATE].oid)]
        base, names = parse_oid(column.oid), dict[Oid, Value]()
        ports = [base + index for index in dict.fromkeys(index[:-1] for index in states)]
        size = profile.limits.max_varbinds
        patience = Patience(profile.limits.state_timeout_s, 0)
        with contextlib.suppress(AccessError):
            for start in range(0, len(ports), size):
                answer = await session.get(tuple(ports[start : start + size]), patience)
                names |= {oid[len(base) :]: value for oid, value in answer.items()}
                if all(isinstance(value, Missing) for value in answer.values()):
                    break
        return names

    def _table(self, session: Session, profile: OltProfile, oids: tuple[Oid, ...]) -> TableWalk:
        limits = profile.limits
        return TableWalk(
            session, oids, Scope(), limits.max_repetitions, limits.max_rows, limits.state_timeout_s
        )

    async def _legs(self, table: TableWalk, session: Session, turns: AsyncIterator[None]) -> None:
        """Read on leg by leg; what fails in passing is gone on with where it stopped."""
        resumes = 0
        while True:
            await table.go_on(Deadline(self._leg_s))
            if table.failure is None:
                if table.ended:
                    return
            elif (
                not table.failure.transient or resumes == RESUMES or session.deadline.left_s() <= 0
            ):
                return
            else:
                resumes += 1
                table.forgive()
                await asyncio.sleep(PAUSE_S)
            await anext(turns)


def _columns_of(profile: OltProfile) -> tuple[tuple[ColumnName, ...], tuple[ColumnName, ...]]:
    """What is walked together, and what has an index of its own and is walked apart."""
    wanted = [name for name in _WALKED if name in profile.columns]
    if isinstance(profile.index, OpaqueIndex) and profile.index.pon_pattern is None:
        wanted = [name for name in wanted if name is not ColumnName.NAME]
    if isinstance(profile.index, PartsIndex) and profile.identity != "ont_id":
        wanted = [name for name in wanted if name is not ColumnName.NAME]
    if profile.cheap_ont_rx and ColumnName.ONT_RX in profile.columns:
        wanted.append(ColumnName.ONT_RX)
    plain = [n for n in wanted if not profile.columns[n].suffix and _is_main(profile, n)]
    apart = [n for n in wanted if n not in plain and profile.columns[n].suffix != "next"]
    return tuple(plain), tuple(apart)


def _is_main(profile: OltProfile, name: ColumnName) -> bool:
    return profile.columns[name].index == "main"
