"""What to read from the ACS (projection) and what to ask of the box (explicit leaves)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from cpe.access.genieacs.document import Document, instances, leaf_at, node_at
from cpe.access.genieacs.family import ROOTS, connection_request_url, informed
from cpe.access.genieacs.normalise import Reading
from cpe.domain.observation import Quality
from cpe.profiles.cpe_profile import CpeProfile, Table, profiles
from cpe.profiles.quantities import Need, quantities

BASICS = ("_id", "_deviceId", "_lastInform", "_lastBoot", "_registered")
ROW_NAMES = ("station.mac", "node.mac")
"""By whom a row's readings are told apart, where rows come and go."""
ALWAYS_THERE = ("radio", "wan")
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


@cache
def projection(profile_id: str) -> tuple[str, ...]:
    """The narrow projection of one family; whole objects only where they hold no secret."""
    profile = next(p for p in profiles() if p.id == profile_id)
    paths: dict[str, None] = dict.fromkeys(BASICS)
    paths[connection_request_url(profile.match.root)] = None
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
    if table.enumerate == 0:
        yield table.rows.split(".*", 1)[0]
        return
    patterns = [f"{table.rows}.{column}" for column in _columns(table)]
    patterns += table.also_read
    for pattern in patterns:
        before, after = pattern.split(".*.", 1)
        stem = after.split(".*", 1)[0]
        for number in range(1, table.enumerate + 1):
            yield f"{before}.{number}.{stem}"


def _columns(table: Table) -> Iterator[str]:
    yield from table.where
    for candidates in table.columns.values():
        for candidate in candidates:
            if _is_direct(candidate.path):
                yield candidate.path


def without_overlaps(paths: dict[str, None]) -> tuple[str, ...]:
    """MongoDB refuses a path beside its own parent; GenieACS collapses them, so do we."""
    kept: list[str] = []
    for path in sorted(paths):
        if not kept or not path.startswith(f"{kept[-1]}."):
            kept.append(path)
    return tuple(kept)


def refresh_paths(
    document: Document, profile: CpeProfile, readings: tuple[Reading, ...]
) -> tuple[str, ...]:
    """The leaves one refresh task asks for: every judged and context leaf the ACS knows.

    Whose row it is is read along: instance numbers are used again. What a gateway has and the ACS
    never discovered is asked for by wildcard (GenieACS then discovers it, once): all of it when
    the optics were never read. Judged leaves come first, should they be too many.
    """
    known: dict[str, None] = {}
    for reading in sorted(readings, key=lambda r: r.need is Need.CONTEXT):
        if reading.need is not Need.STATIC or reading.measurement.name in ROW_NAMES:
            known.update(dict.fromkeys(_leaves_to_ask(document, reading)))
    rx_known = all(r.settled for r in readings if r.measurement.name == "optical.rx_dbm")
    if not rx_known:
        known.update(dict.fromkeys(_unread_quantities(readings)))
    known.update(dict.fromkeys(_undiscovered(document, profile, every=not rx_known)))
    return tuple(known)[:MAX_LEAVES]


def _leaves_to_ask(document: Document, reading: Reading) -> tuple[str, ...]:
    """The winner alone when it can be read; every candidate when none could."""
    measurement = reading.measurement
    if measurement.quality in {Quality.OK, Quality.STALE}:
        return (measurement.path,)
    if measurement.name == "optical.rx_dbm":
        return tuple(dict.fromkeys((*reading.paths, *reading.unread)))
    if measurement.quality is not Quality.NOT_READ:
        return reading.paths
    return tuple(path for path in reading.paths if node_at(document, path) is not None)


def proof_paths(readings: tuple[Reading, ...], asked: tuple[str, ...]) -> tuple[str, ...]:
    """The asked leaves whose new times prove that a refresh ran: the judged ones."""
    judged = {path for r in readings if r.need is Need.JUDGED for path in r.paths}
    return tuple(path for path in asked if path in judged)


def _unread_quantities(readings: tuple[Reading, ...]) -> Iterator[str]:
    for reading in readings:
        if not reading.measurement.subject and reading.need is not Need.STATIC:
            yield from reading.paths


def _undiscovered(document: Document, profile: CpeProfile, *, every: bool) -> Iterator[str]:
    """Wildcards for tables of which no judged leaf is known: an Inform may have brought others.

    Not `every` one: only those that a gateway always has, WiFi counting as one.
    """
    kinds = {table.name for table in profile.tables if _is_discovered(document, table)}
    for table in profile.tables:
        if _is_discovered(document, table):
            continue
        stands_for = "radio" if table.name in ("station", "node") else table.name
        if every or (stands_for in ALWAYS_THERE and stands_for not in kinds):
            yield from _wildcards(table)


def _is_discovered(document: Document, table: Table) -> bool:
    judged = [
        f"{table.rows}.{column}"
        for name, candidates in table.columns.items()
        if quantities()[name].need is Need.JUDGED or table.name == "lan"
        for column in (c.path for c in candidates if _is_direct(c.path))
    ]
    return any(leaf_at(document, path) for p in judged for path in instances(document, p))


def _wildcards(table: Table) -> Iterator[str]:
    for name, candidates in table.columns.items():
        if quantities()[name].need is Need.STATIC and name != table.key:
            continue
        for candidate in candidates:
            if _is_direct(candidate.path):
                yield f"{table.rows}.{candidate.path}"


def _is_direct(column: str) -> bool:
    return "->" not in column and not column.startswith("^")
