"""The fleet between sweeps: its boxes as last seen, their days, and the trend of one of them.

Everything is bulk: a sweep reads and writes 100,000 rows in a handful of statements. What is read
comes as plain columns, for this package knows no frames.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

from sqlalchemy import RowMapping, Table, and_, delete, func, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cpe.domain.memory import Identity
from cpe.domain.observation import Source
from cpe.domain.serials import gpon_serial
from cpe.domain.snapshot import PastReading
from cpe.domain.sweep import FleetBox, TrendPoint
from cpe.domain.verdict import ORDER_OF_CAUSES, Code
from cpe.store import tables
from cpe.store.engine import Database
from cpe.store.fleet_tables import fleet_boxes, fleet_days, fleet_sweeps, fleet_weeks
from cpe.store.upsert import upsertable, write_many

Rows = Iterable[Mapping[str, Any]]
DAY_MS: Final = 86_400_000
MISSING: Final = 32_767
"""Where a column of numbers has no value; no power is 327.67 dBm."""
KEPT_DAYS: Final = 42
"""Days kept as such: the longest baseline, a week that is not yet over, and a poller gap."""
KEPT_WEEKS: Final = 60
KNOWN_DAYS: Final = 30
"""A box that no sweep met for so long is gone."""
_AT_ONCE: Final = 4_000
_READ_AT_ONCE: Final = 10_000
_KEYS_AT_ONCE: Final = 400
"""Bound parameters of one IN (…); SQLite takes 999 in its oldest builds."""
_KNOWN: Final = (
    "id", "key", "acs_id", "serial", "gpon_serial", "model", "firmware", "firmware_since",
    "firmware_before", "olt", "pon", "placed_at", "in_acs", "on_olt", "last_boot", "rx_at",
    "verdict",
)  # fmt: skip
VERDICTS: Final = (*ORDER_OF_CAUSES, Code.HEALTHY, Code.INCONCLUSIVE)
"""What the numbers in `fleet_days.verdict` mean; new ones go to the end."""


async def known_boxes(
    database: Database, *, seen_after: datetime
) -> AsyncIterator[dict[str, list[Any]]]:
    """The fleet as earlier sweeps left it, as columns, some thousand boxes at a time.

    Times are Unix seconds.
    """
    table, last = fleet_boxes.c, 0
    while True:
        query = (
            select(*(table[name] for name in _KNOWN))
            .where(table.seen_at >= milliseconds(seen_after), table.id > last)
            .order_by(table.id)
            .limit(_READ_AT_ONCE)
        )
        async with database.read() as connection:
            rows = (await connection.execute(query)).all()
        if not rows:
            return
        columns: dict[str, list[Any]] = {
            name: list(values) for name, values in zip(_KNOWN, zip(*rows, strict=True), strict=True)
        }
        for name in ("firmware_since", "placed_at", "last_boot", "rx_at"):
            columns[name] = [None if at is None else at / 1000 for at in columns[name]]
        yield columns
        last = columns["id"][-1]


async def past_days(
    database: Database, *, today: int, days: int, column: str
) -> AsyncIterator[tuple[int, list[int], list[int]]]:
    """(days before today, box ids, hundredths) of each kept day with a reading in the column."""
    table = fleet_days.c
    for age in range(1, days + 1):
        query = select(table.box, table[column]).where(
            table.day == today - age, table[column].is_not(None)
        )
        async with database.read() as connection:
            rows = (await connection.execute(query)).all()
        if rows:
            boxes, values = zip(*rows, strict=True)
            yield age, list(boxes), list(values)


async def events_of_week(database: Database, *, today: int, column: str) -> dict[int, int]:
    """How many different times (`down_at` or `boot_at`) the last seven days show, by box id.

    Boxes with fewer than two are left out.
    """
    table = fleet_days.c
    count = func.count(func.distinct(table[column]))
    query = (
        select(table.box, count)
        .where(table.day > today - 7, table.day <= today, table[column].is_not(None))
        .where(table[column] >= (today - 7) * DAY_MS)
        .group_by(table.box)
        .having(count >= 2)
    )
    async with database.read() as connection:
        return {row[0]: row[1] for row in await connection.execute(query)}


async def recent_boots(database: Database, *, since: datetime) -> list[tuple[str, datetime]]:
    """(box, booted at) of every boot kept since then."""
    table = tables.boots.c
    query = select(table.box, table.booted_at).where(table.booted_at >= since)
    async with database.read() as connection:
        return [(row.box, row.booted_at) for row in await connection.execute(query)]


async def keep_boxes(database: Database, rows: Rows) -> None:
    """Upsert boxes by key. Each chunk is its own transaction, so that nobody waits for long."""
    await _upsert_all(database, fleet_boxes, rows, key=("key",))


async def keep_days(database: Database, rows: Rows) -> None:
    """Upsert a day of each box; a later sweep without a reading takes none away."""
    await _upsert_all(database, fleet_days, rows, key=("day", "box"), keep=True)


async def keep_boots(database: Database, rows: Rows) -> None:
    """Insert the boots that are new."""
    for chunk in _chunks(rows):
        async with database.write() as connection:
            statement = upsertable(connection, tables.boots).on_conflict_do_nothing()
            await write_many(connection, statement, chunk)


async def box_ids(database: Database, keys: Sequence[str]) -> dict[str, int]:
    """The ids of these boxes by their keys."""
    table, found = fleet_boxes.c, dict[str, int]()
    async with database.read() as connection:
        for start in range(0, len(keys), _KEYS_AT_ONCE):
            wanted = table.key.in_(keys[start : start + _KEYS_AT_ONCE])
            for key, number in await connection.execute(select(table.key, table.id).where(wanted)):
                found[key] = number
    return found


async def thin_out(database: Database, *, today: int) -> None:
    """Weeks older than `KEPT_DAYS` become one mean a week; those older than `KEPT_WEEKS` go."""
    days, weeks = fleet_days.c, fleet_weeks.c
    horizon = (today - KEPT_DAYS) // 7 * 7
    async with database.write() as connection:
        oldest = (await connection.execute(select(func.min(days.day)))).scalar_one()
        if oldest is None or oldest >= horizon:
            return
        week = (days.day - days.day % 7).label("week")
        means = (
            select(
                week, days.box, func.round(func.avg(days.rx_cdbm)),
                func.round(func.avg(days.olt_rx_cdbm)), func.count(days.rx_cdbm),
            )
            .where(days.day < horizon)
            .group_by(week, days.box)
        )  # fmt: skip
        names = ["week", "box", "rx_cdbm", "olt_rx_cdbm", "readings"]
        await connection.execute(
            delete(fleet_weeks).where(weeks.week >= oldest - oldest % 7, weeks.week < horizon)
        )
        await connection.execute(insert(fleet_weeks).from_select(names, means))
        await connection.execute(delete(fleet_days).where(days.day < horizon))
        await connection.execute(delete(fleet_weeks).where(weeks.week < today - 7 * KEPT_WEEKS))


async def worst(database: Database, *, limit: int) -> list[FleetBox]:
    """The boxes of the last sweep that deserve attention most, the worst first."""
    table = fleet_boxes.c
    query = select(fleet_boxes).where(table.score > 0, table.seen_at >= await _last_swept(database))
    return await _boxes(database, query.order_by(table.score.desc(), table.id).limit(limit))


async def _last_swept(database: Database) -> int:
    """When the last sweep that ended began, in ms; what it met was seen later."""
    table = fleet_sweeps.c
    query = select(func.max(table.started_at)).where(table.finished_at.is_not(None))
    async with database.read() as connection:
        at = (await connection.execute(query)).scalar_one()
    return 0 if at is None else milliseconds(at)


async def on_pon(database: Database, *, olt: str, pon: str) -> list[FleetBox]:
    """Every box that hung on a PON when it was last seen, the weakest first; none that is gone."""
    table = fleet_boxes.c
    since = await _last_swept(database) - KNOWN_DAYS * DAY_MS
    query = select(fleet_boxes).where(table.olt == olt, table.pon == pon, table.seen_at >= since)
    return await _boxes(database, query.order_by(table.rx_cdbm.is_(None), table.rx_cdbm))


async def pons(database: Database) -> list[tuple[str, str, int]]:
    """(OLT, PON, boxes) of every PON that sweeps met lately."""
    table = fleet_boxes.c
    since = await _last_swept(database) - KNOWN_DAYS * DAY_MS
    query = (
        select(table.olt, table.pon, func.count())
        .where(table.olt.is_not(None), table.pon.is_not(None), table.seen_at >= since)
        .group_by(table.olt, table.pon)
        .order_by(table.olt, table.pon)
    )
    async with database.read() as connection:
        return [(row[0], row[1], row[2]) for row in await connection.execute(query)]


async def trend(database: Database, serial: str) -> tuple[FleetBox, list[TrendPoint]] | None:
    """The box by any of its names and its past, oldest first; None when no sweep ever met it."""
    table = fleet_boxes.c
    names = [table.serial == serial, table.acs_id == serial, table.serial == serial.upper()]
    if canonical := gpon_serial(serial):
        names.append(table.gpon_serial == canonical)
    query = select(fleet_boxes).where(or_(*names)).order_by(table.seen_at.desc()).limit(1)
    async with database.read() as connection:
        row = (await connection.execute(query)).mappings().first()
        if row is None:
            return None
        points = [
            TrendPoint(_day(w.week), 7, _dbm(w.rx_cdbm), _dbm(w.olt_rx_cdbm))
            for w in await connection.execute(
                select(fleet_weeks)
                .where(fleet_weeks.c.box == row["id"])
                .order_by(fleet_weeks.c.week)
            )
        ]
        days = select(fleet_days).where(fleet_days.c.box == row["id"]).order_by(fleet_days.c.day)
        points += [
            TrendPoint(
                _day(d.day), 1, _dbm(d.rx_cdbm if d.rx_cdbm is not None else d.ont_rx_cdbm),
                _dbm(d.olt_rx_cdbm), _verdict(d.verdict),
            )
            for d in await connection.execute(days)
        ]  # fmt: skip
    return _box(row), points


async def past_readings(
    connection: AsyncConnection, identity: Identity | None, since: datetime, limit: int
) -> list[PastReading]:
    """What sweeps read of a box where it hangs now, for the diagnosis of it."""
    if identity is None:
        return []
    table, days = fleet_boxes.c, fleet_days.c
    if identity.acs_id is not None:
        box = table.acs_id == identity.acs_id
    elif identity.gpon_serial is not None:
        box = table.gpon_serial == identity.gpon_serial
    else:
        return []
    newest = select(table.id, table.placed_at).where(box).order_by(table.seen_at.desc()).limit(1)
    found = (await connection.execute(newest)).first()
    if found is None:
        return []
    today = max(milliseconds(since), found.placed_at or 0) // DAY_MS
    # One seek a day: the key begins with the day, as the nightly bulk insert wants it.
    wanted = range(today, today + KEPT_DAYS + 1)
    query = (
        select(fleet_days)
        .where(and_(days.day.in_(list(wanted)), days.box == found.id))
        .order_by(days.day.desc())
    )
    readings: list[PastReading] = []
    for row in await connection.execute(query):
        for name, value, at, source in (
            ("optical.rx_dbm", row.rx_cdbm, row.rx_at, Source.ACS),
            ("optical.rx_dbm", row.ont_rx_cdbm, row.walked_at, Source.OLT),
            ("optical.olt_rx_dbm", row.olt_rx_cdbm, row.walked_at, Source.OLT),
        ):
            if value is not None and at is not None and at >= milliseconds(since):
                readings.append(PastReading(name, "", value / 100, _moment(at), source))
    return readings[:limit]


async def _upsert_all(
    database: Database, table: Table, rows: Rows, *, key: tuple[str, ...], keep: bool = False
) -> None:
    for chunk in _chunks(rows):
        async with database.write() as connection:
            statement = upsertable(connection, table)
            names = [name for name in chunk[0] if name not in key]
            others = {
                name: func.coalesce(statement.excluded[name], table.c[name])
                if keep
                else statement.excluded[name]
                for name in names
            }
            statement = statement.on_conflict_do_update(index_elements=list(key), set_=others)
            await write_many(connection, statement, chunk)


def _chunks(rows: Rows) -> Iterator[list[Mapping[str, Any]]]:
    left = iter(rows)
    while chunk := list(islice(left, _AT_ONCE)):
        yield chunk


async def _boxes(database: Database, query: Any) -> list[FleetBox]:
    async with database.read() as connection:
        return [_box(row) for row in (await connection.execute(query)).mappings()]


def _box(row: RowMapping) -> FleetBox:
    return FleetBox(
        key=row["key"], serial=row["serial"], gpon_serial=row["gpon_serial"], model=row["model"],
        firmware=row["firmware"], olt=row["olt"], pon=row["pon"], ont=row["ont"],
        state=row["state"], verdict=row["verdict"], rx_dbm=_dbm(row["rx_cdbm"]),
        olt_rx_dbm=_dbm(row["olt_rx_cdbm"]), delta_db=_dbm(row["delta_cdb"]), score=row["score"],
        seen_at=_moment(row["seen_at"]),
        last_inform=None if row["last_inform"] is None else _moment(row["last_inform"]),
    )  # fmt: skip


def _verdict(number: int) -> str:
    return VERDICTS[number].value


def milliseconds(at: datetime) -> int:
    """Unix time in ms."""
    return round(at.timestamp() * 1000)


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def _day(day: int) -> datetime:
    return datetime.fromtimestamp(day * DAY_MS / 1000, UTC)


def _dbm(hundredths: int | None) -> float | None:
    return None if hundredths is None else hundredths / 100
