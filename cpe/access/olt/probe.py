"""Which family an OLT is: its sysObjectID, and one GETNEXT that must stay inside a probe column."""

from __future__ import annotations

from dataclasses import dataclass

from cpe.access.olt import decode
from cpe.access.olt.session import Patience, Session
from cpe.access.olt.wire import Missing, parse_oid
from cpe.domain.errors import NotSupportedError
from cpe.domain.redaction import excerpt
from cpe.profiles.olt_profile import OltProfile, olt_profiles

SYS_DESCR = parse_oid("1.3.6.1.2.1.1.1.0")
SYS_OBJECT_ID = parse_oid("1.3.6.1.2.1.1.2.0")
PROBES_PER_PDU = 4
_PATIENCE = Patience(3.0, 1)


@dataclass(frozen=True, slots=True)
class SystemGroup:
    """What the OLT says it is; empty where it does not say."""

    description: str
    object_id: str


@dataclass(frozen=True, slots=True)
class OltIdentity:
    """For the doctor: who answered, which profile is used, and whether its serial column answers.

    `serial_rows` counts rows of a bounded walk; `detail` says what is wrong, if anything is.
    """

    name: str
    sys_descr: str
    sys_object_id: str
    profile: str
    verified: bool
    serial_rows: int
    complete: bool
    detail: str = ""


async def read_system(session: Session) -> SystemGroup:
    """sysDescr and sysObjectID. Raises AccessError."""
    answer = await session.get((SYS_DESCR, SYS_OBJECT_ID), _PATIENCE)
    description = decode.text_of(answer[SYS_DESCR])
    object_id = decode.text_of(answer[SYS_OBJECT_ID])
    return SystemGroup(excerpt(description or ""), object_id or "")


async def choose_profile(session: Session) -> OltProfile:
    """The family that fits. Raises NotSupportedError when none or several do, AccessError."""
    system = await read_system(session)
    profiles = list(olt_profiles().values())
    named = [profile for profile in profiles if _is_named(profile, system.object_id)]
    fitting = await _answering(session, named)
    if not fitting:
        fitting = await _answering(session, [p for p in profiles if p not in named])
    if not fitting:
        raise _refusal(session, f"no profile fits ({system.object_id or 'no sysObjectID'})")
    lowest = min(profile.match.rank for profile in fitting)
    best = [profile for profile in fitting if profile.match.rank == lowest]
    best = [profile for profile in best if profile.own] or best
    if len(best) > 1:
        names = ", ".join(profile.id for profile in best)
        raise _refusal(session, f"several profiles fit ({names}): name one in the inventory")
    return best[0]


def _is_named(profile: OltProfile, object_id: str) -> bool:
    return any(f"{object_id}.".startswith(f"{p}.") for p in profile.match.sys_object_id)


async def _answering(session: Session, profiles: list[OltProfile]) -> list[OltProfile]:
    found: list[OltProfile] = []
    for start in range(0, len(profiles), PROBES_PER_PDU):
        some = profiles[start : start + PROBES_PER_PDU]
        probes = {profile.id: parse_oid(profile.match.probe) for profile in some}
        answer = await session.get(tuple(probes.values()), _PATIENCE, following=True)
        found += [p for p in some if not isinstance(answer[probes[p.id]], Missing)]
    return found


def _refusal(session: Session, message: str) -> NotSupportedError:
    return NotSupportedError(message, system="olt", target=session.target.name)
