"""Every rule, in the order people read them, and which must hold before anything is healthy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from cpe.domain.finding import Finding
from cpe.domain.observation import Outcome, Source
from cpe.domain.snapshot import Snapshot
from cpe.rules import (
    hardware,
    identity,
    line,
    management,
    mesh,
    opinions,
    optical,
    speed,
    stations,
    wan,
    wifi,
)
from cpe.rules.facts import Facts

Rule = Callable[[Facts], Finding]

RULES: Final[tuple[tuple[str, Rule], ...]] = (
    ("identity.serial_is_known", identity.serial_is_known),
    ("identity.serial_is_unique", identity.serial_is_unique),
    ("management.box_is_online", management.box_is_online),
    ("management.acs_reaches_box", management.acs_reaches_box),
    ("line.pon_is_up", line.pon_is_up),
    ("line.ont_has_power", line.ont_has_power),
    ("line.ont_has_light", line.ont_has_light),
    ("line.ont_is_active", line.ont_is_active),
    ("optical.rx_power_in_band", optical.rx_power_in_band),
    ("optical.rx_power_is_steady", optical.rx_power_is_steady),
    ("optical.sources_agree", optical.sources_agree),
    ("optical.olt_rx_in_band", optical.olt_rx_in_band),
    ("optical.errors_are_steady", optical.errors_are_steady),
    ("optical.tx_power_in_class", optical.tx_power_in_class),
    ("hardware.transceiver_is_cool", hardware.transceiver_is_cool),
    ("hardware.no_reboot_loop", hardware.no_reboot_loop),
    ("hardware.radios_are_up", hardware.radios_are_up),
    ("hardware.ont_is_not_rogue", line.ont_is_not_rogue),
    ("wan.session_is_up", wan.session_is_up),
    ("speed.ont_is_fast_enough", speed.ont_is_fast_enough),
    ("mesh.nodes_are_active", mesh.nodes_are_active),
    ("mesh.backhaul_signal_is_good", mesh.backhaul_signal_is_good),
    ("mesh.backhaul_has_room", mesh.backhaul_has_room),
    ("mesh.backhaul_is_fast_enough", mesh.backhaul_is_fast_enough),
    ("wifi.channel_is_free", wifi.channel_is_free),
    ("wifi.noise_is_low", wifi.noise_is_low),
    ("wifi.errors_are_few", wifi.errors_are_few),
    ("client.signal_is_good", stations.signal_is_good),
    ("client.snr_is_good", stations.snr_is_good),
    ("client.retries_are_few", stations.retries_are_few),
    ("speed.customer_gets_it", speed.customer_gets_it),
    ("qoe.device_scores_agree", opinions.device_scores_agree),
    ("bridge.sources_agree", opinions.box_agrees_with_itself),
)


def required_for_healthy(snapshot: Snapshot) -> frozenset[str]:
    """The design's "rules that matter": reachable, light known and inside, a speed test asked for.

    An ACS that is down leaves the box itself unread: with it the OLT's "online" is not enough.
    Hardware evidence is not in the list: its presence is a fault of its own.
    """
    needed = {"management.box_is_online", "optical.rx_power_in_band"}
    if not _has_no_acs(snapshot):
        needed.add("management.acs_reaches_box")
    if snapshot.request.speedtest:
        needed.add("speed.ont_is_fast_enough")
    return frozenset(needed)


def _has_no_acs(snapshot: Snapshot) -> bool:
    return any(s.name is Source.ACS and s.outcome is Outcome.SKIPPED for s in snapshot.sources)
