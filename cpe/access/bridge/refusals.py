"""Which modems refused our login: nobody tries again and locks the customer out.

A modem locks everybody out for minutes after five failures (seen on siblings). The memory is a
file, so that it outlives the process: a worker may have one for each run. It holds a salted hash of
the login, so that a new password is tried, and nothing else of it.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import secrets
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from cpe.access.bridge.interface import Login

REFUSED_S: Final = 24 * 3600.0
UNCLEAR_S: Final = 900.0
"""A login whose end nobody saw may have failed as well: three lock-out times."""
MOST: Final = 2000


@dataclass(frozen=True, slots=True)
class Refusal:
    """When a login to a modem went wrong, and whether it was refused outright."""

    at: float
    outright: bool


class Refusals:
    """The memory of one machine. Without a folder it lasts as long as the process."""

    def __init__(self, folder: Path | None, clock: Callable[[], float] = time.time) -> None:
        self._file = folder / "refusals.json" if folder is not None else None
        self._clock = clock
        self._here: dict[str, Any] = {}

    def standing(self, url: str, login: Login) -> Refusal | None:
        """The refusal of this very login that still stands."""
        known = self._load()
        entry = known.get(url)
        if not isinstance(entry, dict):
            return None
        kept = cast("dict[str, Any]", entry)
        try:
            refusal = Refusal(float(kept["at"]), bool(kept["outright"]))
            same = hmac.compare_digest(_digest(login, str(kept["salt"])), str(kept["login"]))
        except (KeyError, TypeError, ValueError):
            return None
        age_s = self._clock() - refusal.at
        limit_s = REFUSED_S if refusal.outright else UNCLEAR_S
        return refusal if same and 0 <= age_s < limit_s else None

    def note(self, url: str, login: Login, *, outright: bool) -> None:
        """Remember a login that went wrong."""
        salt = secrets.token_hex(8)
        known = self._load()
        known[url] = {
            "at": self._clock(), "outright": outright, "salt": salt, "login": _digest(login, salt),
        }  # fmt: skip
        self._save(known)

    def forget(self, url: str) -> None:
        """A login went well."""
        known = self._load()
        if known.pop(url, None) is not None:
            self._save(known)

    def _load(self) -> dict[str, Any]:
        if self._file is None:
            return dict(self._here)
        try:
            content: object = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return dict(self._here)
        return cast("dict[str, Any]", content) if isinstance(content, dict) else {}

    def _save(self, known: dict[str, Any]) -> None:
        newest = sorted(known.items(), key=lambda item: -_at(item[1]))[:MOST]
        self._here = dict(newest)
        if self._file is None:
            return
        with contextlib.suppress(OSError):  # this process still knows
            self._file.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._file.parent)  # mode 0600
            with os.fdopen(handle, "w", encoding="utf-8") as out:
                json.dump(self._here, out)
            Path(name).replace(self._file)


def _at(entry: object) -> float:
    at = cast("dict[str, Any]", entry).get("at") if isinstance(entry, dict) else None
    return float(at) if isinstance(at, int | float) else 0.0


def _digest(login: Login, salt: str) -> str:
    text = f"{login.user}\0{login.password}".encode()
    return hashlib.scrypt(text, salt=salt.encode(), n=4096, r=8, p=1, dklen=16).hex()
