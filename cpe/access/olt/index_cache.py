"""Where ONTs were last seen, so that finding one again is one GET. The store implements it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from cpe.domain.ont_index import IndexEntry

__all__ = ["IndexEntry", "MemoryIndexCache", "OntIndexCache"]


class OntIndexCache(Protocol):
    """A table (OLT, serial) → index. Both calls may raise StoreError."""

    async def find(self, gpon_serial: str) -> Sequence[IndexEntry]:
        """Every OLT row that ever showed this serial, newest first."""
        ...

    async def remember(self, olt: str, entries: Sequence[IndexEntry], *, complete: bool) -> None:
        """Keep the entries of one OLT; `complete`: what is not among them is no longer there."""
        ...


class MemoryIndexCache:
    """The cache without a store: for tests and for when there is no database."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str, str], IndexEntry] = {}

    async def find(self, gpon_serial: str) -> Sequence[IndexEntry]:
        """Newest first."""
        found = [entry for entry in self._entries.values() if entry.gpon_serial == gpon_serial]
        return sorted(found, key=lambda entry: entry.seen_at, reverse=True)

    async def remember(self, olt: str, entries: Sequence[IndexEntry], *, complete: bool) -> None:
        """Keep; a complete walk replaces all of that OLT."""
        if complete:
            self._entries = {key: e for key, e in self._entries.items() if e.olt != olt}
        for entry in entries:
            self._entries[entry.olt, entry.gpon_serial, entry.index] = entry
