"""One OLT's SNMP v2c agent on UDP. A wrong community, or anything it can't parse, gets silence."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, Final

from deployments.lab.identity import olt_name, olt_vendor
from deployments.lab.olt_columns import MAKES, OntColumn, oid
from deployments.lab.ont import Ont
from deployments.lab.plant import Plant
from deployments.lab.snmp_ber import (
    END_OF_MIB,
    GET,
    GET_BULK,
    OID,
    TICKS,
    BerError,
    Oid,
    Request,
    Value,
    binding,
    decode_request,
    encode_response,
    integer,
    octets,
)
from deployments.lab.snmp_mib import Column, Mib
from deployments.lab.truth import Placement
from deployments.lab.web_server import Trouble

MAX_DATAGRAM: Final = 1472
FAULTS: Final = {
    "none", "down", "slow", "silent", "hang", "wrong_community", "non_increasing", "truncated",
}  # fmt: skip
_OVERHEAD: Final = 60
_TOO_BIG: Final = 1
_SYSTEM: Final = "1.3.6.1.2.1.1"
_IF_NAME: Final = oid("1.3.6.1.2.1.31.1.1.1.1")


class OltView:
    """The agent's MIB, rebuilt only when an ONT came or went."""

    def __init__(self, plant: Plant, number: int) -> None:
        self._plant, self._number = plant, number
        self.vendor, self.name = olt_vendor(number), olt_name(number)
        self._built = -1
        self._mib = Mib(())
        self._one: tuple[int, float, Ont] | None = None

    def mib(self) -> Mib:
        """The current view."""
        if self._built != self._plant.membership:
            self._built = self._plant.membership
            self._mib = self._build()
        return self._mib

    def _build(self) -> Mib:
        make = MAKES[self.vendor]
        onts = sorted(
            (
                (make.ont_index(where), where, index)
                for where, index in self._plant.onts(self._number)
            ),
            key=lambda row: row[0],
        )
        rows = [row[0] for row in onts]
        members = [(where, index) for _, where, index in onts]
        columns = [self._column(column, rows, members) for column in make.columns]
        columns += self._scalars(make.sys_descr, make.sys_object_id)
        counts = Counter(where.pon for where, _ in members)
        pons = sorted(counts, key=make.pon_index)
        indices = [(make.pon_index(pon),) for pon in pons]
        if make.pon_count is not None:
            columns.append(Column(make.pon_count, indices, lambda at: integer(counts[pons[at]])))
        columns.append(Column(_IF_NAME, indices, lambda at: octets(_pon_name(pons[at]))))
        return Mib(columns)

    def _column(
        self, column: OntColumn, rows: list[Oid], members: list[tuple[Placement, int]]
    ) -> Column:
        def cell(at: int) -> Value | None:
            where, index = members[at]
            return column.cell(self._plant.ont(index, where))

        suffixed = [row + column.suffix for row in rows] if column.suffix else rows
        return Column(column.oid, suffixed, cell)

    def _scalars(self, descr: str, object_id: Oid) -> list[Column]:
        started = self._plant.started_at - 86_400 * 90

        def ticks() -> Value:
            return Value(TICKS, int((self._plant.clock() - started) * 100))

        values = {
            1: lambda: octets(descr), 2: lambda: Value(OID, object_id), 3: ticks,
            5: lambda: octets(self.name),
        }  # fmt: skip
        return [
            Column(oid(f"{_SYSTEM}.{arc}"), [(0,)], lambda _at, make=make: make())
            for arc, make in values.items()
        ]


def _pon_name(pon: int) -> str:
    return f"GPON 0/{1 + pon // 16}/{pon % 16}"


class SnmpAgent(asyncio.DatagramProtocol):
    """Answers datagrams. Counts PDUs in `pdus`, unanswered ones included."""

    def __init__(self, view: OltView, community: str, delay_s: float = 0.0) -> None:
        self._view, self._community, self._delay_s = view, community.encode(), delay_s
        self.trouble = Trouble()
        self.pdus = 0
        self.port = 0
        self._transport: asyncio.DatagramTransport | None = None

    @property
    def name(self) -> str:
        """The OLT's name in the inventory."""
        return self._view.name

    @property
    def vendor(self) -> str:
        """The inventory's profile id."""
        return self._view.vendor

    async def start(self, port: int = 0) -> None:
        """Listen on 127.0.0.1; the first view is built now."""
        self._view.mib()
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=("127.0.0.1", port)
        )
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def stop(self) -> None:
        """Close the socket."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    async def set_trouble(self, trouble: Trouble) -> None:
        """Begin or lift a fault; `down` closes the socket, so the host answers port unreachable."""
        was_down, self.trouble = self.trouble.fault == "down", trouble
        if trouble.fault == "down":
            self.stop()
        elif was_down:
            await asyncio.sleep(0)
            await self.start(self.port)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """Answer at once, later, or never."""
        self.pdus += 1
        try:
            request = decode_request(data)
        except BerError:
            return
        fault = self.trouble.take()
        if request.community != self._community or fault in {"silent", "hang", "wrong_community"}:
            return
        answer = self.answer(request, stuck=fault == "non_increasing")
        if fault == "truncated":
            answer = answer[: len(answer) // 2]
        delay = self._delay_s + (self.trouble.delay_s if fault == "slow" else 0.0)
        if delay:
            asyncio.get_running_loop().call_later(delay, self._send, answer, addr)
        else:
            self._send(answer, addr)

    def _send(self, answer: bytes, addr: tuple[str | Any, int]) -> None:
        if self._transport is not None:
            self._transport.sendto(answer, addr)

    def answer(self, request: Request, *, stuck: bool = False) -> bytes:
        """The response message; `stuck` repeats what was asked instead of going on."""
        mib = self._view.mib()
        if request.kind == GET:
            rows = [binding(wanted, mib.get(wanted)) for wanted in request.oids]
        elif request.kind == GET_BULK:
            return encode_response(request, self._bulk(mib, request, stuck))
        else:
            rows = [_next(mib, wanted, stuck)[1] for wanted in request.oids]
        answer = encode_response(request, rows)
        if len(answer) > MAX_DATAGRAM:
            return encode_response(request, [], error=_TOO_BIG)
        return answer

    def _bulk(self, mib: Mib, request: Request, stuck: bool) -> list[bytes]:
        once = max(0, min(request.first, len(request.oids)))
        rows = [_next(mib, wanted, stuck)[1] for wanted in request.oids[:once]]
        room = MAX_DATAGRAM - _OVERHEAD - sum(map(len, rows))
        going: list[Oid | None] = list(request.oids[once:])
        for _ in range(max(0, request.second)):
            if all(at is None for at in going):
                break
            for place, at in enumerate(going):
                last = at if at is not None else request.oids[once + place]
                found, row = _next(mib, last, stuck) if at is not None else (None, _end(last))
                room -= len(row)
                if room < 0:
                    return rows
                rows.append(row)
                going[place] = found
        return rows


def _end(at: Oid) -> bytes:
    return binding(at, Value(END_OF_MIB))


def _next(mib: Mib, at: Oid, stuck: bool) -> tuple[Oid | None, bytes]:
    found = mib.after(at)
    if found is None:
        return None, _end(at)
    if stuck and mib.get(at).data != b"":
        return at, binding(at, mib.get(at))
    return found[0], binding(*found)
