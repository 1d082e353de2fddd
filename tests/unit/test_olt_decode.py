"""Raw SNMP values to readings, indexes to places, states to one state."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpe.access.olt import decode, index
from cpe.access.olt.fold import fold
from cpe.access.olt.wire import Missing, ObjectId, parse_oid
from cpe.domain.observation import Quality
from cpe.domain.snapshot import DownCause, OntState
from cpe.profiles.olt_columns import (
    ColumnName,
    FloatTextColumn,
    IntColumn,
    LogMwColumn,
    NumberColumn,
    PiecewiseColumn,
    RunState,
    SerialColumn,
    TimeColumn,
)
from cpe.profiles.olt_index import OpaqueIndex, PartsIndex
from cpe.profiles.olt_profile import olt_profiles

OID = "1.3.6.1.4.1.1.1"
PROFILES = olt_profiles()


def rx(profile: str) -> NumberColumn:
    column = PROFILES[profile].columns[ColumnName.ONT_RX]
    assert isinstance(column, NumberColumn)
    return column


@pytest.mark.parametrize(
    ("profile", "raw", "value", "quality"),
    [
        ("huawei", -2500, -25.0, Quality.OK),
        ("huawei", -800, -8.0, Quality.OK),
        ("huawei", 2147483647, None, Quality.SENTINEL),
        ("huawei", -4001, None, Quality.IMPLAUSIBLE),
        ("zte-1012", 5635, -18.73, Quality.OK),
        ("zte-1012", 65535, None, Quality.SENTINEL),
        ("zte-1012", 65534, -30.004, Quality.OK),
        ("zte-1082", 2500, -25.0, Quality.OK),
        ("zte-1082", 60536, None, Quality.SENTINEL),
        ("zte-1082", 60535, None, Quality.IMPLAUSIBLE),
        ("nokia", -12500, -25.0, Quality.OK),
        ("nokia", 53036, -25.0, Quality.OK),
        ("nokia", 32768, None, Quality.SENTINEL),
        ("nokia", 0, None, Quality.SENTINEL),
        ("nokia", -1, None, Quality.SENTINEL),
        ("nokia", 65535, None, Quality.SENTINEL),
        ("huawei", 0, None, Quality.SENTINEL),
        ("huawei", -1, None, Quality.SENTINEL),
        ("huawei", -2, -0.02, Quality.OK),
        ("bdcom", 0, None, Quality.SENTINEL),
        ("bdcom", -1, None, Quality.SENTINEL),
        ("fiberhome", -1, None, Quality.SENTINEL),
        ("tplink", b"0.00", None, Quality.SENTINEL),
        ("vsol", b"0.00(dBm)", None, Quality.SENTINEL),
        ("raisecom", 2500, -25.0, Quality.OK),
        ("raisecom", 0, None, Quality.SENTINEL),
        ("raisecom", 1, -29.998, Quality.OK),
        ("raisecom", 65535, None, Quality.SENTINEL),
        ("raisecom", 65534, -30.004, Quality.OK),
        ("raisecom", 60536, None, Quality.SENTINEL),
        ("raisecom", 60000, None, Quality.IMPLAUSIBLE),
        ("raisecom", 59999, None, Quality.IMPLAUSIBLE),
        ("fiberhome", -2500, -25.0, Quality.OK),
        ("fiberhome", 0, None, Quality.SENTINEL),
        ("calix-axos", 32, -24.95, Quality.OK),
        ("calix-axos", 0, None, Quality.SENTINEL),
        ("calix-axos", -1, None, Quality.SENTINEL),
        ("tplink", b"-25.00", -25.0, Quality.OK),
        ("tplink", b"--", None, Quality.SENTINEL),
        ("tplink", b"", None, Quality.SENTINEL),
        ("vsol", b"-19.32(dBm)", -19.32, Quality.OK),
        ("vsol", b"-23.46", -23.46, Quality.OK),
        ("vsol", b"N/A", None, Quality.SENTINEL),
        ("vsol", b"0.03 mW (-14.61 dBm)", -14.61, Quality.OK),
        ("bdcom", -250, -25.0, Quality.OK),
        ("bdcom", -65535, None, Quality.SENTINEL),
        ("bdcom", 2147483648, None, Quality.SENTINEL),
        ("bdcom", -2147483648, None, Quality.SENTINEL),
        ("cdata", -2500, -25.0, Quality.OK),
        ("cdata", -1, None, Quality.SENTINEL),
        ("cdata", 0, None, Quality.SENTINEL),
        ("cdata", 65535, None, Quality.SENTINEL),
        ("ufiber", -2500, -25.0, Quality.OK),
        ("ufiber", 0, None, Quality.SENTINEL),
    ],
)
def test_every_boundary_and_sentinel_of_ont_rx(
    profile: str, raw: int | bytes, value: float | None, quality: Quality
):
    made = decode.number(ColumnName.ONT_RX, rx(profile), raw)
    assert (made.value, made.quality) == (value, quality)


@pytest.mark.parametrize(
    ("profile", "raw", "value", "quality"),
    [
        ("huawei", 8064, -19.36, Quality.OK),
        ("huawei", 8775, -12.25, Quality.OK),
        ("huawei", 9999, -0.01, Quality.OK),
        ("huawei", 10000, None, Quality.SENTINEL),
        ("raisecom", 0, None, Quality.SENTINEL),
        ("fiberhome", 0, None, Quality.SENTINEL),
        ("zte-1082", 0, None, Quality.SENTINEL),
        ("zte-1082", -1, None, Quality.SENTINEL),
        ("huawei", 10001, None, Quality.IMPLAUSIBLE),
        ("huawei", 2147483647, None, Quality.SENTINEL),
        ("zte-1012", -80000, None, Quality.SENTINEL),
        ("zte-1012", 65535000, None, Quality.SENTINEL),
        ("zte-1082", -80000, None, Quality.SENTINEL),
        ("zte-1082", -28000, -28.0, Quality.OK),
        ("nokia", 65534, None, Quality.SENTINEL),
        ("nokia", -281, -28.1, Quality.OK),
        ("raisecom", -281, -28.1, Quality.OK),
    ],
)
def test_every_boundary_and_sentinel_of_olt_rx(
    profile: str, raw: int, value: float | None, quality: Quality
):
    column = PROFILES[profile].columns[ColumnName.OLT_RX]
    assert isinstance(column, NumberColumn)
    made = decode.number(ColumnName.OLT_RX, column, raw)
    assert (made.value, made.quality, made.raw) == (value, quality, raw)


@pytest.mark.parametrize(
    ("profile", "raw"),
    [("huawei", 0), ("huawei", -1), ("bdcom", 0), ("fiberhome", -1), ("tplink", b"0")],
)
def test_a_laser_is_not_out_of_class_for_an_olts_word_for_no_reading(profile, raw):
    column = PROFILES[profile].columns[ColumnName.ONT_TX]
    assert isinstance(column, NumberColumn)
    made = decode.number(ColumnName.ONT_TX, column, raw)
    assert (made.value, made.quality) == (None, Quality.SENTINEL)


def test_a_zero_that_is_no_power_is_a_zero():
    column = PROFILES["huawei"].columns[ColumnName.DISTANCE]
    assert isinstance(column, NumberColumn)
    assert decode.number(ColumnName.DISTANCE, column, 0).value == 0


def test_the_conversion_is_named_by_its_formula():
    column = PROFILES["huawei"].columns[ColumnName.OLT_RX]
    assert isinstance(column, IntColumn)
    assert column.conversion() == "raw*0.01-100"
    assert isinstance(zte := rx("zte-1082"), IntColumn)
    assert zte.conversion() == "signed16(raw)*0.002-30"
    assert isinstance(calix := rx("calix-axos"), LogMwColumn)
    assert calix.conversion() == "tenth_microwatt_mw_to_dbm"
    assert isinstance(vsol := rx("vsol"), FloatTextColumn)
    assert vsol.conversion() == "text_number"
    assert isinstance(raisecom := rx("raisecom"), PiecewiseColumn)
    assert raisecom.conversion().startswith("piecewise(raw*0.002-30 from 0")


@given(raw=st.integers(-(2**31), 2**32 - 1), profile=st.sampled_from(sorted(PROFILES)))
def test_no_raw_number_ever_becomes_an_impossible_power(raw: int, profile: str):
    for name in (ColumnName.ONT_RX, ColumnName.OLT_RX, ColumnName.ONT_TX):
        column = PROFILES[profile].columns.get(name)
        if isinstance(column, NumberColumn):
            made = decode.number(name, column, raw)
            assert (made.value is None) == (made.quality is not Quality.OK)
            if made.value is not None:
                assert isinstance(made.value, float)
                assert -40 <= made.value <= 10
            else:
                assert made.raw is not None


@given(st.binary(max_size=40))
def test_any_octets_are_read_or_refused_but_never_raise(octets: bytes):
    for profile in PROFILES.values():
        for name, column in profile.columns.items():
            if isinstance(column, NumberColumn) and name not in (
                ColumnName.AT_ONT,
                ColumnName.AT_PON,
                ColumnName.AT_SLOT,
            ):
                made = decode.number(name, column, octets)
                assert (made.value is None) == (made.quality is not Quality.OK)


@pytest.mark.parametrize("value", list(Missing))
def test_a_missing_value_says_what_the_olt_said(value: Missing):
    made = decode.number(ColumnName.ONT_RX, rx("huawei"), value)
    assert (made.value, made.quality, made.note) == (None, Quality.NOT_READ, value.value)


@pytest.mark.parametrize(
    ("kind", "raw", "serial"),
    [
        ("serial_octets", bytes.fromhex("48575443A1000001"), "HWTCA1000001"),
        ("serial_octets", b"ZTEG\x00\x00\x00\x00", "ZTEG00000000"),
        ("serial_octets", b"HWTC4142", "HWTC34313432"),  # printable octets are still octets
        ("serial_octets", b"HWTC1234ABCD", "HWTC1234ABCD"),
        ("serial_octets", b"\0" * 8, None),
        ("serial_octets", b"", None),
        ("serial_text", b"1,ZTEGC1234567", "ZTEGC1234567"),
        ("serial_text", b"FHTT1231e796", "FHTT1231E796"),
        ("serial_text", b"48575443A1000001", "HWTCA1000001"),
        ("serial_text", b"N/A", None),
        ("serial_any", b"RCMG1234ABCD", "RCMG1234ABCD"),
        ("serial_any", b"52 43 4D 47 12 34 AB CD", "RCMG1234ABCD"),
        ("serial_any", bytes.fromhex("52434d471234abcd"), "RCMG1234ABCD"),
    ],
)
def test_serials_of_every_notation(kind: str, raw: bytes, serial: str | None):
    column = SerialColumn.model_validate({"oid": OID, "decode": kind})
    assert decode.serial(column, raw) == serial


def test_a_serial_is_never_made_of_something_else():
    column = SerialColumn.model_validate({"oid": OID, "decode": "serial_text"})
    for value in (5, ObjectId("1.3.6"), *Missing):
        assert decode.serial(column, value) is None


@pytest.mark.parametrize(
    ("octets", "found"),
    [
        ("07ea0b17140a0500", datetime(2026, 11, 23, 20, 10, 5, tzinfo=UTC)),
        ("07ea0b17140a05002d0500", datetime(2026, 11, 24, 1, 10, 5, tzinfo=UTC)),
        ("07ea0b17140a05092b0200", datetime(2026, 11, 23, 18, 10, 5, 900_000, tzinfo=UTC)),
        ("07ea0b17140a3c00", datetime(2026, 11, 23, 20, 10, 59, tzinfo=UTC)),
        ("0000000000000000", None),
        ("07ea0d17140a0500", None),
        ("07ea0b17140a05", None),
        ("07ea0b17140a05002a0500", None),
        ("ffffffffffffffff", None),
    ],
)
def test_date_and_time(octets: str, found: datetime | None):
    assert decode.date_and_time(bytes.fromhex(octets)) == found


@given(st.binary(min_size=8, max_size=11))
def test_no_octets_break_date_and_time(octets: bytes):
    found = decode.date_and_time(octets)
    assert found is None or found.tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "quality"),
    [
        ("2026-11-23 20:10:05", Quality.OK),
        ("2026/11/23 20:10:05", Quality.OK),
        ("0000-00-00 00:00:00", Quality.SENTINEL),
        ("", Quality.SENTINEL),
        ("yesterday", Quality.UNPARSABLE),
    ],
)
def test_text_times(text: str, quality: Quality):
    column = TimeColumn.model_validate(
        {"oid": OID, "decode": "text_time", "invalid": ["0000-00-00 00:00:00"]}
    )
    found, made = decode.when(column, text.encode())
    assert made.quality is quality
    assert (found is not None) == (quality is Quality.OK)


PLACES = [
    ("huawei", "main", "4194312192.3", {"frame": 0, "slot": 1, "port": 0, "ont": 3}, "0/1/0"),
    ("zte-1012", "main", "268501248.1", {"slot": 1, "port": 1, "ont": 1}, "1/1/1"),
    ("zte-1082", "main", "285278977.7", {"shelf": 1, "slot": 3, "port": 1, "ont": 7}, "1/3/1"),
    ("nokia", "main", "96468992", {"slot": 1, "pon": 1, "ont": 1}, "1/1"),
    ("raisecom", "main", "294060034", {"slot": 3, "port": 7, "ont": 2}, "3/7"),
    ("raisecom", "optics", "30701001", {"slot": 3, "port": 7, "ont": 1}, "3/7"),
    ("raisecom", "optics", "815406369", {"slot": 1, "port": 1, "ont": 100}, "1/1"),
    ("raisecom", "optics", "10106001", {"slot": 1, "port": 1, "ont": 6}, "1/1"),
    ("fiberhome", "main", "369623296", {"slot": 11, "pon": 1, "ont": 1}, "11/1"),
    ("fiberhome", "uplink", "369623040.1", {"slot": 11, "pon": 1, "ont": 1}, "11/1"),
    ("vsol", "main", "4.2", {"pon": 4, "ont": 2}, "4"),
    ("tplink", "main", "0.3.5", {"slot": 0, "port": 3, "ont": 5}, "0/3"),
]


@pytest.mark.parametrize(("profile", "which", "text", "numbers", "pon"), PLACES)
def test_the_indexes_of_the_reference(
    profile: str, which: str, text: str, numbers: dict[str, int], pon: str
):
    spec = PROFILES[profile].indexes[which]
    assert isinstance(spec, PartsIndex)
    assert index.encode(spec, numbers) == parse_oid(text)
    place = index.decode(spec, parse_oid(text))
    assert place is not None
    assert (dict(place.numbers), place.pon) == (numbers, pon)
    assert place.ont == str(numbers["ont"])


PARTS = [
    (name, which, spec)
    for name, profile in PROFILES.items()
    for which, spec in profile.indexes.items()
    if isinstance(spec, PartsIndex)
]


@given(st.data())
@pytest.mark.parametrize(("name", "which", "spec"), PARTS)
def test_an_index_that_decodes_encodes_back_to_itself(
    name: str, which: str, spec: PartsIndex, data: st.DataObject
):
    sub = st.integers(0, 2**32 - 1)
    raw = tuple(data.draw(sub) for _ in spec.parts)
    place = index.decode(spec, raw)
    if place is not None:
        assert index.encode(spec, place.numbers) == raw


@given(st.data())
@pytest.mark.parametrize(("name", "which", "spec"), PARTS)
def test_a_pon_scope_holds_its_own_onts_and_no_others(
    name: str, which: str, spec: PartsIndex, data: st.DataObject
):
    small = st.integers(1, 7)
    place = {field: data.draw(small, label=field) for field in spec.names()}
    place |= {"frame": 0} if "frame" in place else {}
    other = {**place, "ont": data.draw(st.integers(1, 100), label="other ont")}
    own, sibling = index.encode(spec, place), index.encode(spec, other)
    assert own is not None
    assert sibling is not None
    scope = index.pon_scope(spec, own)
    if scope is None:
        assert which == "optics"  # decimals are never walked
        return
    assert scope.holds(own)
    assert scope.holds(sibling)
    for field in set(spec.names()) - {"ont", "frame"}:
        stranger = index.encode(spec, {**other, field: place[field] + 1})
        assert stranger is None or not scope.holds(stranger)


def test_an_index_of_another_layout_is_not_decoded():
    huawei = PROFILES["huawei"].indexes["main"]
    assert isinstance(huawei, PartsIndex)
    for text in ("4194312193.1", "268501248.1", "4194312192", f"{0xFA000000 | 1 << 19}.1"):
        assert index.decode(huawei, parse_oid(text)) is None


def test_the_place_in_a_name():
    cdata = PROFILES["cdata"].indexes["main"]
    assert isinstance(cdata, OpaqueIndex)
    place = index.from_name(cdata, "gpon 0/0/7 onu 12")
    assert place is not None
    assert (place.pon, place.ont) == ("0/0/7", "12")
    assert index.from_name(cdata, "Mme Tremblay") is None


def test_a_serial_is_its_own_index():
    assert index.serial_index("UBNT12345678")[:5] == (12, 85, 66, 78, 84)


DARK = (OntState.LOS, OntState.DYING_GASP, OntState.OFFLINE)


@given(
    run=st.sampled_from([None, *RunState]),
    cause=st.sampled_from([None, *DownCause]),
)
def test_the_laws_of_folding(run: RunState | None, cause: DownCause | None):
    folded = fold(run, cause)
    if run is None or run is RunState.UNKNOWN:
        assert folded.state is OntState.UNKNOWN
    elif run is RunState.ONLINE:
        assert (folded.state, folded.cause) == (OntState.ONLINE, cause)
    else:
        assert folded.state in DARK
    if RunState.DYING_GASP is run:
        assert folded.state is OntState.DYING_GASP
    if run in (RunState.LOS, RunState.DOWN) and cause is DownCause.DYING_GASP:
        assert folded.state is OntState.DYING_GASP
    if run in (RunState.OFFLINE, RunState.DEACTIVATED, RunState.REGISTERING):
        assert folded.state is OntState.OFFLINE
    if cause is DownCause.ROGUE:
        assert folded.cause is DownCause.ROGUE


def test_a_told_cause_is_never_replaced_by_an_implied_one():
    assert fold(RunState.LOS, DownCause.DYING_GASP).cause is DownCause.DYING_GASP
    assert fold(RunState.LOS, None).cause is DownCause.FIBRE
    assert fold(RunState.LOS, DownCause.UNKNOWN).cause is DownCause.FIBRE
    assert fold(RunState.DOWN, DownCause.UNKNOWN).state is OntState.OFFLINE
