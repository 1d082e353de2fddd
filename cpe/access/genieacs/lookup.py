"""Find a box in the ACS by TR-069 serial, GPON serial or MAC, and say what is known of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from cpe.access.genieacs.document import (
    Document,
    instances,
    leaf_at,
    listed_at,
    node_at,
    parse_time,
)
from cpe.access.genieacs.family import (
    NO_ADDRESS,
    choose_family,
    connection_request_url,
    identify,
)
from cpe.access.genieacs.nbi import Nbi, merge
from cpe.access.genieacs.normalise import Reading, normalise, stale_needs
from cpe.access.genieacs.plan import (
    BASICS,
    identity_projection,
    projection,
    proof_paths,
    refresh_paths,
)
from cpe.access.genieacs.proof import SLOT
from cpe.access.genieacs.rows import further_paths
from cpe.domain.serials import (
    gpon_serial,
    gpon_spellings,
    is_same_serial,
    mac_address,
    mac_spellings,
    serial_spellings,
)
from cpe.domain.snapshot import AcsSighting, Device, OtherBox
from cpe.profiles.cpe_profile import CpeProfile, profiles

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAX_MATCHES = 20


async def find(nbi: Nbi, serial: str, *, limit_s: float) -> AcsSighting | None:
    """The box with this serial, or the one with the latest Inform when several carry it.

    `serial` has passed `parse_serial`. An exact TR-069 serial beats a GPON serial beats a MAC.
    None when the ACS answered and knows none. Raises AccessError.
    """
    candidates = await nbi.devices(
        {"$or": list(_clauses(serial))}, identity_projection(), limit=MAX_MATCHES
    )
    matches = _best_kind(candidates, serial)
    if not matches:
        return None
    chosen = max(matches, key=_last_inform)
    others = tuple(_other(doc) for doc in matches if doc is not chosen)
    document = await read(nbi, chosen)
    return sighting(document or chosen, now=nbi.transport.now(), limit_s=limit_s, others=others)


async def read(nbi: Nbi, document: Document) -> Document | None:
    """The device's narrow projection, by its family. None when it is gone."""
    return await _read(nbi, str(document["_id"]), choose_family(document))


async def read_again(nbi: Nbi, device: Device) -> Document | None:
    """The same narrow projection for a device seen before. None when it is gone."""
    family = next((p for p in profiles() if p.id == device.family), None)
    return await _read(nbi, device.acs_id or "", family)


async def _read(nbi: Nbi, acs_id: str, family: CpeProfile | None) -> Document | None:
    """What the family's profile names; rows that are looked for level by level come after it."""
    found = await nbi.device(acs_id, projection(family.id) if family is not None else BASICS)
    if found is None or family is None:
        return found
    document, reads = dict(found), 1
    while paths := further_paths(document, family, reads):
        more = await nbi.device(acs_id, paths)
        if more is None:
            return None
        merge(document, more)
        reads += 1
    return document


def sighting(
    document: Document,
    *,
    now: datetime,
    limit_s: float,
    others: tuple[OtherBox, ...] = (),
    since: datetime | None = None,
) -> AcsSighting:
    """What a device document says, in our terms. `now` is the ACS's clock.

    `since`: when the refresh began that has just been proved. What it did not read again is stale
    however young it is: the box may have changed in between.
    """
    family = choose_family(document)
    readings: tuple[Reading, ...] = ()
    paths: tuple[str, ...] = ()
    proof: tuple[str, ...] = ()
    tables_read: tuple[str, ...] = ()
    reachable = rows_may_have_come = home_is_unknown = False
    if since is not None:
        limit_s = min(limit_s, (now - since + SLOT).total_seconds())
    if family is not None:
        readings = normalise(document, family, now=now, limit_s=limit_s)
        paths = refresh_paths(document, family, readings, now=now)
        proof = proof_paths(readings, family, paths)
        oldest_list = now - timedelta(seconds=limit_s)
        tables_read = tuple(_tables_read(document, family, oldest_list))
        at_home = [t.rows for t in family.tables if t.name in ("radio", "station", "node")]
        rows_may_have_come = any(_was_listed_before(document, r, oldest_list) for r in at_home)
        home_is_unknown = bool(at_home) and not any(_is_known(document, rows) for rows in at_home)
        url = leaf_at(document, connection_request_url(family.match.root))
        reachable = url is not None and bool(url.value) and "_lastInform" in document
    oldest, fresh = stale_needs(readings, limit_s)
    device = identify(document, family, _wan_ip(readings))
    return AcsSighting(
        device=device,
        asked_at=now,
        last_inform=parse_time(document.get("_lastInform")),
        last_boot=parse_time(document.get("_lastBoot")),
        measurements=tuple(r.measurement for r in readings),
        oldest_age_s=oldest,
        is_fresh=fresh and not rows_may_have_come,
        refresh_paths=paths,
        proof_paths=proof,
        leaf_times=dict(_leaf_times(document, proof)),
        others=others,
        cannot_report=family.cannot_report if family is not None else (),
        reachable_by_request=reachable,
        tables_read=tables_read,
        home_is_unknown=home_is_unknown,
    )


def _tables_read(document: Document, family: CpeProfile, since: datetime) -> Iterator[str]:
    """The tables of which one at least was listed since, and none that has rows was not.

    A family may tell one thing in three tables, of which a box has one.
    """
    for name in dict.fromkeys(table.name for table in family.tables):
        times = [
            (listed_at(document, table.rows), any(True for _ in instances(document, table.rows)))
            for table in family.tables
            if table.name == name
        ]
        listed = [time is not None and time >= since for time, _ in times]
        if any(listed) and all(
            is_listed or not has_rows
            for is_listed, (_, has_rows) in zip(listed, times, strict=True)
        ):
            yield name


def _was_listed_before(document: Document, rows: str, since: datetime) -> bool:
    """Whether rows may have come to a table since the box listed it."""
    time = listed_at(document, rows)
    return time is not None and time < since and bool(node_at(document, rows.split(".*", 1)[0]))


def _is_known(document: Document, rows: str) -> bool:
    """Whether a table has rows, or was once found to have none."""
    return listed_at(document, rows) is not None or any(True for _ in instances(document, rows))


def _leaf_times(document: Document, patterns: tuple[str, ...]) -> Iterator[tuple[str, datetime]]:
    for pattern in patterns:
        for path in instances(document, pattern):
            leaf = leaf_at(document, path)
            if leaf is not None and leaf.timestamp is not None:
                yield path, leaf.timestamp


def _clauses(serial: str) -> Iterator[dict[str, object]]:
    spellings = serial_spellings(serial)
    yield {
        "_deviceId._SerialNumber": spellings[0] if len(spellings) == 1 else {"$in": list(spellings)}
    }
    named: list[str] = []
    if canonical := gpon_serial(serial):
        forms = list(dict.fromkeys(gpon_spellings(canonical)))
        named += forms
        for path in _identity_paths("gpon_serial"):
            yield {path: {"$in": forms}}
    if mac := mac_address(serial):
        forms = list(dict.fromkeys(mac_spellings(mac)))
        named += forms
        for path in _identity_paths("mac"):
            yield {path: {"$in": forms}}
    if named:  # some boxes carry their GPON serial or MAC as TR-069 serial
        yield {"_deviceId._SerialNumber": {"$in": named}}


def _identity_paths(kind: str) -> tuple[str, ...]:
    paths: dict[str, None] = {}
    for profile in profiles():
        group = profile.identity.gpon_serial if kind == "gpon_serial" else profile.identity.mac
        paths.update(dict.fromkeys(group))
    return tuple(paths)


def _best_kind(documents: list[Document], serial: str) -> list[Document]:
    exact = [d for d in documents if is_same_serial(_serial(d) or "", serial)]
    if exact:
        return exact
    if canonical := gpon_serial(serial):
        by_gpon = [d for d in documents if _holds_gpon(d, canonical)]
        if by_gpon:
            return by_gpon
    mac = mac_address(serial)
    return [d for d in documents if mac is not None and mac in _macs(d)]


def _macs(document: Document) -> set[str | None]:
    leaves = (leaf_at(document, path) for path in _identity_paths("mac"))
    texts = [str(leaf.value) for leaf in leaves if leaf is not None]
    return {mac_address(text) for text in (*texts, _serial(document) or "")}


def _holds_gpon(document: Document, canonical: str) -> bool:
    texts = [_serial(document)]
    texts += [
        leaf.value
        for path in _identity_paths("gpon_serial")
        if (leaf := leaf_at(document, path)) is not None and isinstance(leaf.value, str)
    ]
    return any(text is not None and gpon_serial(text) == canonical for text in texts)


def _serial(document: Document) -> str | None:
    identity = document.get("_deviceId")
    value = identity.get("_SerialNumber") if isinstance(identity, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return value if isinstance(value, str) else None


def _last_inform(document: Document) -> datetime:
    return parse_time(document.get("_lastInform")) or EPOCH


def _other(document: Document) -> OtherBox:
    family = choose_family(document)
    device = identify(document, family, None)
    return OtherBox(
        acs_id=str(document.get("_id")),
        model=device.model,
        last_inform=parse_time(document.get("_lastInform")),
    )


def _wan_ip(readings: tuple[Reading, ...]) -> str | None:
    addresses = [
        str(r.measurement.value)
        for r in readings
        if r.measurement.name == "wan.ip" and r.measurement.value not in (None, *NO_ADDRESS)
    ]
    public = [a for a in addresses if not a.startswith(("192.168.1.", "192.168.0.", "127."))]
    return (public or addresses or [None])[0]
