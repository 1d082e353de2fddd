"""Which CPE family a device document belongs to, and who the box says it is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final, cast
from urllib.parse import urlsplit

from cpe.access.genieacs.document import Document, leaf_at, node_at, text_at
from cpe.domain.redaction import excerpt
from cpe.domain.serials import gpon_serial, mac_address, tplink_gpon_serial_from_mac
from cpe.domain.snapshot import Device
from cpe.profiles.cpe_profile import CpeProfile, profiles

ROOTS: Final = ("Device", "InternetGatewayDevice")
NEVER: Final = datetime(1, 1, 1, tzinfo=UTC)
NO_ADDRESS = frozenset({"", "0.0.0.0"})  # noqa: S104 - what devices report for "no address"


def choose_family(document: Document) -> CpeProfile | None:
    """The family whose signature path, manufacturer or model matches; a generic one otherwise.

    A model decides only for a box that names no manufacturer: other makers have EX models too.
    Of two data models the one whose Inform is newest counts, an upgrade having left the other.
    None when the document has neither data model root (nothing was ever informed).
    """
    root = data_model(document)
    for profile in profiles():
        if profile.match.root == root and why_it_matches(profile, document):
            return profile
    return None


def data_model(document: Document) -> str | None:
    """The root in use. A projection leaves empty objects where it found nothing."""
    held = [root for root in ROOTS if node_at(document, root)]
    if len(held) < 2:
        return held[0] if held else None
    return max(held, key=lambda root: _informed_at(document, root))


def _informed_at(document: Document, root: str) -> datetime:
    leaves = (leaf_at(document, path) for path in informed(root))
    return max((leaf.timestamp for leaf in leaves if leaf and leaf.timestamp), default=NEVER)


def why_it_matches(profile: CpeProfile, document: Document) -> str:
    """By what a box of this family's data model is recognised as its own; empty: it is not."""
    match = profile.match
    if held := next((path for path in match.has if node_at(document, path) is not None), None):
        return f"the ACS has {held}"
    manufacturer = _identity_part(document, "_Manufacturer") or ""
    product_class = _identity_part(document, "_ProductClass") or ""
    model = _first_text(document, profile.identity.model) or product_class
    made = bool(match.manufacturer and re.search(match.manufacturer, manufacturer))
    if match.every and match.model:
        names = dict.fromkeys((model, product_class))
        is_model = next((n for n in names if n and re.search(match.model, n)), None)
        if is_model is not None and (made or not match.manufacturer):
            return f"manufacturer {manufacturer!r}, model {is_model!r}"
    elif manufacturer and made:
        return f"manufacturer {manufacturer!r}"
    elif not manufacturer and match.model and model and re.search(match.model, model):
        return f"model {model!r}, no manufacturer being named"
    return "any box of this data model" if match.fallback else ""


def _identity_part(document: Document, key: str) -> str | None:
    node = node_at(document, "_deviceId")
    value = node.get(key) if node is not None else None
    return value if isinstance(value, str) and value else None


def _first_text(document: Document, paths: Iterable[str]) -> str | None:
    return next((text for path in paths if (text := text_at(document, path))), None)


def identify(document: Document, profile: CpeProfile | None, ip: str | None) -> Device:
    """Who the box is. `ip` is the WAN address found among the measurements, if any.

    The GPON serial is read, or else derived from the MAC where the family allows it.
    """
    if profile is None:
        return Device(
            acs_id=str(document.get("_id")),
            serial=_identity_part(document, "_SerialNumber"),
            manufacturer=_identity_part(document, "_Manufacturer"),
            model=_identity_part(document, "_ProductClass"),
            tags=_tags(document),
        )
    identity = profile.identity
    mac_text = _first_text(document, identity.mac)
    mac = mac_address(mac_text) if mac_text else None
    return Device(
        acs_id=str(document.get("_id")),
        serial=_identity_part(document, "_SerialNumber"),
        manufacturer=_identity_part(document, "_Manufacturer"),
        model=_first_text(document, identity.model) or _identity_part(document, "_ProductClass"),
        hardware=_first_text(document, identity.hardware),
        firmware=_first_text(document, identity.firmware),
        gpon_serial=_gpon(document, profile, mac),
        mac=mac,
        ip=ip or _request_host(document, profile.match.root),
        family=profile.id,
        tags=_tags(document),
    )


def _tags(document: Document) -> tuple[str, ...]:
    """What people wrote on the box in the ACS, without what looks like a secret."""
    tags = document.get("_tags")
    texts = cast("list[object]", tags) if isinstance(tags, list) else []
    return tuple(excerpt(text) for text in texts if isinstance(text, str))


def _gpon(document: Document, profile: CpeProfile, mac: str | None) -> str | None:
    for path in profile.identity.gpon_serial:
        text = _first_text(document, (path,))
        if text and (canonical := gpon_serial(text)):
            return canonical
    if profile.derive_gpon_serial == "tplink_mac" and mac is not None:
        return tplink_gpon_serial_from_mac(mac)
    serial = _identity_part(document, "_SerialNumber")
    return gpon_serial(serial) if serial and not _is_own_mac(document, serial) else None


def _is_own_mac(document: Document, serial: str) -> bool:
    """Twelve hex digits that begin with the box's OUI pass for a GPON serial and are none."""
    oui = _identity_part(document, "_OUI")
    return bool(oui) and mac_address(serial) is not None and serial.upper().startswith(oui.upper())


def informed(root: str) -> tuple[str, str]:
    """Two leaves that every Inform of this data model carries."""
    return f"{root}.DeviceInfo.SoftwareVersion", connection_request_url(root)


def connection_request_url(root: str) -> str:
    """The leaf without which a task with a connection request crashes an NBI worker."""
    return f"{root}.ManagementServer.ConnectionRequestURL"


def _request_host(document: Document, root: str) -> str | None:
    url = _first_text(document, (connection_request_url(root),))
    host = urlsplit(url).hostname if url else None
    return host if host and host not in NO_ADDRESS else None
