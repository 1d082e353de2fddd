"""What proves that a box was read again: the times of the leaves that were asked for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from cpe.access.genieacs.document import Document, Leaf, instances, leaf_at
from cpe.domain.snapshot import AcsSighting

SLOT: Final = timedelta(seconds=1)
"""Leaf time is the session's start plus milliseconds; a task may be stamped up to 1 s later."""


def has_landed(document: Document, before: AcsSighting, since: datetime) -> bool:
    """Whether this refresh's work shows in the judged leaves.

    Most of those that were known must have moved: a box informs some parameters by itself, and
    their times move without any refresh. With none known before, any value read since counts.
    """
    moved = known = appeared = 0
    for leaf in judged_leaves(document, before):
        if leaf.timestamp is None:
            continue
        recent = leaf.timestamp >= since - SLOT
        earlier = before.leaf_times.get(leaf.path)
        if earlier is None:
            appeared += recent
        else:
            known += 1
            moved += recent and leaf.timestamp > earlier
    return 2 * moved >= known and moved > 0 if known else appeared > 0


def judged_leaves(document: Document, before: AcsSighting) -> Iterator[Leaf]:
    """The leaves whose times can prove a refresh, as far as they were ever read."""
    for pattern in before.proof_paths:
        for path in instances(document, pattern):
            leaf = leaf_at(document, path)
            if leaf is not None and leaf.read:
                yield leaf


def newest(document: Document, before: AcsSighting, now: datetime) -> datetime:
    """The newest of the proving leaves' times, `now` at least: the CWMP host may be ahead."""
    times = (leaf.timestamp for leaf in judged_leaves(document, before))
    return max((now, *(at for at in times if at is not None)))
