"""An ONT as its OLT could know it, before any vendor's encoding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from deployments.lab.identity import Identity
from deployments.lab.truth import DAY_S, Conditions, Link, Placement, dice

if TYPE_CHECKING:
    from deployments.lab.plant import Plant

GHOSTS: Final = 20
"""Former subscribers that a churned PON still has registered."""


@dataclass(frozen=True, slots=True)
class Ont:
    """The truth about one ONT. Powers in dBm; None when nothing can be measured."""

    name: str
    gpon_serial: str
    where: Placement
    link: Link
    rx_dbm: float | None
    tx_dbm: float | None
    olt_rx_dbm: float | None
    temperature_c: float | None
    bias_ma: float | None
    voltage_mv: int | None
    distance_m: int | None
    up_since: float
    down_since: float | None
    """The last time it went down; None when it never did."""
    gasped_at: float | None
    last_link: Link
    """Why it went down last; meaningless when it never did."""


def ont_of(who: Identity, truth: Conditions, plant: Plant, where: Placement) -> Ont:
    """The ONT of an installed box."""
    name = f"client-{who.index:05d}"
    earlier = plant.started_at - DAY_S * (2 + 40 * dice(plant.seed, who.index, 30))
    if truth.reachable:
        up = plant.booted_at(who.index)
        down = up - 42.0 if truth.reboot_every_s else earlier - 60.0
        rx, tx = (truth.rx_dbm, truth.tx_dbm) if truth.olt_optics else (None, None)
        return Ont(
            name, who.gpon_serial, where, Link.ONLINE, rx, tx, truth.olt_rx_dbm,
            truth.temperature_c, truth.bias_ma, truth.voltage_mv,
            truth.distance_m, max(up, earlier), down, None if truth.reboot_every_s else down,
            Link.ONLINE if truth.reboot_every_s else Link.DYING_GASP,
        )  # fmt: skip
    link = truth.link if truth.plugged else Link.LOS
    down = plant.since(who.index)
    gasped = down if link is Link.DYING_GASP else None
    return Ont(
        name, who.gpon_serial, where, link, None, None, None, None, None, None, None, earlier,
        down, gasped, link,
    )  # fmt: skip


def ghost_ont(where: Placement, started_at: float) -> Ont:
    """A former subscriber: dark for a month, still registered."""
    down = started_at - 31 * DAY_S
    return Ont(
        f"resilie-{where.ont}", f"HWTC00AD{where.pon:02X}{where.ont:02X}", where, Link.LOS,
        None, None, None, None, None, None, None, down - 300 * DAY_S, down, None, Link.LOS,
    )  # fmt: skip
