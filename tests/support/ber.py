"""As much BER as an SNMPv2c agent needs, written by hand so that the client is not tested against
its own library."""

from __future__ import annotations

INTEGER, OCTETS, NULL, OID, SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30
COUNTER32, GAUGE32, TICKS = 0x41, 0x42, 0x43
NO_SUCH_OBJECT, NO_SUCH_INSTANCE, END_OF_MIB = 0x80, 0x81, 0x82
GET, GETNEXT, RESPONSE, SET, GETBULK = 0xA0, 0xA1, 0xA2, 0xA3, 0xA5

Node = tuple[int, bytes]


def tlv(tag: int, body: bytes) -> bytes:
    """Tag, length, body."""
    size = len(body)
    if size < 0x80:
        return bytes((tag, size)) + body
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(digits))) + digits + body


def integer(value: int, tag: int = INTEGER) -> bytes:
    """A signed integer (unsigned application types get their leading zero the same way)."""
    return tlv(tag, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def oid(parts: tuple[int, ...]) -> bytes:
    """An OBJECT IDENTIFIER with sub-identifiers up to 2³² - 1."""
    body = bytearray()
    for sub in (parts[0] * 40 + parts[1], *parts[2:]):
        septets = [sub & 0x7F]
        while sub := sub >> 7:
            septets.append(sub & 0x7F | 0x80)
        body += bytes(reversed(septets))
    return tlv(OID, bytes(body))


def parse(data: bytes, at: int = 0) -> tuple[Node, int]:
    """The node at this place, and where the next one begins."""
    tag, size, start = data[at], data[at + 1], at + 2
    if size & 0x80:
        count = size & 0x7F
        size = int.from_bytes(data[start : start + count], "big")
        start += count
    if start + size > len(data):
        raise ValueError("cut off")
    return (tag, data[start : start + size]), start + size


def children(body: bytes) -> list[Node]:
    """All nodes of a constructed body."""
    found: list[Node] = []
    at = 0
    while at < len(body):
        node, at = parse(body, at)
        found.append(node)
    return found


def as_int(node: Node) -> int:
    """An integer's value."""
    return int.from_bytes(node[1], "big", signed=True)


def as_oid(node: Node) -> tuple[int, ...]:
    """An OBJECT IDENTIFIER's sub-identifiers."""
    subs: list[int] = []
    value = 0
    for byte in node[1]:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            subs.append(value)
            value = 0
    head = subs[0]
    return (min(head // 40, 2), head - 40 * min(head // 40, 2), *subs[1:])
