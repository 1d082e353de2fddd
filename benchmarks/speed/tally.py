"""Times, their medians, and what is claimed of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class Times:
    """Durations of one thing, in ms."""

    ms: list[float] = field(default_factory=list)

    async def take(self, work: Awaitable[T]) -> T:
        """Await the work and keep how long it took."""
        started = time.perf_counter()
        result = await work
        self.since(started)
        return result

    def since(self, started: float) -> None:
        """Keep how long it is since that moment of `time.perf_counter`."""
        self.ms.append((time.perf_counter() - started) * 1000)

    def drop(self, warm_up: int) -> None:
        """Forget the first ones."""
        del self.ms[:warm_up]

    @property
    def median(self) -> float:
        return statistics.median(self.ms)

    def __str__(self) -> str:
        low, _, high = statistics.quantiles(self.ms, n=4)
        return f"{self.median:.0f} ms ({low:.0f}-{high:.0f})"


@dataclass(frozen=True, slots=True)
class Claim:
    """A number and the most it may be."""

    what: str
    value: float
    limit: float
    how: str
    unit: str = "x"

    @property
    def holds(self) -> bool:
        return self.value <= self.limit

    def __str__(self) -> str:
        verdict = "ok" if self.holds else "MISSED"
        number = f"{self.value:.2f}{self.unit}, at most {self.limit:g}{self.unit}"
        return f"{self.what}: {number}  {verdict}\n    {self.how}"
