"""Which WiFi channels there are to move to, as data."""

from __future__ import annotations

import re
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


_WIDTH: Final = re.compile(r"(?<!\d)(20|40|80|160|240|320)(?!\d)")
_TWO_BLOCKS: Final = re.compile(r"(?<!\d)80\s*(?:\+|p|plus|_|-)?\s*80(?!\d)")


def widths(text: str | None) -> tuple[int | None, bool]:
    """(the widest that it names in MHz, whether it has a second block somewhere else).

    `20/40/80MHz` is 80 at most, `80+80MHz` two blocks, `Auto` and what nobody knows None.
    """
    told = (text or "").lower()
    if _TWO_BLOCKS.search(told):
        return 80, True
    named = [int(mhz) for mhz in _WIDTH.findall(told)]
    return max(named, default=None), False


def _no_blocks() -> dict[int, tuple[tuple[int, ...], ...]]:
    return {}


class Band(Strict):
    """`centres` with their `reach`, or `blocks` and `radar` blocks, the one to set first.

    `wide` are the blocks that a channel may be by its width in MHz.
    """

    centres: tuple[Channel, ...] = ()
    reach: Annotated[int, Field(ge=0, le=10)] = 0
    blocks: tuple[tuple[Channel, ...], ...] = ()
    radar: tuple[tuple[Channel, ...], ...] = ()
    radar_as_dbm: Annotated[float, Field(ge=-110, le=0)] = -65.0
    wide: dict[int, tuple[tuple[Channel, ...], ...]] = Field(default_factory=_no_blocks)

    @model_validator(mode="after")
    def _one_of_both(self) -> Band:
        if bool(self.centres) == bool(self.blocks):
            raise ValueError("a band has centres or blocks")
        taken = [channel for block in (*self.blocks, *self.radar) for channel in block]
        if len(taken) != len(set(taken)):
            raise ValueError("blocks: a channel is in two of them")
        return self

    def may_need_radar(
        self, channel: int | None, width: str | None, possible: frozenset[int]
    ) -> bool:
        """Whether a radio on this channel may have to listen for radar before it sends.

        `channel` is its primary one, None when the box chooses or nobody knows; `width` is what
        the box calls it (see `widths`); `possible` the channels that it may use, empty when
        unknown. What is unknown is taken as the most that it may be.
        """
        radar = frozenset(c for listed in self.radar for c in listed)
        if not radar:
            return False
        usable = radar & possible if possible else radar
        mhz, second_block = widths(width)
        if channel is None or second_block:
            return bool(usable)
        if channel in radar:
            return True
        if mhz is not None:
            return not radar.isdisjoint(self._air(channel, mhz))
        airs = (self._air(channel, wide) for wide in self.wide)
        return any(radar & air for air in airs if not possible or air <= possible)

    def _air(self, channel: int, mhz: int) -> frozenset[int]:
        """The 20 MHz channels of the block that the channel belongs to at this width."""
        blocks = self.wide.get(mhz, ())
        return frozenset(next((b for b in blocks if channel in b), (channel,)))

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
