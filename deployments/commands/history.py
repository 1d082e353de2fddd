"""`cpe history SERIAL`: what was found on a box before."""

from __future__ import annotations

import asyncio

from rich.markup import escape
from rich.table import Column, Table

from cpe.answer.past import past_line
from cpe.domain.errors import InputRefusedError, StoreError
from cpe.domain.memory import Summary
from cpe.domain.serials import parse_serial
from cpe.profiles.wording import number_en, number_fr, wording
from cpe.settings import DiagnosisSettings, StoreSettings
from cpe.store.repository import Store
from deployments.commands.console import complain, out, print_json
from deployments.commands.exits import BAD_INPUT, DONE, NOT_FOUND, UNREACHABLE
from deployments.commands.show import COLOURS, short


def run(serial: str, *, limit: int, as_json: bool) -> int:
    """Print the summaries; 3 when the box was never diagnosed."""
    try:
        wanted = parse_serial(serial)
    except InputRefusedError as error:
        complain(f"{serial[:80]!r}: {error}")
        return BAD_INPUT
    try:
        found = asyncio.run(_summaries(wanted, limit))
    except StoreError as error:
        complain(str(error))
        return UNREACHABLE
    if as_json:
        print_json([past_line(s) for s in found])
    elif found:
        out().print(_table(found))
    if not found:
        complain(f"{wanted}: no diagnosis is kept")
        return NOT_FOUND
    return DONE


async def _summaries(serial: str, limit: int) -> list[Summary]:
    async with Store.open(StoreSettings().plain_url()) as store:
        await store.migrate()
        return await store.summaries(serial, limit=limit)


def _table(found: list[Summary]) -> Table:
    language = DiagnosisSettings().language
    french = language == "fr"
    number = number_fr if french else number_en
    heads = ("Quand", "Verdict", "Rx dBm", "Fraîcheur", "Micrologiciel", "Par", "Id")
    if not french:
        heads = ("When", "Verdict", "Rx dBm", "Freshness", "Firmware", "By", "Id")
    # On 80 columns the firmware gives way first: the id is what `cpe replay` takes.
    columns = [Column(head, no_wrap=head not in ("Micrologiciel", "Firmware")) for head in heads]
    table = Table(*columns, box=None, pad_edge=False)
    for s in found:
        colour = COLOURS[s.verdict_status.value]
        fresh = wording().actual(s.freshness_outcome and s.freshness_outcome.value)
        table.add_row(
            s.requested_at.astimezone().strftime("%Y-%m-%d %H:%M:%S"),
            f"[{colour}]{short(s.verdict_code.value, language)}[/{colour}]",
            "–" if s.rx_dbm is None else number(s.rx_dbm),
            fresh.of(language),
            escape(s.firmware or "–"),
            escape(s.requested_by or "–"),
            s.id[:8],
        )
    return table
