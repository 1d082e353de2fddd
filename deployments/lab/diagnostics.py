"""TR-143 DownloadDiagnostics inside a box: asked, run after the session, read when refreshed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

_BYTES_IN_PATH: Final = re.compile(r"/(\d{3,12})(?:[/?]|$)")
_WRAP: Final = 1 << 32
_TCP_S: Final = 0.004


@dataclass(slots=True)
class Download:
    """The state machine of one box. Times are Unix seconds, 0 = never."""

    state: str = "None"
    url: str = ""
    duration_s: float = 0.0
    started_at: float = 0.0
    ends_at: float = 0.0
    error: str = ""
    bytes_received: int = 0
    begin_at: float = 0.0
    end_at: float = 0.0

    def settle(self, now: float, complete: str) -> None:
        """Let time pass: a test that has ended shows its result, or its error over old results."""
        if self.state != "Requested" or not self.ends_at or now < self.ends_at:
            return
        if self.error:
            self.state = self.error
            return
        self.state = complete
        self.begin_at = self.started_at + 2 * _TCP_S
        self.end_at = self.ends_at
        self.bytes_received = self._planned_bytes % _WRAP

    _planned_bytes: int = 0

    def write(self, name: str, value: object) -> None:
        """A parameter of the object was written: a running test stops, its state becomes None."""
        if name == "DownloadURL":
            self.url = str(value)
        if name == "TimeBasedTestDuration":
            self.duration_s = float(str(value))
        if name == "DiagnosticsState":
            self.state = "Requested" if value == "Requested" else "None"
        elif self.state == "Requested" and self.ends_at:
            self.state = "None"
        self.ends_at = 0.0

    def launch(self, now: float, line_mbps: float, default_s: float, wan_up: bool) -> bool:
        """Begin after the session, when asked to. Says whether a test is now running."""
        if self.state != "Requested" or self.ends_at:
            return False
        self.started_at, self.error = now, _refusal(self.url, wan_up)
        if self.error:
            self.ends_at = now + 0.3
            return True
        sized = _BYTES_IN_PATH.search(urlsplit(self.url).path)
        if sized and not self.duration_s:
            self._planned_bytes = int(sized[1])
            seconds = self._planned_bytes * 8 / (line_mbps * 1e6)
        else:
            seconds = self.duration_s or default_s
            self._planned_bytes = int(line_mbps * 1e6 * seconds / 8)
        self.ends_at = now + 2 * _TCP_S + seconds
        return True


def _refusal(url: str, wan_up: bool) -> str:
    """The error state that a URL leads to; nothing is really fetched."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        return "Error_InitConnectionFailed"
    if parts.hostname.endswith(".invalid"):
        return "Error_CannotResolveHostName"
    if not wan_up:
        return "Error_NoRouteToHost"
    if parts.port == 1:
        return "Error_InitConnectionFailed"
    if "/missing" in parts.path:
        return "Error_TransferFailed"
    return ""
