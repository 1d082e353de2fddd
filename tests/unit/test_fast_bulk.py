"""The small SNMP codec of whole walks: against pysnmp's own, and against nonsense."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder
from pysnmp.proto import api

from cpe.access.olt.fast_bulk import (
    MalformedError,
    decode_oid,
    decode_response,
    encode_oid,
    encode_request,
)
from cpe.access.olt.wire import Missing, ObjectId
from deployments.lab.snmp_ber import (
    Request,
    Value,
    binding,
    encode_response,
    integer,
    octets,
)

ARCS = st.integers(0, 2**32 - 1)
OIDS = st.lists(ARCS, min_size=1, max_size=20).map(lambda rest: (1, 3, *rest))
VALUES = st.one_of(
    st.integers(-(2**31), 2**31 - 1).map(integer),
    st.binary(max_size=60).map(octets),
    st.integers(0, 2**32 - 1).map(lambda n: Value(0x42, n)),
)


@given(OIDS)
def test_an_oid_comes_back_as_it_went(oid):
    encoded = encode_oid(oid)
    header = 2 if encoded[1] < 0x80 else 3
    assert decode_oid(encoded[header:]) == oid


@given(st.integers(1, 2**31 - 1), st.integers(1, 50), st.lists(OIDS, min_size=1, max_size=8))
def test_a_request_is_what_pysnmp_reads_as_the_same_getbulk(request_id, repetitions, oids):
    message = encode_request(b"public", request_id, repetitions, oids)
    decoded, rest = decoder.decode(
        message, asn1Spec=api.PROTOCOL_MODULES[api.SNMP_VERSION_2C].Message()
    )
    assert rest == b""
    module = api.PROTOCOL_MODULES[api.SNMP_VERSION_2C]
    pdu = module.apiMessage.get_pdu(decoded)
    assert bytes(module.apiMessage.get_community(decoded)) == b"public"
    assert int(pdu["request-id"]) == request_id
    assert (int(pdu["non-repeaters"]), int(pdu["max-repetitions"])) == (0, repetitions)
    assert [tuple(oid) for oid, _ in module.apiBulkPDU.get_varbinds(pdu)] == oids


@given(st.integers(1, 2**31 - 1), st.lists(st.tuples(OIDS, VALUES), max_size=30))
def test_a_response_is_read_as_it_was_sent(request_id, sent):
    rows = [binding(oid, value) for oid, value in sent]
    data = encode_response(Request(b"public", 0xA5, request_id, 0, 9, ()), rows)
    found, response = decode_response(data)
    assert found == request_id
    assert (response.error_status, response.error_index) == (0, 0)
    assert [oid for oid, _ in response.varbinds] == [oid for oid, _ in sent]
    for (_, got), (_, value) in zip(response.varbinds, sent, strict=True):
        expected = value.data & 0xFFFFFFFF if value.tag == 0x42 else value.data
        assert got == expected


def test_each_way_of_having_no_value_is_told_apart():
    kinds = {0x05: Missing.NULL, 0x80: Missing.NO_OBJECT, 0x81: Missing.NO_INSTANCE,
             0x82: Missing.END}  # fmt: skip
    rows = [binding((1, 3, tag), Value(tag)) for tag in kinds]
    _, response = decode_response(encode_response(Request(b"c", 0xA5, 1, 0, 9, ()), rows))
    assert [value for _, value in response.varbinds] == list(kinds.values())


def test_an_object_identifier_is_one():
    row = binding((1, 3, 6), Value(0x06, (1, 3, 6, 1, 4)))
    _, response = decode_response(encode_response(Request(b"c", 0xA5, 1, 0, 9, ()), [row]))
    assert response.varbinds[0][1] == ObjectId("1.3.6.1.4")


def test_a_number_without_octets_is_no_zero():
    rows = [binding((1, 3, 6), integer(7))]
    data = bytearray(encode_response(Request(b"c", 0xA5, 1, 0, 9, ()), rows))
    assert data.endswith(b"\x02\x01\x07")
    del data[-1]
    for length_at in (1, 9, 20, 22, 28):  # of the message, the PDU, its rows, the row, the number
        data[length_at] -= 1
    with pytest.raises(MalformedError, match="without octets"):
        decode_response(bytes(data))


@given(st.binary(max_size=200))
def test_nonsense_is_refused_and_nothing_else_is_raised(data):
    with pytest.raises(MalformedError):
        decode_response(data)


@given(st.data())
def test_a_cut_or_altered_answer_is_refused_or_read_as_something(data):
    rows = [binding((1, 3, 6, n), integer(n)) for n in range(10)]
    whole = encode_response(Request(b"public", 0xA5, 7, 0, 9, ()), rows)
    at = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(MalformedError):
        decode_response(whole[:at])
    altered = bytearray(whole)
    altered[at] = data.draw(st.integers(0, 255))
    with contextlib.suppress(MalformedError):
        decode_response(bytes(altered))
