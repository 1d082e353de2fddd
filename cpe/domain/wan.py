"""The WAN sessions of a box: what each is for, what carries it, whether it is up.

A box has several: the customer's Internet, the ACS's own, voice, television. Which is which is
told by a service list, else by the connection's name, else by the default route. What none of
them tells is of unknown use: it may be anything, and proves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cpe.domain.observation import Measurement, Scalar


class Use(StrEnum):
    """What a session is for."""

    INTERNET = "internet"
    OTHER = "other"
    UNKNOWN = "unknown"


INTERNET_WORDS: Final = frozenset({"internet", "hsi"})
OTHER_WORDS: Final = frozenset(
    {"tr069", "cwmp", "mgmt", "management", "mng", "oam", "voip", "voice", "sip", "iptv", "stb"}
)
"""Seen: `Internet,TR069` (TP-Link), `TR069_INTERNET`, `VOIP_IPTV` (Huawei), `INTERNET_VoIP_TR069`
(ZTE). `OTHER` is the makers' word for a bridge to anything, so it is not here."""
BACKUP_WORDS: Final = frozenset({"usb", "ppp3g", "dhcp4g", "lte", "dongle"})
"""In names: not the fibre but a modem in the USB port (a TP-Link's `usb_ppp3g`)."""
NO_ADDRESS: Final = frozenset({"", "0.0.0.0"})  # noqa: S104 - what a box without a lease shows
BACKUP_CARRIERS: Final = ("Device.USB.", "Device.Cellular.")
"""The same in TR-181's `LowerLayers`."""

_WORD: Final = re.compile(r"[a-z0-9]+")

Reader = Callable[[str, str], Measurement | None]
"""The reading to judge of a quantity and a subject."""


@dataclass(frozen=True, slots=True)
class Session:
    """One WAN session. `row` is the subject of the session proper, `riders` are the IP interfaces
    that TR-181 puts on top of a PPP interface (dual stack: two)."""

    row: str
    riders: tuple[str, ...]
    use: Use
    enabled: bool
    bridged: bool
    has_default_route: bool
    state: Measurement | None
    rider_states: tuple[Measurement, ...]

    @property
    def rows(self) -> tuple[str, ...]:
        """Every subject that tells of it."""
        return (self.row, *self.riders)

    @property
    def states(self) -> tuple[Measurement, ...]:
        """Every state that was read in time to judge."""
        return (*([self.state] if self.state is not None else []), *self.rider_states)

    @property
    def is_up(self) -> bool:
        """Whether it was read as connected, and nothing of it as down: TR-181 has an interface up
        only while what is below it is."""
        return bool(self.states) and not self.is_down

    @property
    def is_down(self) -> bool:
        """Whether it was read as not connected, or every interface on top of it."""
        if self.state is not None and self.state.value != "connected":
            return True
        return bool(self.rider_states) and all(s.value != "connected" for s in self.rider_states)


def sessions(
    subjects: Callable[[str], Sequence[str]], reading: Reader, limit_s: float
) -> list[Session]:
    """Every WAN session. `subjects` names the rows of a kind (`wan`, `route`); a route older than
    `limit_s` tells nothing. The admin UI's row of the same name stands in for what the ACS lacks.
    """
    seen = subjects("wan")
    twins = {row: f"wan:{_text(reading('wan.name', row))}" for row in seen if "." in row}
    rows = [row for row in seen if row not in twins.values()]

    def read(name: str, row: str) -> Measurement | None:
        told = reading(name, row)
        return reading(name, twins[row]) if told is None and row in twins else told

    return _grouped(rows, read, _default_routed(subjects, reading, limit_s))


def _grouped(rows: Sequence[str], reading: Reader, routed: frozenset[str]) -> list[Session]:
    carriers = {row: _carrier(row, rows, reading) for row in rows}
    return [
        _session(row, tuple(r for r in rows if carriers[r] == row), reading, routed)
        for row in rows
        if carriers[row] is None
    ]


def _session(row: str, riders: tuple[str, ...], reading: Reader, routed: frozenset[str]) -> Session:
    rows = (row, *riders)
    has_default_route = not routed.isdisjoint(rows)
    kinds = (_text(reading("wan.connection", r)) for r in rows)
    flags = (reading("wan.enabled", r) for r in rows)
    rider_states = (reading("wan.status", r) for r in riders)
    return Session(
        row=row,
        riders=riders,
        use=_use(rows, reading, has_default_route=has_default_route),
        enabled=all(flag is None or flag.value is not False for flag in flags),
        bridged=any("bridge" in kind.lower() for kind in kinds),
        has_default_route=has_default_route,
        state=reading("wan.status", row),
        rider_states=tuple(state for state in rider_states if state is not None),
    )


def _carrier(row: str, rows: Sequence[str], reading: Reader) -> str | None:
    """The PPP row that an IP row stands on."""
    if ".IP.Interface." not in row:
        return None
    below = _text(reading("wan.below", row)).split(",")
    named = (f"wan:{path.strip().rstrip('.')}" for path in below)
    return next((name for name in named if name in rows and ".PPP." in name), None)


def _default_routed(
    subjects: Callable[[str], Sequence[str]], reading: Reader, limit_s: float
) -> frozenset[str]:
    """The rows that the box sends to the rest of the world by."""
    named = [reading("wan.default_connection", "")]
    for route in subjects("route"):
        parts = [reading(f"route.{part}", route) for part in ("interface", "status", "destination")]
        interface, status, destination = parts
        if not all(_is_new(part, limit_s) for part in parts):
            continue
        if _text(status).lower() == "enabled" and _text(destination) in NO_ADDRESS:
            named.append(interface)
    paths = (_text(m).strip().rstrip(".") for m in named if _is_new(m, limit_s))
    return frozenset(f"wan:{path}" for path in paths if path)


def _is_new(reading: Measurement | None, limit_s: float) -> bool:
    return reading is not None and reading.age_s is not None and reading.age_s <= limit_s


def _use(rows: Iterable[str], reading: Reader, *, has_default_route: bool) -> Use:
    for row in rows:
        if _text(reading("wan.below", row)).startswith(BACKUP_CARRIERS):
            return Use.OTHER
    told = [use_of_service(_value(reading("wan.service", row))) for row in rows]
    told += [use_of_name(_value(reading("wan.name", row))) for row in rows]
    known = next((use for use in told if use is not Use.UNKNOWN), Use.UNKNOWN)
    return Use.INTERNET if known is Use.UNKNOWN and has_default_route else known


def use_of_service(service: Scalar) -> Use:
    """By a service list: every word of it counts, and one that is not known may be anything."""
    words = _words(service)
    if words & INTERNET_WORDS:
        return Use.INTERNET
    return Use.OTHER if words and words <= OTHER_WORDS else Use.UNKNOWN


def use_of_name(name: Scalar) -> Use:
    """By a connection's name: one word is enough (`2_TR069_R_VID_46`, `omci_ipv4_pppoe_1`)."""
    words = _words(name)
    if words & INTERNET_WORDS:
        return Use.INTERNET
    return Use.OTHER if words & (OTHER_WORDS | BACKUP_WORDS) else Use.UNKNOWN


def _words(text: Scalar) -> set[str]:
    if text is None:
        return set()
    plain = re.sub(r"tr[-_ ]?0?69", " tr069 ", str(text).lower())
    words = _WORD.findall(plain)
    return {w if w == "tr069" else w.rstrip("0123456789") for w in words} - {""}


def _value(reading: Measurement | None) -> Scalar:
    return reading.value if reading is not None else None


def _text(reading: Measurement | None) -> str:
    return "" if reading is None or reading.value is None else str(reading.value)
