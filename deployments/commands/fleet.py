"""`cpe fleet worst|pon|trend`: what the last sweeps left, from our own database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from rich.markup import escape
from rich.table import Column, Table

from cpe.answer.document import utc
from cpe.domain.errors import InputRefusedError, StoreError
from cpe.domain.serials import parse_serial
from cpe.domain.sweep import FleetBox, Sweep, TrendPoint
from cpe.settings import StoreSettings
from cpe.store.repository import Store
from deployments.commands.console import complain, out, print_json
from deployments.commands.exits import BAD_INPUT, DONE, NOT_FOUND, UNREACHABLE
from deployments.commands.sweep_show import num, say

Json = dict[str, Any]
BARS = "▁▂▃▄▅▆▇█"


def worst(*, limit: int, as_json: bool) -> int:
    """The boxes that deserve attention most, as the last sweep left them."""

    async def read(store: Store) -> tuple[Sweep | None, list[FleetBox]]:
        return await store.last_sweep(), await store.fleet().worst(limit=limit)

    return _with_store(read, lambda found: _told(*found, as_json=as_json))


def pon(olt: str | None, label: str | None, *, as_json: bool) -> int:
    """Every box of one PON; without one, the PONs that sweeps met."""

    async def one(store: Store) -> tuple[Sweep | None, list[FleetBox]]:
        return await store.last_sweep(), await store.fleet().on_pon(olt=olt or "", pon=label or "")

    async def every(store: Store) -> list[tuple[str, str, int]]:
        found = await store.fleet().pons()
        return [row for row in found if olt is None or row[0] == olt]

    if label is None:
        return _with_store(every, lambda found: _told_pons(found, as_json=as_json))
    return _with_store(one, lambda found: _told_pon(*found, as_json=as_json))


def trend(serial: str, *, as_json: bool) -> int:
    """One box over the weeks."""
    try:
        wanted = parse_serial(serial)
    except InputRefusedError as error:
        complain(f"{serial[:80]!r}: {error}")
        return BAD_INPUT

    async def read(store: Store) -> tuple[FleetBox, list[TrendPoint]] | None:
        return await store.fleet().trend(wanted)

    return _with_store(read, lambda found: _told_trend(wanted, found, as_json=as_json))


def _with_store(read: Callable[[Store], Awaitable[Any]], told: Callable[[Any], int]) -> int:
    async def work() -> Any:
        async with Store.open(StoreSettings().plain_url()) as store:
            await store.migrate()
            return await read(store)

    try:
        found = asyncio.run(work())
    except StoreError as error:
        complain(str(error))
        return UNREACHABLE
    return told(found)


def _told(sweep: Sweep | None, boxes: list[FleetBox], *, as_json: bool) -> int:
    if sweep is None:
        complain("no sweep has ended yet: run `cpe sweep`")
        return NOT_FOUND
    if as_json:
        print_json({"sweep": _sweep_json(sweep), "boxes": [_json(box) for box in boxes]})
        return DONE
    console = out()
    when = sweep.finished_at or sweep.started_at
    console.print(
        f"[bold]{say('title')}[/bold] {say(sweep.state.value)} [dim]{_local(when)} · "
        f"{sweep.coverage.get('pct', 0):g} %[/dim]"
    )
    table = Table(Column(say("box"), no_wrap=True), say("model"), "OLT", "PON", "Verdict")
    for head in ("Rx dBm", "Δ30 dB", "OLT Rx"):
        table.add_column(head, justify="right")
    for box in boxes:
        table.add_row(
            escape(box.serial or box.gpon_serial or "–"), escape(box.model or "–"),
            escape(box.olt or "–"), escape(box.pon or "–"), say(f"verdict_{box.verdict}"),
            num(box.rx_dbm), num(box.delta_db), num(box.olt_rx_dbm),
        )  # fmt: skip
    console.print(table)
    return DONE


def _told_pon(sweep: Sweep | None, boxes: list[FleetBox], *, as_json: bool) -> int:
    if sweep is not None and not boxes:
        complain("no sweep met such a PON")
        return NOT_FOUND
    return _told(sweep, boxes, as_json=as_json)


def _told_pons(found: list[tuple[str, str, int]], *, as_json: bool) -> int:
    if as_json:
        print_json([{"olt": olt, "pon": label, "boxes": boxes} for olt, label, boxes in found])
    elif found:
        table = Table("OLT", "PON", "n")
        for olt, label, boxes in found:
            table.add_row(escape(olt), escape(label), str(boxes))
        out().print(table)
    if not found:
        complain("no sweep met such a PON")
        return NOT_FOUND
    return DONE


def _told_trend(
    serial: str, found: tuple[FleetBox, list[TrendPoint]] | None, *, as_json: bool
) -> int:
    if found is None:
        complain(f"{serial}: no sweep ever met it")
        return NOT_FOUND
    box, points = found
    if as_json:
        print_json({"box": _json(box), "points": [_point_json(point) for point in points]})
        return DONE
    console = out()
    console.print(
        f"[bold]{escape(box.serial or box.gpon_serial or serial)}[/bold] {escape(box.model or '')} "
        f"[dim]{escape(box.olt or '–')} {escape(box.pon or '')}[/dim] "
        f"{say(f'verdict_{box.verdict}')}"
    )
    for title, values in (
        ("Rx dBm", [point.rx_dbm for point in points]),
        ("OLT Rx", [point.olt_rx_dbm for point in points]),
    ):
        console.print(f"  {title:8s} {_spark(values)}", markup=False, soft_wrap=True)
    table = Table("", "Rx dBm", "OLT Rx", "Verdict")
    for point in points[-14:]:
        mark = "" if point.days == 1 else " (7 j)"
        table.add_row(
            f"{point.at:%Y-%m-%d}{mark}", num(point.rx_dbm), num(point.olt_rx_dbm),
            say(f"verdict_{point.verdict}") if point.verdict else "–",
        )  # fmt: skip
    console.print(table)
    return DONE


def _spark(values: list[float | None]) -> str:
    """One character a point; a dot is a day without a reading, never a low one."""
    known = [value for value in values if value is not None]
    if not known:
        return "–"
    low, high = min(known), max(known)
    steps = len(BARS) - 1
    line = "".join(
        "·" if value is None else BARS[round(steps * (value - low) / (high - low or 1))]
        for value in values
    )
    return f"{line}  {num(low)} … {num(high)}"


def _local(at: datetime) -> str:
    return at.astimezone().strftime("%Y-%m-%d %H:%M")


def _sweep_json(sweep: Sweep) -> Json:
    return {
        "id": sweep.id,
        "state": sweep.state.value,
        "finished_at": utc(sweep.finished_at) if sweep.finished_at else None,
        "coverage_pct": sweep.coverage.get("pct"),
    }


def _json(box: FleetBox) -> Json:
    return {
        "serial": box.serial,
        "gpon_serial": box.gpon_serial,
        "model": box.model,
        "firmware": box.firmware,
        "olt": box.olt,
        "pon": box.pon,
        "ont": box.ont,
        "state": box.state,
        "verdict": box.verdict,
        "rx_dbm": box.rx_dbm,
        "olt_rx_dbm": box.olt_rx_dbm,
        "delta_db": box.delta_db,
        "score": box.score,
        "seen_at": utc(box.seen_at),
        "last_inform": utc(box.last_inform) if box.last_inform else None,
    }


def _point_json(point: TrendPoint) -> Json:
    return {
        "at": utc(point.at),
        "days": point.days,
        "rx_dbm": point.rx_dbm,
        "olt_rx_dbm": point.olt_rx_dbm,
        "verdict": point.verdict,
    }
