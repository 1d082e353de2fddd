"""What sessions left behind for one box, and the parameter model it has."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from deployments.lab import tr098, tr181
from deployments.lab.parameters import Shape, Template, Value
from deployments.lab.truth import Family, IsoDate


@lru_cache(maxsize=64)
def template_of(shape: Shape) -> Template:
    """The parameter model of a shape."""
    if shape.family is Family.XX230V:
        return tr181.template(
            shape.operator_firmware, shape.satellites, shape.stations, shape.optics,
            shape.neighbours,
        )  # fmt: skip
    return tr098.template(shape.family, shape.stations, shape.optics)


@dataclass(slots=True)
class Record:
    """What sessions left behind for one box."""

    read: dict[str, tuple[Value, IsoDate]] = field(default_factory=dict[str, tuple[Value, IsoDate]])
    objects: dict[str, IsoDate] = field(default_factory=dict[str, IsoDate])
    """Objects whose children were listed by a task, and when."""
    listed: Shape | None = None
    """Which rows the box had when a task last listed its tables, at `listed_at`."""
    listed_at: float = 0.0
    last_session: float = 0.0
    forgotten: bool = False
    """The cached model was cleared: only the Inform and what was read since is known."""
    registered: float | None = None
    booted: float | None = None
    bootstrapped: float | None = None
    tags: list[str] | None = None
    absent_until: float = 0.0
