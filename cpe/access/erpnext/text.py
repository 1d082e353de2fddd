"""Texts and values as Frappe keeps them: HTML in its fields, nothing for what is empty."""

from __future__ import annotations

import html
import re


def same(left: object, right: object) -> bool:
    """Whether two field values are one: Frappe leaves out what is empty."""
    return (None if left == "" else left) == (None if right == "" else right)


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
