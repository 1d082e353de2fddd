"""What can be read from a CPE: units, physical limits, how fresh it must be."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, RootModel, model_validator

from cpe.domain.observation import Scalar
from cpe.profiles.loading import check, read_yaml

FOLDER: Final = Path(__file__).parent

CONVERSION_UNITS: Final[dict[str, frozenset[str]]] = {
    "tenth_microwatt_to_dbm": frozenset({"dBm"}),
    "tenth_microwatt_mw_to_dbm": frozenset({"dBm"}),
    "rcpi_to_dbm": frozenset({"dBm"}),
    "u8_to_pct": frozenset({"%"}),
    "u256_to_c": frozenset({"°C"}),
    "kbps_to_mbps": frozenset({"Mbit/s"}),
    "bps_to_mbps": frozenset({"Mbit/s"}),
    "bias_2ua_to_ma": frozenset({"mA"}),
    "microamp_to_ma": frozenset({"mA"}),
}
"""Units a conversion can end in; a conversion that is not listed keeps its unit's family."""


NO_READING: Final = frozenset(
    {
        "", "-", "--", "---", "n/a", "na", "nan", "none", "null", "unknown", "invalid", "inf",
        "-inf", "+inf", "no signal", "not available", "not supported",
    }
)  # fmt: skip
"""What devices write in place of a number, without case."""
COARSE: Final = 0.5
"""From this step on a reading's resolution matters to a judgement, in its unit: the limits are
told in tenths."""
_SAME: Final = 0.001


class Kind(StrEnum):
    """How a raw value is parsed."""

    NUMBER = "number"
    TEXT = "text"
    BOOL = "bool"
    TIME = "time"
    MAC = "mac"
    BAND = "band"


class Need(StrEnum):
    """How fresh a reading must be; see quantities.yaml."""

    JUDGED = "judged"
    CONTEXT = "context"
    STATIC = "static"


class Quantity(BaseModel):
    """One line of quantities.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind
    need: Need
    unit: str | None = None
    physical: tuple[float, float] | None = None
    detectable_min: float | None = None
    sentinels: tuple[float, ...] = ()
    fine_sentinels: tuple[float, ...] = ()
    raw_sentinels: tuple[int, ...] = ()

    @model_validator(mode="after")
    def _numbers_have_units_and_limits(self) -> Quantity:
        if (self.kind is Kind.NUMBER) != (self.unit is not None and self.physical is not None):
            raise ValueError("a number, and only a number, has a unit and physical limits")
        if self.physical is not None and not self.physical[0] < self.physical[1]:
            raise ValueError("physical: the lower limit must be below the upper one")
        return self

    def is_detectable(self, value: float) -> bool:
        """Whether a receiver measures so little at all."""
        return self.detectable_min is None or value >= self.detectable_min

    def is_placeholder(self, value: float, resolution: float | None = None) -> bool:
        """Whether a value in this quantity's unit is a device's word for no reading.

        `fine_sentinels` are so only of readings finer than COARSE: in whole dBm 0 may be 0.4.
        """
        words = self.sentinels
        if resolution is None or resolution < COARSE:
            words += self.fine_sentinels
        return any(abs(value - word) < _SAME for word in words)

    def is_raw_placeholder(self, raw: Scalar) -> bool:
        """Whether a whole number, as it was sent, is no reading in any scale (all bits set)."""
        return isinstance(raw, int) and not isinstance(raw, bool) and raw in self.raw_sentinels


class _File(RootModel[dict[Annotated[str, Field(pattern=r"^[a-z]+\.[a-z0-9_]+$")], Quantity]]):
    pass


@cache
def quantities() -> dict[str, Quantity]:
    """All quantities by name. Raises ProfileError."""
    path = FOLDER / "quantities.yaml"
    return check(_File, read_yaml(path), path).root


_SAME_WORDS: Final = {"optical.olt_rx_dbm": "optical.rx_dbm"}
"""What only OLTs measure, and the quantity whose placeholders it shares."""


def placeholders_of(name: str) -> Quantity | None:
    """The quantity that says which values of `name` are placeholders; None for what is not one of
    quantities.yaml."""
    return quantities().get(_SAME_WORDS.get(name, name))
