"""What people read of a sweep in the Prefect UI: its progress, its worst boxes, PONs, coverage."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import UUID

from prefect import task
from prefect.artifacts import (
    acreate_markdown_artifact,
    acreate_progress_artifact,
    acreate_table_artifact,
    aupdate_progress_artifact,
)

from cpe.answer.sweep_page import coverage_rows, page, pon_rows, worst_rows
from tasks.policy import ONCE
from tasks.sweep import notice

log = logging.getLogger("cpe.sweep")
EVERY_S: Final = 2.0
READING_SHARE: Final = 80.0
"""Of the bar: reading takes most of a sweep; judging and keeping the rest."""
_LATER: Final = {"judge": 80.0, "refresh": 85.0, "keep": 92.0}


class _Progress:
    """The last thing that was told, as a percentage."""

    def __init__(self) -> None:
        self.pct = 0.0

    def hear(self, what: str, rows: int, expected: int | None) -> None:
        if what in _LATER:
            self.pct = max(self.pct, _LATER[what])
        elif what == "acs" and expected:
            self.pct = max(self.pct, min(READING_SHARE, READING_SHARE * rows / expected))


@asynccontextmanager
async def shown_progress() -> AsyncGenerator[None]:
    """Show the progress of the block as an artifact; Prefect's API may fail, the block goes on."""
    progress = _Progress()
    token = notice.set(progress.hear)
    showing = asyncio.create_task(_show(progress))
    try:
        yield
        progress.pct = 100.0
    finally:
        notice.reset(token)
        showing.cancel()
        await asyncio.gather(showing, return_exceptions=True)


async def _show(progress: _Progress) -> None:
    artifact: UUID | None = None
    shown = -1.0
    try:
        while True:
            if progress.pct != shown:
                shown = progress.pct
                try:
                    if artifact is None:
                        artifact = await acreate_progress_artifact(
                            progress=shown, key="sweep-progress",
                            description="Avancement du balayage · Progress of the sweep",
                        )  # fmt: skip
                    else:
                        await aupdate_progress_artifact(artifact, progress=shown)
                except Exception as error:  # noqa: BLE001 - a bar is not worth a sweep
                    log.info("progress not shown: %s", type(error).__name__)
            await asyncio.sleep(EVERY_S)
    finally:
        if artifact is not None and progress.pct > shown:
            with contextlib.suppress(Exception):
                await aupdate_progress_artifact(artifact, progress=progress.pct)


@task(name="prefect: publish sweep", timeout_seconds=60, **ONCE)
async def publish_sweep(answer: Mapping[str, Any]) -> None:
    """Post the page and the tables; Prefect keeps the versions per key."""
    for key, rows, said in (
        ("sweep-worst", worst_rows(answer), "Les pires boîtes · The worst boxes"),
        ("sweep-pons", pon_rows(answer), "Les pires PON · The worst PONs"),
        ("sweep-coverage", coverage_rows(answer), "Couverture · Coverage"),
    ):
        await acreate_table_artifact(table=rows, key=key, description=said)
    await acreate_markdown_artifact(markdown=page(answer), key="sweep", description=answer["state"])
