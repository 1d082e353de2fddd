"""The NBI's `query`: GenieACS's expansion, then Mongo's typed matching."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, cast

from deployments.lab.truth import IsoDate

Doc = dict[str, Any]
Test = Callable[[Doc], bool]

_COMPARED: Final = {"$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin"}
_PASSED: Final = {"$regex", "$exists", "$options"}
_SLASHED: Final = re.compile(r"/(.*?)/(g?i?m?y?)")
_DATE_YEAR: Final = 1983
_TYPED: Final = {"_id", "timestamp", "retries"}
"""Of tasks and faults, what a text in a query is turned into the stored type for."""


class CrashError(Exception):
    """What throws inside a real NBI's handler and takes the worker down."""


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query: the test, the fields it looks at, and names that an index can find."""

    test: Test
    fields: frozenset[str]
    names: tuple[str, ...] | None
    """Values of identifying fields that a match must have one of; None when unknown."""


IDENTIFYING: Final = re.compile(
    r"_id|_deviceId\._SerialNumber|.*\.(?:SerialNumber|GponSn)\._value|"
    r"(?:Device\.Ethernet|.*\.WAN(?:IP|PPP)Connection|.*\.LANEthernetInterfaceConfig)\..*"
    r"MACAddress\._value"
)


def parse_query(text: str, *, expand: bool) -> Query:
    """`query=` as the NBI takes it; `expand` adds `._value` (devices only).

    Raises json.JSONDecodeError (the NBI says 400) and CrashError (it dies).
    """
    raw: object = json.loads(text)
    if raw is None:
        raise CrashError("query null")
    if not isinstance(raw, dict):
        return Query(lambda _: False, frozenset(), ())
    return _object(cast("Doc", raw), expand)


def _object(raw: Doc, expand: bool) -> Query:
    parts: dict[str, list[Query]] = {}
    for key, value in raw.items():
        if key in {"$and", "$or", "$nor"}:
            if not isinstance(value, list):
                raise CrashError(f"{key} is no array")
            inner = [_object(cast("Doc", item), expand) for item in cast("list[Any]", value)]
            parts[key] = [_join(key, inner)]
        elif key.startswith("$"):
            raise CrashError(f"unknown operator {key}")
        else:
            name = field_name(key, expand)
            field = _field(name, value, typed=expand or name in _TYPED)
            slot = "$and" if expand and _has_alternatives(value) else name
            parts.setdefault(slot, []).append(field) if slot == "$and" else parts.update(
                {slot: [field]}
            )
    return _join("$and", [query for group in parts.values() for query in group])


def field_name(key: str, expand: bool) -> str:
    """The field that a key means: a parameter gets `._value`."""
    return f"{key}._value" if expand and not key.rsplit(".", 1)[-1].startswith("_") else key


def _has_alternatives(value: object) -> bool:
    """GenieACS turns such a value into an implicit `$and`, which an explicit one overwrites."""
    return isinstance(value, str) and len(_alternatives(value)) > 1


def _join(kind: str, parts: list[Query]) -> Query:
    fields = frozenset(field for part in parts for field in part.fields)
    tests = [part.test for part in parts]
    if kind == "$and":
        named = [part.names for part in parts if part.names is not None]
        best = min(named, key=len) if named else None
        return Query(lambda doc: all(test(doc) for test in tests), fields, best)
    if kind == "$or":
        every = [part.names for part in parts]
        names = None
        if all(group is not None for group in every):
            names = tuple(name for group in every for name in group or ())
        return Query(lambda doc: any(test(doc) for test in tests), fields, names)
    return Query(lambda doc: not any(test(doc) for test in tests), fields, None)


def _field(name: str, value: object, *, typed: bool) -> Query:
    fields = frozenset({name})
    if isinstance(value, dict) and any(key.startswith("$") for key in cast("Doc", value)):
        tests = list(_operators(name, cast("Doc", value), typed))
        names = None
        equal = cast("Doc", value).get("$eq")
        listed = [equal] if equal is not None else cast("Doc", value).get("$in")
        if IDENTIFYING.fullmatch(name) and isinstance(listed, list):
            names = _names(cast("list[object]", listed))
        return Query(lambda doc: all(test(doc) for test in tests), fields, names)
    names = _names([value]) if IDENTIFYING.fullmatch(name) else None
    return Query(_equals(name, value, typed), fields, names)


def _names(values: list[object]) -> tuple[str, ...] | None:
    plain = [v for v in values if isinstance(v, str) and "*" not in v and not v.startswith("/")]
    return tuple(plain) if len(plain) == len(values) else None


def _operators(name: str, spec: Doc, typed: bool) -> Iterator[Test]:
    for operator, operand in spec.items():
        if operator not in _COMPARED | _PASSED:
            raise CrashError(f"unknown operator {operator}")
        if operator == "$exists":
            yield lambda doc, want=bool(operand): bool(list(reach(doc, name))) is want
        elif operator == "$regex":
            flags = re.IGNORECASE if "i" in str(spec.get("$options", "")) else 0
            yield _matches(name, re.compile(str(operand), flags))
        elif operator in {"$eq", "$ne"}:
            test = _equals(name, operand, typed)
            yield test if operator == "$eq" else (lambda doc, t=test: not t(doc))
        elif operator in {"$in", "$nin"}:
            if not isinstance(operand, list):
                raise CrashError(f"{operator} is no array")
            tests = [_equals(name, item, typed) for item in cast("list[object]", operand)]
            found = operator == "$in"
            yield lambda doc, t=tests, f=found: any(one(doc) for one in t) is f
        elif operator != "$options":
            yield _ordered(name, operator, operand, typed)


def _alternatives(value: object) -> list[object]:
    """The string itself, and the number, date, regular expression or wildcard it may mean."""
    if not isinstance(value, str):
        return [value]
    found: list[object] = [value]
    try:
        found.append(float(value))
    except ValueError:
        pass
    else:
        return found
    if len(value) >= 8 and (date := _date(value)) is not None:
        found.append(date)
    if slashed := _SLASHED.fullmatch(value):
        found.append(re.compile(slashed[1], re.IGNORECASE if "i" in slashed[2] else 0))
    if "*" in value:
        found.append(re.compile(".*".join(re.escape(part) for part in value.split("*")) + r"\Z"))
    return found


def _date(text: str) -> IsoDate | None:
    for read in (
        datetime.fromisoformat,
        lambda t: datetime.strptime(t, "%Y-%m-%d %H:%M:%S %z"),
    ):
        try:
            stamp = read(text)
        except ValueError:
            continue
        if stamp.year <= _DATE_YEAR:
            return None
        if stamp.tzinfo is None:
            stamp = stamp.replace(tzinfo=UTC)
        return IsoDate.at(stamp.timestamp())
    return None


def reach(doc: object, name: str) -> Iterator[object]:
    """The values at a dotted path; an array gives each of its elements, as Mongo does."""
    for part in name.split("."):
        if not isinstance(doc, dict) or part not in doc:
            return
        doc = cast("Doc", doc)[part]
    if isinstance(doc, list):
        yield from cast("list[object]", doc)
    else:
        yield doc


def _equals(name: str, value: object, typed: bool) -> Test:
    if value is None:
        return lambda doc: not list(reach(doc, name)) or None in reach(doc, name)
    wanted = _alternatives(value) if typed else [value]
    return lambda doc: any(_same(have, want) for have in reach(doc, name) for want in wanted)


def kind_of(value: object) -> str:
    """Mongo's type bracket: values of different brackets never compare."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    return "date" if isinstance(value, IsoDate) else type(value).__name__


def _same(have: object, want: object) -> bool:
    if isinstance(want, re.Pattern):
        return isinstance(have, str) and kind_of(have) == "str" and want.search(have) is not None
    return kind_of(have) == kind_of(want) and have == want


def _matches(name: str, pattern: re.Pattern[str]) -> Test:
    return lambda doc: any(
        isinstance(have, str) and kind_of(have) == "str" and pattern.search(have) is not None
        for have in reach(doc, name)
    )


_ORDER: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "$gt": lambda a, b: a > b,
    "$gte": lambda a, b: a >= b,
    "$lt": lambda a, b: a < b,
    "$lte": lambda a, b: a <= b,
}


def _ordered(name: str, operator: str, operand: object, typed: bool) -> Test:
    compare, wanted = _ORDER[operator], _alternatives(operand) if typed else [operand]
    plain = [want for want in wanted if not isinstance(want, re.Pattern)]
    return lambda doc: any(
        kind_of(have) == kind_of(want) and compare(have, want)
        for have in reach(doc, name)
        for want in plain
        if isinstance(want, str | int | float)
    )
