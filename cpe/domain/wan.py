"""What a WAN connection is for, told by the words of its service list."""

from __future__ import annotations

import re
from typing import Final

from cpe.domain.observation import Scalar

OTHER_SERVICES: Final = frozenset({"tr069", "voip", "voice", "iptv", "mgmt", "management"})
"""Seen: `Internet,TR069` (TP-Link), `TR069_INTERNET` (Huawei). An unknown word may be anything."""

_WORD: Final = re.compile(r"[a-z0-9]+")


def may_be_internet(service: Scalar) -> bool:
    """False when every word of the list names something else; None and empty tell nothing."""
    words = _words(service)
    return not words or not words <= OTHER_SERVICES


def names_internet(service: Scalar) -> bool:
    """Whether the list says so itself."""
    return "internet" in _words(service)


def _words(service: Scalar) -> set[str]:
    return set() if service is None else set(_WORD.findall(str(service).lower()))
