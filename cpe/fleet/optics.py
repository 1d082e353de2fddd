"""The optical and hardware rules, vectorised: `cpe.rules.optical` and `hardware`."""

from __future__ import annotations

from functools import partial

import numpy as np

from cpe.domain.verdict import Code
from cpe.fleet.line import Judged, blame, choose, no_cause
from cpe.fleet.view import View
from cpe.fleet.words import DEGRADED, FAULT, NOT_APPLICABLE, OK, UNKNOWN, Floats
from cpe.profiles.thresholds import BASELINE_MIN, UNHEARD_DBM


def rx_power_in_band(view: View) -> Judged:
    """ONT Rx power inside the operator's target; both ends are inside."""
    rx, (inside, outside) = view.rx_dbm, view.rx_placed
    weak = outside & (rx < view.thresholds.optical.rx_min_dbm)
    strong = outside & ~weak
    status = choose([(inside, OK), (outside, FAULT)], UNKNOWN)
    return status, np.where(
        weak, blame(weak, Code.FIBRE_WEAK), blame(strong, Code.FIBRE_OVERLOAD)
    ).astype(np.int8)


def rx_power_is_steady(view: View) -> Judged:
    """A drop against the box's own median over the long baseline."""
    own = ~np.isnan(view.floats("rx_dbm"))
    trusted = np.where(own, view.floats("rx_dbm"), view.floats("ont_rx_dbm"))
    usual = view.past["rx_median"].to_numpy(dtype=np.float64)
    count = view.past["rx_count"].to_numpy(dtype=np.int64)
    delta, half = trusted - usual, np.where(own, view.half_steps("rx_step"), 0.0)
    drop = -view.thresholds.optical.rx_drop_db
    doubt = (delta - half <= drop) & (drop < delta + half)
    status = choose(
        [
            (np.isnan(trusted) | (count < BASELINE_MIN) | doubt, UNKNOWN),
            (delta <= drop, DEGRADED),
        ],
        OK,
    )
    return status, no_cause(view)


def sources_agree(view: View) -> Judged:
    """The box and its OLT read the same light."""
    apart: Floats = np.abs(view.floats("rx_dbm") - view.floats("ont_rx_dbm"))
    delta = np.round(apart, 2)
    limit, half = view.thresholds.optical.disagreement_db, view.half_steps("rx_step")
    doubt = (delta - half <= limit) & (limit < delta + half)
    status = choose(
        [(np.isnan(delta), NOT_APPLICABLE), (doubt, UNKNOWN), (delta > limit, DEGRADED)], OK
    )
    return status, no_cause(view)


def olt_rx_in_band(view: View) -> Judged:
    """What the OLT receives of the ONT: the upstream path."""
    rx = view.floats("olt_rx_dbm")
    bands = partial(view.thresholds.optical.class_bands, "olt_rx")
    inside, outside = view.placed(rx, np.zeros(len(view)), bands)
    missing = np.isnan(rx) & ~view.on_olt
    status = choose([(missing, NOT_APPLICABLE), (inside, OK), (outside, DEGRADED)], UNKNOWN)
    return status, no_cause(view)


def tx_power_in_class(view: View) -> Judged:
    """A laser out of its technology's class while it receives well is the box's own fault."""
    tx = view.floats("tx_dbm")
    bands = partial(view.thresholds.optical.class_bands, "tx")
    inside, outside = view.placed(tx, view.half_steps("tx_step"), bands)
    status = choose(
        [
            (np.isnan(tx) | (tx < UNHEARD_DBM), UNKNOWN),
            (inside, OK),
            (~outside, UNKNOWN),
            (view.line_is_good, FAULT),
        ],
        DEGRADED,
    )
    return status, blame(status == FAULT, Code.HARDWARE_FAULT)


def transceiver_is_cool(view: View) -> Judged:
    """Transceiver temperature."""
    temperature = view.floats("temperature_c")
    missing, half = np.isnan(temperature), view.half_steps("temperature_step")
    limit = view.thresholds.hardware.temperature_max_c
    doubt = (temperature - half <= limit) & (limit < temperature + half)
    status = choose(
        [
            (missing & ~view.flags("lists_temperature"), NOT_APPLICABLE),
            (missing | doubt, UNKNOWN),
            (temperature > limit, FAULT),
        ],
        OK,
    )
    return status, blame(status == FAULT, Code.HARDWARE_FAULT)


def no_reboot_loop(view: View) -> Judged:
    """Boots in 24 h that neither a power loss nor an update explains."""
    past = view.past
    boots = past["boots"].to_numpy(dtype=np.int64)
    known = past["boots_known"].to_numpy(dtype=bool)
    explained = past["explained"].to_numpy(dtype=bool)
    status = choose(
        [
            (~known, UNKNOWN),
            (boots < view.thresholds.hardware.reboots_per_day, OK),
            (explained, DEGRADED),
        ],
        FAULT,
    )
    proved = (status == FAULT) & past["power_known"].to_numpy(dtype=bool)
    return status, blame(proved, Code.HARDWARE_FAULT)
