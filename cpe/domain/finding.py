"""What a rule says: a status, one sentence in two languages, and the evidence for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cpe.domain.observation import Scalar, Source


class Status(StrEnum):
    """A finding's status. Not ordered: UNKNOWN is neither better nor worse than FAULT."""

    OK = "ok"
    DEGRADED = "degraded"
    FAULT = "fault"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence in the operator's two languages."""

    fr: str
    en: str

    def of(self, language: str) -> str:
        """The sentence in one of them."""
        return self.fr if language == "fr" else self.en


@dataclass(frozen=True, slots=True)
class Evidence:
    """One reading behind a finding: what was read, what was expected, unit, source, age.

    `fits` says whether this reading meets the expectation, None where that makes no sense: among
    the evidence of one fault most readings may be good.
    """

    what: str
    actual: Scalar
    expected: str
    unit: str | None
    source: Source | None
    age_s: float | None
    path: str | None = None
    subject: str = ""
    measured_at: datetime | None = None
    fits: bool | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule's answer. `cause` is the verdict code this finding speaks for (FAULT only);
    `reason` says in English why it could not be evaluated (UNKNOWN only)."""

    rule: str
    status: Status
    text: Text
    evidence: tuple[Evidence, ...] = ()
    cause: str | None = None
    reason: str = ""
