"""Every rule a sweep claims, over the whole fleet, and the fold of findings into a verdict."""
# pyright: basic

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from cpe.domain.verdict import Code
from cpe.fleet import home, line, optics, words
from cpe.fleet.view import View
from cpe.fleet.words import Codes

Rule = Callable[[View], line.Judged]

RULES: Final[tuple[tuple[str, Rule], ...]] = (
    ("identity.serial_is_unique", home.serial_is_unique),
    ("management.box_is_online", line.box_is_online),
    ("management.acs_reaches_box", line.acs_reaches_box),
    ("line.pon_is_up", line.pon_is_up),
    ("line.ont_has_power", line.ont_has_power),
    ("line.ont_has_light", line.ont_has_light),
    ("line.ont_is_active", line.ont_is_active),
    ("optical.rx_power_in_band", optics.rx_power_in_band),
    ("optical.rx_power_is_steady", optics.rx_power_is_steady),
    ("optical.sources_agree", optics.sources_agree),
    ("optical.olt_rx_in_band", optics.olt_rx_in_band),
    ("optical.tx_power_in_class", optics.tx_power_in_class),
    ("hardware.transceiver_is_cool", optics.transceiver_is_cool),
    ("hardware.no_reboot_loop", optics.no_reboot_loop),
    ("hardware.ont_is_not_rogue", line.ont_is_not_rogue),
    ("mesh.nodes_are_active", home.nodes_are_active),
    ("mesh.backhaul_signal_is_good", home.backhaul_signal_is_good),
    ("mesh.backhaul_has_room", home.backhaul_has_room),
    ("wifi.channel_is_free", home.channel_is_free),
    ("wifi.noise_is_low", home.noise_is_low),
)
"""In the catalogue's order, under its names."""

NOT_CLAIMED: Final[dict[str, str]] = {
    "identity.serial_is_known": "asked",
    "optical.errors_are_steady": "two_readings",
    "hardware.radios_are_up": "not_read",
    "wan.session_is_up": "not_read",
    "speed.ont_is_fast_enough": "asked",
    "mesh.backhaul_is_fast_enough": "asked",
    "wifi.errors_are_few": "two_readings",
    "client.signal_is_good": "not_read",
    "client.snr_is_good": "not_read",
    "client.retries_are_few": "not_read",
    "speed.customer_gets_it": "asked",
    "qoe.device_scores_agree": "not_read",
    "bridge.sources_agree": "not_read",
}
"""What only a diagnosis judges, and why: it needs what somebody asks with (a serial, a plan, a
speed test), two readings of one counter, or tables too wide to read of a whole fleet."""
_OF_RADIOS: Final = ("wifi.channel_is_free", "wifi.noise_is_low")
_OF_NODES: Final = (
    "mesh.nodes_are_active", "mesh.backhaul_signal_is_good", "mesh.backhaul_has_room",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FleetJudgement:
    """Statuses (a column a rule, numbers of `words.STATUSES`), verdicts and how sure they are."""

    statuses: pd.DataFrame
    verdict: Codes
    """Numbers of `words.VERDICTS`."""
    watched: np.ndarray
    """Healthy, but something is degraded."""


def judge(view: View) -> FleetJudgement:
    """Run every rule, then fold: the first cause in the design's order leads."""
    found = {name: rule(view) for name, rule in RULES}
    statuses = pd.DataFrame({name: status for name, (status, _) in found.items()})
    _doubt_the_rest(view, statuses)
    lead: Codes = np.full(len(view), len(words.CAUSES), dtype=np.int8)
    for _, cause in found.values():
        lead = np.minimum(lead, np.where(cause >= 0, cause, len(words.CAUSES))).astype(np.int8)
    faulty = (statuses == words.FAULT).any(axis=1).to_numpy()
    degraded = (statuses == words.DEGRADED).any(axis=1).to_numpy()
    healthy = ~faulty & _required_hold(view, statuses) & ~view.partly_read
    inconclusive, well = (words.VERDICTS.index(c) for c in (Code.INCONCLUSIVE, Code.HEALTHY))
    verdict = np.where(lead < len(words.CAUSES), lead, np.where(healthy, well, inconclusive))
    return FleetJudgement(statuses, verdict.astype(np.int8), healthy & degraded)


def _doubt_the_rest(view: View, statuses: pd.DataFrame) -> None:
    """What holds of the radios and nodes that were read is not proved of those that were not."""
    for flag, rules in (("more_radios", _OF_RADIOS), ("more_nodes", _OF_NODES)):
        more = view.flags(flag)
        for rule in rules:
            good = statuses[rule].isin((words.OK, words.NOT_APPLICABLE)).to_numpy()
            statuses.loc[more & good, rule] = np.int8(words.UNKNOWN)


def _required_hold(view: View, statuses: pd.DataFrame) -> np.ndarray:
    """The rules that matter for `healthy`, as a diagnosis without a speed test has them."""
    needed = ["management.box_is_online", "optical.rx_power_in_band"]
    if view.sources.acs_configured:
        needed.append("management.acs_reaches_box")
    good = statuses[needed].isin((words.OK, words.DEGRADED))
    return good.all(axis=1).to_numpy()
