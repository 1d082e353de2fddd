"""The two tables that move a swap and its units: every pair, and every refusal."""

from __future__ import annotations

import pickle
from itertools import product

import pytest

from cpe.domain.swap import (
    ENDED,
    KINDS_OF_A_SWAP,
    LIFECYCLE,
    MOVES,
    WAITING,
    Kind,
    Outcome,
    SwapEvent,
    SwapState,
    Unit,
    UnitStatus,
    accepted,
    after,
    moved,
)
from cpe.domain.swap_errors import (
    SwapRaceError,
    SwapRefusedError,
    TransitionRefusedError,
)

ALLOWED = {
    "remplacement_definitif": """
        requested         guard_passed    swapping
        requested         guard_blocked   awaiting_override
        awaiting_override overridden      swapping
        awaiting_override declined        refused
        swapping          unit_taken      refused
        swapping          installed       closed
    """,
    "swap_diagnostic": """
        requested         guard_passed    swapping
        requested         guard_blocked   awaiting_override
        awaiting_override overridden      swapping
        awaiting_override declined        refused
        swapping          unit_taken      refused
        swapping          installed       awaiting_test
        awaiting_test     deadline_missed overdue
        awaiting_test     not_tested      awaiting_test
        awaiting_test     passed          concluding
        awaiting_test     failed          concluding
        awaiting_test     returned        concluding
        overdue           not_tested      overdue
        overdue           passed          concluding
        overdue           failed          concluding
        overdue           returned        concluding
        concluding        settled         closed
    """,
    "retour_de_diagnostic": "",
}
ROWS = {
    (Kind(kind), SwapState(row.split()[0]), SwapEvent(row.split()[1])): SwapState(row.split()[2])
    for kind, text in ALLOWED.items()
    for row in text.strip().splitlines()
}
EVERY = list(product(Kind, SwapState, SwapEvent))


@pytest.mark.parametrize("pair", EVERY, ids=lambda p: f"{p[0]}-{p[1]}-{p[2]}")
def test_a_pair_moves_as_the_table_says_or_is_refused_with_what_would_be_accepted(pair):
    kind, state, event = pair
    if pair in ROWS:
        assert after(kind, state, event) is ROWS[pair]
        return
    with pytest.raises(TransitionRefusedError) as caught:
        after(kind, state, event)
    expected = tuple(e.value for (k, s, e) in ROWS if (k, s) == (kind, state))
    assert sorted(caught.value.accepted) == sorted(expected)
    for name in expected:
        assert name in str(caught.value)


def test_every_state_of_a_kind_can_be_reached_and_only_ends_have_no_way_out():
    for kind in KINDS_OF_A_SWAP:
        reached, frontier = {SwapState.REQUESTED}, [SwapState.REQUESTED]
        while frontier:
            here = frontier.pop()
            for event in accepted(kind, here):
                there = after(kind, here, event)
                if there not in reached:
                    reached.add(there)
                    frontier.append(there)
        mentioned = {s for s, _ in LIFECYCLE[kind]} | set(LIFECYCLE[kind].values())
        assert mentioned == reached
        assert {s for s in reached if not accepted(kind, s)} == reached & ENDED


def test_whoever_waits_can_be_answered_and_nobody_but_the_system_leaves_the_rest():
    for kind in KINDS_OF_A_SWAP:
        for state in WAITING & {s for s, _ in LIFECYCLE[kind]}:
            assert accepted(kind, state)


def test_the_labels_are_the_operators_letter_for_letter():
    assert [s.value for s in UnitStatus] == [
        "En inventaire", "Actif", "En diagnostic", "Défectueux", "Retourné",
    ]  # fmt: skip
    assert [k.value for k in Kind] == [
        "remplacement_definitif", "swap_diagnostic", "retour_de_diagnostic",
    ]  # fmt: skip


UNIT_MOVES = """
    remplacement_definitif old Actif         Défectueux
    remplacement_definitif new En_inventaire Actif
    swap_diagnostic        old Actif         En_diagnostic
    swap_diagnostic        new En_inventaire Actif
    retour_de_diagnostic   old En_diagnostic Actif
    retour_de_diagnostic   new Actif         Retourné
    passed                 old En_diagnostic En_inventaire
    failed                 old En_diagnostic Défectueux
"""
UNIT_ROWS = {
    (why, unit, was.replace("_", " ")): becomes.replace("_", " ")
    for why, unit, was, becomes in (row.split() for row in UNIT_MOVES.strip().splitlines())
}
EVERY_UNIT = list(product([*Kind, *Outcome], Unit, [*UnitStatus, "Vendu", ""]))


@pytest.mark.parametrize("case", EVERY_UNIT, ids=lambda c: f"{c[0]}-{c[1]}-{c[2]}")
def test_a_unit_moves_only_from_the_status_that_the_table_names(case):
    why, unit, status = case
    row = (str(why), str(unit), str(status))
    if row in UNIT_ROWS:
        assert moved(why, unit, status).value == UNIT_ROWS[row]
        return
    with pytest.raises(TransitionRefusedError) as caught:
        moved(why, unit, status)
    wanted = [was for (w, u, was) in UNIT_ROWS if (w, u) == (str(why), str(unit))]
    assert list(caught.value.accepted) == wanted


def test_no_move_but_these_is_in_the_table():
    assert {(str(w), str(u), str(a)): str(b) for (w, u), (a, b) in MOVES.items()} == UNIT_ROWS


@pytest.mark.parametrize(
    "error",
    [
        SwapRefusedError("non", reason="same_unit", accepted=("a",)),
        TransitionRefusedError(subject="x", state="y", event="z", accepted=("a", "b")),
        SwapRaceError("trop tard", {"by": "Luc"}),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_refusal_survives_pickling_as_prefect_does_it(error):
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), vars(again)) == (str(error), vars(error))
