"""What stands for "no reading" is known once, for every source."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpe.access.olt import decode
from cpe.domain.finding import Status
from cpe.domain.number_text import read_number
from cpe.domain.observation import Quality, Source
from cpe.domain.verdict import Code
from cpe.profiles.cpe_profile import Candidate
from cpe.profiles.olt_columns import ColumnName, FloatTextColumn, IntColumn
from cpe.profiles.olt_profile import olt_profiles
from cpe.profiles.quantities import quantities
from cpe.profiles.scalar import read_scalar
from tests.support.cases import reading, sighting, snapshot
from tests.support.judging import found, verdict

RX = quantities()["optical.rx_dbm"]


@pytest.mark.parametrize("source", [Source.ACS, Source.OLT, Source.BRIDGE])
@pytest.mark.parametrize("rx", [-40.0, -40, 0.0, -39.5, -36.0, -327.68, 655.35])
def test_an_ont_that_is_online_does_not_receive_nothing(source, rx):
    shot = snapshot(reading("optical.rx_dbm", rx, source=source, age_s=0), olt=sighting())
    v = verdict(shot)
    assert v.code is Code.INCONCLUSIVE
    assert "optical.rx_power_in_band" in [n.rule for n in v.not_evaluable]


def test_a_placeholder_of_the_box_leaves_the_judging_to_the_olt():
    shot = snapshot(
        reading("optical.rx_dbm", -40.0),
        reading("optical.rx_dbm", -19.0, source=Source.OLT, age_s=0),
        olt=sighting(),
    )
    assert verdict(shot).code is Code.HEALTHY


@pytest.mark.parametrize("rx", [-25.1, -30.0, -34.9])
def test_weak_light_that_a_receiver_detects_stays_weak(rx):
    assert verdict(snapshot(reading("optical.rx_dbm", rx))).code is Code.FIBRE_WEAK


@pytest.mark.parametrize("rx", [-40.0, 0.0])
def test_what_an_olt_receives_has_the_same_placeholders(rx):
    shot = snapshot(reading("optical.olt_rx_dbm", rx, source=Source.OLT, age_s=0), olt=sighting())
    assert found(shot, "optical.olt_rx_in_band").status is Status.UNKNOWN


@pytest.mark.parametrize(
    ("conversion", "raw"),
    [
        ("identity", -40), ("identity", "-40.00"), ("identity", "-40 dBm"), ("identity", 0),
        ("identity", "-inf"), ("identity", "-inf dBm"), ("identity", "0.00 mW"),
        ("identity", "-39.99"), ("hundredth", -4000), ("hundredth", 65535), ("hundredth", -1),
        ("tenth", -400), ("tenth", -32768), ("tenth", 32767), ("milli", -40000),
        ("milli", 2147483647), ("tenth_microwatt_to_dbm", 1), ("tenth_microwatt_to_dbm", 65535),
        ("tenth_microwatt_to_dbm", 4294967295), ("identity", -3276.8), ("identity", -80),
        ("identity", 2147483647),
    ],
)  # fmt: skip
def test_no_profile_can_forget_a_placeholder_of_the_acs(conversion, raw):
    candidate = Candidate(path="A.B", conversion=conversion)
    value, quality, _ = read_scalar(raw, candidate, RX)
    assert value is None
    assert quality in (Quality.SENTINEL, Quality.IMPLAUSIBLE)


@pytest.mark.parametrize(
    ("mul", "raw"),
    [(0.01, -4000), (0.1, -400), (1, -40), (0.01, 65535), (0.001, -40000), (0.002, 0),
     (0.1, -32768), (0.01, 2147483647), (0.01, -1), (0.1, 32767), (0.01, -3950)],
)  # fmt: skip
@pytest.mark.parametrize("name", [ColumnName.ONT_RX, ColumnName.OLT_RX])
def test_no_profile_can_forget_a_placeholder_of_an_olt(name, mul, raw):
    column = IntColumn.model_validate(
        {"oid": "1.3.6.1.1", "decode": "int", "mul": mul, "typical": -20}
    )
    assert decode.number(name, column, raw).value is None


def test_a_whole_dbm_of_a_laser_may_be_zero_and_a_fine_one_may_not():
    tx = quantities()["optical.tx_dbm"]
    coarse, fine = Candidate(path="A.B", resolution=1), Candidate(path="A.B")
    assert read_scalar(0, coarse, tx)[:2] == (0, Quality.OK)
    assert read_scalar("0.00", fine, tx)[1] is Quality.SENTINEL


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.00 mW (-23.19 dBm)", -23.19),
        ("0.03 mW (-14.61 dBm)", -14.61),
        ("-23.19 dBm (0.005 mW)", -23.19),
        ("4.80 uW (-23.19dBm)", -23.19),
        ("4.80 µW / -23.19 dBm", -23.19),
        ("-19.32(dBm)", -19.32),
        ("-21,5 dBm", -21.5),
        ("−21.5 dBm", -21.5),
        ("0.0048 mW", -23.19),
    ],
)
def test_a_unit_that_is_written_beats_the_profiles(text, value):
    """In every scale that a profile may have, ACS and OLT alike."""
    vsol = olt_profiles()["vsol"].columns[ColumnName.ONT_RX]
    assert isinstance(vsol, FloatTextColumn)
    made = decode.number(ColumnName.ONT_RX, vsol, text.encode("latin-1", "replace"))
    if text.isascii():
        assert made.value == pytest.approx(value, abs=0.005)
    for conversion in ("identity", "tenth", "tenth_microwatt_to_dbm"):
        read, quality, _ = read_scalar(text, Candidate(path="A", conversion=conversion), RX)
        assert (read, quality) == (pytest.approx(value, abs=0.005), Quality.OK)


@pytest.mark.parametrize(
    "text",
    ["0.50 mW (-23.19 dBm)", "45 C", "3.3 V", "-21.5 dB", "1 2", "-19 dBm -25 dBm", "-19.3.2 dBm",
     "9999 (-23.19 dBm)", "Rx -19 dBm"],
)  # fmt: skip
def test_a_text_that_contradicts_itself_or_is_of_another_unit_is_no_reading(text):
    vsol = olt_profiles()["vsol"].columns[ColumnName.ONT_RX]
    assert isinstance(vsol, FloatTextColumn)
    assert decode.number(ColumnName.ONT_RX, vsol, text.encode()).quality is Quality.UNPARSABLE
    assert read_scalar(text, Candidate(path="A.B"), RX)[1] is Quality.UNPARSABLE


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text):
    written = read_number(text, "dBm", lambda number: number)
    told = [written.value is not None, written.bare is not None, bool(written.wrong)]
    assert told.count(True) == 1


@given(st.floats(-34.9, -0.01))
def test_both_ways_of_writing_one_power_agree(dbm):
    dbm = round(dbm, 2)
    milliwatt = 10 ** (dbm / 10)
    assert read_number(f"{milliwatt:.6f} mW ({dbm:.2f} dBm)", "dBm", lambda x: x).value == dbm
    wrong = dbm - 3 if milliwatt > 1e-4 else dbm + 20
    assert read_number(f"{milliwatt:.6f} mW ({wrong:.2f} dBm)", "dBm", lambda x: x).wrong
    assert math.isinf(read_number("-inf dBm", "dBm", lambda x: x).value or 0)
