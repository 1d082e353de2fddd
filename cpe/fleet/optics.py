"""The optical and hardware rules, vectorised: `cpe.rules.optical` and `hardware`."""

from __future__ import annotations

import numpy as np

from cpe.domain.verdict import Code
from cpe.fleet.line import Judged, blame, choose, no_cause
from cpe.fleet.view import View
from cpe.fleet.words import DEGRADED, FAULT, NOT_APPLICABLE, OK, UNKNOWN, Floats
from cpe.profiles.thresholds import BASELINE_MIN, UNHEARD_DBM


def rx_power_in_band(view: View) -> Judged:
    """ONT Rx power inside the operator's target; both ends are inside."""
    limits, rx = view.thresholds.optical, view.rx_dbm
    weak, strong = rx < limits.rx_min_dbm, rx > limits.rx_max_dbm
    status = choose([(np.isnan(rx), UNKNOWN), (weak | strong, FAULT)], OK)
    return status, np.where(
        weak, blame(weak, Code.FIBRE_WEAK), blame(strong, Code.FIBRE_OVERLOAD)
    ).astype(np.int8)


def rx_power_is_steady(view: View) -> Judged:
    """A drop against the box's own median over the long baseline."""
    usual = view.past["rx_median"].to_numpy(dtype=np.float64)
    count = view.past["rx_count"].to_numpy(dtype=np.int64)
    dropped = view.rx_dbm - usual <= -view.thresholds.optical.rx_drop_db
    status = choose(
        [(np.isnan(view.rx_dbm) | (count < BASELINE_MIN), UNKNOWN), (dropped, DEGRADED)], OK
    )
    return status, no_cause(view)


def sources_agree(view: View) -> Judged:
    """The box and its OLT read the same light."""
    apart: Floats = np.abs(view.floats("rx_dbm") - view.floats("ont_rx_dbm"))
    delta = np.round(apart, 2)
    differ = delta > view.thresholds.optical.disagreement_db
    return choose([(np.isnan(delta), NOT_APPLICABLE), (differ, DEGRADED)], OK), no_cause(view)


def olt_rx_in_band(view: View) -> Judged:
    """What the OLT receives of the ONT: the upstream path."""
    limits, rx = view.thresholds.optical, view.floats("olt_rx_dbm")
    inside = (rx >= limits.olt_rx_min_dbm) & (rx <= limits.olt_rx_max_dbm)
    missing = np.isnan(rx)
    status = choose(
        [(missing & ~view.on_olt, NOT_APPLICABLE), (missing, UNKNOWN), (~inside, DEGRADED)], OK
    )
    return status, no_cause(view)


def tx_power_in_class(view: View) -> Judged:
    """A laser out of its class while it receives well is the box's own fault."""
    limits, tx = view.thresholds.optical, view.floats("tx_dbm")
    margin = np.nan_to_num(view.floats("tx_step")) / 2
    inside = (tx >= limits.tx_min_dbm - margin) & (tx <= limits.tx_max_dbm + margin)
    status = choose(
        [
            (np.isnan(tx) | (tx < UNHEARD_DBM), UNKNOWN),
            (inside, OK),
            (view.line_is_good, FAULT),
        ],
        DEGRADED,
    )
    return status, blame(status == FAULT, Code.HARDWARE_FAULT)


def transceiver_is_cool(view: View) -> Judged:
    """Transceiver temperature."""
    temperature = view.floats("temperature_c")
    missing = np.isnan(temperature)
    status = choose(
        [
            (missing & ~view.flags("lists_temperature"), NOT_APPLICABLE),
            (missing, UNKNOWN),
            (temperature > view.thresholds.hardware.temperature_max_c, FAULT),
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
