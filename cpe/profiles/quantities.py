"""What can be read from a CPE: units, physical limits, how fresh it must be."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, RootModel, model_validator

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

    @model_validator(mode="after")
    def _numbers_have_units_and_limits(self) -> Quantity:
        if (self.kind is Kind.NUMBER) != (self.unit is not None and self.physical is not None):
            raise ValueError("a number, and only a number, has a unit and physical limits")
        if self.physical is not None and not self.physical[0] < self.physical[1]:
            raise ValueError("physical: the lower limit must be below the upper one")
        return self


class _File(RootModel[dict[Annotated[str, Field(pattern=r"^[a-z]+\.[a-z0-9_]+$")], Quantity]]):
    pass


@cache
def quantities() -> dict[str, Quantity]:
    """All quantities by name. Raises ProfileError."""
    path = FOLDER / "quantities.yaml"
    return check(_File, read_yaml(path), path).root
