"""A small strict SNMPv2c agent on loopback, for tests: answers from a table, misbehaves on demand.

Strict: a SET is recorded as a violation, a wrong community is silence, an unknown OID is never an
empty success. Run as a program it serves a benchmark table and prints its port.
"""

from __future__ import annotations

import asyncio
import bisect
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support import ber

Oid = tuple[int, ...]
Raw = int | bytes | str
"""What a row holds: an INTEGER, an OCTET STRING, or (str) an OBJECT IDENTIFIER."""
MAX_DATAGRAM = 1472
GEN_ERR, TOO_BIG, NO_SUCH_NAME, NOT_WRITABLE = 5, 1, 2, 17


def oid_of(text: str) -> Oid:
    return tuple(int(part) for part in text.split("."))


def recording(path: Path) -> dict[str, Raw]:
    """Rows of an `.snmprec` file: OID|type|value, type 4x for hex."""
    rows: dict[str, Raw] = {}
    for line in path.read_text(encoding="ascii").splitlines():
        name, kind, value = line.split("|", 2)
        if kind == "4x":
            rows[name] = bytes.fromhex(value)
        elif kind == "4":
            rows[name] = value.encode("ascii")
        elif kind == "6":
            rows[name] = value
        else:
            rows[name] = int(value)
    return rows


@dataclass
class Faults:
    """How the agent misbehaves. `silent_below`: any answer that would hold a row below it is not
    sent. `loop_below`: after a column's last row comes its first again."""

    delay_s: float = 0.0
    drop_next: int = 0
    silent_below: tuple[str, ...] = ()
    loop_below: tuple[str, ...] = ()
    gen_err_at: tuple[str, ...] = ()
    no_such_name_below: tuple[str, ...] = ()
    unnamed_errors: bool = False
    too_big_above: int | None = None
    cut_bulk_after: int | None = None
    empty_answers: bool = False


@dataclass
class Agent(asyncio.DatagramProtocol):
    """Serves `rows`; `pdus` counts by kind, `asked` lists the OIDs of every PDU."""

    community: str = "public"
    faults: Faults = field(default_factory=Faults)
    pdus: Counter[str] = field(default_factory=Counter)
    asked: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    refused: int = 0
    in_flight: int = 0
    most_in_flight: int = 0
    port: int = 0

    def __post_init__(self) -> None:
        self._rows: dict[Oid, bytes] = {}
        self._order: list[Oid] = []

    def serve(self, rows: Mapping[str, Raw]) -> None:
        """Replace the table."""
        self._rows = {oid_of(name): _encode(value) for name, value in rows.items()}
        self._order = sorted(self._rows)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        loop = asyncio.get_running_loop()
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        answer = self.answer(data)
        if self.faults.delay_s:
            loop.call_later(self.faults.delay_s, self._send, answer, addr)
        else:
            self._send(answer, addr)

    def _send(self, answer: bytes | None, addr: tuple[str, int]) -> None:
        self.in_flight -= 1
        if answer is not None and not self._transport.is_closing():
            self._transport.sendto(answer, addr)

    def answer(self, data: bytes) -> bytes | None:
        """The response to one message, or None for silence."""
        version, community, (kind, body) = ber.children(ber.parse(data)[0][1])
        if community[1] != self.community.encode() or ber.as_int(version) != 1:
            self.refused += 1
            return None
        request, first, second, binds = ber.children(body)
        oids = [ber.as_oid(ber.children(bind)[0]) for _, bind in ber.children(binds[1])]
        name = {ber.GET: "get", ber.GETNEXT: "next", ber.GETBULK: "bulk"}.get(kind, "set")
        self.pdus[name] += 1
        self.asked.append((name, tuple(".".join(map(str, oid)) for oid in oids)))
        if self.faults.drop_next:
            self.faults.drop_next -= 1
            return None
        status, index, rows = self._respond(name, oids, ber.as_int(first), ber.as_int(second))
        if any(self._below(oid, self.faults.silent_below) for oid, _ in rows):
            return None
        return _message(version, community, request, status, index, rows)

    def _respond(
        self, name: str, oids: list[Oid], non_repeaters: int, repetitions: int
    ) -> tuple[int, int, list[tuple[Oid, bytes]]]:
        same = [(oid, ber.tlv(ber.NULL, b"")) for oid in oids]
        if name == "set":
            self.violations.append(f"SET {oids}")
            return NOT_WRITABLE, 1, same
        if self.faults.empty_answers:
            return 0, 0, []
        for position, oid in enumerate(oids, 1):
            if name != "bulk" and self._below(oid, self.faults.gen_err_at):
                return GEN_ERR, 0 if self.faults.unnamed_errors else position, same
            if self._below(oid, self.faults.no_such_name_below):
                return NO_SUCH_NAME, position, same
        limit = self.faults.too_big_above
        if limit is not None and len(oids) * max(1, repetitions if name == "bulk" else 1) > limit:
            return TOO_BIG, 0, []
        if name == "get":
            return 0, 0, [(oid, self._rows.get(oid) or self._absent(oid)) for oid in oids]
        if name == "next":
            return 0, 0, [self._next(oid) for oid in oids]
        assert non_repeaters == 0
        return 0, 0, self._bulk(oids, repetitions)

    def _bulk(self, oids: list[Oid], repetitions: int) -> list[tuple[Oid, bytes]]:
        rows: list[tuple[Oid, bytes]] = []
        size, cut = 80, self.faults.cut_bulk_after
        for _ in range(repetitions):
            following: list[Oid] = []
            for oid in oids:
                row = self._next(oid)
                size += len(row[1]) + len(ber.oid(row[0])) + 4
                if size > MAX_DATAGRAM or (cut is not None and len(rows) >= cut):
                    return rows
                rows.append(row)
                following.append(row[0])
            oids = following
        return rows

    def _absent(self, oid: Oid) -> bytes:
        """noSuchInstance when something of the same column is served, else noSuchObject."""
        for size in range(len(oid) - 1, 10, -1):
            at = bisect.bisect_left(self._order, oid[:size])
            if at < len(self._order) and self._order[at][:size] == oid[:size]:
                return ber.tlv(ber.NO_SUCH_INSTANCE, b"")
        return ber.tlv(ber.NO_SUCH_OBJECT, b"")

    def _next(self, oid: Oid) -> tuple[Oid, bytes]:
        at = bisect.bisect_right(self._order, oid)
        for text in self.faults.loop_below:
            prefix = oid_of(text)
            end = bisect.bisect_left(self._order, (*prefix[:-1], prefix[-1] + 1))
            if oid[: len(prefix)] == prefix and at >= end:
                at = bisect.bisect_left(self._order, prefix)
        if at >= len(self._order):
            return oid, ber.tlv(ber.END_OF_MIB, b"")
        return self._order[at], self._rows[self._order[at]]

    @staticmethod
    def _below(oid: Oid, prefixes: Iterable[str]) -> bool:
        return any(oid[: len(p)] == p for p in map(oid_of, prefixes))


def _encode(value: Raw) -> bytes:
    if isinstance(value, bytes):
        return ber.tlv(ber.OCTETS, value)
    if isinstance(value, str):
        return ber.oid(oid_of(value))
    if -(1 << 31) <= value < 1 << 31:
        return ber.integer(value)
    return ber.integer(value, ber.GAUGE32)


def _message(
    version: ber.Node,
    community: ber.Node,
    request: ber.Node,
    status: int,
    index: int,
    rows: list[tuple[Oid, bytes]],
) -> bytes:
    binds = b"".join(ber.tlv(ber.SEQUENCE, ber.oid(oid) + value) for oid, value in rows)
    head = ber.tlv(*request) + ber.integer(status) + ber.integer(index)
    pdu = ber.tlv(ber.RESPONSE, head + ber.tlv(ber.SEQUENCE, binds))
    return ber.tlv(ber.SEQUENCE, ber.tlv(*version) + ber.tlv(*community) + pdu)


@asynccontextmanager
async def running_agent(
    rows: Mapping[str, Raw], *, community: str = "public", faults: Faults | None = None
) -> AsyncIterator[Agent]:
    """An agent on an ephemeral loopback port. Fails when it saw a SET."""
    agent = Agent(community=community, faults=faults or Faults())
    agent.serve(rows)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: agent, local_addr=("127.0.0.1", 0))
    agent.port = transport.get_extra_info("sockname")[1]
    try:
        yield agent
    finally:
        transport.close()
        await asyncio.sleep(0)
    assert not agent.violations, agent.violations
