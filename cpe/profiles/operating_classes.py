"""IEEE 802.11 operating classes as data: what a class says of a radio."""

from __future__ import annotations

from functools import cache
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, RootModel

from cpe.profiles.loading import check, read_yaml
from cpe.profiles.quantities import FOLDER

FILE: Final = FOLDER / "operating_classes.yaml"


class OperatingClass(BaseModel):
    """One class: its band and the width of the block that its channel numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    band: Literal["2.4", "5", "6"]
    width_mhz: int


class _File(RootModel[dict[str, OperatingClass]]):
    pass


@cache
def operating_classes() -> dict[str, OperatingClass]:
    """By class number, as text. Raises ProfileError."""
    return check(_File, read_yaml(FILE), FILE).root
