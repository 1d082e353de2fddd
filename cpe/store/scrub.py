"""The last gate before a row: whatever looks like a secret is hidden, in any of the four trees.

Adapters never read secrets; this holds when one of them is wrong.
"""

from __future__ import annotations

from typing import Final

from cpe.domain.redaction import HIDDEN, is_secret_name, redact
from cpe.store.canonical import Json

_READINGS: Final = ("value", "raw", "actual")
"""Where a measurement or an evidence holds what was read at its `path`."""

_KEYED_BY_NAME: Final = frozenset({"failed"})
"""Objects whose keys are names of ours (OLTs), not names of fields."""


def scrub(tree: Json, *, keys_are_fields: bool = True) -> Json:
    """The tree with secret-named values, and secrets inside texts, replaced by `***`."""
    if isinstance(tree, str):
        return redact(tree)
    if isinstance(tree, list):
        return [scrub(item) for item in tree]
    if isinstance(tree, dict):
        hidden = _hidden_keys(tree) if keys_are_fields else frozenset[str]()
        return {
            key: _hide(value)
            if key in hidden
            else scrub(value, keys_are_fields=key not in _KEYED_BY_NAME)
            for key, value in tree.items()
        }
    return tree


def _hidden_keys(fields: dict[str, Json]) -> frozenset[str]:
    names = {key for key in fields if is_secret_name(key)}
    if _names_a_secret(fields.get("path")) or (
        "raw" in fields and _names_a_secret(fields.get("name"))
    ):
        names.update(_READINGS)
    return frozenset(names)


def _names_a_secret(name: Json | None) -> bool:
    return isinstance(name, str) and is_secret_name(name)


def _hide(value: Json) -> Json:
    return None if value is None else HIDDEN
