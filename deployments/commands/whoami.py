"""Who runs the command, for the record."""

from __future__ import annotations

import getpass


def whoami() -> str:
    """`cli:NAME`; `cli` where the machine does not know who it is."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return "cli"
