"""Snapshot, findings and verdict to JSON and back, without losing a type or a microsecond.

`encode_*` gives a packed tree (see `canonical`), ready for a JSON column; `canonical.dumps` of it
is the text that replays are compared by.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from cpe.domain.errors import StoreError
from cpe.domain.finding import Finding
from cpe.domain.snapshot import SNAPSHOT_SCHEMA, Snapshot
from cpe.domain.verdict import Verdict
from cpe.store.canonical import Json, dumps, loads, pack, unpack

T = TypeVar("T")


def encode_snapshot(snapshot: Snapshot) -> Json:
    """Raises StoreError when a field is not of its declared type."""
    return _encode(_snapshots(), snapshot, "snapshot")


def decode_snapshot(tree: Json) -> Snapshot:
    """Raises StoreError when the tree is of another schema or holds what this code lacks."""
    if isinstance(tree, dict) and tree.get("schema") != SNAPSHOT_SCHEMA:
        kept = str(tree.get("schema"))[:40]
        raise StoreError(f"the snapshot is of schema {kept!r}, this code reads {SNAPSHOT_SCHEMA!r}")
    return _decode(_snapshots(), tree, "snapshot")


def encode_findings(findings: Sequence[Finding]) -> Json:
    return _encode(_findings(), tuple(findings), "findings")


def decode_findings(tree: Json) -> tuple[Finding, ...]:
    return _decode(_findings(), tree, "findings")


def encode_verdict(verdict: Verdict) -> Json:
    return _encode(_verdicts(), verdict, "verdict")


def decode_verdict(tree: Json) -> Verdict:
    return _decode(_verdicts(), tree, "verdict")


def encode_document(document: dict[str, object]) -> Json:
    """The answer as it was given: a JSON object. Raises StoreError when it is not JSON."""
    tree = pack(cast("Json", document))
    try:
        dumps(tree)
    except (TypeError, ValueError) as exc:
        raise StoreError(f"the document is not JSON: {type(exc).__name__}") from None
    return tree


def decode_document(tree: Json) -> dict[str, object]:
    document = unpack(tree)
    if not isinstance(document, dict):
        raise StoreError("the kept document is not a JSON object")
    return cast("dict[str, object]", document)


def snapshot_text(snapshot: Snapshot) -> str:
    """Canonical text of a snapshot."""
    return dumps(encode_snapshot(snapshot))


def snapshot_from_text(text: str) -> Snapshot:
    """Inverse of `snapshot_text`; also reads any other JSON form of the same values."""
    try:
        tree = loads(text)
    except ValueError:
        raise StoreError("the snapshot is not JSON") from None
    return decode_snapshot(tree)


def findings_text(findings: Sequence[Finding]) -> str:
    """Canonical text of findings, in the order given."""
    return dumps(encode_findings(findings))


def verdict_text(verdict: Verdict) -> str:
    """Canonical text of a verdict: two replays agree when these are equal."""
    return dumps(encode_verdict(verdict))


def _encode(adapter: TypeAdapter[T], value: T, what: str) -> Json:
    try:
        tree: Any = adapter.dump_python(value, mode="json", warnings="error")
    except PydanticSerializationError as exc:
        # The message may quote values; the type is enough to find the bug.
        raise StoreError(f"the {what} holds a value of an undeclared type") from exc
    return pack(cast("Json", tree))


def _decode(adapter: TypeAdapter[T], packed: Json, what: str) -> T:
    tree = unpack(packed)
    try:
        value = adapter.validate_python(tree)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise StoreError(f"the kept {what} cannot be read: {where}: {first['msg']}") from None
    if lost := _lost(tree, adapter.dump_python(value, mode="json"), what):
        raise StoreError(f"the kept {what} holds {lost}, which this code does not know")
    return value


def _lost(stored: object, read: object, where: str) -> str | None:
    """The first key of `stored` that reading dropped: written by newer code, needed by replay."""
    if isinstance(stored, dict) and isinstance(read, dict):
        before, after = cast("dict[str, object]", stored), cast("dict[str, object]", read)
        for key, value in before.items():
            if key not in after:
                return f"{where}.{key}"
            if found := _lost(value, after[key], f"{where}.{key}"):
                return found
    if isinstance(stored, list) and isinstance(read, list):
        pairs = zip(cast("list[object]", stored), cast("list[object]", read), strict=True)
        for index, (one, other) in enumerate(pairs):
            if found := _lost(one, other, f"{where}.{index}"):
                return found
    return None


@cache
def _snapshots() -> TypeAdapter[Snapshot]:
    return TypeAdapter(Snapshot)


@cache
def _findings() -> TypeAdapter[tuple[Finding, ...]]:
    return TypeAdapter(tuple[Finding, ...])


@cache
def _verdicts() -> TypeAdapter[Verdict]:
    return TypeAdapter(Verdict)
