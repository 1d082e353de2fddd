"""What may be sent, and what names mean the same box."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpe.domain import serials
from cpe.domain.errors import InputRefusedError


@pytest.mark.parametrize(
    "text",
    ["22275A7009001", "ab-12/34", " 2239A00000001 ", "1C:61:B4:D0:07:45", "T%P.link x", "a" * 64],
)
def test_a_serial_of_the_field_is_accepted_trimmed(text):
    assert serials.parse_serial(text) == text.strip()


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("a" * 65, "longer"),
        ("2239*", "wildcard"),
        ("../etc", ".."),
        ("a..b", ".."),
        ("/x", "begin"),
        ("x/", "end"),
        ('x","$ne":"', "letters"),
        ("x\ny", "letters"),
        ("x\0", "letters"),
    ],
)
def test_anything_else_is_refused_in_one_line(text, word):
    with pytest.raises(InputRefusedError) as caught:
        serials.parse_serial(text)
    assert word in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["TPLGB4D00744", "tplgb4d00744", "54504C47B4D00744", "54504c47b4d00744",
     "54 50 4C 47 B4 D0 07 44", "1,TPLGB4D00744"],
)  # fmt: skip
def test_every_notation_of_a_gpon_serial_is_one_serial(text):
    assert serials.gpon_serial(text) == "TPLGB4D00744"


@pytest.mark.parametrize("text", ["22275A7009001", "", "TPLG", "ZZZZZZZZZZZZ", "00000000B4D00744"])
def test_what_is_no_gpon_serial_is_none(text):
    assert serials.gpon_serial(text) is None


@given(st.from_regex(r"[A-Z]{4}[0-9A-F]{8}", fullmatch=True))
def test_hex_and_octets_lead_back_to_the_canonical_serial(canonical):
    as_hex = serials.gpon_serial_hex(canonical)
    assert serials.gpon_serial(as_hex) == canonical
    assert serials.gpon_serial_from_octets(bytes.fromhex(as_hex)) == canonical


def test_eight_printable_octets_are_a_serial_and_not_text():
    assert serials.gpon_serial_from_octets(b"HWTC1234") == "HWTC31323334"


@pytest.mark.parametrize("text", ["1c-61-b4-d0-07-45", "1C61B4D00745", "1C:61:B4:D0:07:45"])
def test_every_notation_of_a_mac_is_one_mac(text):
    assert serials.mac_address(text) == "1C:61:B4:D0:07:45"


def test_tplink_derives_its_gpon_serial_from_the_mac():
    assert serials.tplink_gpon_serial_from_mac("1C:61:B4:D0:07:45") == "TPLGB4D00744"
    assert serials.tplink_gpon_serial_from_mac("no mac") is None
