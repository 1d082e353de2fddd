"""Which programs of the machine a marked test needs, and what happens when one is missing.

On a developer's machine such a test is skipped with the reason; in CI (`CI=true`) it fails, so a
missing install step can't hide behind a green run.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_POSTGRES_FOLDERS = Path("/usr/lib/postgresql")
"""Debian keeps initdb and postgres here, one folder a major version, and not on the PATH."""
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


def postgres_bin() -> Path | None:
    """The folder of the newest PostgreSQL server binaries, or None."""
    versions = [
        folder for folder in _POSTGRES_FOLDERS.glob("*/bin") if (folder / "initdb").exists()
    ]
    if versions:
        return max(versions, key=lambda folder: float(folder.parent.name))
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def browser() -> Path | None:
    """A Chromium that runs headless, or None."""
    for name in BROWSERS:
        if found := shutil.which(name):
            return Path(found)
    return None


def missing(marker: str) -> str | None:
    """What the machine lacks for tests with this marker, in one line; None when all is there."""
    match marker:
        case "postgres" if postgres_bin() is None:
            return "PostgreSQL's initdb is not installed (Debian package postgresql)"
        case "snmptools":
            gone = [name for name in ("snmpd", "snmpget") if _which_with_sbin(name) is None]
            return f"{', '.join(gone)} not installed (Debian: snmp snmpd)" if gone else None
        case "browser" if browser() is None:
            return "no Chromium is installed (Debian package chromium-headless-shell)"
        case "recorded" if not (ROOT.parent / "shared" / "data").is_dir():
            return "the recordings are not beside the clone (../shared/data)"
        case _:
            return None


def _which_with_sbin(name: str) -> str | None:
    # snmpd lives in /usr/sbin, which is not on an ordinary user's PATH on Debian.
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")


def require(item: pytest.Item) -> None:
    """Skip the test, or fail it in CI, when its markers ask for something that is not there."""
    for marker in {mark.name for mark in item.iter_markers()}:
        if reason := missing(marker):
            if os.environ.get("CI") == "true":
                pytest.fail(f"CI must have it: {reason}", pytrace=False)
            pytest.skip(reason)
