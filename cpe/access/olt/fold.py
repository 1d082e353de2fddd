"""Run state and last-down cause, folded into one state. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cpe.domain.snapshot import DownCause, OntState
from cpe.profiles.olt_columns import RunState


@dataclass(frozen=True, slots=True)
class Folded:
    """`cause` is the last-down cause: of now when the ONT is down, of the past when it is up."""

    state: OntState
    cause: DownCause | None
    note: str = ""


_IMPLIED: Final[dict[RunState, DownCause]] = {
    RunState.LOS: DownCause.FIBRE,
    RunState.DYING_GASP: DownCause.DYING_GASP,
    RunState.DEACTIVATED: DownCause.DEACTIVATED,
    RunState.AUTH_FAILED: DownCause.AUTH_FAILED,
}
"""The cause that the state itself tells, for OLTs without a cause."""

_BY_CAUSE: Final[dict[DownCause, OntState]] = {
    DownCause.DYING_GASP: OntState.DYING_GASP,
    DownCause.FIBRE: OntState.LOS,
}

_NOT_TOLD: Final = (None, DownCause.NONE, DownCause.UNKNOWN)


def fold(run: RunState | None, cause: DownCause | None) -> Folded:
    """One state of the two. None means that it was not told.

    Dying gasp wins over LOS, in whichever of the two it is; a state that only says down is decided
    by the cause; an online ONT keeps its old cause, which decides nothing.
    """
    if run is None or run is RunState.UNKNOWN:
        return Folded(OntState.UNKNOWN, cause)
    if run is RunState.ONLINE:
        return Folded(OntState.ONLINE, cause)
    implied = _IMPLIED.get(run)
    told = implied if cause in _NOT_TOLD and implied is not None else cause
    if run is RunState.DYING_GASP:
        return Folded(OntState.DYING_GASP, told)
    if run is RunState.LOS:
        gasped = cause is DownCause.DYING_GASP
        return Folded(OntState.DYING_GASP if gasped else OntState.LOS, told)
    if run is RunState.DOWN:
        state = OntState.OFFLINE if cause is None else _BY_CAUSE.get(cause, OntState.OFFLINE)
        return Folded(state, told)
    note = "registering: not in service yet" if run is RunState.REGISTERING else ""
    return Folded(OntState.OFFLINE, told, note)
