"""The words for swaps, French and English side by side, as data."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from cpe.domain.finding import Text
from cpe.profiles.loading import check, read_yaml
from cpe.profiles.quantities import FOLDER
from cpe.profiles.wording import Phrase

FILE: Final = FOLDER / "swap_wording.yaml"


class SwapWording(BaseModel):
    """All phrases, by the code they speak for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kinds: dict[str, Phrase]
    states: dict[str, Phrase]
    outcomes: dict[str, Phrase]
    results: dict[str, Phrase]
    decisions: dict[str, Phrase]
    permissions: dict[str, Phrase]
    says: dict[str, Phrase]
    whys: dict[str, Phrase]
    refusals: dict[str, Phrase]
    texts: dict[str, Phrase]
    labels: dict[str, Phrase]


@cache
def swap_wording(path: Path = FILE) -> SwapWording:
    """The shipped wording. Raises ProfileError."""
    return check(SwapWording, read_yaml(path), path)


def both(text: Text) -> str:
    """On one line: « français · English »."""
    return f"{text.fr} · {text.en}"
