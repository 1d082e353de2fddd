"""Texts and values as Frappe keeps them: HTML in its fields, nothing for what is empty."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping


def same(left: object, right: object) -> bool:
    """Whether two field values are one: Frappe leaves out what is empty."""
    return (None if left == "" else left) == (None if right == "" else right)


def dropped(kept: Mapping[str, object], asked: Mapping[str, object]) -> list[str]:
    """Fields that a written document lacks: Frappe drops those that it does not have, with 200."""
    return sorted(n for n, value in asked.items() if n not in kept and value not in (None, ""))


def left_out(rows: Iterable[Mapping[str, object]], asked: Iterable[str]) -> list[str]:
    """Fields that a list lacks: Frappe 16 leaves out those that it does not have or may not show.
    What is empty is null there; a customer that may not be read is not no customer."""
    wanted = [name for name in asked if name != "*"]
    return sorted({name for row in rows for name in wanted if name not in row})


def escaped(text: str, *, limit: int | None = None) -> str:
    """Foreign text made harmless for a Data or Text Editor field, which keep HTML."""
    flat = text if limit is None else " ".join(text.split())
    safe = html.escape(flat, quote=False)
    while limit is not None and len(safe) > limit:
        flat = flat[:-1]
        safe = html.escape(flat, quote=False) + "…"
    return safe


def without_tags(text: str) -> str:
    """A message for people without Frappe's markup, on one line."""
    return " ".join(html.unescape(re.sub(r"<[^>]{0,200}>", " ", text)).split())
