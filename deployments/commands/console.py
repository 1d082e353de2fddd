"""Where commands write: answers on stdout, everything else on stderr."""

from __future__ import annotations

import json
import sys
from functools import cache
from typing import Any

from rich.console import Console

from cpe.domain.redaction import redact


@cache
def out() -> Console:
    """Standard output, for people."""
    return Console(highlight=False)


@cache
def err() -> Console:
    """Standard error."""
    return Console(stderr=True, highlight=False)


def labelled(label: str, said: str, language: str) -> str:
    """« Libellé : texte » in French, "Label: text" in English."""
    return f"{label} : {said}" if language == "fr" else f"{label}: {said}"


def complain(message: str) -> None:
    """One clear line on stderr, redacted."""
    err().print(f"cpe: {redact(message)}", markup=False, soft_wrap=True)


def print_json(content: Any) -> None:
    """Exactly one JSON document on one line of stdout."""
    sys.stdout.write(json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n")
    sys.stdout.flush()
