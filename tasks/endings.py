"""How a task run ends that did not get what it asked for: by name, and not as a failure.

A box that is off, a modem in use, an ACS that is down are answers, and the diagnosis goes on with
them. Prefect would call their task runs Failed, red, and log a traceback for each. Here such a run
is Completed under the name of what happened; only what we did not expect, a bug, fails.
"""

from __future__ import annotations

import asyncio
import copy
import functools
from typing import Any, Final

from prefect import Task
from prefect.client.schemas.objects import State, StateType
from prefect.context import TaskRunContext
from pydantic import PrivateAttr

from cpe.access.genieacs.refresh import Refreshed
from cpe.access.genieacs.sweep.stream import FleetRead
from cpe.domain.errors import (
    AccessError,
    AlreadyRunningError,
    BusyError,
    DeclinedError,
    InputRefusedError,
    LoginRefusedError,
    NotConfiguredError,
    NotSupportedError,
    OccupiedError,
    ProfileError,
    StoreError,
    UnexpectedAnswerError,
    UnreachableError,
)
from cpe.domain.finding import Text
from cpe.domain.snapshot import BridgeReport, FreshnessOutcome, OltReport, SpeedTest
from cpe.domain.sweep import SweepPart
from cpe.profiles.wording import wording
from tasks.acs import find_acs_device
from tasks.olt import NO_INVENTORY

NO_ANSWER_IN_TIME: Final = "no answer in time"
GIVEN_UP: Final = "Given up"
"""What it would tell is known by now, or came too late."""
NAMES: Final[dict[type[Exception], str]] = {
    NotConfiguredError: "Not configured",
    NotSupportedError: "Not supported",
    LoginRefusedError: "Refused",
    DeclinedError: "Declined",
    OccupiedError: "Busy",
    BusyError: "Unreachable",
    UnreachableError: "Unreachable",
    TimeoutError: "Unreachable",
    UnexpectedAnswerError: "Unexpected answer",
    AccessError: "No answer",
    InputRefusedError: "Refused",
    ProfileError: "Not configured",
    AlreadyRunningError: "Already running",
    StoreError: "Database unavailable",
}
"""Our own exceptions, the special before the general: anything else is a bug. A 5xx is Unreachable
as in the answer's `sources`."""
NO_OLTS: Final = (NO_INVENTORY, "no OLT is configured")
FRESHNESS: Final = {
    FreshnessOutcome.QUEUED: "Queued",
    FreshnessOutcome.UNREACHABLE: "Unreachable",
    FreshnessOutcome.REFUSED: "Refused",
    FreshnessOutcome.NOT_FOUND: "Not found",
}


class Ended(State[Any]):
    """Completed by another name; holds what the task returned or raised for whoever called it."""

    _value: Any = PrivateAttr(default=None)
    _error: BaseException | None = PrivateAttr(default=None)

    @classmethod
    def by_name(
        cls, name: str, said: str, value: Any = None, error: BaseException | None = None
    ) -> Any:
        """Such a state; `said` is what the source said, in English."""
        ended = cls(type=StateType.COMPLETED, name=name, message=bilingual(said))
        ended._value, ended._error = value, error
        return ended

    def outcome(self) -> Any:
        """What the task returned. Raises what it raised."""
        if self._error is not None:
            raise self._error
        return self._value


async def run_named(task: Task[..., Any], *args: Any) -> Any:
    """Run the task as a Prefect task run; what it returns. Raises what it raises.

    A failure that may be tried again is, as the task says; the last try ends by its name. The
    task's time limit raises TimeoutError and is not tried again.
    """
    ended = await _named(task)(*args)
    return ended.outcome() if isinstance(ended, Ended) else ended


def name_of_error(error: Exception) -> str:
    """The name a run ends with for this; empty for what nobody expected."""
    return next((name for kind, name in NAMES.items() if isinstance(error, kind)), "")


def name_of_result(task: Task[..., Any], result: Any) -> tuple[str, str]:
    """The name and the reason of a run that returned, but without what was wanted; else empty."""
    match result:
        case None if task is find_acs_device:
            return "Not found", "unknown to the ACS"
        case Refreshed():
            return FRESHNESS.get(result.freshness, ""), result.detail
        case OltReport(sighting=None):
            return _name_of_no_sighting(result)
        case BridgeReport(lost=True):
            return "Busy", result.detail
        case SpeedTest(download_mbps=None):
            return "No result", result.detail
        case SweepPart(whole=False) | FleetRead(whole=False):
            return "Incomplete" if result.rows else "Unreachable", result.detail
        case _:
            return "", ""


def _name_of_no_sighting(report: OltReport) -> tuple[str, str]:
    if report.failed:
        said = (f"{olt}: {why}" for olt, why in sorted(report.failed.items()))
        return "Unreachable", "; ".join(said)
    if not report.asked:
        return "Not configured" if report.detail in NO_OLTS else "Not asked", report.detail
    return "Not found", report.detail or "no OLT knows the ONT"


@functools.cache
def _named(task: Task[..., Any]) -> Task[..., Any]:
    """The same task, whose runs end by name. Prefect makes no copy with another function."""

    @functools.wraps(task.fn)
    async def converse(*args: Any, **rest: Any) -> Any:
        try:
            async with asyncio.timeout(task.timeout_seconds):
                result = await task.fn(*args, **rest)
        except asyncio.CancelledError as error:
            # Whoever waited has left: raised again for it by `outcome`, and no crash for Prefect.
            return Ended.by_name(GIVEN_UP, "nobody waits for it any more", error=error)
        except tuple(NAMES) as error:
            if _is_tried_again(task, error):
                raise
            if isinstance(error, TimeoutError) and not str(error):
                limit = f" ({task.timeout_seconds:g} s)" if task.timeout_seconds else ""
                error = TimeoutError(f"{NO_ANSWER_IN_TIME}{limit}")
            return Ended.by_name(name_of_error(error), str(error), error=error)
        name, said = name_of_result(task, result)
        return Ended.by_name(name, said, value=result) if name else result

    named = copy.copy(task)
    named.fn, named.timeout_seconds = converse, None
    return named


def _is_tried_again(task: Task[..., Any], error: Exception) -> bool:
    context = TaskRunContext.get()
    tries = context.task_run.run_count if context is not None else 1
    return isinstance(error, AccessError) and error.transient and tries <= (task.retries or 0)


def bilingual(said: str) -> str:
    """What a source said of its failure, French first, as far as it is known in French."""
    text: Text = wording().detail(said)
    return text.fr if text.fr == text.en else f"{text.fr} · {text.en}"
