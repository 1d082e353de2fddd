"""The words of a sweep's report, apart from those of a diagnosis: these change no verdict."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from cpe.domain.finding import Text
from cpe.profiles.loading import check, read_yaml
from cpe.profiles.quantities import FOLDER
from cpe.profiles.wording import Phrase, wording

FILE: Final = FOLDER / "sweep_words.yaml"


class SweepWords(BaseModel):
    """Phrases by key, French and English."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    phrases: dict[str, Phrase]


@cache
def sweep_words(path: Path = FILE) -> SweepWords:
    """The shipped words. Raises ProfileError."""
    return check(SweepWords, {"phrases": read_yaml(path)}, path)


def said(text: str) -> Text:
    """What the answer says in English of what was not read or not done, in both languages.

    A message that nobody translated stays as it is.
    """
    system, colon, rest = text.partition(": ")
    if colon and system == "acs":
        return Text(f"ACS : {said(rest).fr}", f"ACS: {rest}")
    for pattern, french in _messages():
        if (found := pattern.fullmatch(text)) is not None:
            return Text(
                french.format(**{k: _number(v) for k, v in found.groupdict().items()}), text
            )
    return wording().detail(text)


def _number(text: str) -> str:
    """66.7 and 12% as French writes them."""
    if not re.fullmatch(r"[\d.]+%?", text):
        return text
    return text.replace(".", ",").replace("%", " %")


@cache
def _messages() -> list[tuple[re.Pattern[str], str]]:
    phrases = (p for key, p in sweep_words().phrases.items() if key.startswith("said_"))
    return [(_pattern(phrase.en), phrase.fr) for phrase in phrases]


def _pattern(english: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+?)", re.escape(english)))
