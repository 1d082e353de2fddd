"""Hypothesis strategies for everything that is kept, awkward values included."""

from __future__ import annotations

import dataclasses
import types
import typing
from datetime import datetime, timedelta, timezone

from hypothesis import strategies as st

# Offsets of whole minutes: ISO 8601 has no others.
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(1971, 1, 1), datetime(2999, 1, 1), timezones=offsets)  # noqa: DTZ001
texts = st.one_of(
    st.text(max_size=12),
    st.text(alphabet='\x00\x1b~0f\ud800é{}"\\', max_size=6),
    st.sampled_from(["1", "1.0", "true", "null", "2025-03-04", "2025-03-04T12:00:00Z", ""]),
)
# Keys are names of ours (OLTs), read from UTF-8; pydantic would not keep a lone surrogate in one.
keys = st.one_of(st.text(max_size=6), st.text(alphabet="\x00\x1b~0f", max_size=6))
floats = st.floats(allow_nan=False)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(2**60, 2**80), floats, texts
)
json_trees = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=12,
)


def instances(kind: typing.Any) -> st.SearchStrategy[typing.Any]:
    """Any value of a type the domain uses; a type it did not use yet is an error here."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind in _LEAVES:
        return _LEAVES[kind]
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return st.builds(kind, **{name: instances(hint) for name, hint in hints.items()})
    if isinstance(kind, type) and hasattr(kind, "__members__"):
        return st.sampled_from(list(kind))
    if origin in (typing.Union, types.UnionType):
        return st.one_of([instances(argument) for argument in arguments])
    if origin is tuple and arguments[-1] is Ellipsis:
        return st.lists(instances(arguments[0]), max_size=2).map(tuple)
    if origin is tuple:
        return st.tuples(*(instances(argument) for argument in arguments))
    if origin is dict:
        return st.dictionaries(keys, instances(arguments[1]), max_size=2)
    raise NotImplementedError(f"no strategy for {kind!r}")


_LEAVES = {
    str: texts,
    int: st.integers(),
    float: floats,
    bool: st.booleans(),
    type(None): st.none(),
    datetime: moments,
}
