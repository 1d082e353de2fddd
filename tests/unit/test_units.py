"""Conversions: figures of real devices, and laws."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpe.domain import units


@pytest.mark.parametrize(
    ("name", "raw", "value"),
    [
        ("tenth_microwatt_to_dbm", 5624, -2.5),
        ("tenth_microwatt_to_dbm", 14880, 1.73),
        ("tenth_microwatt_to_dbm", 10_000, 0.0),
        ("milli", -21500, -21.5),
        ("tenth", -215, -21.5),
        ("hundredth", -2415, -24.15),
        ("rcpi_to_dbm", 100, -60.0),
        ("rcpi_to_dbm", 0, -110.0),
        ("rcpi_to_dbm", 220, 0.0),
        ("u8_to_pct", 130, 51.0),
        ("u8_to_pct", 71, 27.8),
        ("u8_to_pct", 255, 100.0),
        ("u256_to_c", 12251, 47.9),
        ("bias_2ua_to_ma", 8302, 16.6),
        ("kbps_to_mbps", 960_000, 960.0),
    ],
)
def test_a_raw_figure_of_a_real_device_becomes_its_unit(name, raw, value):
    assert units.convert(name, raw) == value


@pytest.mark.parametrize("raw", [0, -1, -5624])
def test_no_light_has_no_dbm_value(raw):
    assert units.tenth_microwatt_to_dbm(raw) is None


@pytest.mark.parametrize("raw", [221, 255, -1])
def test_a_reserved_rcpi_code_is_no_signal_level(raw):
    assert units.rcpi_to_dbm(raw) is None


@pytest.mark.parametrize("raw", [256, -1])
def test_a_utilisation_outside_its_byte_is_no_percentage(raw):
    assert units.u8_to_pct(raw) is None


@given(st.floats(min_value=-45, max_value=10))
def test_dbm_survives_the_way_through_tenths_of_a_microwatt(dbm):
    back = units.tenth_microwatt_to_dbm(units.dbm_to_tenth_microwatt(dbm))
    assert back is not None
    assert math.isclose(back, dbm, abs_tol=0.0051)


@given(
    st.sampled_from(sorted(units.CONVERSIONS)),
    st.one_of(st.just(math.nan), st.just(math.inf), st.just(-math.inf)),
)
def test_what_is_not_a_number_becomes_nothing(name, raw):
    assert units.convert(name, raw) is None


@given(
    st.sampled_from(sorted(units.CONVERSIONS)),
    st.floats(min_value=1, max_value=200),
    st.floats(min_value=1, max_value=200),
)
def test_every_conversion_keeps_the_order_of_readings(name, one, other):
    low, high = sorted((one, other))
    first, second = units.convert(name, low), units.convert(name, high)
    assert first is not None
    assert second is not None
    assert first <= second
