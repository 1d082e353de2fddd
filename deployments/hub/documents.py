"""Kept answers as bytes: made once, sent often."""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from cpe.store.repository import Store

HELD: Final = 256
"""Answers of some 60 kB each."""


@dataclass(frozen=True, slots=True)
class Document:
    """An answer `cpe.diagnosis/1`. `read_at`: when its box was read, or asked in vain."""

    id: str
    body: bytes
    read_at: datetime

    def age_s(self, now: datetime) -> float:
        """Seconds since then; 0 for what a clock ahead of ours has read."""
        return max(0.0, round((now - self.read_at).total_seconds(), 3))


class Documents:
    """Of one hub process. An answer never changes once it is kept."""

    def __init__(self, store: Store) -> None:
        self._hub = store.hub()
        self._held: OrderedDict[str, Document] = OrderedDict()

    async def get(self, diagnosis_id: str) -> Document | None:
        """The answer of that id, None when none is kept."""
        if (held := self._held.get(diagnosis_id)) is not None:
            self._held.move_to_end(diagnosis_id)
            return held
        found = await self._hub.document(diagnosis_id)
        if found is None:
            return None
        document = Document(diagnosis_id, encoded(found), _read_at(found))
        self._held[diagnosis_id] = document
        if len(self._held) > HELD:
            self._held.popitem(last=False)
        return document

    async def latest(self, serial: str) -> Document | None:
        """The last answer about a box, by whatever name."""
        latest = await self._hub.latest(serial)
        return await self.get(latest.id) if latest is not None else None


def encoded(content: Any) -> bytes:
    """JSON as the API sends it."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _read_at(document: dict[str, Any]) -> datetime:
    """A box that was fresh had been read before it was asked for; every other, then at best."""
    asked = datetime.fromisoformat(document["requested_at"])
    freshness = document["freshness"]
    if freshness["outcome"] == "fresh" and freshness["age_s"] is not None:
        return asked - timedelta(seconds=freshness["age_s"])
    return asked
