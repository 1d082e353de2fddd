"""Which boxes of a fleet the ACS has never read who they are: GPON serial, MAC, model, hardware.

Nothing is remembered here: the ACS's own documents say what was asked for. A leaf that was read,
though it be blank, has a time; of one that a box does not have, the object above it has the time at
which its names were listed (GetParameterNames), and the leaf is not among them.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from cpe.access.genieacs.document import Document, node_at, parse_time, text_at
from cpe.access.genieacs.family import choose_family, connection_request_url
from cpe.access.genieacs.nbi import Nbi
from cpe.access.genieacs.plan import identity_paths, identity_projection, without_overlaps
from cpe.profiles.cpe_profile import CpeProfile, profiles

LATELY: Final = timedelta(days=1)
"""A document stays when its box has gone; what has not informed for so long answers nobody."""


async def unidentified(nbi: Nbi, *, limit: int) -> list[str]:
    """ACS ids of at most so many boxes that can be asked and were not asked yet who they are.

    Each day others come first: one that refuses takes no other's turn for ever. Raises AccessError.
    """
    now = nbi.transport.now()
    found: list[tuple[int, str]] = []
    lately = {"_lastInform": {"$gte": _utc(now - LATELY)}}
    async for document in nbi.stream_devices(lately, unidentified_projection()):
        profile = choose_family(document)
        if profile is not None and can_be_asked(document, profile):
            acs_id = str(document["_id"])
            found.append((zlib.crc32(f"{now.date()} {acs_id}".encode()), acs_id))
    return [acs_id for _, acs_id in sorted(found)[:limit]]


def can_be_asked(document: Document, profile: CpeProfile) -> bool:
    """Whether a connection request can be sent and some name of the box was never asked for."""
    if text_at(document, connection_request_url(profile.match.root)) is None:
        return False
    return any(not _was_asked(document, path) for path in identity_paths(document, profile))


def _was_asked(document: Document, path: str) -> bool:
    """Whether the leaf was read, or its absence seen when the names beside it were listed."""
    if (node := node_at(document, path)) is not None:
        return parse_time(node.get("_timestamp")) is not None
    above: Mapping[str, Any] | None = None
    while above is None and "." in path:
        path = path.rpartition(".")[0]
        above = node_at(document, path)
    return above is not None and parse_time(above.get("_timestamp")) is not None


@cache
def unidentified_projection() -> tuple[str, ...]:
    """The names of every family, and the times of the objects on the way to them."""
    paths: dict[str, None] = dict.fromkeys(identity_projection())
    for profile in profiles():
        identity = profile.identity
        names = (*identity.model, *identity.hardware, *identity.gpon_serial, *identity.mac)
        for name in names:
            paths[name] = None
            steps = name.split(".")
            for end in range(1, len(steps)):
                paths[".".join((*steps[:end], "_timestamp"))] = None
    return without_overlaps(paths)


def _utc(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
