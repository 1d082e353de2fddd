"""One text for one JSON value, and values that survive PostgreSQL's JSONB unchanged.

JSONB keeps numbers as decimals: the float 1e22 comes back as the integer 10000000000000000000000
and -0.0 as 0.0, and it refuses U+0000. So such floats, U+0000 and lone surrogates (Python's JSON
parser lets them in, UTF-8 does not let them out) are packed into text behind U+001B, and unpacked
when read.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Final

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

_ESCAPE: Final = "\x1b"
_FLOAT: Final = f"{_ESCAPE}~"
_UNFIT: Final = re.compile("[\x00\x1b\ud800-\udfff]")
_PACKED: Final = re.compile("\x1b([0-9a-f]{4})")
REPLACEMENT: Final = "\ufffd"


def dumps(tree: Json) -> str:
    """Canonical text: sorted keys, no spaces, not ASCII-escaped. Expects a packed tree."""
    return json.dumps(
        tree, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def loads(text: str | bytes) -> Json:
    """The packed tree of a text. Raises ValueError when it is not JSON."""
    tree: Json = json.loads(text)
    return tree


def pack(value: Json) -> Json:
    """The tree with everything that JSONB would change or refuse put into text."""
    if isinstance(value, float):
        return value if _is_plain(value) else f"{_FLOAT}{value!r}"
    return _walk(value, pack, _escape)


def unpack(value: Json) -> Json:
    """Inverse of `pack`; keys come out sorted, whatever order the database kept."""
    if isinstance(value, str) and value.startswith(_FLOAT):
        return float(value.removeprefix(_FLOAT))
    return _walk(value, unpack, _unescape)


def column_text(text: str) -> str:
    """Text for a plain column: what no UTF-8 column can hold becomes U+FFFD."""
    if text.isascii() and text.isprintable():
        return text
    return _UNFIT.sub(REPLACEMENT, text)


def _walk(value: Json, again: Callable[[Json], Json], text: Callable[[str], str]) -> Json:
    if isinstance(value, str):
        return text(value)
    if isinstance(value, list):
        return [again(item) for item in value]
    if isinstance(value, dict):
        return {text(key): again(value[key]) for key in sorted(value)}
    return value


def _is_plain(number: float) -> bool:
    # repr() of a plain decimal is what JSONB gives back: 21.5, 1.0, 0.0001.
    negative_zero = number == 0 and math.copysign(1, number) < 0
    return math.isfinite(number) and not negative_zero and "e" not in repr(number)


def _escape(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return _UNFIT.sub(lambda m: f"{_ESCAPE}{ord(m[0]):04x}", text)


def _unescape(text: str) -> str:
    if _ESCAPE not in text:
        return text
    return _PACKED.sub(lambda m: chr(int(m[1], 16)), text)
