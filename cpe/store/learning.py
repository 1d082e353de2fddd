"""What a whole sweep teaches the identity map: only what the map does not say yet is merged.

Merging takes ten times as long as comparing, and from one night to the next hardly anything moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import select, update

from cpe.domain.memory import Identity
from cpe.store import tables
from cpe.store.engine import Database
from cpe.store.identities import learn

_COMPARED: Final = (
    "tr069_serial", "acs_id", "gpon_serial", "mac", "olt", "pon", "ont", "ont_index", "equipment",
    "model",
)  # fmt: skip
_AT_ONCE: Final = 4_000
_KEYS_AT_ONCE: Final = 400


async def learn_changed(database: Database, learned: Sequence[Identity]) -> int:
    """Merge what is new; of the rest only the time of the last sighting moves."""
    known = await _known(database, learned)
    fresh: list[Identity] = []
    seen: dict[tuple[datetime, str], list[int]] = {}
    for identity in learned:
        row = known.get(_name(identity))
        if row is None or _says_more(_told(identity), row[1:]):
            fresh.append(identity)
        else:
            seen.setdefault((identity.last_seen, identity.source), []).append(row[0])
    for start in range(0, len(fresh), _AT_ONCE):
        await learn(database, fresh[start : start + _AT_ONCE])
    for (at, source), ids in seen.items():
        for start in range(0, len(ids), _AT_ONCE):
            await _see_again(database, ids[start : start + _AT_ONCE], at, source)
    return len(fresh)


async def _see_again(database: Database, ids: Sequence[int], at: datetime, source: str) -> None:
    table = tables.identities
    async with database.write() as connection:
        for start in range(0, len(ids), _KEYS_AT_ONCE):
            wanted = table.c.id.in_(ids[start : start + _KEYS_AT_ONCE])
            statement = update(table).where(wanted, table.c.last_seen < at)
            await connection.execute(statement.values(last_seen=at, source=source))


def _says_more(told: Sequence[object], held: Sequence[object]) -> bool:
    return told != held and any(
        one is not None and one != other for one, other in zip(told, held, strict=True)
    )


async def _known(database: Database, learned: Sequence[Identity]) -> dict[str, tuple[Any, ...]]:
    """The rows of these boxes, by ACS id or, without one, by GPON serial."""
    table, found = tables.identities.c, dict[str, tuple[Any, ...]]()
    acs_ids = [i.acs_id for i in learned if i.acs_id is not None]
    serials = [i.gpon_serial for i in learned if i.acs_id is None and i.gpon_serial is not None]
    query = select(table.id, *(table[name] for name in _COMPARED))
    async with database.read() as connection:
        for start in range(0, len(acs_ids), _KEYS_AT_ONCE):
            wanted = table.acs_id.in_(acs_ids[start : start + _KEYS_AT_ONCE])
            for row in await connection.execute(query.where(wanted)):
                found[_key(row.acs_id, row.gpon_serial)] = tuple(row)
        for start in range(0, len(serials), _KEYS_AT_ONCE):
            wanted = table.gpon_serial.in_(serials[start : start + _KEYS_AT_ONCE])
            orphan = query.where(wanted, table.acs_id.is_(None))
            for row in await connection.execute(orphan):
                found[_key(row.acs_id, row.gpon_serial)] = tuple(row)
    return found


_told: Final = attrgetter(*_COMPARED)


def _name(identity: Identity) -> str:
    return _key(identity.acs_id, identity.gpon_serial)


def _key(acs_id: str | None, gpon_serial: str | None) -> str:
    return f"acs:{acs_id}" if acs_id is not None else f"olt:{gpon_serial}"
