"""The final states of our flows: named after a verdict, or after what stood in the way."""

from __future__ import annotations

import logging
from collections.abc import Generator
from typing import Any, Final

from prefect.client.schemas.objects import State, StateType

from cpe.answer.document import Json
from cpe.domain.errors import ProfileError
from cpe.domain.swap_errors import SwapUnavailableError
from cpe.domain.verdict import Verdict
from flows.swap_drive import SwapBusyError, SwapStuckError
from tasks.endings import NAMES, bilingual, name_of_error
from tasks.swap_runs import RunsUnavailableError

IN_THE_WAY: Final = (
    *NAMES,
    SwapBusyError,
    SwapStuckError,
    SwapUnavailableError,
    RunsUnavailableError,
)
"""What keeps a flow from its work and is no bug: a system that is away, busy or not set up."""


LATER: Final = "Remis à plus tard"
"""Of a swap's run: the round of the swaps, or the next visit, makes up for it."""


EXPECTED_ENDS: Final = tuple(f"type={kind})" for kind in ("PAUSED", "SCHEDULED", "CANCELLED"))


class Judged(State[Json]):
    """A state whose answer Prefect keeps as the result, but does not search for futures.

    It would visit each of some 3,000 leaves, 14 ms, after the verdict and before its state is sent.
    """

    def __iter__(self) -> Generator[tuple[str, Any]]:
        return ((name, value) for name, value in super().__iter__() if name != "data")


def unusable(error: ProfileError) -> State[Any]:
    """Failed in the words of a file that cannot be used: nobody can judge until it is mended."""
    return State(type=StateType.FAILED, name="unusable", message=str(error))


def judged(verdict: Verdict, answer: Json) -> Judged:
    """Completed, in the verdict's name and words."""
    return Judged(
        type=StateType.COMPLETED, name=verdict.code.value, message=verdict.text.fr, data=answer
    )


def put_off(error: Exception, name: str = "") -> State[Any]:
    """Cancelled, in the name of what stood in the way: nothing was done, and nothing is broken.

    A caller in this process is raised `error`, as before. Cancelled and not Completed: the work was
    not done, and a run that ended so is taken up again like one that failed.
    """
    named = name or name_of_error(error) or "Unreachable"
    return State(type=StateType.CANCELLED, name=named, message=bilingual(str(error)), data=error)


def _expected_ends_are_no_errors(line: logging.LogRecord) -> bool:
    """Prefect logs the end of a run that waits, is taken up again or was put off as an ERROR."""
    said = line.getMessage()
    if said.startswith("Finished in state ") and said.endswith(EXPECTED_ENDS):
        line.levelno, line.levelname = logging.INFO, logging.getLevelName(logging.INFO)
    return True


logging.getLogger("prefect.flow_runs").addFilter(_expected_ends_are_no_errors)
