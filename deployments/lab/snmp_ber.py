"""The little of BER that an SNMP v2c agent needs. Raises BerError for anything malformed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

Oid = tuple[int, ...]

INTEGER: Final = 0x02
OCTETS: Final = 0x04
NULL: Final = 0x05
OID: Final = 0x06
SEQUENCE: Final = 0x30
COUNTER32: Final = 0x41
GAUGE32: Final = 0x42
TICKS: Final = 0x43
NO_SUCH_OBJECT: Final = 0x80
NO_SUCH_INSTANCE: Final = 0x81
END_OF_MIB: Final = 0x82
GET: Final = 0xA0
GET_NEXT: Final = 0xA1
RESPONSE: Final = 0xA2
GET_BULK: Final = 0xA5


class BerError(ValueError):
    """Not a message of the shape we speak."""


@dataclass(frozen=True, slots=True)
class Value:
    """A typed value; for the three exceptions `data` is empty."""

    tag: int
    data: int | bytes | Oid = b""


@dataclass(frozen=True, slots=True)
class Request:
    """A v2c GET, GETNEXT or GETBULK."""

    community: bytes
    kind: int
    request_id: int
    first: int
    """Non-repeaters of a GETBULK."""
    second: int
    """Max-repetitions of a GETBULK."""
    oids: tuple[Oid, ...]


def integer(number: int) -> Value:
    """An INTEGER."""
    return Value(INTEGER, number)


def octets(data: bytes | str) -> Value:
    """An OCTET STRING."""
    return Value(OCTETS, data.encode() if isinstance(data, str) else data)


def _header(tag: int, length: int) -> bytes:
    if length < 0x80:
        return bytes((tag, length))
    size = (length.bit_length() + 7) // 8
    return bytes((tag, 0x80 | size)) + length.to_bytes(size)


def wrap(tag: int, body: bytes) -> bytes:
    """Tag, length, body."""
    return _header(tag, len(body)) + body


@lru_cache(maxsize=65_536)
def encode_oid(oid: Oid) -> bytes:
    """The OID with its header."""
    body = bytearray([oid[0] * 40 + oid[1]])
    for arc in oid[2:]:
        if arc < 0x80:
            body.append(arc)
            continue
        groups = [arc & 0x7F]
        arc >>= 7  # noqa: PLW2901 - consumed group by group
        while arc:
            groups.append(arc & 0x7F | 0x80)
            arc >>= 7  # noqa: PLW2901 - as above
        body.extend(reversed(groups))
    return wrap(OID, bytes(body))


def encode_value(value: Value) -> bytes:
    """The value with its header."""
    data = value.data
    if isinstance(data, int):
        if value.tag in {COUNTER32, GAUGE32, TICKS}:
            data &= 0xFFFFFFFF
        size = data.bit_length() // 8 + 1
        return wrap(value.tag, data.to_bytes(size, signed=True))
    if isinstance(data, tuple):
        return encode_oid(data)
    return wrap(value.tag, data)


def encode_response(
    request: Request, rows: list[bytes], *, error: int = 0, index: int = 0
) -> bytes:
    """The whole message; `rows` are encoded variable bindings."""
    pdu = b"".join(
        (
            encode_value(integer(request.request_id)),
            encode_value(integer(error)),
            encode_value(integer(index)),
            wrap(SEQUENCE, b"".join(rows)),
        )
    )
    head = encode_value(integer(1)) + wrap(OCTETS, request.community)
    return wrap(SEQUENCE, head + wrap(RESPONSE, pdu))


def binding(oid: Oid, value: Value) -> bytes:
    """One encoded variable binding."""
    return wrap(SEQUENCE, encode_oid(oid) + encode_value(value))


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, tag: int | None = None) -> tuple[int, bytes]:
        data, at = self._data, self._at
        if at + 2 > len(data):
            raise BerError("short")
        found, length = data[at], data[at + 1]
        at += 2
        if length & 0x80:
            size = length & 0x7F
            if not 1 <= size <= 3 or at + size > len(data):
                raise BerError("bad length")
            length = int.from_bytes(data[at : at + size])
            at += size
        if at + length > len(data) or (tag is not None and found != tag):
            raise BerError("bad element")
        self._at = at + length
        return found, data[at : at + length]

    def number(self) -> int:
        return int.from_bytes(self.take(INTEGER)[1], signed=True)

    @property
    def more(self) -> bool:
        return self._at < len(self._data)


def decode_oid(body: bytes) -> Oid:
    """An OID's content."""
    if not body:
        raise BerError("empty OID")
    arcs: list[int] = [min(body[0] // 40, 2)]
    arcs.append(body[0] - arcs[0] * 40)
    value = 0
    for octet in body[1:]:
        value = value << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(value)
            value = 0
    return tuple(arcs)


def decode_request(message: bytes) -> Request:
    """The request in a datagram. Raises BerError, also for v1 and v3."""
    outer = _Reader(_Reader(message).take(SEQUENCE)[1])
    if outer.number() != 1:
        raise BerError("not v2c")
    community = outer.take(OCTETS)[1]
    kind, body = outer.take()
    if kind not in {GET, GET_NEXT, GET_BULK}:
        raise BerError("not a read")
    pdu = _Reader(body)
    request_id, first, second = pdu.number(), pdu.number(), pdu.number()
    rows = _Reader(pdu.take(SEQUENCE)[1])
    oids: list[Oid] = []
    while rows.more:
        row = _Reader(rows.take(SEQUENCE)[1])
        oids.append(decode_oid(row.take(OID)[1]))
    return Request(community, kind, request_id, first, second, tuple(oids))
