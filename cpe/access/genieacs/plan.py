"""What to read from the ACS (projection) and what to ask of the box (explicit leaves)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from cpe.access.genieacs.document import Document, instances, listed_at, node_at, text_at
from cpe.access.genieacs.family import ROOTS, connection_request_url, informed
from cpe.access.genieacs.normalise import Reading
from cpe.access.genieacs.rows import direct_columns, first_markers
from cpe.domain.observation import Quality
from cpe.profiles.cpe_profile import VIRTUAL, CpeProfile, Table, profiles
from cpe.profiles.overlay import cached
from cpe.profiles.quantities import Need, quantities

BASICS = ("_id", "_deviceId", "_lastInform", "_lastBoot", "_registered", "_tags")
ROW_NAMES = ("station.mac", "node.mac")
"""By whom a row's readings are told apart, where rows come and go."""
NAMES_GOOD_FOR: Final = timedelta(days=7)
"""Which parameters a row has changes with its firmware alone."""
MAX_LEAVES = 400
"""One getParameterValues task; GenieACS batches 32 names per RPC (cwmp.gpvBatchSize)."""


def identity_projection() -> tuple[str, ...]:
    """The few paths that tell candidates apart and choose their family."""
    paths: dict[str, None] = dict.fromkeys(BASICS)
    for profile in profiles():
        identity = profile.identity
        for path in (*identity.model, *identity.gpon_serial, *identity.mac, *profile.match.has):
            paths[path] = None
    for root in ROOTS:
        paths.update(dict.fromkeys(informed(root)))
    return without_overlaps(paths)


@cached
def projection(profile_id: str) -> tuple[str, ...]:
    """The narrow projection of one family; whole objects only where they hold no secret."""
    profile = next(p for p in profiles() if p.id == profile_id)
    paths: dict[str, None] = dict.fromkeys(BASICS)
    paths[connection_request_url(profile.match.root)] = None
    paths.update(dict.fromkeys(f"{path}._object" for path in profile.match.has))
    identity = profile.identity
    for group in (
        identity.model, identity.hardware, identity.firmware, identity.gpon_serial, identity.mac,
        identity.ip,
    ):  # fmt: skip
        paths.update(dict.fromkeys(group))
    for candidates in profile.quantities.values():
        for candidate in candidates:
            paths.update(dict.fromkeys(numbered(candidate.path)))
    for table in profile.tables:
        paths.update(dict.fromkeys(_table_paths(table)))
        paths.update(dict.fromkeys(_listing_times(table.rows)))
    for pattern in profile.whole:
        paths.update(dict.fromkeys(numbered(pattern)))
    return without_overlaps(paths)


def numbered(pattern: str) -> list[str]:
    """A path with its `*` spelled out, MongoDB having no wildcards.

    One `*` is four instances; of several, each is two and below the last one all are read.
    """
    *stems, last = pattern.split(".*")
    if not stems:
        return [pattern]
    if len(stems) > 2:
        stems, last = stems[:-1], stems[-1]
    several = range(1, 3 if len(stems) > 1 else 5)
    paths = [stems[0]]
    for stem in (*stems[1:], last):
        paths = [f"{path}.{number}{stem}" for path in paths for number in several]
    return paths


def _table_paths(table: Table) -> Iterator[str]:
    if table.look_for:
        yield from first_markers(table)
        return
    if table.enumerate == 0:
        yield table.rows.split(".*", 1)[0]
        for pattern in table.also_read:
            yield from numbered(pattern)
        return
    patterns = [f"{table.rows}.{column}" for column in direct_columns(table)]
    patterns += table.also_read
    for pattern in patterns:
        before, after = pattern.split(".*.", 1)
        stem = after.split(".*", 1)[0]
        for number in range(1, table.enumerate + 1):
            yield f"{before}.{number}.{stem}"


def _listing_times(rows: str) -> Iterator[str]:
    """Where GenieACS keeps when the rows, or an object on the way that is missing, were listed."""
    steps = rows.split(".*", 1)[0].split(".")
    yield from (".".join((*steps[:length], "_timestamp")) for length in range(1, len(steps) + 1))


def without_overlaps(paths: dict[str, None]) -> tuple[str, ...]:
    """MongoDB refuses a path beside its own parent; GenieACS collapses them, so do we."""
    kept: list[str] = []
    for path in sorted(paths):
        if not kept or not path.startswith(f"{kept[-1]}."):
            kept.append(path)
    return tuple(kept)


def refresh_paths(
    document: Document, profile: CpeProfile, readings: tuple[Reading, ...], *, now: datetime
) -> tuple[str, ...]:
    """What one refresh task asks for, judged names first.

    Quantities of the box itself by their leaves. Tables by wildcard, every time: GenieACS lists
    the rows of a wildcard anew (0.54 s against 0.52 s for known leaves, on 1.2.16), so that a
    satellite or a device that joined since is found and one that left is gone. Who the box is,
    where the ACS never read it.
    """
    names: dict[str, None] = {}
    for reading in sorted(readings, key=lambda r: r.need is Need.CONTEXT):
        if reading.need is not Need.STATIC and not reading.measurement.subject:
            names.update(dict.fromkeys(_leaves_to_ask(document, reading)))
    if not all(r.settled for r in readings if r.measurement.name == "optical.rx_dbm"):
        names.update(dict.fromkeys(_unread_quantities(readings)))
    patterns = [p for table in profile.tables for p in _table_patterns(document, table, now)]
    patterns.sort(key=lambda item: item[0])
    names.update(dict.fromkeys(pattern for _, pattern in patterns))
    names.update(dict.fromkeys(identity_paths(document, profile)))
    return tuple(names)[:MAX_LEAVES]


def _table_patterns(document: Document, table: Table, now: datetime) -> Iterator[tuple[bool, str]]:
    """(whether it may wait, wildcard) of each column; the results of a past scan stay as they are.

    A column that none of the rows has, on a firmware that listed its names lately, is left out:
    asking for it costs the box one GetParameterNames a row.
    """
    if table.name == "neighbour":
        return
    judged = {
        candidate.path
        for name, candidates in table.columns.items()
        for candidate in candidates
        if name in ROW_NAMES or quantities()[name].need is Need.JUDGED
    }
    rows = any(True for _ in instances(document, table.rows))
    for column in dict.fromkeys(direct_columns(table)):
        pattern = f"{table.rows}.{column}"
        listed = listed_at(document, pattern) if rows else None
        absent = not any(True for _ in instances(document, pattern))
        if not (absent and listed is not None and now - listed <= NAMES_GOOD_FOR):
            yield column not in judged, pattern
    yield from ((True, path) for path in table.also_read)


def identity_paths(document: Document, profile: CpeProfile) -> tuple[str, ...]:
    """Who the box is, as far as the ACS never read it: model, hardware, GPON serial, MAC.

    An Inform carries none of these; without them a box is found by its TR-069 serial alone, and
    an OLT cannot be asked about it when it is dead.
    """
    identity = profile.identity
    unread: dict[str, None] = {}
    for group in (identity.model, identity.hardware, identity.gpon_serial, identity.mac):
        if not any(text_at(document, path) for path in group):
            unread.update(dict.fromkeys(group))
    return tuple(unread)


def _leaves_to_ask(document: Document, reading: Reading) -> tuple[str, ...]:
    """The winner alone when it can be read; every candidate when none could.

    And a virtual parameter that would be preferred: it costs the box nothing, and no session runs
    its script unless somebody asks.
    """
    measurement = reading.measurement
    if measurement.quality in {Quality.OK, Quality.STALE}:
        virtual = (p for p in reading.unread if p.startswith(f"{VIRTUAL}."))
        return (measurement.path, *virtual)
    if measurement.name == "optical.rx_dbm":
        return tuple(dict.fromkeys((*reading.paths, *reading.unread)))
    if measurement.quality is not Quality.NOT_READ:
        return reading.paths
    return tuple(path for path in reading.paths if node_at(document, path) is not None)


def proof_paths(
    readings: tuple[Reading, ...], profile: CpeProfile, asked: tuple[str, ...]
) -> tuple[str, ...]:
    """The asked names whose new times prove that a refresh ran: the judged ones."""
    judged = {path for r in readings if r.need is Need.JUDGED for path in r.paths}
    judged |= {
        f"{table.rows}.{candidate.path}"
        for table in profile.tables
        for name, candidates in table.columns.items()
        if quantities()[name].need is Need.JUDGED
        for candidate in candidates
    }
    return tuple(path for path in asked if path in judged)


def _unread_quantities(readings: tuple[Reading, ...]) -> Iterator[str]:
    for reading in readings:
        if not reading.measurement.subject and reading.need is not Need.STATIC:
            yield from reading.paths
