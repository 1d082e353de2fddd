"""Ask one box's admin UI for some quantities, by whichever bridge there is."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime

from cpe.access.bridge.interface import SYSTEM, Harvest, Modem, ModemBridge
from cpe.access.bridge.meaning import Answerer, Meaning, measured, who_answered
from cpe.domain.errors import DeclinedError, UnexpectedAnswerError
from cpe.domain.snapshot import BridgeReport, Device
from cpe.profiles.bridge_profile import BridgeProfile, Read


def wanted_reads(profile: BridgeProfile, lacking: Collection[str]) -> tuple[Read, ...]:
    """The objects that give at least one of the quantities, in the profile's order."""
    return tuple(read for read in profile.reads if not set(lacking).isdisjoint(read.quantities))


async def ask_modem(
    bridge: ModemBridge,
    modem: Modem,
    device: Device,
    profile: BridgeProfile,
    lacking: Collection[str],
    *,
    bound_s: float,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> BridgeReport:
    """One session that reads who answers, then what is lacking. Raises AccessError.

    What a box told that is not proved to be the one that was meant is not handed on.
    """
    reads = wanted_reads(profile, lacking)
    harvest = await bridge.read(modem, (profile.identity, *reads), bound_s=bound_s)
    who = who_answered(harvest.rows, profile, device)
    if who is Answerer.ANOTHER:
        raise UnexpectedAnswerError(
            "another box answers at the address that the ACS has of it",
            system=SYSTEM,
            target=modem.serial,
        )
    meaning = Meaning(())
    if who is Answerer.MEANT:
        meaning = measured(harvest, reads, at=now())
    unproved = who is Answerer.UNKNOWN and bool(harvest.rows)
    parts = [
        "somebody else logged in half-way" if harvest.lost else "",
        "not proved to be the box that is meant: its readings are not used" if unproved else "",
        harvest.note,
        _failures(harvest),
        *meaning.strange,
    ]
    detail = "; ".join(part for part in parts if part)
    if unproved and not harvest.lost:
        raise UnexpectedAnswerError(detail, system=SYSTEM, target=modem.serial)
    if not meaning.measurements and not harvest.lost:
        said = _failures(harvest) or "none of its objects holds anything"
        raise DeclinedError(f"nothing was read: {said}", system=SYSTEM, target=modem.serial)
    return BridgeReport(meaning.measurements, detail, harvest.lost)


def _failures(harvest: Harvest) -> str:
    return "; ".join(f"{oid}: {why}" for oid, why in sorted(harvest.failed.items()))
