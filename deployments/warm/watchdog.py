"""A thread that sees when the worker's loop stands still, says where, and ends a hopeless process.

Blocking code in one flow holds up every other. After FENCE_S the process ends itself: before any
other machine may take its runs for abandoned (orphans.py), so that none is run by two.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
import time
import traceback
from typing import Final

from cpe.domain.redaction import redact

TELL_S: Final = 1.0
FENCE_S: Final = 60.0
EXIT_CODE: Final = 70
_LOOK_S: Final = 0.25

_log = logging.getLogger(__name__)


class Watchdog:
    """Watches the loop that runs in the thread it is made in."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, fence_s: float = FENCE_S) -> None:
        self._loop, self._fence_s = loop, fence_s
        self._loop_thread = threading.get_ident()
        self._beat = time.monotonic()
        self._stopped = threading.Event()
        self.longest_s = 0.0
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """End it."""
        self._stopped.set()
        self._thread.join(2 * _LOOK_S)

    def _watch(self) -> None:
        told = False
        while not self._stopped.wait(_LOOK_S):
            asked = self._beat
            try:
                self._loop.call_soon_threadsafe(self._answer)
            except RuntimeError:  # the loop is closed
                return
            stood_s = time.monotonic() - asked
            self.longest_s = max(self.longest_s, stood_s - _LOOK_S)
            if stood_s > self._fence_s:
                _log.critical("the loop has stood still for %.0f s: ending", stood_s)
                logging.shutdown()
                os._exit(EXIT_CODE)
            if stood_s > TELL_S and not told:
                told = True
                _log.warning("the loop has stood still for %.1f s at\n%s", stood_s, self._where())
            elif stood_s <= TELL_S:
                told = False

    def _answer(self) -> None:
        self._beat = time.monotonic()

    def _where(self) -> str:
        frame = sys._current_frames().get(self._loop_thread)
        stack = traceback.extract_stack(frame)[-4:] if frame is not None else []
        return redact("\n".join(f"  {f.filename}:{f.lineno} {f.name}" for f in stack))
