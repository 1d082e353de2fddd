"""`cpe doctor --serial`: which family a box is of and why, and which path feeds each reading.

Only what the ACS has is read; the box is not asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from rich.markup import escape
from rich.table import Table

from cpe.access.genieacs.document import Document, parse_time
from cpe.access.genieacs.explain import (
    Explained,
    FamilyTried,
    Tried,
    explain_family,
    explain_readings,
    identity_lacking,
)
from cpe.access.genieacs.family import choose_family
from cpe.access.genieacs.lookup import find, read_again
from cpe.access.genieacs.plan import identity_projection
from cpe.access.genieacs.standing import with_standing_faults
from cpe.answer.document import utc
from cpe.domain.errors import (
    AccessError,
    InputRefusedError,
    LoginRefusedError,
    ProfileError,
)
from cpe.domain.observation import Quality
from cpe.domain.serials import parse_serial
from cpe.domain.snapshot import Device
from cpe.profiles.check import check_profiles
from cpe.settings import DiagnosisSettings
from deployments.commands.console import complain, out, print_json
from deployments.commands.exits import BAD_INPUT, DONE, NOT_FOUND, REFUSED, UNREACHABLE
from tasks import clients

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Examined:
    """What the ACS has of one box, at `asked_at` on its clock."""

    device: Device
    asked_at: datetime
    last_inform: datetime | None
    families: tuple[FamilyTried, ...]
    lacking: dict[str, tuple[str, ...]]
    readings: tuple[Explained, ...]


def run(serial: str, *, as_json: bool) -> int:
    """0 shown, 2 for what cannot be used, 3 unknown to the ACS, 4 and 5 when it does not answer."""
    try:
        wanted = parse_serial(serial)
        check_profiles()
    except (InputRefusedError, ProfileError) as error:
        complain(str(error))
        return BAD_INPUT
    try:
        examined = asyncio.run(_examine(wanted))
    except LoginRefusedError as error:
        complain(str(error))
        return REFUSED
    except AccessError as error:
        complain(f"{error}: `cpe doctor` says how to mend it")
        return UNREACHABLE
    if examined is None:
        complain(f"the ACS does not know {wanted}")
        return NOT_FOUND
    if as_json:
        print_json(_as_json(wanted, examined))
    else:
        _show(wanted, examined)
    return DONE


async def _examine(serial: str) -> Examined | None:
    limit_s = DiagnosisSettings().freshness_s
    try:
        nbi = clients.acs().nbi
        sighting = await find(nbi, serial, limit_s=limit_s)
        if sighting is None:
            return None
        device = (await with_standing_faults(nbi, sighting)).device
        named: Document = await nbi.device(device.acs_id or "", identity_projection()) or {}
        document: Document = await read_again(nbi, device) or {}
        now = nbi.transport.now()
    finally:
        await clients.close_clients()
    family = choose_family(named)
    return Examined(
        device=device,
        asked_at=now,
        last_inform=parse_time(document.get("_lastInform")),
        families=explain_family(named),
        lacking=identity_lacking(document, family) if family is not None else {},
        readings=explain_readings(document, family, now=now, limit_s=limit_s)
        if family is not None
        else (),
    )


def _as_json(serial: str, examined: Examined) -> Json:
    faults = examined.device.acs_faults
    return {
        "serial": serial,
        "acs_id": examined.device.acs_id,
        "asked_at": utc(examined.asked_at),
        "last_inform": utc(examined.last_inform),
        "family": examined.device.family,
        "families": [asdict(tried) for tried in examined.families],
        "identity": {
            "manufacturer": examined.device.manufacturer,
            "model": examined.device.model,
            "hardware": examined.device.hardware,
            "firmware": examined.device.firmware,
            "gpon_serial": examined.device.gpon_serial,
            "mac": examined.device.mac,
        },
        "identity_lacking": examined.lacking,
        "tags": examined.device.tags,
        "acs_faults": None
        if faults is None
        else [{"code": f.code, "message": f.message, "at": utc(f.at)} for f in faults],
        "readings": [_reading(explained) for explained in examined.readings],
    }


def _reading(explained: Explained) -> Json:
    reading = explained.reading
    return {
        "name": reading.name,
        "subject": reading.subject,
        "value": reading.value,
        "unit": reading.unit,
        "raw": reading.raw,
        "path": reading.path,
        "conversion": reading.conversion,
        "measured_at": utc(reading.measured_at),
        "age_s": reading.age_s,
        "quality": reading.quality.value,
        "tried": [{**asdict(t), "measured_at": utc(t.measured_at)} for t in explained.tried],
    }


def _show(serial: str, examined: Examined) -> None:
    console = out()
    for line in _head(serial, examined):
        console.print(line, soft_wrap=True)
    table = Table("", "value", "raw", "conversion", "age", "quality", "path")
    subject = ""
    for explained in examined.readings:
        if explained.reading.subject != subject:
            subject = explained.reading.subject
            table.add_section()
            table.add_row("", *[""] * 5, escape(subject), style="bold")
        for row, style in _rows(explained):
            table.add_row(*map(escape, row), style=style)
    console.print(table)


def _head(serial: str, examined: Examined) -> Iterator[str]:
    device = examined.device
    yield f"[bold]{escape(serial)}[/bold]  {escape(device.acs_id or '')}"
    informed = examined.last_inform
    age = "never" if informed is None else f"{_age((examined.asked_at - informed).total_seconds())}"
    yield f"[dim]as the ACS has it; the box was not asked. Last inform: {age}[/dim]"
    chosen = next((tried for tried in examined.families if tried.matches), None)
    if chosen is None:
        yield "family [red]none[/red]: the ACS has neither data model, nothing was ever informed"
    else:
        yield f"family [bold]{chosen.id}[/bold]: {escape(chosen.matches)}"
    for tried in examined.families:
        if not tried.matches:
            yield f"[dim]  not {tried.id}: {escape(tried.why_not)}[/dim]"
    for name, paths in examined.lacking.items():
        yield f"[yellow]identity: {name} was never read[/yellow] ({escape(', '.join(paths))})"
    if device.tags:
        yield f"tags: {escape(', '.join(device.tags))}"
    if device.acs_faults is None:
        yield "[yellow]standing faults: could not be read[/yellow]"
    for fault in device.acs_faults or ():
        yield f"[yellow]standing fault[/yellow] {escape(fault.code)}: {escape(fault.message)}"


def _rows(explained: Explained) -> Iterator[tuple[tuple[str, ...], str]]:
    """The reading that counts, and below it what else was tried and why it lost.

    Of a table's rows only where nothing could be taken.
    """
    reading = explained.reading
    unit = f" {reading.unit}" if reading.unit and reading.unit != "1" else ""
    is_good = reading.quality is Quality.OK
    yield (
        (
            reading.name,
            "–" if reading.value is None else f"{reading.value}{unit}",
            "–" if reading.raw is None else str(reading.raw),
            reading.conversion or "",
            "–" if reading.age_s is None else _age(reading.age_s),
            reading.quality.value,
            f"{reading.path}{_whose(explained.tried)}",
        ),
        "" if is_good else "yellow",
    )
    if reading.subject and is_good:
        return
    for tried in explained.tried:
        if not tried.why:
            continue
        raw = "–" if tried.raw is None else str(tried.raw)
        age = "–" if tried.age_s is None else _age(tried.age_s)
        value = "–" if tried.value is None else str(tried.value)
        path = f"{tried.path}: {tried.why}"
        yield (("", value, raw, tried.conversion, age, tried.quality.value, path), "dim")


def _whose(tried: tuple[Tried, ...]) -> str:
    taken = next((t for t in tried if not t.why), None)
    return " (CPE_PROFILES)" if taken is not None and taken.own else ""


def _age(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 172_800 else f"{seconds / 86_400:.0f} d"
