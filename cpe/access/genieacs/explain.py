"""Why a box is of its family, and which path fed each reading: what was tried, and why it lost.

Reads what the ACS has; nothing is asked of the box.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from cpe.access.genieacs.document import Document, Leaf, column_path, instances, leaf_at, text_at
from cpe.access.genieacs.family import choose_family, data_model, why_it_matches
from cpe.access.genieacs.normalise import Reading, known_age_s, normalise
from cpe.domain.observation import Measurement, Quality, Scalar
from cpe.profiles.cpe_profile import Candidate, CpeProfile, profiles
from cpe.profiles.quantities import Need, Quantity, quantities
from cpe.profiles.scalar import read_scalar


@dataclass(frozen=True, slots=True)
class FamilyTried:
    """One family, in the order in which they are tried. `matches`: by what, empty when not."""

    id: str
    matches: str
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Tried:
    """One place where a quantity may be. `why`: why it was not taken; empty for what was.

    `age_s` is the ACS's; `own`: the operator gave this candidate.
    """

    path: str
    conversion: str
    raw: Scalar
    value: Scalar
    quality: Quality
    measured_at: datetime | None
    age_s: float | None
    own: bool
    why: str


@dataclass(frozen=True, slots=True)
class Explained:
    """One quantity of one subject: the reading that counts, and all that was tried for it."""

    reading: Measurement
    need: Need
    tried: tuple[Tried, ...]


def explain_family(document: Document) -> tuple[FamilyTried, ...]:
    """Each family up to the one that a document is of; all of them when it is of none."""
    root, chosen = data_model(document), choose_family(document)
    tried: list[FamilyTried] = []
    for profile in profiles():
        if profile is chosen:
            return (*tried, FamilyTried(profile.id, why_it_matches(profile, document)))
        match = profile.match
        if match.root != root:
            tried.append(FamilyTried(profile.id, "", f"for {match.root}, the box has {root}"))
            continue
        asked = {"manufacturer": match.manufacturer, "model": match.model}
        said = [f"{name} is not {pattern}" for name, pattern in asked.items() if pattern]
        said += [f"the ACS has no {path}" for path in match.has]
        tried.append(FamilyTried(profile.id, "", ", ".join(said)))
    return tuple(tried)


def identity_lacking(document: Document, profile: CpeProfile) -> dict[str, tuple[str, ...]]:
    """What of its identity the ACS does not know, and where the family would read it."""
    groups: Mapping[str, tuple[str, ...]] = profile.identity.model_dump(exclude={"ip"})
    return {
        name: paths
        for name, paths in groups.items()
        if paths and not any(text_at(document, path) for path in paths)
    }


def explain_readings(
    document: Document, profile: CpeProfile, *, now: datetime, limit_s: float
) -> tuple[Explained, ...]:
    """Every quantity of the profile in its order. `now` is the ACS's clock."""
    readings = normalise(document, profile, now=now, limit_s=limit_s)
    places = list(_places(document, profile))
    return tuple(
        Explained(
            reading.measurement,
            reading.need,
            tuple(_tried(reading, places, now=now, limit_s=limit_s)),
        )
        for reading in readings
    )


def _places(
    document: Document, profile: CpeProfile
) -> Iterator[tuple[str, Candidate, str, Leaf | None]]:
    """(quantity, candidate, path, leaf) of all that a quantity may be read from."""
    for name, candidates in profile.quantities.items():
        for candidate in candidates:
            paths = list(instances(document, candidate.path)) or [candidate.path]
            yield from ((name, candidate, path, leaf_at(document, path)) for path in paths)
    for table in profile.tables:
        for row in instances(document, table.rows):
            for name, candidates in table.columns.items():
                for candidate in candidates:
                    if (path := column_path(document, row, candidate.path)) is not None:
                        yield name, candidate, path, leaf_at(document, path)


def _tried(
    reading: Reading,
    places: list[tuple[str, Candidate, str, Leaf | None]],
    *,
    now: datetime,
    limit_s: float,
) -> Iterator[Tried]:
    taken = reading.measurement
    quantity = quantities()[taken.name]
    is_found = False
    for name, candidate, path, leaf in places:
        if name != taken.name or (taken.subject and path not in reading.paths):
            continue
        value, quality, note = _read(leaf, candidate, quantity)
        at = leaf.timestamp if leaf is not None else None
        age_s = known_age_s((now - at).total_seconds()) if at is not None else None
        if quality is Quality.OK and quantity.need is Need.JUDGED:
            is_old = age_s is None or age_s > limit_s
            quality, note = (
                (Quality.STALE, f"older than {limit_s:g} s") if is_old else (quality, "")
            )
        is_taken = (
            not is_found
            and (path, quality) == (taken.path, taken.quality)
            and taken.conversion in (None, candidate.conversion)
        )
        is_found = is_found or is_taken
        why = "" if is_taken else note or f"comes after {taken.path}"
        raw = leaf.value if leaf is not None else None
        yield Tried(
            path, candidate.conversion, raw, value, quality, at, age_s, candidate.own, why
        )  # fmt: skip


def _read(
    leaf: Leaf | None, candidate: Candidate, quantity: Quantity
) -> tuple[Scalar, Quality, str]:
    if leaf is None:
        return None, Quality.NOT_READ, "the ACS has no such parameter"
    if not leaf.read:
        return None, Quality.NOT_READ, "the ACS never read it"
    return read_scalar(leaf.value, candidate, quantity)
