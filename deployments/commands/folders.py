"""Folders of ours that a command cannot do without."""

from __future__ import annotations

import os
from pathlib import Path

from deployments.commands.console import complain


def is_ours_to_write(folder: Path) -> bool:
    """Whether the folder is there, made when it is missing, and takes files; else it is said."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        complain(f"{folder} cannot be made: {error.strerror} (CPE_HOME names another place)")
        return False
    if not os.access(folder, os.W_OK):
        complain(f"{folder} cannot be written (CPE_HOME names another place)")
        return False
    return True
