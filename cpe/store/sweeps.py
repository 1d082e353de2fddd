"""Sweeps and the parts they were read in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import RowMapping, delete, insert, select, text, update

from cpe.domain.errors import AlreadyRunningError, StoreError
from cpe.domain.sweep import Sweep, SweepPart, SweepState
from cpe.store.canonical import Json, pack, unpack
from cpe.store.engine import Database
from cpe.store.fleet_tables import fleet_parts, fleet_sweeps
from cpe.store.scrub import scrub
from cpe.store.upsert import upsertable

SILENT: Final = timedelta(seconds=120)
"""A sweep tells every 15 s that it is alive; one that has not for so long is not."""


async def begin(
    database: Database,
    sweep: Sweep,
    *,
    after: datetime,
    owner: str,
    is_dead: Callable[[str], bool],
) -> Sweep:
    """Begin this sweep, or go on with one that was left running and began at `after` at the
    earliest. Older ones that never ended are closed as incomplete.

    Raises AlreadyRunningError while another owner is alive: it has told so lately, and
    `is_dead` does not know better.
    """
    table = fleet_sweeps
    async with database.write() as connection:
        if connection.dialect.name == "postgresql":
            await connection.execute(text("LOCK TABLE fleet_sweeps IN SHARE ROW EXCLUSIVE MODE"))
        running = select(table).where(table.c.state == SweepState.RUNNING.value)
        rows = (await connection.execute(running.order_by(table.c.started_at.desc()))).mappings()
        found = list(rows)
        for row in found:
            lately = sweep.started_at - row["beat_at"] < SILENT
            if lately and row["id"] != sweep.id and not is_dead(row["owner"]):
                raise AlreadyRunningError(f"sweep {row['id']} is running ({row['owner']})")
        left = [row for row in found if row["started_at"] >= after]
        kept = left[0]["id"] if left else None
        given_up = update(table).where(table.c.state == SweepState.RUNNING.value)
        if kept is not None:
            given_up = given_up.where(table.c.id != kept)
        await connection.execute(given_up.values(state=SweepState.INCOMPLETE.value))
        gone = delete(fleet_parts)
        if kept is not None:
            gone = gone.where(fleet_parts.c.sweep != kept)
        await connection.execute(gone)
        claim = {"owner": owner, "beat_at": sweep.started_at}
        if kept is not None:
            await connection.execute(update(table).where(table.c.id == kept).values(claim))
            return _sweep(left[0])
        await connection.execute(insert(table), [{**_row(sweep), **claim}])
    return sweep


async def beat(database: Database, sweep_id: str) -> None:
    """The sweep is alive."""
    async with database.write() as connection:
        await connection.execute(
            update(fleet_sweeps)
            .where(fleet_sweeps.c.id == sweep_id)
            .values(beat_at=datetime.now(UTC))
        )


async def finish(database: Database, sweep: Sweep) -> None:
    """Keep how it ended; its parts are no longer needed. Idempotent."""
    table = fleet_sweeps
    values = _row(sweep)
    async with database.write() as connection:
        done = await connection.execute(
            update(table).where(table.c.id == sweep.id).values(values).returning(table.c.id)
        )
        if done.first() is None:
            raise StoreError(f"sweep {sweep.id} was never begun")
        await connection.execute(delete(fleet_parts).where(fleet_parts.c.sweep == sweep.id))


async def load(database: Database, sweep_id: str | None, *, ended: bool = True) -> Sweep | None:
    """A sweep by id; the newest that ended when no id is given."""
    table = fleet_sweeps
    query = select(table).order_by(table.c.started_at.desc()).limit(1)
    if sweep_id is not None:
        query = query.where(table.c.id == sweep_id)
    elif ended:
        query = query.where(table.c.finished_at.is_not(None))
    async with database.read() as connection:
        row = (await connection.execute(query)).mappings().first()
    return None if row is None else _sweep(row)


async def before(database: Database, sweep: Sweep) -> Sweep | None:
    """The newest complete sweep that ended before this one began."""
    table = fleet_sweeps
    query = (
        select(table)
        .where(table.c.state == SweepState.COMPLETE.value, table.c.started_at < sweep.started_at)
        .order_by(table.c.started_at.desc())
        .limit(1)
    )
    async with database.read() as connection:
        row = (await connection.execute(query)).mappings().first()
    return None if row is None else _sweep(row)


async def keep_part(database: Database, sweep_id: str, part: SweepPart) -> None:
    """Keep a part, over an earlier try at the same."""
    data = (*part.data, None, None, None)
    row = {
        "sweep": sweep_id, "kind": part.kind, "name": part.name, "position": part.position,
        "rows": part.rows, "whole": part.whole, "last_key": part.last_key, "detail": part.detail,
        "data_1": data[0], "data_2": data[1], "data_3": data[2],
    }  # fmt: skip
    key = ("sweep", "kind", "name", "position")
    async with database.write() as connection:
        statement = upsertable(connection, fleet_parts).values(row)
        others = {name: statement.excluded[name] for name in row if name not in key}
        await connection.execute(
            statement.on_conflict_do_update(index_elements=list(key), set_=others)
        )


async def parts(
    database: Database, sweep_id: str, kind: str, *, with_data: bool = True
) -> list[SweepPart]:
    """The parts of a kind by name and position; without their data to see what is there."""
    table = fleet_parts.c
    columns = [table.kind, table.name, table.position, table.rows, table.whole, table.last_key,
               table.detail]  # fmt: skip
    if with_data:
        columns += [table.data_1, table.data_2, table.data_3]
    query = (
        select(*columns)
        .where(table.sweep == sweep_id, table.kind == kind)
        .order_by(table.name, table.position)
    )
    async with database.read() as connection:
        rows = (await connection.execute(query)).mappings().all()
    return [_part(row) for row in rows]


def _part(row: RowMapping) -> SweepPart:
    data = tuple(bytes(row[n]) for n in ("data_1", "data_2", "data_3") if row.get(n) is not None)
    return SweepPart(
        kind=row["kind"], name=row["name"], position=row["position"], rows=row["rows"],
        whole=row["whole"], data=data, last_key=row["last_key"], detail=row["detail"],
    )  # fmt: skip


def _row(sweep: Sweep) -> dict[str, Any]:
    return {
        "id": sweep.id,
        "started_at": sweep.started_at,
        "finished_at": sweep.finished_at,
        "state": sweep.state.value,
        "ruleset": sweep.ruleset,
        "flow_run_id": sweep.flow_run_id,
        "requested_by": sweep.requested_by,
        "coverage": _packed(sweep.coverage),
        "summary": _packed(sweep.summary),
    }


def _packed(tree: Mapping[str, Any]) -> Json:
    return pack(scrub(cast("Json", dict(tree))))


def _sweep(row: RowMapping) -> Sweep:
    return Sweep(
        id=row["id"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        state=SweepState(row["state"]),
        ruleset=row["ruleset"],
        flow_run_id=row["flow_run_id"],
        requested_by=row["requested_by"],
        coverage=cast("dict[str, Any]", unpack(row["coverage"])),
        summary=cast("dict[str, Any]", unpack(row["summary"])),
    )
