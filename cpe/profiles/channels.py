"""Which WiFi channels there are to move to, as data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, RootModel, model_validator

from cpe.profiles.cpe_profile import Strict
from cpe.profiles.loading import check, read_yaml
from cpe.profiles.quantities import FOLDER

FILE: Final = FOLDER / "channels.yaml"
Channel = Annotated[int, Field(ge=1, le=253)]


@dataclass(frozen=True, slots=True)
class Choice:
    """A channel to set, those that it shares the air with, and what speaks against it, in mW."""

    channel: int
    air: frozenset[int]
    handicap_mw: float


class Band(Strict):
    """`centres` with their `reach`, or `blocks` and `radar` blocks, the one to set first."""

    centres: tuple[Channel, ...] = ()
    reach: Annotated[int, Field(ge=0, le=10)] = 0
    blocks: tuple[tuple[Channel, ...], ...] = ()
    radar: tuple[tuple[Channel, ...], ...] = ()
    radar_as_dbm: Annotated[float, Field(ge=-110, le=0)] = -65.0

    @model_validator(mode="after")
    def _one_of_both(self) -> Band:
        if bool(self.centres) == bool(self.blocks):
            raise ValueError("a band has centres or blocks")
        taken = [channel for block in (*self.blocks, *self.radar) for channel in block]
        if len(taken) != len(set(taken)):
            raise ValueError("blocks: a channel is in two of them")
        return self

    def choices(self, possible: frozenset[int]) -> tuple[Choice, ...]:
        """What a box that may use these channels can be set to, the best first."""
        handicap_mw = 10 ** (self.radar_as_dbm / 10)
        listed = [
            *(Choice(block[0], frozenset(block), 0.0) for block in self.blocks),
            *(Choice(block[0], frozenset(block), handicap_mw) for block in self.radar),
        ]
        reach = self.reach
        centred = [Choice(c, frozenset(range(c - reach, c + reach + 1)), 0.0) for c in self.centres]
        return (
            *(choice for choice in listed if choice.air <= possible),
            *(choice for choice in centred if choice.channel in possible),
        )


class _File(RootModel[dict[str, Band]]):
    pass


@cache
def channel_plan(path: Path = FILE) -> dict[str, Band]:
    """By band: `2.4`, `5`, `6`. Raises ProfileError."""
    return check(_File, read_yaml(path), path).root
