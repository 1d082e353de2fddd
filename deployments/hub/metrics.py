"""`/metrics`, in Prometheus's format. What is not known is absent, never 0.

Counters begin at 0 with the process and count every diagnosis our database has taken since,
whoever asked for it: of several hubs on one database look at one.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily

from cpe.store.repository import Store
from deployments.hub.gauges import last_sweep_age_s, swaps_waiting
from deployments.hub.prefect_api import PrefectApi, PrefectUnavailableError
from deployments.hub.swap_desk import SwapDesk

SECONDS: Final = (0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120)
OVERLAP_S: Final = 30.0
"""A diagnosis is kept a moment after it has ended: that far back is looked again."""
AT_ONCE: Final = 2000
HELD_S: Final = 5.0
"""Gauges are read once for scrapes that come together."""


class Metrics:
    """Of one hub process."""

    def __init__(self, store: Store, prefect: PrefectApi, desk: SwapDesk) -> None:
        self._store, self._hub, self._prefect, self._desk = store, store.hub(), prefect, desk
        self._registry = CollectorRegistry()
        self._diagnoses = Counter(
            "cpe_diagnoses", "Diagnoses by verdict.", ["verdict"], registry=self._registry
        )
        self._duration = Histogram(
            "cpe_diagnosis_duration_seconds",
            "From the request to the verdict.",
            registry=self._registry,
            buckets=SECONDS,
        )
        self._sources = Histogram(
            "cpe_source_duration_seconds",
            "What each source took, by how it fared.",
            ["source", "outcome"],
            registry=self._registry,
            buckets=SECONDS,
        )
        self._registry.register(_Gauges(self))
        self._began = self._since = datetime.now(UTC)
        self._counted: dict[str, datetime] = {}
        self._read_at = 0.0
        self.values: dict[str, dict[tuple[str, ...], float]] = {}

    async def page(self) -> bytes:
        """What is scraped. Raises StoreError."""
        await self._count()
        if time.monotonic() - self._read_at > HELD_S:
            self.values = await self._gauges()
            self._read_at = time.monotonic()
        return generate_latest(self._registry)

    async def _count(self) -> None:
        while True:
            back = self._since - timedelta(seconds=OVERLAP_S)
            found = await self._hub.finished_since(back, limit=AT_ONCE)
            new = [d for d in found if d.id not in self._counted and d.finished_at >= self._began]
            for diagnosis in new:
                self._counted[diagnosis.id] = diagnosis.finished_at
                self._diagnoses.labels(diagnosis.verdict).inc()
                self._duration.observe(diagnosis.duration_ms / 1000)
                for source in diagnosis.sources:
                    labels = (source["name"], source["outcome"])
                    self._sources.labels(*labels).observe(source["duration_ms"] / 1000)
            if new:
                self._since = max(self._since, *(d.finished_at for d in new))
            limit = self._since - timedelta(seconds=2 * OVERLAP_S)
            self._counted = {i: at for i, at in self._counted.items() if at > limit}
            if len(found) < AT_ONCE or not new:
                return

    async def _gauges(self) -> dict[str, dict[tuple[str, ...], float]]:
        values: dict[str, dict[tuple[str, ...], float]] = {}
        try:
            depth = await self._prefect.queue_depth()
            values["cpe_queue_runs"] = {(state,): float(n) for state, n in depth.items()}
        except PrefectUnavailableError:
            pass
        values["cpe_callbacks_waiting"] = {(): float(await self._hub.outbox.waiting())}
        if (waiting := await swaps_waiting(self._desk)) is not None:
            values["cpe_swaps_waiting"] = {(): float(waiting)}
        if (age_s := await last_sweep_age_s(self._store, datetime.now(UTC))) is not None:
            values["cpe_last_sweep_age_seconds"] = {(): age_s}
        return values


_TOLD: Final = {
    "cpe_queue_runs": ("Flow runs of the pool, due and waiting, or running.", ["state"]),
    "cpe_callbacks_waiting": ("Calls back that are still to be made.", []),
    "cpe_swaps_waiting": ("Open swaps in which a person has the next word.", []),
    "cpe_last_sweep_age_seconds": ("Seconds since the last sweep of the fleet ended.", []),
}


class _Gauges:
    """Hands what was read to Prometheus's client."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for name, samples in self._metrics.values.items():
            told, labels = _TOLD[name]
            family = GaugeMetricFamily(name, told, labels=labels)
            for key, value in samples.items():
                family.add_metric(list(key), value)
            yield family
