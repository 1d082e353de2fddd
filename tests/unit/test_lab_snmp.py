"""The agent's BER and its bisection, against laws and against pysnmp's own codec."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder, encoder
from pyasn1.type import univ

from deployments.lab.plant import Plant
from deployments.lab.snmp_agent import MAX_DATAGRAM, OltView, SnmpAgent
from deployments.lab.snmp_ber import (
    COUNTER32,
    GET_BULK,
    BerError,
    Request,
    Value,
    decode_oid,
    decode_request,
    encode_oid,
    encode_value,
    integer,
    octets,
)
from deployments.lab.snmp_mib import Column, Mib

OIDS = st.tuples(st.just(1), st.just(3)).flatmap(
    lambda head: st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=12).map(
        lambda tail: (*head, *tail)
    )
)


@given(OIDS)
def test_an_oid_survives_and_is_what_pyasn1_writes(oid):
    encoded = encode_oid(oid)
    assert encoded == encoder.encode(univ.ObjectIdentifier(oid))
    assert decode_oid(encoded[2:]) == oid


@given(st.integers(-(2**31), 2**31 - 1))
def test_an_integer_is_what_pyasn1_writes(number):
    assert encode_value(integer(number)) == encoder.encode(univ.Integer(number))


@given(st.binary(max_size=400))
def test_octets_are_what_pyasn1_reads(data):
    assert bytes(decoder.decode(encode_value(octets(data)))[0]) == data


def test_a_counter_is_unsigned():
    assert encode_value(Value(COUNTER32, 2**32 - 1)) == b"\x41\x05\x00\xff\xff\xff\xff"


@given(st.binary(max_size=80))
def test_garbage_is_refused_and_never_worse(data):
    with contextlib.suppress(BerError):
        assert isinstance(decode_request(data), Request)


ROWS = [(1, 1), (1, 2), (2, 1)]
MIB = Mib(
    [
        Column((1, 3, 6, 2), ROWS, integer),
        Column((1, 3, 6, 1), ROWS, lambda at: integer(at) if at != 1 else None),
    ]
)


def test_a_walk_meets_every_cell_once_in_order_and_skips_holes():
    met, at = [], (1, 3)
    while (found := MIB.after(at)) is not None:
        at = found[0]
        met.append(at)
    assert met == sorted(met)
    assert len(met) == 5
    assert (1, 3, 6, 1, 1, 2) not in met


@given(st.lists(st.integers(0, 7), max_size=6).map(tuple))
def test_the_next_oid_is_always_beyond(oid):
    found = MIB.after(oid)
    if found is not None:
        assert found[0] > oid
        assert MIB.get(found[0]) == found[1]


@pytest.mark.parametrize("repetitions", [1, 50, 2_000])
def test_a_bulk_answer_never_exceeds_a_datagram(repetitions):
    agent = SnmpAgent(OltView(Plant(2_000), 0), "c")
    request = Request(b"c", GET_BULK, 1, 0, repetitions, ((1, 3, 6, 1, 4, 1),))
    assert len(agent.answer(request)) <= MAX_DATAGRAM
