"""What a touched box remembers, and how the lab refuses."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from deployments.lab.diagnostics import Download
from deployments.lab.scenarios import DEFAULT
from deployments.lab.truth import Conditions, Knowledge, Link

ALWAYS: Final = float("-inf")


class LabRefusedError(ValueError):
    """The lab was asked for something it does not have; one line for people."""


@dataclass(slots=True)
class BoxState:
    """What a touched box remembers."""

    scenario: str = DEFAULT
    conditions: Conditions | None = None
    since: float = ALWAYS
    booted_at: float | None = None
    boots_until: float = 0.0
    values: dict[str, object] = field(default_factory=dict[str, object])
    """Parameters that someone wrote."""
    download: Download = field(default_factory=Download)


def swapped(removed: Conditions, fitted: Conditions) -> tuple[Conditions, Conditions]:
    """Both boxes after one took the other's place. What belongs to the line stays there: light,
    distance, speed, a cut. What belongs to a box goes with it: laser, heat, radios, reboots."""
    link = removed.link if removed.link in {Link.LOS, Link.DEACTIVATED} else Link.ONLINE
    installed = replace(
        fitted, plugged=True, known_to_olt=True, known_to_acs=True, link=link,
        rx_dbm=removed.rx_dbm, olt_rx_dbm=removed.olt_rx_dbm, distance_m=removed.distance_m,
        line_mbps=removed.line_mbps, wan_up=removed.wan_up,
        knowledge=fitted.knowledge if fitted.known_to_acs else Knowledge.INFORM_ONLY,
    )  # fmt: skip
    return replace(removed, plugged=False, known_to_olt=False, link=Link.ONLINE), installed
