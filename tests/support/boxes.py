"""Device documents made by hand, as GenieACS keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
TPLINK = {"_Manufacturer": "TP-Link", "_ProductClass": "Device2", "_SerialNumber": "S1"}
GENERIC = {"_Manufacturer": "Sagemcom", "_ProductClass": "F5359", "_SerialNumber": "S1"}
UNREAD = object()
"""A leaf that was discovered and never read."""


def box(
    leaves: Mapping[str, Any],
    *,
    identity: Mapping[str, str] = TPLINK,
    age_s: float = 5.0,
    ages_s: Mapping[str, float] | None = None,
    informed_s: float | None = None,
    root: str = "Device",
) -> dict[str, Any]:
    """A document whose leaves were read `age_s` before NOW (`ages_s`: by path)."""
    informed = NOW - timedelta(seconds=age_s if informed_s is None else informed_s)
    document: dict[str, Any] = {
        "_id": "OUI-Class-S1",
        "_deviceId": dict(identity),
        "_lastInform": stamp(informed),
        "_registered": stamp(NOW - timedelta(days=9)),
    }
    url = f"{root}.ManagementServer.ConnectionRequestURL"
    put(document, url, "http://100.64.0.9:7547/x", informed)
    for path, value in leaves.items():
        own_age = (ages_s or {}).get(path, age_s)
        put(document, path, value, NOW - timedelta(seconds=own_age))
    return document


def put(document: dict[str, Any], path: str, value: Any, at: datetime) -> None:
    """Set a leaf, and the objects above it."""
    node = document
    *parents, last = path.split(".")
    for step in parents:
        node = node.setdefault(step, {"_object": True})
    if value is UNREAD:
        node[last] = {"_object": False, "_writable": False}
    else:
        node[last] = {"_object": False, "_value": value, "_timestamp": stamp(at)}


def stamp(at: datetime) -> str:
    """As GenieACS writes times."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
