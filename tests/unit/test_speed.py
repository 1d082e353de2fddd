"""TR-143 arithmetic: the standard's formulas, and every reason for having no figure."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpe.domain.speed import (
    MAX_MBPS,
    SHORTEST_S,
    Counters,
    download_rate,
    explain,
    failed,
    moment,
    whole_number,
)

BEGAN = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
WRAP = 1 << 32


def text(time):
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def after(**duration):
    return text(BEGAN + timedelta(**duration))


def counters(test_bytes=10_000_000, ended=None, **rest):
    return Counters(
        began=text(BEGAN), ended=ended or after(seconds=10), test_bytes=test_bytes, **rest
    )


def rate(given, connections=1, waited_s=40.0):
    return download_rate(given, connections=connections, waited_s=waited_s)


def test_one_connection_is_bytes_between_begin_and_end():
    found = rate(counters(10_000_000))
    assert (found.mbps, found.bytes, found.duration_ms, found.why) == (8.0, 10_000_000, 10_000, "")


FULL = {"full_total_bytes": 90_000_000, "full_test_bytes": 80_000_000, "full_period_us": 8_000_000}


def test_several_connections_are_bytes_under_full_loading_per_microsecond():
    found = rate(counters(100_000_000, **FULL), connections=3)
    assert (found.mbps, found.bytes, found.duration_ms) == (90.0, 90_000_000, 8_000)


@pytest.mark.parametrize("connections", [1, None])
def test_full_loading_is_for_several_connections_only(connections):
    assert rate(counters(100_000_000, **FULL), connections=connections).mbps == 80.0


@pytest.mark.parametrize(
    "missing",
    [
        {},
        {"full_period_us": 0, "full_total_bytes": 5_000_000},
        {"full_period_us": "", "full_total_bytes": 5_000_000},
        {"full_period_us": 8_000_000, "full_total_bytes": 0},
        {"full_period_us": 100_000, "full_total_bytes": 5_000_000},
        {"full_period_us": 60_000_000, "full_total_bytes": 5_000_000},
    ],
)
def test_several_connections_without_full_loading_are_averaged_over_the_test(missing):
    assert rate(counters(10_000_000, **missing), connections=3).mbps == 8.0


@pytest.mark.parametrize("unknown", ["", None, "0001-01-01T00:00:00.000Z", "soon", 17, True,
                                     "0001-07-14T16:38:24.952Z"])  # fmt: skip
@pytest.mark.parametrize("which", ["began", "ended"])
def test_a_time_that_is_none_measures_nothing(unknown, which):
    times = {"began": text(BEGAN), "ended": after(seconds=10), which: unknown}
    found = rate(Counters(**times, test_bytes=10_000_000))
    assert found.mbps is None
    assert found.why == "the box gives no time of the transfer's begin or end"


@pytest.mark.parametrize("ended", [text(BEGAN), after(seconds=-3)])
def test_an_end_that_is_not_after_the_begin_measures_nothing(ended):
    found = rate(counters(ended=ended))
    assert found.mbps is None
    assert "ends before it begins" in found.why


def test_too_short_is_said_with_its_length():
    found = rate(counters(1_000_000, ended=after(milliseconds=199)))
    assert (found.mbps, found.duration_ms) == (None, 199)
    assert found.why == "199 ms are too short to measure: the test file is too small"
    assert rate(counters(1_000_000, ended=after(milliseconds=200))).mbps == 40.0


def test_a_clock_that_was_set_meanwhile_measures_nothing():
    found = rate(counters(ended=after(seconds=10)), waited_s=8.9)
    assert (found.mbps, found.why) == (None, "the box's clock was set during the test")
    assert rate(counters(ended=after(seconds=10)), waited_s=9.0).mbps == 8.0


@pytest.mark.parametrize("received", [None, "", 0, -1, "many", True, 0.5])
def test_no_bytes_are_no_measurement_and_never_0_mbps(received):
    found = rate(counters(received))
    assert (found.mbps, found.why) == (None, "the box counted no bytes")


@pytest.mark.parametrize(
    "rest",
    [
        {"total_bytes": 5_000_000},
        {"full_test_bytes": 20_000_000, "full_total_bytes": 30_000_000},
        {"full_test_bytes": 9_000_000, "full_total_bytes": 4_000_000},
    ],
)
def test_a_part_above_its_whole_is_a_wrapped_counter(rest):
    found = rate(counters(10_000_000, **rest), connections=3)
    assert found.mbps is None
    assert "wrapped at 4 GiB" in found.why


def test_a_total_of_0_is_a_counter_that_is_not_kept():
    assert rate(counters(10_000_000, total_bytes=0)).mbps == 8.0


def test_a_rate_above_any_line_is_not_believed():
    found = rate(counters(4_000_000_000, ended=after(seconds=2)))
    assert found.mbps is None
    assert "faster than any line" in found.why


def test_text_counts_as_a_number_where_it_is_one():
    assert rate(counters("10000000")).mbps == 8.0


seconds = st.integers(200, 120_000).map(lambda ms: ms / 1000)
anything = st.one_of(
    st.none(), st.text(max_size=30), st.integers(-WRAP, 2 * WRAP), st.booleans(), st.floats(),
    st.datetimes().map(lambda t: t.isoformat() + "Z"),
)  # fmt: skip


@given(st.integers(1, WRAP - 1), seconds)
def test_a_figure_times_its_time_gives_the_bytes_back(received, lasted):
    found = rate(counters(received, ended=after(seconds=lasted)), waited_s=120)
    if found.mbps is None:
        assert 8 * received / lasted / 1e6 > MAX_MBPS
    else:
        assert found.mbps * lasted * 1e6 / 8 == pytest.approx(received, abs=0.006e6 * lasted / 8)


@given(st.integers(1, 400_000_000), st.integers(1, 3000), seconds)
def test_more_bytes_in_the_same_time_are_never_slower(received, more, lasted):
    few = rate(counters(received, ended=after(seconds=lasted)), waited_s=120).mbps
    many = rate(counters(received + more, ended=after(seconds=lasted)), waited_s=120).mbps
    assert many is None or few is not None
    assert many is None or many >= few


@given(st.integers(WRAP, WRAP + 3_000_000_000), st.integers(1, 50), seconds)
def test_a_counter_that_wrapped_alone_is_never_a_figure(really, percent, lasted):
    total = really * (100 + percent) // 100
    test_bytes, total_bytes = really - WRAP, total % WRAP
    found = rate(counters(test_bytes, ended=after(seconds=lasted), total_bytes=total_bytes))
    if total_bytes and total_bytes < test_bytes:
        assert found.mbps is None


times = st.one_of(anything, st.integers(0, 60_000).map(lambda ms: after(milliseconds=ms)))


@given(
    st.builds(Counters, times, times, anything, anything, anything, anything, anything),
    st.one_of(st.none(), st.integers(0, 8)),
    st.floats(0, 120),
)
def test_whatever_a_box_says_it_is_a_possible_figure_or_a_reason(given_, connections, waited_s):
    found = rate(given_, connections=connections, waited_s=waited_s)
    assert (found.mbps is None) == bool(found.why)
    if found.mbps is not None:
        assert 0 <= found.mbps <= MAX_MBPS
        assert found.bytes
        assert found.duration_ms >= SHORTEST_S * 1000
        assert found.duration_ms <= (waited_s + 1) * 1000 + 1000


@pytest.mark.parametrize(
    ("given_", "expected"),
    [(7, 7), ("7", 7), (7.0, 7), (7.5, None), (float("nan"), None), (float("inf"), None),
     ("٧", None), ("", None), ("9" * 5000, None), (False, None), (None, None), (-1, None)],
)  # fmt: skip
def test_a_count_is_whole_and_not_negative(given_, expected):
    assert whole_number(given_) == expected


def test_a_time_without_zone_is_utc():
    assert moment("2026-11-23T18:00:00") == BEGAN


@pytest.mark.parametrize("state", ["None", "Requested", "Complete", "Completed", "InProgress"])
def test_what_is_running_or_complete_has_not_failed(state):
    assert not failed(state)


def test_every_failure_is_said_in_words_with_its_state():
    assert explain("Error_NoRouteToHost") == (
        "the box has no route to the test server (Error_NoRouteToHost)"
    )
    assert failed("Error_Vendor")
    assert explain("Error_Vendor") == "the box reports an error (Error_Vendor)"
    assert failed("Canceled")
    assert explain("Canceled") == "the test was cancelled"
