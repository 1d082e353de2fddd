"""The identity map: every name of a box, and where an OLT last showed it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    bindparam,
    case,
    delete,
    false,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from cpe.domain.memory import Identity, IdentityConflict
from cpe.domain.redaction import redact
from cpe.domain.serials import gpon_serial, mac_address
from cpe.store import tables
from cpe.store.canonical import column_text
from cpe.store.engine import Database
from cpe.store.merging import merge
from cpe.store.upsert import upsertable, write_many

_COLUMNS: Final = tuple(field.name for field in fields(Identity))
_TEXTS: Final = tuple(name for name in _COLUMNS if name not in ("first_seen", "last_seen"))
_KEYS_AT_ONCE: Final = 400
"""Bound parameters of one IN (…); SQLite takes 999 in its oldest builds."""
_ADVISORY_LOCK: Final = 0x6370655F6964656E
"""`cpe_iden`: one learner at a time on PostgreSQL, as SQLite's write lock does by itself."""


async def learn(database: Database, identities: Sequence[Identity]) -> None:
    if not identities:
        return
    async with database.write() as connection:
        await learn_on(connection, identities)


async def learn_on(connection: AsyncConnection, identities: Sequence[Identity]) -> None:
    """Merge what was learned into the map, in the caller's transaction."""
    if connection.dialect.name == "postgresql":
        lock = text("SELECT pg_advisory_xact_lock(:key)")
        await connection.execute(lock, {"key": _ADVISORY_LOCK})
    canonical = [_canonical(identity) for identity in identities]
    known = await _related(connection, canonical)
    change = merge(known, canonical)
    table = tables.identities
    if change.gone:
        await connection.execute(
            delete(table).where(table.c.id == bindparam("gone")),
            [{"gone": row_id} for row_id in change.gone],
        )
    if change.changed:
        await connection.execute(
            update(table).where(table.c.id == bindparam("row_id")),
            [{"row_id": row_id, **_fields(identity)} for row_id, identity in change.changed],
        )
    if change.new:
        new = [_fields(identity) for identity in change.new]
        await write_many(connection, upsertable(connection, table), new)


async def find(database: Database, any_serial: str) -> Identity | None:
    async with database.read() as connection:
        return await find_identity(connection, any_serial)


async def find_identity(connection: AsyncConnection, any_serial: str) -> Identity | None:
    """By TR-069 serial (also typed in lower case, as the ACS is asked) or ACS id; else by GPON
    serial in any notation; else by MAC. Of several boxes the one seen last.

    One statement: a diagnosis waits for each.
    """
    table = tables.identities.c
    tries: list[ColumnElement[bool]] = [
        or_(table.tr069_serial == any_serial, table.acs_id == any_serial),
    ]
    if any_serial != any_serial.upper():
        tries.append(table.tr069_serial == any_serial.upper())
    if canonical := gpon_serial(any_serial):
        tries.append(table.gpon_serial == canonical)
    if mac := mac_address(any_serial):
        tries.append(table.mac == mac)
    rank = case(*((where, number) for number, where in enumerate(tries)))
    found = await _identities(connection, or_(*tries), rank, limit=1)
    return found[0] if found else None


async def conflicts(database: Database) -> list[IdentityConflict]:
    """Every GPON serial that more than one box of the ACS claims, in alphabetical order."""
    table = tables.identities.c
    claimed_twice = (
        select(table.gpon_serial)
        .where(table.gpon_serial.is_not(None), table.acs_id.is_not(None))
        .group_by(table.gpon_serial)
        .having(func.count() > 1)
    )
    where = table.gpon_serial.in_(claimed_twice) & table.acs_id.is_not(None)
    async with database.read() as connection:
        found = await _identities(connection, where)
    boxes: dict[str, list[Identity]] = {}
    for identity in found:
        if identity.gpon_serial is not None:
            boxes.setdefault(identity.gpon_serial, []).append(identity)
    return [IdentityConflict(serial, tuple(boxes[serial])) for serial in sorted(boxes)]


def _canonical(identity: Identity) -> Identity:
    """In canonical notation and as the columns hold it; names that are no names become None."""
    told = ((name, getattr(identity, name)) for name in _TEXTS)
    values = {name: _clean(text) for name, text in told if text is not None}
    if serial := values.get("gpon_serial"):
        values["gpon_serial"] = gpon_serial(serial)
    if mac := values.get("mac"):
        values["mac"] = mac_address(mac)
    changed = {name: text for name, text in values.items() if text != getattr(identity, name)}
    return replace(identity, **changed) if changed else identity


def _clean(text: str) -> str | None:
    return column_text(redact(text)) or None


def _fields(identity: Identity) -> dict[str, Any]:
    return {name: getattr(identity, name) for name in _COLUMNS}


async def _identities(
    connection: AsyncConnection,
    where: ColumnElement[bool],
    *first: ColumnElement[Any],
    limit: int | None = None,
) -> list[Identity]:
    table = tables.identities.c
    query = (
        select(*(table[name] for name in _COLUMNS))
        .where(where)
        .order_by(*first, table.last_seen.desc(), table.id.desc())
        .limit(limit)
    )
    return [Identity(**row) for row in (await connection.execute(query)).mappings()]


async def _related(
    connection: AsyncConnection, learned: Iterable[Identity]
) -> list[tuple[int, Identity]]:
    """The rows that share a name with any of them."""
    learned = tuple(learned)
    table = tables.identities.c
    wanted: list[ColumnElement[bool]] = []
    for name in ("acs_id", "gpon_serial", "tr069_serial", "mac"):
        values = sorted({value for one in learned if (value := getattr(one, name))})
        for start in range(0, len(values), _KEYS_AT_ONCE):
            wanted.append(table[name].in_(values[start : start + _KEYS_AT_ONCE]))
    if len(learned) == 1:
        wanted = [or_(false(), *wanted)]  # one statement: a diagnosis waits for each of them
    found: dict[int, Identity] = {}
    for where in wanted:
        query = select(table.id, *(table[column] for column in _COLUMNS)).where(where)
        for row in (await connection.execute(query)).mappings():
            found[row["id"]] = Identity(**{column: row[column] for column in _COLUMNS})
    return sorted(found.items())
