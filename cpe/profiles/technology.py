"""Which PON technology a box is of: from what it says itself, what its OLT says, or its model."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, RootModel, model_validator

from cpe.domain.snapshot import Snapshot
from cpe.profiles.loading import check, read_yaml
from cpe.profiles.quantities import FOLDER

PON_MODE: Final = "optical.pon_mode"
"""The quantity that holds what a source calls the technology, in its own words."""
_SPACED: Final = re.compile(r"[\s_.\-/]*")


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    names: Annotated[tuple[str, ...], Field(min_length=1)]
    models: tuple[str, ...] = ()
    known_limits: bool = True

    @model_validator(mode="after")
    def _models_are_expressions(self) -> _Entry:
        for pattern in self.models:
            re.compile(pattern)
        return self


class _File(RootModel[dict[str, _Entry]]):
    pass


@dataclass(frozen=True, slots=True)
class Technology:
    """`name` is None when nothing tells it, what tells it contradicts itself, or no limit is known
    for it; `said` is then what was said, for people."""

    name: str | None
    said: str = ""


@cache
def _entries() -> dict[str, _Entry]:
    path = FOLDER / "technologies.yaml"
    return check(_File, read_yaml(path), path).root


@cache
def _names() -> tuple[tuple[re.Pattern[str], str], ...]:
    """An expression for each name, the longest first."""
    pairs = [(name, key) for key, entry in _entries().items() for name in entry.names]
    pairs.sort(key=lambda pair: -len(re.sub(r"\W|_", "", pair[0])))
    return tuple((_expression(name), key) for name, key in pairs)


def _expression(name: str) -> re.Pattern[str]:
    """The name as a word of a text, whatever stands between its letters and digits."""
    letters = re.sub(r"\W|_", "", name)
    body = _SPACED.pattern.join(re.escape(letter) for letter in letters)
    after = r"(?![a-z])" if letters[-1].isalpha() else r"(?!\d)"
    return re.compile(rf"(?<![a-z0-9]){body}{after}", re.IGNORECASE)


def technologies() -> tuple[str, ...]:
    """The technologies for which there are limits."""
    return tuple(name for name, entry in _entries().items() if entry.known_limits)


@cache
def technology_named(text: str) -> str | None:
    """The technology that a text names, strangers included; None when it names none or several."""
    rest, found = text, set[str]()
    for expression, key in _names():
        rest, count = expression.subn(" ", rest)
        if count:
            found.add(key)
    return found.pop() if len(found) == 1 else None


@cache
def technology_of_model(model: str) -> str | None:
    """The technology of a model that exists in one only."""
    return next((k for k, e in _entries().items() for p in e.models if re.search(p, model)), None)


def choose_technology(statements: Iterable[str], model: str | None) -> Technology:
    """What the statements of all sources agree on; without any, what the model tells."""
    said = {named: text for text in statements if (named := technology_named(text)) is not None}
    if len(said) > 1:
        return Technology(None, " / ".join(sorted(said)))
    name = next(iter(said), None) or (technology_of_model(model) if model else None)
    if name is None or not _entries()[name].known_limits:
        return Technology(None, name or "")
    return Technology(name)


def technology_of(snapshot: Snapshot) -> Technology:
    """The technology that the box, its OLT and its model tell."""
    statements = [str(m.value) for m in snapshot.measurements if m.name == PON_MODE and m.usable]
    sighting = snapshot.olt.sighting if snapshot.olt is not None else None
    if sighting is not None and sighting.technology is not None:
        statements.append(sighting.technology)
    return choose_technology(statements, snapshot.device.model)
