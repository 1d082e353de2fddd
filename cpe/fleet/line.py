"""The line's rules, vectorised: `cpe.rules.line` and `management` for a whole fleet."""

from __future__ import annotations

import numpy as np

from cpe.domain.verdict import Code
from cpe.fleet import words
from cpe.fleet.view import View
from cpe.fleet.words import DEGRADED, FAULT, NOT_APPLICABLE, OK, UNKNOWN, Bools, Codes

Judged = tuple[Codes, Codes]
"""Status and cause of each box; the cause is NO_CAUSE where a fault has none."""


def choose(cases: list[tuple[Bools, int]], otherwise: Codes | int) -> Codes:
    """The first case that holds, as an `if … elif` reads."""
    conditions, values = [c for c, _ in cases], [np.int8(v) for _, v in cases]
    return np.select(conditions, values, otherwise).astype(np.int8)


def blame(condition: Bools, code: Code) -> Codes:
    """The cause where the condition holds."""
    return np.where(condition, words.cause(code), words.NO_CAUSE).astype(np.int8)


def no_cause(view: View) -> Codes:
    """Nobody is to blame."""
    return np.full(len(view), words.NO_CAUSE, dtype=np.int8)


def box_is_online(view: View) -> Judged:
    """The box answers the ACS, or an OLT sees it online."""
    online = view.state == words.ONLINE
    status = choose([(online | view.spoken, OK), (view.down, FAULT), (view.answered, OK)], UNKNOWN)
    return status, no_cause(view)


def acs_reaches_box(view: View) -> Judged:
    """Online at the OLT while the ACS, itself up, hears nothing: management is silent."""
    deaf = view.flags("acs_unsure") | view.sources.acs_is_down | ~_acs_is_asked(view)
    unseen = ~view.on_olt | (view.state == words.UNKNOWN_STATE)
    status = choose(
        [(deaf, UNKNOWN), (view.answered, OK), (unseen, UNKNOWN), (view.down, NOT_APPLICABLE)],
        FAULT,
    )
    return status, blame(status == FAULT, Code.MANAGEMENT_SILENT)


def _acs_is_asked(view: View) -> Bools:
    return np.full(len(view), view.sources.acs_configured)


def pon_is_up(view: View) -> Judged:
    """The neighbours are down too: the network, not this home."""
    limits = view.thresholds.line
    down, up = view.floats("neighbours_down"), view.floats("neighbours_up")
    excused = (view.state == words.DYING_GASP) | view.cause_is["deactivated"]
    nobody = up == 0
    strange = nobody & (view.floats("neighbours_unknown") > 0)
    outage = view.is_outage
    status = choose(
        [
            (~view.on_olt, -1),
            (~view.flags("pon_read") | strange, UNKNOWN),
            (nobody, NOT_APPLICABLE),
            (outage & ((view.state == words.ONLINE) | view.spoken | excused), DEGRADED),
            (outage & (view.state == words.UNKNOWN_STATE), UNKNOWN),
            (outage, FAULT),
            (view.down & (down >= limits.outage_min_share * up), DEGRADED),
        ],
        OK,
    )
    status = np.where(status == -1, view.without_olt, status).astype(np.int8)
    return status, blame(status == FAULT, Code.PON_OUTAGE)


def _where_seen(view: View, cases: list[tuple[Bools, int]], otherwise: int) -> Codes:
    """The cases for ONTs of known state; the others by what no state means."""
    status = choose([(view.state == words.UNKNOWN_STATE, UNKNOWN), *cases], otherwise)
    return np.where(view.on_olt, status, view.without_olt).astype(np.int8)


def ont_has_power(view: View) -> Judged:
    """A dying gasp is power, whatever else is seen."""
    gasped = view.state == words.DYING_GASP
    status = _where_seen(view, [(~gasped, OK), (view.spoken, DEGRADED)], FAULT)
    return status, blame(status == FAULT, Code.POWER_OFF)


def ont_has_light(view: View) -> Judged:
    """LOS for this ONT alone is a cut drop; with its neighbours it is the PON's matter."""
    state = view.state
    status = _where_seen(
        view,
        [
            (state == words.DYING_GASP, NOT_APPLICABLE),
            ((state == words.OFFLINE) & ~view.spoken, UNKNOWN),
            (state != words.LOS, OK),
            (view.spoken, DEGRADED),
        ],
        FAULT,
    )
    return status, blame((status == FAULT) & ~view.is_outage, Code.FIBRE_CUT)


def ont_is_active(view: View) -> Judged:
    """Down for a reason that is neither light nor power."""
    offline = view.state == words.OFFLINE
    return _where_seen(view, [(~offline, OK), (view.spoken, DEGRADED)], FAULT), no_cause(view)


def ont_is_not_rogue(view: View) -> Judged:
    """A rogue ONT harms its whole PON."""
    rogue = view.cause_is["rogue"] & view.down
    status = choose(
        [(~view.on_olt, NOT_APPLICABLE), (rogue & view.spoken, DEGRADED), (rogue, FAULT)], OK
    )
    return status, blame(status == FAULT, Code.HARDWARE_FAULT)
