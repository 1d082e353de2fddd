"""Read what a box can be asked for beside a parameter that it refuses.

One refused parameter fails the whole task: cwmp.9002 for all 32 names of its RPC, too_many_commits
where the box lists a name and then answers 9005 to it. Several tasks of one session fail each for
itself, so names are asked for in pieces, and refused pieces in smaller ones, a session each time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from cpe.access.genieacs.errand import Errands
from cpe.access.genieacs.nbi import Fault, Nbi, PostedTask, get_parameter_values
from cpe.domain.errors import AccessError

PIECES: Final = 8
"""Tasks of one session: a hundred names are down to the refused one after three sessions."""
ROUND_S: Final = 1.5
"""A session takes 0.5 s at least; with less time left than this none is begun."""
Names = tuple[str, ...]


async def read_in_pieces(
    nbi: Nbi,
    acs_id: str,
    names: Sequence[str],
    *,
    unique_key: str,
    deadline: float,
    rows_of: Callable[[str], Awaitable[Names]],
) -> Names | None:
    """Ask for all names but the refused ones, which are returned; None when all pieces were.

    The first names matter most: they are asked for first, should the time until `deadline` (of the
    event loop) not suffice. A wildcard that is refused is asked for row by row, as `rows_of` gives
    them. Ends after two sessions in which the box refuses every piece. Never raises AccessError.
    """
    keys = [f"{unique_key}-{number}" for number in range(PIECES)]
    errands = Errands(nbi, acs_id, keys, deadline)
    pending = _split(tuple(names), PIECES)
    refused: list[str] = []
    read_any, rounds = False, 0
    while pending and errands.remaining_s() > ROUND_S and (read_any or rounds < 2):
        batch, pending = pending[:PIECES], pending[PIECES:]
        try:
            faulted = await _ask(errands, nbi, acs_id, batch, keys)
        except AccessError:
            await errands.clear()
            break
        read_any, rounds = read_any or len(faulted) < len(batch), rounds + 1
        parts = max(2, PIECES // max(1, len(faulted)))
        smaller: list[Names] = []
        for piece in faulted:
            rows = await rows_of(piece[0]) if len(piece) == 1 and "*" in piece[0] else piece
            if len(rows) > 1:
                smaller += _split(rows, parts)
            else:
                refused += rows or piece
        pending = smaller + pending
    return tuple(refused) if read_any else None


async def _ask(
    errands: Errands, nbi: Nbi, acs_id: str, batch: list[Names], keys: list[str]
) -> list[Names]:
    """The pieces of a batch that the box refused, all asked for in one session."""
    queued: list[PostedTask] = []
    for piece, key in zip(batch[:-1], keys, strict=False):
        task = get_parameter_values(piece, unique_key=key, expiry_s=errands.expiry_s())
        queued.append(await errands.queue(task))
    last = get_parameter_values(batch[-1], unique_key=keys[-1], expiry_s=errands.expiry_s())
    fate = await errands.send(last)
    faulted: list[Names] = []
    for piece, posted in zip(batch[:-1], queued, strict=True):
        if await nbi.fault_of(acs_id, posted.id) is not None:
            await errands.remove(posted.id)
            faulted.append(piece)
    return [*faulted, batch[-1]] if isinstance(fate, Fault) else faulted


def _split(names: Names, parts: int) -> list[Names]:
    size = -(-len(names) // parts)
    return [names[start : start + size] for start in range(0, len(names), size)]
