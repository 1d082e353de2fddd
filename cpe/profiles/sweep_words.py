"""The words of a sweep's report, apart from those of a diagnosis: these change no verdict."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from cpe.profiles.loading import check, read_yaml
from cpe.profiles.quantities import FOLDER
from cpe.profiles.wording import Phrase

FILE: Final = FOLDER / "sweep_words.yaml"


class SweepWords(BaseModel):
    """Phrases by key, French and English."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    phrases: dict[str, Phrase]


@cache
def sweep_words(path: Path = FILE) -> SweepWords:
    """The shipped words. Raises ProfileError."""
    return check(SweepWords, {"phrases": read_yaml(path)}, path)
