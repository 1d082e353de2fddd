"""The vocabulary of the plant's truth: what is really so, whatever any system says about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Final

MINUTE_S: Final = 60.0
HOUR_S: Final = 3600.0
DAY_S: Final = 86_400.0
INFORM_INTERVAL_S: Final = 300.0
"""The operator's boxes inform every five minutes."""


class Family(StrEnum):
    """A CPE model that the plant can impersonate."""

    XX230V = "tp-link-xx230v"
    EG8145V5 = "huawei-eg8145v5"
    F660 = "zte-f660"
    G240W = "nokia-g240w"


class Vendor(StrEnum):
    """An OLT make, by the profile id of the inventory."""

    HUAWEI = "huawei"
    ZTE = "zte-1082"
    NOKIA = "nokia"


class Link(StrEnum):
    """The state of an ONT's optical link as physics has it."""

    ONLINE = "online"
    LOS = "los"
    FEEDER_LOS = "feeder_los"
    DYING_GASP = "dying_gasp"
    DEACTIVATED = "deactivated"
    ROGUE = "rogue"


class Caller(StrEnum):
    """How a box answers a connection request."""

    ANSWERS = "answers"
    HANGS = "hangs"
    RESETS = "resets"
    REFUSES_LOGIN = "refuses_login"
    STATUS_403 = "403"
    STATUS_404 = "404"
    STATUS_500 = "500"
    STATUS_503 = "503"
    NO_INFORM = "no_inform"


class Knowledge(StrEnum):
    """What the ACS has read of a box before anyone asks."""

    ALL = "all"
    """Read by a provision some hours ago; stale."""
    EACH_INFORM = "each_inform"
    """Read by a provision at every inform."""
    INFORM_ONLY = "inform_only"
    """Only what an Inform carries."""


class Optics(StrEnum):
    """Whether the box shows its receive power to the ACS."""

    SHOWN = "shown"
    MISSING = "missing"
    SENTINEL = "sentinel"


class BridgeOptics(StrEnum):
    """How the box's own admin UI writes its receive power."""

    TENTH_MICROWATT = "tenth_microwatt"
    SENTINEL = "sentinel"
    DBM_TEXT = "dbm_text"


class PonEvent(StrEnum):
    """Something that befalls a whole PON."""

    FEEDER_CUT = "feeder_cut"
    POWER_CUT = "power_cut"
    CHURN = "churn"
    """Twenty former subscribers, dark for a month, are still registered."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an ONT hangs: OLT number, PON number on that OLT (from 0), ONT number (from 0)."""

    olt: int
    pon: int
    ont: int


@dataclass(frozen=True, slots=True)
class Conditions:
    """Everything about one box that a scenario may change. Flat, so that scenarios are data."""

    rx_dbm: float
    tx_dbm: float
    olt_rx_dbm: float
    temperature_c: float = 47.9
    bias_ma: float = 16.6
    voltage_mv: int = 3298
    distance_m: int = 2400
    link: Link = Link.ONLINE
    known_to_olt: bool = True
    known_to_acs: bool = True
    plugged: bool = True
    """False for a box on a shelf: no light, no informs, in no OLT."""
    caller: Caller = Caller.ANSWERS
    inform_delay_s: float = 0.02
    rpc_s: float = 0.003
    inform_interval_s: float = INFORM_INTERVAL_S
    fault_code: str = ""
    """CWMP fault that every RPC gets, `9002` and kin."""
    refuses: str = ""
    """The end of a parameter's path that the box lists and faults on (9002)."""
    answers_nothing: bool = False
    """The session ends well and no value was read: a 200 without effect."""
    knowledge: Knowledge = Knowledge.ALL
    optics: Optics = Optics.SHOWN
    bridge_optics: BridgeOptics = BridgeOptics.TENTH_MICROWATT
    other_ui: bool = False
    """The admin UI is not the page we know (a Deco's)."""
    olt_optics: bool = True
    """Whether the OLT has a reading of the ONT's own optics."""
    operator_firmware: bool = False
    reboot_every_s: float = 0.0
    wan_up: bool = True
    optical_errors_per_s: float = 0.0
    utilisation_24_pct: float = 31.0
    utilisation_5_pct: float = 18.0
    noise_24_dbm: float | None = None
    noise_5_dbm: float | None = None
    radio_errors: int = 0
    radio_24_up: bool = True
    radio_5_up: bool = True
    neighbours: tuple[tuple[int, float], ...] = ()
    """Networks that the box's last scan saw: channel and dBm; above channel 14 it is 5 GHz."""
    score_air: float = 0.0
    """How the box scores its own air, 0..5; 0: as our measures would."""
    station_retries_pct: float = 0.0
    """Retries of the first station; 0: the firmware does not count them."""
    station_rssi_dbm: tuple[float, ...] = (-52.0, -58.0, -61.0)
    satellites: int = 0
    backhaul_rssi_dbm: float = -55.0
    backhaul_rate_mbps: int = 866
    backhaul_utilisation_pct: float = 22.0
    satellite_active: bool = True
    line_mbps: float = 480.0
    test_hangs: bool = False
    """A download test that was begun never ends, nor is its end told."""
    twin: bool = False
    """A second box with the same serial and an older Inform is in the ACS."""

    @property
    def reachable(self) -> bool:
        """Whether packets of the box get out at all."""
        return self.plugged and self.link is Link.ONLINE


class IsoDate(str):
    """A Mongo date as the NBI prints it: ISO, UTC, milliseconds, Z. Sorts as text."""

    __slots__ = ()

    @classmethod
    def at(cls, epoch_s: float) -> IsoDate:
        """The date of a Unix time, truncated to the millisecond."""
        whole, ms = divmod(int(epoch_s * 1000), 1000)
        return cls(f"{_second(whole)}.{ms:03d}Z")

    @property
    def epoch_s(self) -> float:
        """The Unix time of this date."""
        return datetime.fromisoformat(self).timestamp()


@lru_cache(maxsize=4096)
def _second(epoch_s: int) -> str:
    return datetime.fromtimestamp(epoch_s, UTC).isoformat()[:19]


UNKNOWN_DATE: Final = IsoDate("0001-01-01T00:00:00.000Z")


_MASK: Final = (1 << 64) - 1


def dice(seed: int, *salt: int) -> float:
    """A number in [0, 1) that only depends on its arguments (splitmix64)."""
    state = seed & _MASK
    for number in salt:
        state = (state ^ (number + 0x9E3779B97F4A7C15)) & _MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
        state ^= state >> 31
    return state / (1 << 64)
