"""Judged in few words: what rule tests ask of a snapshot, and snapshots they share."""

from __future__ import annotations

from cpe.domain.observation import Outcome, Quality, Source
from cpe.domain.snapshot import (
    DownCause,
    FreshnessOutcome,
)
from cpe.profiles.thresholds import load_thresholds
from cpe.rules.judge import judge
from tests.support.cases import reading, sighting, snapshot

STALE = {"outcome": FreshnessOutcome.UNREACHABLE, "answered": False, "acs": Outcome.STALE}
ACS_DOWN = {
    "acs_known": None,
    "acs": Outcome.UNREACHABLE,
    "outcome": FreshnessOutcome.UNREACHABLE,
    "answered": False,
}
OLT_RX = reading("optical.rx_dbm", -19.0, source=Source.OLT, age_s=0)
NO_POWER_LOST = sighting(cause=DownCause.NONE)


def verdict(shot):
    return judge(shot, load_thresholds()).verdict


def found(shot, rule):
    return next(f for f in judge(shot, load_thresholds()).findings if f.rule == rule)


def radio(band, **values):
    subject = f"radio:{band}"
    named = {"wifi.band": band, "wifi.enabled": True, "wifi.status": "up", **values}
    return [reading(name, value, subject) for name, value in named.items() if value is not None]


def station(mac, rssi, **values):
    subject = f"station:{mac}"
    named = {"station.mac": mac, "station.rssi_dbm": rssi, **values}
    return [reading(name, value, subject) for name, value in named.items()]


def dead(state, **changes):
    stale = reading("optical.rx_dbm", -18.5, age_s=900, quality=Quality.STALE)
    return snapshot(stale, olt=sighting(state, **changes), **STALE)
