"""Every serial that is accepted reaches GenieACS as itself, in a query and in a path."""

import json
import re
import unicodedata
from urllib.parse import quote, unquote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cpe.access.genieacs import lookup
from cpe.access.genieacs.nbi import encode_query
from cpe.domain import serials
from cpe.domain.errors import InputRefusedError
from deployments.lab.acs_query import parse_query
from flows.request import DiagnosisRequest, run_name
from tasks.report import artifact_key
from tests.support.boxes import TPLINK, box
from tests.support.own_nbi import Cpe, OwnNbi

ODD = ("AB+12", "AB#12", "AB(12)", "~AB12", "été-12", "A&B=12", "1,ZTEG12345678", "a!b@c'd", "+1")


def accepted(text):
    try:
        return serials.parse_serial(text)
    except InputRefusedError:
        return None


@pytest.mark.parametrize("text", ODD)
def test_a_serial_that_can_be_sent_safely_is_accepted(text):
    assert serials.parse_serial(text) == text
    assert DiagnosisRequest(serial=text).serial == text
    assert text in run_name(text)
    assert re.fullmatch(r"[a-z0-9-]+", artifact_key(text))


@pytest.mark.parametrize(
    "text",
    [
        "*", "AB*", "A?B", "/^22/", "/^22/i", "/", "a/../b", "$ne", 'a"b', "a\\b", "a{b}", "a[b]",
        "a|b", "a<b>", "a`b`", "a;b", "a^b", "a\tb", "a\u00a0b", "a\u2003b", "\u202ea", "a\u200fb",
        "a\u200bb", "a\ufeffb", "a\x7fb", "a\x85b", "\u0663", "a\ud800b", "x" * 65, "é" * 65,
        "q\u0308",
    ],
)  # fmt: skip
def test_wildcards_syntax_and_what_nobody_sees_stay_refused(text):
    with pytest.raises(InputRefusedError):
        serials.parse_serial(text)


def test_an_accent_typed_apart_is_the_same_serial():
    apart = unicodedata.normalize("NFD", "été12")
    assert apart != "été12"
    assert serials.parse_serial(apart) == "été12"
    assert apart in serials.serial_spellings("été12")
    assert serials.is_same_serial(apart.upper(), "été12")


typed = st.text(st.sampled_from("aZ09é\u0301İß-_.:%/ +#()~&@,=!'*$?\"\\gimy^"), max_size=12)


@given(typed | st.text(max_size=8))
def test_an_accepted_serial_is_itself_to_a_query_and_never_a_pattern(text):
    serial = accepted(text)
    assume(serial is not None)
    for spelling in serials.serial_spellings(serial):
        query = {"_deviceId._SerialNumber": {"$in": [spelling]}}
        sent = encode_query(query)
        assert re.fullmatch(r"[A-Za-z0-9_.~%-]+", sent)
        assert json.loads(unquote(sent)) == query
        assert "*" not in spelling
        assert not re.fullmatch(r"/(.*?)/(g?i?m?y?)", spelling)
        asked = parse_query(unquote(sent), expand=True)
        assert asked.test({"_deviceId": {"_SerialNumber": spelling}})
        assert not asked.test({"_deviceId": {"_SerialNumber": spelling + "x"}})


@given(typed | st.text(max_size=8))
def test_an_accepted_serial_survives_the_acs_id_in_a_path(text):
    serial = accepted(text)
    assume(serial is not None)
    part = re.sub(r"[^A-Za-z0-9_]", lambda m: _percent(m[0]), serial)
    acs_id = f"9CA2F4-XX230v-{part}"
    path = f"/devices/{quote(acs_id, safe='')}/tasks"
    assert path.count("/") == 3
    assert not set(path) & set("?#+&")
    assert unquote(unquote(path.split("/")[2])) == f"9CA2F4-XX230v-{serial}"
    assert unquote(quote(serial, safe="")) == serial


def _percent(character):
    return "".join(f"%{byte:02X}" for byte in character.encode())


@pytest.mark.parametrize("held", [*ODD, unicodedata.normalize("NFD", "été-12"), "ab+12"])
async def test_a_box_with_an_odd_serial_is_found(held):
    acs = OwnNbi()
    named = box({"Device.DeviceInfo.UpTime": 5}, identity={**TPLINK, "_SerialNumber": held})
    named["_id"] = f"9CA2F4-Device2-{quote(held, safe='')}"
    other = box({}, identity={**TPLINK, "_SerialNumber": held + "0"})
    other["_id"] = "9CA2F4-Device2-other"
    for document in (named, other):
        acs.add(document, Cpe({}))
    nbi = acs.client()
    try:
        seen = await lookup.find(nbi, serials.parse_serial(held), limit_s=60.0)
    finally:
        await nbi.transport.close()
    assert seen is not None
    assert (seen.device.acs_id, seen.device.serial) == (named["_id"], held)
