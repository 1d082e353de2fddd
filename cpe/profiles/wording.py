"""The operator's words, French and English side by side, as data."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cpe.domain.finding import Text
from cpe.profiles.loading import check, read_yaml
from cpe.profiles.quantities import FOLDER

FILE: Final = FOLDER / "wording.yaml"
Params = dict[str, object]
_FRENCH_MARKS: Final = {": ": " : ", "; ": " ; "}


class Phrase(BaseModel):
    """One sentence in both languages; both must name the same `{placeholders}`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fr: Annotated[str, Field(min_length=1)]
    en: Annotated[str, Field(min_length=1)]

    @model_validator(mode="after")
    def _same_placeholders(self) -> Phrase:
        if _fields(self.fr) != _fields(self.en):
            raise ValueError("fr and en name different placeholders")
        return self

    def fill(self, **params: object) -> Text:
        """The sentence with numbers written as each language writes them."""
        return Text(
            fr=self.fr.format(**{k: _fr(v) for k, v in params.items()}),
            en=self.en.format(**{k: _en(v) for k, v in params.items()}),
        )


def _fields(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


def number_fr(value: float) -> str:
    """−27.3 → « −27,3 »."""
    return number_en(value).replace(".", ",")


def number_en(value: float) -> str:
    """At most two decimals, a real minus sign."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text.replace("-", "−")


def age_text(age_s: float | None) -> Text:
    """`12 s`, `5 min`, `3 h`, `2 j` / `2 d`; `?` when unknown."""
    if age_s is None:
        return Text("?", "?")
    for size, fr, en in ((86_400, "j", "d"), (3_600, "h", "h"), (60, "min", "min")):
        if age_s >= 2 * size:
            return Text(f"{age_s / size:.0f} {fr}", f"{age_s / size:.0f} {en}")
    return Text(f"{age_s:.0f} s", f"{age_s:.0f} s")


def _fr(value: object) -> str:
    if isinstance(value, Text):
        return value.fr
    if isinstance(value, float | int) and not isinstance(value, bool):
        return number_fr(value)
    return str(value)


def _en(value: object) -> str:
    if isinstance(value, Text):
        return value.en
    if isinstance(value, float | int) and not isinstance(value, bool):
        return number_en(value)
    return str(value)


class Wording(BaseModel):
    """All phrases: per rule (its title) and case, per verdict, action, reason and label."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    titles: dict[str, Phrase]
    rules: dict[str, dict[str, Phrase]]
    verdicts: dict[str, Phrase]
    actions: dict[str, Phrase]
    reasons: dict[str, Phrase]
    labels: dict[str, Phrase]
    quantities: dict[str, Phrase]
    steps: dict[str, Phrase]
    details: dict[str, str]
    """English words of sources that stand inside a sentence, and their French."""
    values: dict[str, Phrase]
    outcomes: dict[str, Phrase]

    def quantity(self, name: str) -> Text:
        """What people call a quantity; its own name when nobody named it."""
        return _worded(self.quantities, name)

    def step(self, name: str) -> Text:
        """What people are told while a step goes on; its own name when nobody worded it."""
        return _worded(self.steps, name)

    def outcome(self, name: str) -> Text:
        """What became of asking a source."""
        return _worded(self.outcomes, name)

    def source(self, name: str | None) -> Text:
        """What people call a source; a dash for none."""
        if name is None:
            return Text("–", "–")
        label = self.labels.get(f"source_{name}")
        return label.fill() if label is not None else Text(name, name)

    def subject(self, subject: str) -> Text:
        """What a reading is about, without our word for its kind: `radio:2.4` is 2.4 GHz."""
        kind, _, name = subject.partition(":")
        if kind == "radio" and re.fullmatch(r"\d+(\.\d+)?", name):
            return Text(f"{name.replace('.', ',')} GHz", f"{name} GHz")
        return Text(name or subject, name or subject)

    def actual(self, value: object) -> Text:
        """What was read, as evidence holds it: a number, a code, or what a box says, untouched."""
        if value is None:
            return Text("–", "–")
        if isinstance(value, float):
            return Text(number_fr(value), number_en(value))
        if isinstance(value, bool):
            return self._coded(str(value).lower())
        return self._coded(str(value))

    def expected(self, wanted: str) -> Text:
        """What a rule wants to read: a code, or bounds like `0.5..5`."""
        said = self._coded(wanted)
        return Text(re.sub(r"(?<=\d)\.(?=\d)", ",", said.fr), said.en)

    def detail(self, text: str) -> Text:
        """What a source said of its failure, in both languages as far as it is known."""
        parts = re.split(r"(: |; | \()", text)
        told = (self.details.get(part, part) for part in parts)
        return Text(fr="".join(_FRENCH_MARKS.get(part, part) for part in told), en=text)

    def _coded(self, raw: str) -> Text:
        """A code, maybe with its cause: `los (fibre)`."""
        if (label := self.labels.get(f"wan_error_{raw}")) is not None:
            return label.fill()
        state, _, cause = raw.removesuffix(")").partition(" (")
        if not cause or {state, cause} - self.values.keys():
            return _worded(self.values, raw)
        first, second = self.values[state].fill(), self.values[cause].fill()
        if state == cause:
            return first
        return Text(f"{first.fr} ({second.fr})", f"{first.en} ({second.en})")


def _worded(phrases: dict[str, Phrase], name: str) -> Text:
    phrase = phrases.get(name)
    return phrase.fill() if phrase is not None else Text(name, name)


@cache
def wording(path: Path = FILE) -> Wording:
    """The shipped wording. Raises ProfileError."""
    return check(Wording, read_yaml(path), path)
