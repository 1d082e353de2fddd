"""What the server pushes to a worker: runs to start, and wishes to suspend.

A lost subscription is taken up again; meanwhile the worker polls faster. Cancellation has its own
subscription in Prefect's BaseWorker.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final
from uuid import UUID

from prefect.events import Event
from prefect.events.clients import get_events_subscriber
from prefect.events.filters import EventAnyResourceFilter, EventFilter, EventNameFilter

from cpe.domain.redaction import excerpt

TO_START: Final = tuple(
    f"prefect.flow-run.{name}" for name in ("Scheduled", "Resuming", "AwaitingRetry", "Late")
)
SUSPENDED: Final = "prefect.flow-run.Suspended"
AGAIN_S: Final = 1.0
LONGEST_S: Final = 15.0

_log = logging.getLogger(__name__)


class Push:
    """One subscription to the events of a work pool's runs."""

    def __init__(
        self, pool_id: UUID, wake: Callable[[], None], suspended: Callable[[UUID, datetime], None]
    ) -> None:
        self._pool_id, self._wake, self._suspended = pool_id, wake, suspended
        self.is_up = False

    async def listen(self) -> None:
        """Until cancelled."""
        pause_s = AGAIN_S
        while True:
            try:
                async with get_events_subscriber(filter=self._filter()) as events:
                    self.is_up, pause_s = True, AGAIN_S
                    self._wake()  # what was scheduled before we listened
                    async for event in events:
                        self._take(event)
            except Exception as error:  # noqa: BLE001 - websockets, httpx and Prefect each have theirs
                _log.warning("the event stream broke: %s", excerpt(f"{error!r}"))
            self.is_up = False
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_S)

    def _filter(self) -> EventFilter:
        return EventFilter(
            event=EventNameFilter(name=[*TO_START, SUSPENDED]),
            any_resource=EventAnyResourceFilter(id=[f"prefect.work-pool.{self._pool_id}"]),
        )

    def _take(self, event: Event) -> None:
        if event.event != SUSPENDED:
            self._wake()
            return
        name = event.resource.id.removeprefix("prefect.flow-run.")
        try:
            self._suspended(UUID(name), event.occurred)
        except ValueError:
            _log.warning("an event of a run without an id: %s", excerpt(event.resource.id))
