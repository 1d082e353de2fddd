"""What the vectorised rules look at: the joined frame as typed arrays, and what follows at once."""
# pyright: basic

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd

from cpe.fleet import words
from cpe.fleet.join import Sources
from cpe.fleet.neighbourhood import on_our_clock
from cpe.fleet.words import Bools, Codes, Floats
from cpe.profiles.quantities import COARSE
from cpe.profiles.technology import choose_technology
from cpe.profiles.thresholds import Bands, Thresholds

SEPARATOR: Final = "\x1f"
BandOf = Callable[[str | None], Bands]
"""The bands of a technology, None being the unknown one."""


@dataclass(frozen=True)
class View:
    """The whole fleet before the rules. One value a box; NaN is not measured."""

    boxes: pd.DataFrame
    radios: pd.DataFrame
    nodes: pd.DataFrame
    sources: Sources
    thresholds: Thresholds
    past: pd.DataFrame
    """Per box: `rx_median`, `rx_count` of the reading's own source over the long baseline, and
    `boots`, the distinct boots of the last 24 h, `boots_known`, `power_known`, `explained`."""

    def __len__(self) -> int:
        return len(self.boxes)

    def floats(self, name: str) -> Floats:
        """A column of numbers."""
        if name not in self.boxes:
            return np.full(len(self), np.nan)
        return self.boxes[name].to_numpy(dtype=np.float64, na_value=np.nan)

    def half_steps(self, name: str) -> Floats:
        """How far the truth may be from a coarse reading, whose step is in the column; else 0."""
        steps = np.nan_to_num(self.floats(name))
        return np.where(steps >= COARSE, steps / 2, 0.0)

    @cached_property
    def technology(self) -> np.ndarray:
        """The PON technology of each box, None where it is not surely told."""
        columns = [
            self.boxes[name].astype(object).where(self.boxes[name].notna(), "")
            if name in self.boxes
            else pd.Series("", index=self.boxes.index, dtype=object)
            for name in ("technology", "olt_technology", "model")
        ]
        codes, told = pd.factorize(columns[0] + SEPARATOR + columns[1] + SEPARATOR + columns[2])
        names = np.empty(len(told), dtype=object)
        for number, text in enumerate(told):
            box, olt, model = str(text).split(SEPARATOR)
            names[number] = choose_technology((box, olt), model or None).name
        return names[codes] if len(told) else np.empty(0, dtype=object)

    def limits_of(self, band: BandOf) -> tuple[Floats, Floats, Floats, Floats]:
        """The ends of the inner and the outer band of each box, by its technology."""
        found = np.empty((4, len(self)), dtype=np.float64)
        for name in (None, *self.thresholds.optical.technologies):
            bands = band(name)
            rows = self.technology == name
            found[:, rows] = np.array([[*bands.inner, *bands.outer]]).T
        inner_low, inner_high, outer_low, outer_high = found
        return inner_low, inner_high, outer_low, outer_high

    def placed(self, values: Floats, half: Floats, band: BandOf) -> tuple[Bools, Bools]:
        """(surely inside, surely outside); neither where the reading or the limits leave it open,
        or there is no reading."""
        inner_low, inner_high, outer_low, outer_high = self.limits_of(band)
        inside = (values - half >= inner_low) & (values + half <= inner_high)
        return inside, (values + half < outer_low) | (values - half > outer_high)

    def rx_bands(self, technology: str | None) -> Bands:
        """What Rx power has to be inside of."""
        band = self.thresholds.optical.rx_band(technology)
        return Bands(band, band)

    def flags(self, name: str) -> Bools:
        """A column of truths; missing is false."""
        return self.boxes[name].fillna(False).to_numpy(dtype=bool)

    @cached_property
    def state(self) -> Codes:
        """The ONT's state, NOT_ON_OLT where no OLT showed it."""
        return self.boxes["state"].to_numpy(dtype=np.int8)

    @cached_property
    def on_olt(self) -> Bools:
        """An OLT showed the ONT."""
        return self.state != words.NOT_ON_OLT

    @cached_property
    def down(self) -> Bools:
        """LOS, dying gasp or offline."""
        return np.isin(self.state, (words.LOS, words.DYING_GASP, words.OFFLINE))

    @cached_property
    def acs_known(self) -> Bools:
        """The ACS's answer has the box."""
        return self.flags("acs_known")

    @cached_property
    def answered(self) -> Bools:
        """The box takes part: it informed lately, and after an OLT that says it is down read so.

        A sweep asks no box; a diagnosis does. Informs come every five minutes, so an Inform from
        before the walk says nothing against a state that the walk saw.
        """
        informed = self.floats("last_inform")
        lately = self.floats("read_at") - informed <= self.thresholds.fleet.silent_after_s
        after_walk = informed >= self.floats("walked_at")
        return self.acs_known & lately & (~self.down | after_walk)

    @cached_property
    def down_at(self) -> Floats:
        """When the ONT went down last, where the OLT's clock can be ours."""
        return on_our_clock(self.floats("down_at"), self.sources.now)

    @cached_property
    def spoken(self) -> Bools:
        """The box was read after the OLT saw it go down, so it is not down."""
        down_at, spoke_at = self.down_at, self.floats("spoke_at")
        spoke_at = np.where(np.isnan(spoke_at), self.floats("last_inform"), spoke_at)
        return self.answered & (~self.on_olt | np.isnan(down_at) | (down_at <= spoke_at))

    @cached_property
    def is_down(self) -> Bools:
        """An OLT says that it is down, and it has not spoken since."""
        return self.down & ~self.spoken

    @cached_property
    def contact(self) -> Codes:
        """Which of `words.CONTACTS`."""
        return np.select(
            [self.is_down, self.answered, self.state == words.ONLINE],
            [words.DOWN_AT_OLT, words.INFORMING, words.ONLINE_AT_OLT_ONLY],
            words.UNREACHABLE,
        ).astype(np.int8)

    @cached_property
    def unreachable(self) -> Bools:
        """No source can place it: no recent Inform, and no OLT says whether it is online."""
        return self.contact == words.UNREACHABLE

    @cached_property
    def without_olt(self) -> Codes:
        """The status of an OLT's rule for a box that no OLT showed."""
        nobody_asks = self.answered & ~self.flags("olt_failed")
        return np.where(nobody_asks, words.NOT_APPLICABLE, words.UNKNOWN).astype(np.int8)

    @cached_property
    def rx_dbm(self) -> Floats:
        """Rx power to judge: the box's own, else what its OLT says of it; the OLT's too where the
        box's is too coarse to tell on which side of the limit it is."""
        return np.where(self._rx_of_olt, self.floats("ont_rx_dbm"), self.floats("rx_dbm"))

    @cached_property
    def _rx_of_olt(self) -> Bools:
        own, of_olt = self.floats("rx_dbm"), self.floats("ont_rx_dbm")
        inside, outside = self.placed(own, self.half_steps("rx_step"), self.rx_bands)
        return np.isnan(own) | (~inside & ~outside & ~np.isnan(of_olt))

    @cached_property
    def rx_half_step(self) -> Floats:
        """How far the truth may be from `rx_dbm`."""
        return np.where(self._rx_of_olt, 0.0, self.half_steps("rx_step"))

    @cached_property
    def rx_placed(self) -> tuple[Bools, Bools]:
        """Rx power is surely inside its band, and surely outside."""
        return self.placed(self.rx_dbm, self.rx_half_step, self.rx_bands)

    @cached_property
    def line_is_good(self) -> Bools:
        """Rx power is known and surely inside its band."""
        return self.rx_placed[0]

    @cached_property
    def is_outage(self) -> Bools:
        """Enough neighbours went down with the ONT, of those that could be counted."""
        limits = self.thresholds.line
        down, up = self.floats("neighbours_down"), self.floats("neighbours_up")
        enough = (down >= limits.outage_min_down) & (down >= limits.outage_min_share * up)
        return enough & self.flags("pon_read")

    @cached_property
    def down_together(self) -> Bools:
        """Part of an outage: one incident of the PON, none of this home."""
        return self.on_olt & self.down & self.is_outage & ~self.spoken

    @cached_property
    def partly_read(self) -> Bools:
        """The box has more radios or mesh nodes than a sweep reads."""
        return self.flags("more_radios") | self.flags("more_nodes")

    @cached_property
    def radios_on(self) -> pd.DataFrame:
        """The radios not known to be off: one that is keeps its last figures."""
        off = self.radios["enabled"].eq(False).fillna(False).to_numpy(dtype=bool)
        return self.radios[~off]

    @cached_property
    def long_down(self) -> Bools:
        """Down for longer than the outage count minds: most have left and stay provisioned.

        Whom the operator shut off has not left. Where the OLT tells no times, the box's last Inform
        does.
        """
        down_at = self.down_at
        since = np.where(np.isnan(down_at), self.floats("last_inform"), down_at)
        long_ago = self.sources.now - self.thresholds.line.churned_days * 86_400
        return self.down & ~self.spoken & ~self.shut_off & (since < long_ago)

    @cached_property
    def shut_off(self) -> Bools:
        """Down by the operator's own will: an unpaid bill, not a fault."""
        return self.cause_is["deactivated"] & self.down & ~self.spoken

    @cached_property
    def cause_is(self) -> dict[str, Bools]:
        """For each last-down cause, which boxes have it."""
        causes = self.boxes["cause"].astype(object)
        return {name: (causes == name).to_numpy(dtype=bool) for name in ("deactivated", "rogue")}
