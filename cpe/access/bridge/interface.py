"""What every way of reading an admin UI takes and gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final, Protocol

from cpe.domain.errors import NotSupportedError
from cpe.profiles.bridge_profile import Read

SYSTEM: Final = "bridge"
MAX_ROWS: Final = 128
MAX_TEXT: Final = 128
Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Login:
    """By what name to log in. Never printed."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Modem:
    """One admin UI. `serial` names it in logs and errors."""

    url: str
    serial: str


@dataclass(frozen=True, slots=True)
class Harvest:
    """What a session gave: rows by object, and why others gave none.

    `lost` is true when somebody else logged in half-way: what was read until then is true.
    """

    rows: Mapping[str, Sequence[Row]]
    failed: Mapping[str, str] = field(default_factory=dict[str, str])
    lost: bool = False
    note: str = ""


class ModemBridge(Protocol):
    """Reads objects of an admin UI in one session that is ended however it goes."""

    async def read(self, modem: Modem, reads: Sequence[Read], *, bound_s: float) -> Harvest:
        """Raises AccessError: OccupiedError, LoginRefusedError, NotSupportedError and kin."""
        ...

    async def settle(self) -> None:
        """Wait until sessions that somebody left have logged out."""
        ...

    async def close(self) -> None:
        """End what is held, after the sessions that are being ended."""
        ...


def modem_url(template: str, ip: str | None, *, serial: str) -> str:
    """The address of a box's admin UI, or the one that the template fixes.

    What a box says its address is, is checked to be one that it may have: a login is sent there.
    Raises NotSupportedError when there is none.
    """
    if "{ip}" not in template:
        return template
    try:
        address = ip_address(ip or "")
    except ValueError:
        raise NotSupportedError(
            "no address is known for the box", system=SYSTEM, target=serial
        ) from None
    if (
        address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_unspecified
    ):
        raise NotSupportedError(
            f"{address} is no address that a box may have", system=SYSTEM, target=serial
        )
    host = f"[{address}]" if address.version == 6 and "[{ip}]" not in template else str(address)
    return template.replace("{ip}", host)
